"""Importing enterprises, users, affiliations and mandates from CSV, by an operator, through the rules of every command.

What an operator may not do itself is done as the enterprise's chief access manager would, and the history names the
operator as its author. A line happens whole or not at all, and one that is refused stops no other. Importing a file
again changes nothing, so an import that was cut short is completed by repeating it.

Lines are read, decided and forgotten in short transactions: a file of a million lines neither fills the memory nor
keeps the gateway from writing.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Connection, insert, select

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
from gateway.audit.keys import MonthKeys
from gateway.audit.log_key import LogKey
from gateway.audit.sealed_box import SealingKeys
from gateway.audit.trail import AuditTrail
from gateway.storage.database import Database
from gateway.storage.group_commit import GroupCommit
from gateway.storage.user_tables import user_enterprises, user_history, user_identifiers, user_people
from gateway.users.history import Author
from gateway.users.lines import (
    AFFILIATION_COLUMNS,
    ENTERPRISE_COLUMNS,
    MANDATE_COLUMNS,
    USER_COLUMNS,
    AffiliationLine,
    LineRefused,
    MandateLine,
    Row,
    UserLine,
    read_affiliation,
    read_enterprise,
    read_mandate,
    read_rows,
    read_user,
)
from gateway.users.projection import find_snapshot
from gateway.users.store import Outcome, RuleRefused, UserStore, without_secrets

_CHUNK = 100


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that was refused, by which rule, or for which column."""

    file: str
    line: int
    rule: str
    reason: str


@dataclass(slots=True)
class Counts:
    """How many lines of a file changed something, changed nothing, and were refused."""

    changed: int = 0
    unchanged: int = 0
    refused: int = 0

    @property
    def lines(self) -> int:
        """How many lines were read."""
        return self.changed + self.unchanged + self.refused


class _Line:
    """What one line does: its commands, decided one after the other in the transaction of its chunk."""

    def __init__(self, store: UserStore, connection: Connection, author: Author, now: datetime) -> None:
        self._store = store
        self._connection = connection
        self._author = author
        self.now = now
        self.operator = Operator(author.name)
        self.done: list[tuple[str, Command]] = []

    def account(self, enterprise: str) -> EnterpriseAccount | None:
        snapshot = find_snapshot(self._connection, enterprise)
        return snapshot.account if snapshot is not None else None

    def get_account(self, enterprise: str) -> EnterpriseAccount:
        account = self.account(enterprise)
        if account is None:
            raise LineRefused("enterprise-known", "User Management knows the enterprise.")
        return account

    def run(self, enterprise: str, command: Command, actor: Actor | None = None) -> Outcome:
        outcome = self._store.decide(
            self._connection, enterprise, command, actor or self.operator, self._author, self.now
        )
        if outcome.events:
            self.done.append((enterprise, command))
        return outcome


@dataclass(frozen=True, slots=True)
class _Kind:
    columns: tuple[str, ...]
    read: Callable[[Row], Any]
    apply: Callable[[_Line, Any], None]


def import_file(
    kind: str,
    file: BinaryIO,
    store: UserStore,
    author: Author,
    now: datetime,
    *,
    refuse: Callable[[Refusal], None],
    progress: Callable[[int], None] | None = None,
) -> Counts:
    """Import the lines of one file, of a kind of `KINDS`, for the operator who is the author.

    `refuse` is told every refused line in turn, `progress` the number of lines so far. AuditUnavailable and CommitError
    when it could not go on; what was written by then stays.
    """
    counts = Counts()
    rows = read_rows(file, KINDS[kind].columns)
    for chunk in _chunks(rows):
        changed, refused = store.commit.run(_writing(KINDS[kind], kind, chunk, store, author, now))
        for each in refused:
            refuse(each)
        counts.refused += len(refused)
        counts.changed += changed
        counts.unchanged += len(chunk) - changed - len(refused)
        if progress is not None:
            progress(counts.lines)
    return counts


