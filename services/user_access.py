"""The port behind which User Management stands, and its values: may this user reach this entity's data on this day?

EmployerMandateConsultationService tells the answer; EmployerRepertoryService acts on it.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from services.employer import EmployerReference


class AccessPath(StrEnum):
    """What gives access; of the last two, a mandate or an affiliation."""

    MANAGER = "MANAGER"
    USER = "USER"
    RECOGNISED_SOCIAL_SECRETARIAT = "RECOGNISED_SOCIAL_SECRETARIAT"
    SERVICE_PROVIDER = "SERVICE_PROVIDER"


class NoAccessReason(StrEnum):
    """Why there is no access, in the order in which it is checked."""

    USER_UNKNOWN = "USER_UNKNOWN"
    USER_BLOCKED = "USER_BLOCKED"
    USER_NOT_ACTIVATED = "USER_NOT_ACTIVATED"
    APPLICATION_NOT_GRANTED = "APPLICATION_NOT_GRANTED"
    MEANS_INSUFFICIENT = "MEANS_INSUFFICIENT"
    ENTITY_UNKNOWN = "ENTITY_UNKNOWN"
    ENTITY_STRUCK_OFF = "ENTITY_STRUCK_OFF"
    NO_MANDATE = "NO_MANDATE"
    MANDATE_ENDED = "MANDATE_ENDED"


@dataclass(frozen=True, slots=True)
class AccessQuestion:
    """Who (the technical identification), to whose data, with which secured application, on which day in Belgium."""

    technical_user_id: str
    entity: EmployerReference
    application: str
    day: date


@dataclass(frozen=True, slots=True)
class Mandate:
    """The mandate or affiliation of an employer with a provider, by its enterprise number; days, the last included."""

    provider: str
    begin: date
    end: date | None = None


@dataclass(frozen=True, slots=True)
class AccessGiven:
    """Yes; `mandate` where the path is that of a secretariat or another provider."""

    path: AccessPath
    mandate: Mandate | None = None

    @property
    def words(self) -> str:
        """Return for the audit what gives access: `service provider 0999807011 since 2025-07-01`."""
        path = self.path.replace("_", " ").lower()
        return f"{path} {self.mandate.provider} since {self.mandate.begin}" if self.mandate else path


@dataclass(frozen=True, slots=True)
class AccessRefused:
    """No, for the first reason found."""

    reason: NoAccessReason


class UserAccess(Protocol):
    """Asks User Management. May raise `SourceUnavailable`, `SourceAnswerInvalid` or `SourceCommunicationFailed`."""

    def check_access(self, question: AccessQuestion) -> AccessGiven | AccessRefused:
        """Decide; it is asked about a user, never by one."""
        ...
