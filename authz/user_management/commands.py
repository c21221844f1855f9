"""What may be asked of an account, and by whom. A command carries wishes, never facts that the account knows.

Passwords and national numbers are kept out of every `repr`; a password goes no further than the rule that judges it.
"""

from dataclasses import dataclass, field
from datetime import date

from authz.user_management.model import (
    Capacity,
    Certificate,
    Channel,
    Contact,
    Enterprise,
    FixedNetwork,
    Language,
    Means,
    Medium,
    Person,
    Quality,
    Signatory,
    SttsProfile,
)


@dataclass(frozen=True, slots=True)
class Member:
    """An authenticated user of an enterprise, with the means by which it logged in."""

    enterprise_number: str
    user_id: str
    means: Means


@dataclass(frozen=True, slots=True)
class Applicant:
    """An authenticated person who has no account: may only request a manager."""

    national_number: str | None = field(repr=False)
    means: Means


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody at the gateway, on the NSSO's side: receives originals, approves, keeps what the registers say."""

    name: str


Actor = Member | Applicant | Operator


@dataclass(frozen=True, slots=True)
class RegisterEnterprise:
    """Open the account of an enterprise, from the registers."""

    enterprise: Enterprise


@dataclass(frozen=True, slots=True)
class UpdateEnterprise:
    """Put what the registers say now: name, qualities, numbers, striking off."""

    enterprise: Enterprise


@dataclass(frozen=True, slots=True)
class RequestAppointment:
    """Ask for a chief access manager; `replace` answers yes to "do you want to replace your present manager?"."""

    manager: Person
    capacity: Capacity
    contact: Contact
    signatory: Signatory
    replace: bool = False


@dataclass(frozen=True, slots=True)
class ReceiveOriginal:
    """Note that the signed form of a request came in."""

    ticket: str
    medium: Medium
    received_on: date


@dataclass(frozen=True, slots=True)
class ApproveAppointment:
    """Make the requested person chief access manager; after five working days, say why so late."""

    ticket: str
    delay_explained: str | None = None


@dataclass(frozen=True, slots=True)
class RefuseAppointment:
    """Close a request without a manager."""

    ticket: str
    reason: str


@dataclass(frozen=True, slots=True)
class Activate:
    """Log in for the first time: activates the user and, if it is the chief, the account."""


@dataclass(frozen=True, slots=True)
class ChooseUserName:
    """Choose one's own user name, once."""

    user_name: str


@dataclass(frozen=True, slots=True)
class ActivateQuality:
    """Start to use a quality that the enterprise has."""

    quality: Quality


@dataclass(frozen=True, slots=True)
class AppointCoChief:
    """Let a user help the chief; overwrites the former one. None: nobody any more."""

    user_id: str | None


@dataclass(frozen=True, slots=True)
class AppointAccessManager:
    """Let a user manage a quality; overwrites the former one. None: the chief again."""

    quality: Quality
    user_id: str | None


@dataclass(frozen=True, slots=True)
class AppointCoAccessManager:
    """Let a user help a quality's access manager; overwrites the former one. None: nobody any more."""

    quality: Quality
    user_id: str | None


@dataclass(frozen=True, slots=True)
class CreateUser:
    """Make somebody a user, in one quality, with the applications that it may use."""

    person: Person
    quality: Quality
    capacity: Capacity
    contact: Contact = field(default_factory=Contact)
    language: Language = Language.NL
    user_name: str | None = None
    password: str | None = field(default=None, repr=False)
    applications: frozenset[str] = frozenset()
    stts_profile: SttsProfile | None = None


@dataclass(frozen=True, slots=True)
class ChangeUser:
    """Change what is known of a user; None leaves a field as it is."""

    user_id: str
    name: str | None = field(default=None, repr=False)
    first_name: str | None = field(default=None, repr=False)
    capacity: Capacity | None = None
    contact: Contact | None = None
    language: Language | None = None
    user_name: str | None = None


@dataclass(frozen=True, slots=True)
class GrantApplications:
    """Let a user use more applications; STTS comes with its profile."""

    user_id: str
    applications: frozenset[str]
    stts_profile: SttsProfile | None = None


@dataclass(frozen=True, slots=True)
class WithdrawApplications:
    """Take applications from a user; the profile goes with STTS."""

    user_id: str
    applications: frozenset[str]


