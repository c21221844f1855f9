"""The ports through which the stages learn what is known of persons, of who may act for whom and of technical users.

Their adapters are `gateway.inscriptions`, `gateway.employer_access` and `gateway.users.access`.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from authz.annex import RoleHolder
from authz.employer_access import EmployerRelation, NamedEmployer
from authz.integration import PersonFacts
from authz.organisation import Organisation
from gateway.refusal import Fault


class Facts(Protocol):
    """What is known of persons: the register and the inscriptions."""

    def find(self, ssin: str, customer: Organisation, supplier: Organisation | None) -> PersonFacts:
        """Return the facts of the person for this customer and this supplier."""
        ...

    def find_all(
        self, ssins: Iterable[str], customer: Organisation, supplier: Organisation | None
    ) -> Mapping[str, PersonFacts]:
        """Return the facts of each of the persons, by SSIN, with one question for all of them."""
        ...


class EmployerAccess(Protocol):
    """For which employers an organisation may act."""

    def find_relation(self, acting: Organisation, employer: NamedEmployer, day: date) -> EmployerRelation | None:
        """Return what lets the organisation act for the employer on that day; None if nothing does.

        None, too, for an employer that nobody knows, or whose numbers contradict each other.
        """
        ...


class TechnicalUsers(Protocol):
    """Who sends the messages of enterprises."""

    def find(self, fingerprint: str, now: datetime) -> RoleHolder | None:
        """Return the technical user who sends with this certificate (SHA-256 of its DER, hex); None if nobody may."""
        ...


@contextmanager
def reading_facts() -> Iterator[None]:
    """Turn a register that cannot be read into fault MSG00001: without the facts nothing is decided."""
    try:
        yield
    except SQLAlchemyError as error:
        raise Fault(
            "MSG00001",
            "The gateway cannot reach its registers now; try again later.",
            faultcode="soapenv:Server",
            internal=f"{type(error).__name__} while reading the facts",
        ) from error
