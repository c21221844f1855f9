"""For which employers an organisation may act: itself, those of its secretariat, or of its mandate.

Values, and the rule on them; the facts come from a register and from User Management.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class NamedEmployer:
    """An employer as a request names it: by registration, by enterprise, or by both, which must then agree."""

    nsso_registration_number: str | None = None
    nsso_ppo_registration_number: str | None = None
    enterprise_number: str | None = None

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        """Read the values of a request's employer element."""
        return cls(
            values.get("nssoRegistrationNumber"),
            values.get("nssoPpoRegistrationNumber"),
            values.get("enterpriseNumber"),
        )

    @property
    def number(self) -> str:
        """Return the number by which the request names it, the registration first; empty if there is none."""
        return self.nsso_registration_number or self.nsso_ppo_registration_number or self.enterprise_number or ""


class RelationKind(StrEnum):
    """Why an organisation may act for an employer."""

    OWN = "own"
    RECOGNISED_SECRETARIAT = "recognised secretariat"
    MANDATARY = "mandatary"


@dataclass(frozen=True, slots=True)
class EmployerRelation:
    """An organisation may act for an employer, from day to day, both included; open where there is no day.

    `mandate` identifies the affiliation or mandate that it rests on; an employer's own relation has none.
    """

    kind: RelationKind
    begin: date | None = None
    end: date | None = None
    mandate: str | None = None

    def holds_on(self, day: date) -> bool:
        """Tell whether it holds on that day, in Brussels."""
        return (self.begin is None or self.begin <= day) and (self.end is None or day <= self.end)