@dataclass(frozen=True, slots=True)
class SetSttsProfile:
    """Give a user of STTS another of the three profiles, in place of the one it has."""

    user_id: str
    profile: SttsProfile


@dataclass(frozen=True, slots=True)
class BlockUser:
    """Deactivate a user for a time: still listed, cannot log in."""

    user_id: str


@dataclass(frozen=True, slots=True)
class UnblockUser:
    """Let a blocked user in again."""

    user_id: str


@dataclass(frozen=True, slots=True)
class DeleteUser:
    """Remove a user; `confirmed` after its data were shown."""

    user_id: str
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class SetUserPassword:
    """Give a user a new password, which that user must change at the next login."""

    user_id: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChangeOwnPassword:
    """Change one's own password, knowing the present one."""

    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ResetOwnPassword:
    """Replace one's own password without knowing it."""

    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SwitchPasswordLogin:
    """Switch login by user name and password off, or on again, for the whole enterprise."""

    on: bool


@dataclass(frozen=True, slots=True)
class ChangeOwnData:
    """Change one's own e-mail addresses or language; None leaves a field as it is."""

    email: str | None = field(default=None, repr=False)
    enterprise_email: str | None = field(default=None, repr=False)
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class RegisterOwnCertificate:
    """Put one's own qualified certificate in place of the former; None removes it."""

    certificate: Certificate | None


@dataclass(frozen=True, slots=True)
class ConfigureTechnicalUser:
    """Set up structured messages: a technical user with channel, certificate and services gets a sender number."""

    quality: Quality
    contact_name: str = field(repr=False)
    channel: Channel
    certificate: Certificate
    services: frozenset[str]
    network: FixedNetwork | None = None


@dataclass(frozen=True, slots=True)
class ReplaceTechnicalUser:
    """Put another person, channel, certificate or services behind a sender number, whole."""

    sender_number: str
    contact_name: str = field(repr=False)
    channel: Channel
    certificate: Certificate
    services: frozenset[str]
    network: FixedNetwork | None = None


@dataclass(frozen=True, slots=True)
class DeleteTechnicalUser:
    """Stop structured messages under a sender number."""

    sender_number: str
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class CheckFiles:
    """Ask whether files may be sent under a sender number, by their names (`FI.DMFA.123456.20260105.00001.R.1`)."""

    sender_number: str
    file_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RegisterMandate:
    """Report, by the form, that another enterprise acts for this employer; `agreement`: there is a contract."""

    mandatary: str
    application_group: str
    begin_quarter: str
    end_quarter: str | None = None
    agreement: bool = False


@dataclass(frozen=True, slots=True)
class ActivateMandate:
    """Make a provisional mandate definitive."""

    mandate_id: str


@dataclass(frozen=True, slots=True)
class EndMandate:
    """Report the last day on which the mandatary acts for this employer."""

    mandate_id: str
    last_day: date


@dataclass(frozen=True, slots=True)
class RecordAffiliation:
    """Note, as the NSSO knows it, that this employer is affiliated to a recognised secretariat."""

    secretariat: str
    begin: date
    end: date | None = None


@dataclass(frozen=True, slots=True)
class EndAffiliation:
    """Note, as the NSSO knows it, the last day of the affiliation that began on `begin`."""

    secretariat: str
    begin: date
    last_day: date


Command = (
    RegisterEnterprise
    | UpdateEnterprise
    | RequestAppointment
    | ReceiveOriginal
    | ApproveAppointment
    | RefuseAppointment
    | Activate
    | ChooseUserName
    | ActivateQuality
    | AppointCoChief
    | AppointAccessManager
    | AppointCoAccessManager
    | CreateUser
    | ChangeUser
    | GrantApplications
    | WithdrawApplications
    | SetSttsProfile
    | BlockUser
    | UnblockUser
    | DeleteUser
    | SetUserPassword
    | ChangeOwnPassword
    | ResetOwnPassword
    | SwitchPasswordLogin
    | ChangeOwnData
    | RegisterOwnCertificate
    | ConfigureTechnicalUser
    | ReplaceTechnicalUser
    | DeleteTechnicalUser
    | CheckFiles
    | RegisterMandate
    | ActivateMandate
    | EndMandate
    | RecordAffiliation
    | EndAffiliation
)
