"""What can happen to an account: the events of its history. No event holds a password."""

from dataclasses import dataclass, field
from datetime import date

from authz.user_management.model import (
    Affiliation,
    Appointment,
    Capacity,
    Certificate,
    Contact,
    Enterprise,
    Language,
    Mandate,
    PasswordState,
    Person,
    Quality,
    SttsProfile,
    TechnicalUser,
    User,
)


@dataclass(frozen=True, slots=True)
class EnterpriseRegistered:
    """The account was opened."""

    enterprise: Enterprise


@dataclass(frozen=True, slots=True)
class EnterpriseUpdated:
    """The registers say something new of the enterprise."""

    enterprise: Enterprise


@dataclass(frozen=True, slots=True)
class AppointmentRequested:
    """A manager was asked for, under a ticket."""

    appointment: Appointment


@dataclass(frozen=True, slots=True)
class OriginalReceived:
    """The signed original came in; approval is in time up to and on `due`."""

    ticket: str
    received_on: date
    due: date


@dataclass(frozen=True, slots=True)
class ManagerAppointed:
    """The request was approved: the user is the chief access manager, and the data of the former one are gone."""

    ticket: str
    user: User
    delay_explained: str | None = None


@dataclass(frozen=True, slots=True)
class CredentialsIssued:
    """A user name went by e-mail and a provisional password by text message, to a manager without national number."""

    user_id: str
    user_name: str


@dataclass(frozen=True, slots=True)
class AppointmentRefused:
    """The request was closed without a manager."""

    ticket: str
    reason: str


@dataclass(frozen=True, slots=True)
class UserActivated:
    """A user logged in for the first time."""

    user_id: str


@dataclass(frozen=True, slots=True)
class AccountActivated:
    """The chief logged in for the first time."""


@dataclass(frozen=True, slots=True)
class UserNameChosen:
    """A user has its user name, for good."""

    user_id: str
    user_name: str


@dataclass(frozen=True, slots=True)
class QualityActivated:
    """The enterprise started to use a quality."""

    quality: Quality


@dataclass(frozen=True, slots=True)
class CoChiefAppointed:
    """Another user (or nobody) helps the chief."""

    user_id: str | None


@dataclass(frozen=True, slots=True)
class AccessManagerAppointed:
    """Another user (or, with None, the chief) manages the quality."""

    quality: Quality
    user_id: str | None


@dataclass(frozen=True, slots=True)
class CoAccessManagerAppointed:
    """Another user (or nobody) helps the quality's manager."""

    quality: Quality
    user_id: str | None


@dataclass(frozen=True, slots=True)
class UserCreated:
    """Somebody became a user."""

    user: User


@dataclass(frozen=True, slots=True)
class UserChanged:
    """What is known of a user is now this."""

    user_id: str
    person: Person
    capacity: Capacity
    contact: Contact
    language: Language


@dataclass(frozen=True, slots=True)
class ApplicationsSet:
    """A user may use exactly these applications."""

    user_id: str
    applications: frozenset[str]
    stts_profile: SttsProfile | None


@dataclass(frozen=True, slots=True)
class UserBlocked:
    """A user cannot log in any more."""

    user_id: str


@dataclass(frozen=True, slots=True)
class UserUnblocked:
    """A blocked user can log in again."""

    user_id: str


@dataclass(frozen=True, slots=True)
class UserDeleted:
    """A user is gone, and whatever role it held is free."""

    user_id: str


@dataclass(frozen=True, slots=True)
class PasswordSet:
    """A user has another password: given by somebody else, or its own choice."""

    user_id: str
    state: PasswordState


@dataclass(frozen=True, slots=True)
class PasswordLoginSwitched:
    """Login by user name and password is on or off for the enterprise."""

    on: bool


@dataclass(frozen=True, slots=True)
class OwnDataChanged:
    """A user's own addresses and language are now these."""

    user_id: str
    email: str | None = field(repr=False)
    enterprise_email: str | None = field(repr=False)
    language: Language


@dataclass(frozen=True, slots=True)
class OwnCertificateRegistered:
    """A user has another certificate, or none."""

    user_id: str
    certificate: Certificate | None


@dataclass(frozen=True, slots=True)
class TechnicalUserConfigured:
    """A sender number now stands for this technical user, a new one or in place of the former."""

    technical_user: TechnicalUser


@dataclass(frozen=True, slots=True)
class TechnicalUserDeleted:
    """The sender number stands for nobody any more."""

    sender_number: str


@dataclass(frozen=True, slots=True)
class MandateRegistered:
    """Another enterprise was mandated, provisionally."""

    mandate: Mandate


@dataclass(frozen=True, slots=True)
class MandateActivated:
    """The mandate is definitive."""

    mandate_id: str


@dataclass(frozen=True, slots=True)
class MandateEnded:
    """The mandate's last day was reported."""

    mandate_id: str
    last_day: date


@dataclass(frozen=True, slots=True)
class AffiliationRecorded:
    """The employer is affiliated to a recognised secretariat."""

    affiliation: Affiliation


@dataclass(frozen=True, slots=True)
class AffiliationEnded:
    """The affiliation that began on `begin` has its last day."""

    secretariat: str
    begin: date
    last_day: date


Event = (
    EnterpriseRegistered
    | EnterpriseUpdated
    | AppointmentRequested
    | OriginalReceived
    | ManagerAppointed
    | CredentialsIssued
    | AppointmentRefused
    | UserActivated
    | AccountActivated
    | UserNameChosen
    | QualityActivated
    | CoChiefAppointed
    | AccessManagerAppointed
    | CoAccessManagerAppointed
    | UserCreated
    | UserChanged
    | ApplicationsSet
    | UserBlocked
    | UserUnblocked
    | UserDeleted
    | PasswordSet
    | PasswordLoginSwitched
    | OwnDataChanged
    | OwnCertificateRegistered
    | TechnicalUserConfigured
    | TechnicalUserDeleted
    | MandateRegistered
    | MandateActivated
    | MandateEnded
    | AffiliationRecorded
    | AffiliationEnded
)
