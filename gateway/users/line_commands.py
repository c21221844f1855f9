"""What each line of an import does: the commands that bring an account to what the line says, and none where it is so.

What an operator may not do itself is done as the enterprise's chief access manager would.
"""

from datetime import datetime

from sqlalchemy import Connection

from authz.brussels import brussels_day
from authz.user_management.commands import (
    Activate,
    ActivateMandate,
    ActivateQuality,
    Actor,
    AppointAccessManager,
    AppointCoAccessManager,
    AppointCoChief,
    ApproveAppointment,
    BlockUser,
    ChooseUserName,
    Command,
    CreateUser,
    EndMandate,
    Member,
    Operator,
    ReceiveOriginal,
    RecordAffiliation,
    RegisterEnterprise,
    RegisterMandate,
    RequestAppointment,
    UpdateEnterprise,
)
from authz.user_management.events import AppointmentRequested, MandateRegistered, UserCreated
from authz.user_management.model import Affiliation, Enterprise, EnterpriseAccount, Means, Medium, Signatory
from gateway.users.history import Author
from gateway.users.lines import AffiliationLine, LineRefused, MandateLine, UserLine
from gateway.users.projection import find_snapshot
from gateway.users.store import Outcome, UserStore


class Line:
    """What one line does: its commands, decided one after the other in the transaction of its chunk."""

    def __init__(self, store: UserStore, connection: Connection, author: Author, now: datetime) -> None:
        self._store = store
        self._connection = connection
        self._author = author
        self.now = now
        self.operator = Operator(author.name)
        self.done: list[tuple[str, Command]] = []

    def find_account(self, enterprise: str) -> EnterpriseAccount | None:
        """Return the account of the enterprise as the lines before have left it."""
        snapshot = find_snapshot(self._connection, enterprise)
        return snapshot.account if snapshot is not None else None

    def get_account(self, enterprise: str) -> EnterpriseAccount:
        """Return the account of the enterprise; LineRefused if there is none."""
        account = self.find_account(enterprise)
        if account is None:
            raise LineRefused("enterprise-known", "User Management knows the enterprise.")
        return account

    def run(self, enterprise: str, command: Command, actor: Actor | None = None) -> Outcome:
        """Decide a command, of the operator unless somebody else is named; RuleRefused."""
        outcome = self._store.decide(
            self._connection, enterprise, command, actor or self.operator, self._author, self.now
        )
        if outcome.events:
            self.done.append((enterprise, command))
        return outcome


def import_enterprise(line: Line, wanted: Enterprise) -> None:
    """Open the account, or put in it what the registers say now."""
    if line.find_account(wanted.number) is None:
        line.run(wanted.number, RegisterEnterprise(wanted))
    else:
        line.run(wanted.number, UpdateEnterprise(wanted))


def import_user(line: Line, wanted: UserLine) -> None:
    """Make the person a user in its role, activated or blocked as the line says; LineRefused."""
    account = line.get_account(wanted.enterprise)
    if _is_there(account, wanted):
        return
    if wanted.role == "chief":
        _import_chief(line, wanted)
        return
    if account.chief is None:
        raise LineRefused("chief", "the enterprise has no chief access manager yet: import that one first")
    chief = Member(wanted.enterprise, account.chief, Means.EID)
    if wanted.quality not in account.qualities:
        line.run(wanted.enterprise, ActivateQuality(wanted.quality), chief)
    create = CreateUser(
        wanted.person,
        wanted.quality,
        wanted.capacity,
        wanted.contact,
        wanted.language,
        wanted.user_name,
        None,
        wanted.applications,
        wanted.stts_profile,
    )
    created = line.run(wanted.enterprise, create, chief)
    user_id = next(event.user.user_id for event in created.events if isinstance(event, UserCreated))
    if wanted.activated:
        line.run(wanted.enterprise, Activate(), Member(wanted.enterprise, user_id, Means.EID))
    appointment = _appointment(wanted, user_id)
    if appointment is not None:
        line.run(wanted.enterprise, appointment, chief)
    if wanted.blocked:
        line.run(wanted.enterprise, BlockUser(user_id), chief)


def _is_there(account: EnterpriseAccount, wanted: UserLine) -> bool:
    """Tell whether the person is this user already; one without national number never is."""
    number = wanted.person.national_number
    return number is not None and any(
        user.person.national_number == number
        and (user_id == account.chief if wanted.role == "chief" else user.quality == wanted.quality)
        for user_id, user in account.users.items()
    )


def _import_chief(line: Line, wanted: UserLine) -> None:
    """Appoint the chief, who signs the request too."""
    if wanted.person.national_number is None:
        raise LineRefused("national_number", "a chief without one is sent credentials: use users appointment")
    signatory = Signatory(wanted.person, wanted.capacity, wanted.contact)
    request = RequestAppointment(wanted.person, wanted.capacity, wanted.contact, signatory)
    requested = line.run(wanted.enterprise, request)
    ticket = next(each.appointment.ticket for each in requested.events if isinstance(each, AppointmentRequested))
    line.run(wanted.enterprise, ReceiveOriginal(ticket, Medium.ORIGINAL, brussels_day(line.now)))
    appointed = line.run(wanted.enterprise, ApproveAppointment(ticket)).account
    if wanted.activated and appointed.chief is not None:
        chief = Member(wanted.enterprise, appointed.chief, Means.EID)
        line.run(wanted.enterprise, Activate(), chief)
        if wanted.user_name is not None:
            line.run(wanted.enterprise, ChooseUserName(wanted.user_name), chief)


def _appointment(wanted: UserLine, user_id: str) -> Command | None:
    match wanted.role:
        case "co_chief":
            return AppointCoChief(user_id)
        case "access_manager":
            return AppointAccessManager(wanted.quality, user_id)
        case "co_access_manager":
            return AppointCoAccessManager(wanted.quality, user_id)
    return None


def import_affiliation(line: Line, wanted: AffiliationLine) -> None:
    """Record the affiliation; LineRefused."""
    account = line.get_account(wanted.employer)
    if Affiliation(wanted.secretariat, wanted.begin, wanted.end) not in account.affiliations:
        line.run(wanted.employer, RecordAffiliation(wanted.secretariat, wanted.begin, wanted.end))


def import_mandate(line: Line, wanted: MandateLine) -> None:
    """Register the mandate, make it definitive and end it as far as the line says; LineRefused."""
    account = line.get_account(wanted.mandator)
    mandate_id = _find_mandate(account, wanted)
    if mandate_id is None:
        command = RegisterMandate(
            wanted.mandatary, wanted.application_group, wanted.begin_quarter, wanted.end_quarter, wanted.agreement
        )
        registered = line.run(wanted.mandator, command)
        mandate_id = next(each.mandate.mandate_id for each in registered.events if isinstance(each, MandateRegistered))
        account = registered.account
    if wanted.definitive and not account.mandates[mandate_id].definitive:
        line.run(wanted.mandator, ActivateMandate(mandate_id))
    if wanted.ended_on is not None and account.mandates[mandate_id].ended_on != wanted.ended_on:
        line.run(wanted.mandator, EndMandate(mandate_id, wanted.ended_on))


def _find_mandate(account: EnterpriseAccount, wanted: MandateLine) -> str | None:
    for mandate_id, mandate in account.mandates.items():
        if (mandate.mandatary, mandate.application_group, mandate.begin_quarter) == (
            wanted.mandatary,
            wanted.application_group,
            wanted.begin_quarter,
        ):
            return mandate_id
    return None
