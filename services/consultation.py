"""What an operation receives and what it answers: values, keyed by the names of the XSD.

Conventions of values, the same everywhere in the gateway: an element with children is a mapping from the XSD's
element names; a repeated element is a list; an element of simple content with attributes is a mapping with `#text`
and `@attribute` keys; xsd:date is `datetime.date`, xsd:dateTime an aware `datetime`, xsd:boolean `bool`, integer
types `int`, xsd:decimal `Decimal`, and everything else `str`. In a document that a source keeps as a whole a date may
stand as its text, `2020-01-31`: it is written as it stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

Values = Mapping[str, Any]


def present(**elements: Any) -> dict[str, Any]:
    """Return the elements that are there: one that is None is left out."""
    return {name: value for name, value in elements.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Consultation:
    """One verified and authorised call of an operation.

    `values` is the whole request element; `now` is aware, UTC; `client_certificate` is the caller's certificate as
    the gateway saw it, PEM text; `client` is the name by which the gateway knows the caller.
    """

    operation: str
    values: Values
    now: datetime
    client_certificate: str
    client: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The case that an operation found, by its name in the service's statuses.yaml, and the data of the reply.

    `information` fills the information fields of the status, in order; `data` are the elements that follow `status`.
    `concerned` are the SSINs of persons whom the operation dealt with though neither the descriptor's `subject` nor its
    `persons` names them (the worker of a declaration): the audit must find them too. `reason` says to the audit
    alone why the operation told what it told. `refused` marks a case in which the operation itself says no by decision.
    """

    case: str
    data: Values = field(default_factory=dict)
    information: tuple[tuple[str, str], ...] = ()
    concerned: tuple[str, ...] = field(default=(), repr=False)
    reason: str = field(default="", repr=False)
    refused: bool = False


class SourceFault(Exception):
    """A source did not give a usable answer. `case` names the row of statuses.yaml, `information` fills its fields."""

    case = ""

    def __init__(self, reason: str, information: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(reason)
        self.information = information


class SourceUnavailable(SourceFault):
    """The source, or a part of it that the answer needs, cannot be asked now (MSG00020)."""

    case = "source_unavailable"


class SourceAnswerInvalid(SourceFault):
    """The source answered, but not with what it may answer (MSG00023)."""

    case = "source_answer_invalid"

    @classmethod
    def giving(cls, contradiction: str) -> Self:
        """Return the fault of a source that gave this, in words that name no data: the client is told them."""
        return cls(f"the source gave {contradiction}", (("details", contradiction),))


class SsinUnknownToSource(SourceFault):
    """The source has no such person in its file (MSG00021); of services whose statuses have that case."""

    case = "not_integrated_at_supplier"


class SourceCommunicationFailed(Exception):
    """The exchange with the source broke off, so that nobody knows what it did (fault MSG00002)."""
