"""The values of User Management: an enterprise's account and what stands in it.

National numbers, contacts and names of people are kept out of every `repr`. Days are days in Brussels, quarters are
texts such as `2026Q1`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any


class Quality(StrEnum):
    """In which capacity an enterprise uses the portal; each has its own users and its own access manager."""

    ENTERPRISE = "enterprise"
    """An enterprise as such, with staff or without; every enterprise has it."""
    EMPLOYER = "employer"
    SERVICE_PROVIDER = "service_provider"
    RECOGNISED_SOCIAL_SECRETARIAT = "recognised_social_secretariat"
    TELECOM_OPERATOR = "telecom_operator"


class Capacity(StrEnum):
    """What binds a person to the enterprise. The last four are outside its direct authority: never users."""

    EMPLOYEE = "employee"
    DIRECTOR = "director"
    MANAGER = "manager"
    PARTNER = "partner"
    SELF_EMPLOYED_COLLABORATOR = "self_employed_collaborator"
    THIRD_PARTY = "third_party"
    SERVICE_PROVIDER = "service_provider"
    INTERMEDIARY = "intermediary"


class Means(StrEnum):
    """How a person proved who it is."""

    EID = "eid"
    ITSME = "itsme"
    APP = "app"
    PASSWORD = "password"  # noqa: S105


class Language(StrEnum):
    """In which language a person is served."""

    NL = "nl"
    FR = "fr"
    DE = "de"


class Region(StrEnum):
    """Where a provincial or local administration is."""

    BRUSSELS = "brussels"
    FLANDERS = "flanders"
    WALLONIA = "wallonia"


class Administration(StrEnum):
    """Which provincial or local administration an enterprise is."""

    MUNICIPALITY = "municipality"
    PROVINCE = "province"
    OTHER_LOCAL = "other_local"


class Channel(StrEnum):
    """How structured messages travel."""

    SFTP = "sftp"
    FTP = "ftp"
    WEB_SERVICE = "web_service"


class FixedNetwork(StrEnum):
    """The secondary networks with a fixed FTP connection, for provincial and local administrations."""

    CIPAL = "cipal"
    IRISNET = "irisnet"
    PUBLILINK = "publilink"
    SCHAUBROECK = "schaubroeck"
    INFRAX = "infrax"
    PUBLIWIN = "publiwin"


class CertificateKind(StrEnum):
    """What a certificate is; a signature file is made with one of the first two."""

    EID_SIGNATURE = "eid_signature"
    PERSONALSIGN_3_PRO = "personalsign_3_pro"
    OTHER = "other"


class PasswordState(StrEnum):
    """Whether a user has a password, and whose choice it was: one that was given must be changed at the next login."""

    NONE = "none"
    GIVEN = "given"
    OWN = "own"


class SttsProfile(IntEnum):
    """The profiles of the social telephone tariffs: commercial, administrative, extended administrative."""

    COMMERCIAL = 1
    ADMINISTRATIVE = 2
    EXTENDED_ADMINISTRATIVE = 3


class AppointmentStatus(StrEnum):
    """How far the request for a first manager is."""

    REQUESTED = "requested"
    ORIGINAL_RECEIVED = "original_received"
    APPROVED = "approved"
    REFUSED = "refused"


class Medium(StrEnum):
    """As what the signed form came in."""

    ORIGINAL = "original"
    FAX = "fax"
    COPY = "copy"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Enterprise:
    """An enterprise as the Crossroads Bank for Enterprises and the NSSO know it.

    `qualities` are those that it has by law or registration, whether it activated them here or not. It is struck off
    from the day `struck_off_on` on. `administration` and `region` are of provincial and local administrations only.
    """

    number: str
    name: str
    legal_form: str
    qualities: frozenset[Quality] = frozenset({Quality.ENTERPRISE})
    nsso_number: str | None = None
    nsso_ppo_number: str | None = None
    struck_off_on: date | None = None
    administration: Administration | None = None
    region: Region | None = None

    @property
    def has_staff(self) -> bool:
        """Tell whether the enterprise employs people."""
        return Quality.EMPLOYER in self.qualities

    def is_struck_off(self, day: date) -> bool:
        """Tell whether the enterprise no longer exists on that day."""
        return self.struck_off_on is not None and self.struck_off_on <= day


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a person can be reached; `phone` receives text messages."""

    email: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Person:
    """A natural person; one without a Belgian national number has None."""

    name: str = field(repr=False)
    first_name: str = field(repr=False)
    national_number: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate, by the SHA-256 of its DER bytes in lower-case hexadecimal; valid up to and on `not_after`."""

    fingerprint: str
    kind: CertificateKind
    not_after: date


@dataclass(frozen=True, slots=True)
class User:
    """A person who may act for the enterprise, in one quality (None: the chief, who acts in all of them).

    `user_id` is its technical identification, given once and never given again. `e_mails` are those of the person
    and of the enterprise as that person keeps them.
    """

    user_id: str
    person: Person
    quality: Quality | None
    capacity: Capacity
    contact: Contact = Contact()
    enterprise_email: str | None = field(default=None, repr=False)
    language: Language = Language.NL
    user_name: str | None = None
    password: PasswordState = PasswordState.NONE
    certificate: Certificate | None = None
    applications: frozenset[str] = frozenset()
    stts_profile: SttsProfile | None = None
    blocked: bool = False
    activated: bool = False


@dataclass(frozen=True, slots=True)
class TechnicalUser:
    """Who sends structured messages for a quality: a contact person, a channel, a certificate and the services."""

    sender_number: str
    quality: Quality
    contact_name: str = field(repr=False)
    channel: Channel
    certificate: Certificate
    services: frozenset[str]
    network: FixedNetwork | None = None


@dataclass(frozen=True, slots=True)
class Signatory:
    """Who signs the request for a manager; who does not work there proves its capacity (`proof` names the document)."""

    person: Person
    capacity: Capacity
    contact: Contact = Contact()
    works_here: bool = True
    proof: str | None = None


@dataclass(frozen=True, slots=True)
class Appointment:
    """A ticketed request for a (new) chief access manager. `due` is the last day on which approval is in time."""

    ticket: str
    manager: Person
    capacity: Capacity
    contact: Contact
    signatory: Signatory
    requested_on: date
    replace: bool = False
    status: AppointmentStatus = AppointmentStatus.REQUESTED
    due: date | None = None


@dataclass(frozen=True, slots=True)
class Roles:
    """The managers of one activated quality, by user id; without a `manager` of its own, the chief is it."""

    manager: str | None = None
    co_manager: str | None = None


@dataclass(frozen=True, slots=True)
class Mandate:
    """That this employer (the mandator) lets another enterprise act for it, for one group of applications.

    Both quarters belong to it; without `end_quarter` it runs on. A provisional mandate (`definitive` False) opens
    nothing yet. `ended_on` is the last day, where the end was reported.
    """

    mandate_id: str
    mandator: str
    mandatary: str
    application_group: str
    begin_quarter: str
    end_quarter: str | None = None
    definitive: bool = False
    ended_on: date | None = None


@dataclass(frozen=True, slots=True)
class Affiliation:
    """That this employer is affiliated to a recognised social secretariat; both days belong to it."""

    secretariat: str
    begin: date
    end: date | None = None

    def is_valid_on(self, day: date) -> bool:
        """Tell whether the affiliation holds on that day."""
        return self.begin <= day and (self.end is None or day <= self.end)


def _empty() -> Mapping[Any, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class EnterpriseAccount:
    """Everything that User Management knows of one enterprise. `given` counts the identifications it ever gave."""

    enterprise: Enterprise
    appointments: Mapping[str, Appointment] = field(default_factory=_empty)
    chief: str | None = None
    co_chief: str | None = None
    activated: bool = False
    qualities: Mapping[Quality, Roles] = field(default_factory=_empty)
    users: Mapping[str, User] = field(default_factory=_empty)
    technical_users: Mapping[str, TechnicalUser] = field(default_factory=_empty)
    mandates: Mapping[str, Mandate] = field(default_factory=_empty)
    affiliations: tuple[Affiliation, ...] = ()
    password_login: bool = True
    given: int = 0

    def manager_of(self, quality: Quality) -> str | None:
        """Return the user id of the quality's access manager: by default the chief. None where it is not activated."""
        roles = self.qualities.get(quality)
        return None if roles is None else roles.manager or self.chief

    def next_id(self, kind: str) -> str:
        """Return the next identification: the enterprise number, a letter for what it is of, and a count."""
        return f"{self.enterprise.number}-{kind}{self.given + 1}"

    def holders(self) -> Iterator[str]:
        """Yield the user id of each role's own holder."""
        for user_id in (self.chief, self.co_chief):
            if user_id is not None:
                yield user_id
        for roles in self.qualities.values():
            for user_id in (roles.manager, roles.co_manager):
                if user_id is not None:
                    yield user_id
