"""What is decided: Permit, or Deny with why. SSINs are kept out of every `repr`, so that no log line can hold one."""

from dataclasses import dataclass, field

from authz.annex import IntegrationRule

Information = tuple[tuple[str, str], ...]

MAX_FIELDS = 15
MAX_NAME = 64
MAX_VALUE = 256
"""Bounds of the contracts: InformationType, and status/information in CommonV3."""


@dataclass(frozen=True, slots=True)
class Permit:
    """Yes. `withheld` are the paths that the annex withholds, `dropped` those that go because of it.

    `integration` is what the persons found by the operation must meet too, None where the deliberation exempts it.
    """

    revision: str
    clause: str
    deliberation: str
    withheld: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    integration: IntegrationRule | None = None


@dataclass(frozen=True, slots=True)
class Deny:
    """No. `case` names the refusal, `clause` its place in the annex, `allowed` what would have passed.

    `subject` is the SSIN of the person whom the refusal is about.
    """

    revision: str
    case: str
    clause: str
    allowed: str
    information: Information = field(default=(), repr=False)
    subject: str | None = field(default=None, repr=False)


def bound_information(information: Information) -> Information:
    """Hold information within the contract: a long text ends in `...`, surplus fields are counted."""
    kept = information
    if len(information) > MAX_FIELDS:
        kept = information[: MAX_FIELDS - 1]
        kept = (*kept, (information[-1][0], f"and {len(information) - len(kept)} more"))
    return tuple((_cut(name, MAX_NAME), _cut(value, MAX_VALUE)) for name, value in kept)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 3]}..."