@contextmanager
def scratch_store(store: UserStore, now: datetime) -> Iterator[UserStore]:
    """Give a copy of the accounts, to try an import on; nothing of it is kept."""
    with tempfile.TemporaryDirectory(prefix="ksz-users-") as directory:
        database = Database(f"sqlite:///{Path(directory) / 'scratch.db'}", connections=2)
        commit = GroupCommit(database)
        try:
            database.migrate()
            _copy_accounts(store.database, database)
            keys = SealingKeys(MonthKeys(Path(directory) / "keys"), X25519PrivateKey.generate().public_key())
            trail = AuditTrail(commit, keys, LogKey.generate("scratch"), lambda: now)
            yield UserStore(database, commit, trail, store.environment)
        finally:
            commit.close()
            database.close()


def _copy_accounts(source: Database, target: Database) -> None:
    """Copy what decisions rest on, table by table."""
    with source.read() as reading, target.write() as writing:
        for table in (user_history, user_enterprises, user_identifiers, user_people):
            rows = reading.execute(select(table).execution_options(yield_per=1000)).mappings()
            for part in rows.partitions():
                writing.execute(insert(table), [dict(row) for row in part])


def _chunks(rows: Iterator[tuple[int, Row | LineRefused]]) -> Iterator[list[tuple[int, Row | LineRefused]]]:
    chunk: list[tuple[int, Row | LineRefused]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _writing(
    kind: _Kind,
    name: str,
    chunk: list[tuple[int, Row | LineRefused]],
    store: UserStore,
    author: Author,
    now: datetime,
) -> Callable[[Connection], tuple[int, list[Refusal]]]:
    """Return the work that decides a chunk and records it: how many lines changed something, and which are refused."""

    def work(connection: Connection) -> tuple[int, list[Refusal]]:
        done: list[tuple[str, Command]] = []
        changed, refused = 0, []
        for number, row in chunk:
            try:
                commands = _import_line(kind, row, _Line(store, connection, author, now), connection)
            except LineRefused as reason:
                refused.append(Refusal(name, number, reason.rule, reason.reason))
            except RuleRefused as reason:
                refused.append(Refusal(name, number, reason.rule.rule_id, reason.rule.says))
            else:
                changed += bool(commands)
                done += commands
        if done:
            request = [(number, type(each).__name__, without_secrets(each)) for number, each in done]
            store.record(connection, author, f"import {name}", "", now, request)
        return changed, refused

    return work


def _import_line(kind: _Kind, row: Row | LineRefused, line: _Line, connection: Connection) -> list[tuple[str, Command]]:
    if isinstance(row, LineRefused):
        raise row
    wanted = kind.read(row)
    # A line whose last command is refused must not have half happened.
    with connection.begin_nested():
        kind.apply(line, wanted)
    return line.done


def _import_enterprise(line: _Line, wanted: Enterprise) -> None:
    if line.account(wanted.number) is None:
        line.run(wanted.number, RegisterEnterprise(wanted))
    else:
        line.run(wanted.number, UpdateEnterprise(wanted))


def _import_user(line: _Line, wanted: UserLine) -> None:
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


def _import_chief(line: _Line, wanted: UserLine) -> None:
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


def _import_affiliation(line: _Line, wanted: AffiliationLine) -> None:
    account = line.get_account(wanted.employer)
    if Affiliation(wanted.secretariat, wanted.begin, wanted.end) not in account.affiliations:
        line.run(wanted.employer, RecordAffiliation(wanted.secretariat, wanted.begin, wanted.end))


def _import_mandate(line: _Line, wanted: MandateLine) -> None:
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


KINDS: dict[str, _Kind] = {
    "enterprises": _Kind(ENTERPRISE_COLUMNS, read_enterprise, _import_enterprise),
    "users": _Kind(USER_COLUMNS, read_user, _import_user),
    "affiliations": _Kind(AFFILIATION_COLUMNS, read_affiliation, _import_affiliation),
    "mandates": _Kind(MANDATE_COLUMNS, read_mandate, _import_mandate),
}
"""The kinds of file, in the order in which they rest on each other."""
