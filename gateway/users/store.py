"""Commands of User Management, decided by the rules on the newest state and kept in the transaction that decided them.

Writers are serial, so two commands at once can never break a rule together. History, snapshot, identifiers, password
and audit record of a command are one transaction: all of it happens, or nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection

from authz.ssin import Environment
from authz.user_management.answer import Refused, Rule
from authz.user_management.commands import (
    Actor,
    Applicant,
    ChangeOwnPassword,
    Command,
    CreateUser,
    Member,
    Operator,
    ResetOwnPassword,
    SetUserPassword,
)
from authz.user_management.decision import decide
from authz.user_management.events import (
    CredentialsIssued,
    Event,
    PasswordLoginSwitched,
    PasswordSet,
    UserBlocked,
    UserCreated,
)
from authz.user_management.history import apply
from authz.user_management.model import Contact, Enterprise, EnterpriseAccount, Means, PasswordState
from gateway.audit.record import AuditRecord, RecordKind
from gateway.audit.trail import AuditTrail
from gateway.storage.database import Database
from gateway.storage.group_commit import GroupCommit
from gateway.users.credentials import NewPassword, forget_failures, keep_password, prepare_password, remove_password
from gateway.users.documents import to_document, write_event
from gateway.users.history import Author, append_events, find_head
from gateway.users.projection import (
    IdentifierKind,
    Snapshot,
    find_holding,
    find_snapshot,
    keep_snapshot,
    next_sender_number,
)
from gateway.users.sessions import Kind, Session, end_sessions_by, end_sessions_of


class RuleRefused(Exception):
    """A rule refuses the command; nothing happened."""

    def __init__(self, rule: Rule) -> None:
        super().__init__(rule.says)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command did: its events, and the account as they leave it. No event: all was as asked already."""

    account: EnterpriseAccount
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Provisional:
    """A password that we made up for a manager, and how it reaches that manager: before it is kept, or not at all."""

    new: NewPassword
    deliver: Callable[[str, Contact], None]


def actor_of(session: Session) -> Actor:
    """Return who acts in a session, as the rules know it."""
    if session.kind is Kind.OPERATOR:
        return Operator(session.holder)
    if session.kind is Kind.APPLICANT:
        return Applicant(session.holder, Means(session.means))
    return Member(session.enterprise, session.holder, Means(session.means))


def author_of(session: Session) -> Author:
    """Return who acts in a session, as the history names it: never by national number."""
    return Author("applicant" if session.kind is Kind.APPLICANT else session.holder, session.id)


class StoredWorld:
    """What the rules ask beyond one account, read in the transaction that decides."""

    def __init__(self, connection: Connection, environment: Environment) -> None:
        self._connection = connection
        self.environment = environment

    def find_enterprise(self, enterprise_number: str) -> Enterprise | None:
        """Return an enterprise that has an account."""
        snapshot = find_snapshot(self._connection, enterprise_number)
        return snapshot.account.enterprise if snapshot is not None else None

    def is_user_name_taken(self, user_name: str) -> bool:
        """Tell whether any user of any enterprise has, or ever had, this user name."""
        kinds = (IdentifierKind.USER_NAME, IdentifierKind.USER_ID)
        return any(find_holding(self._connection, kind, user_name) is not None for kind in kinds)

    def is_certificate_taken(self, fingerprint: str, sender_number: str | None) -> bool:
        """Tell whether a technical user other than `sender_number` has this certificate."""
        holding = find_holding(self._connection, IdentifierKind.CERTIFICATE, fingerprint)
        return holding is not None and holding.holder != sender_number

    def next_sender_number(self) -> str:
        """Return a sender number that was never given before."""
        return next_sender_number(self._connection)


class UserStore:
    """Decides and keeps commands; one for each process."""

    def __init__(self, database: Database, commit: GroupCommit, trail: AuditTrail, environment: Environment) -> None:
        self.database = database
        self.commit = commit
        self._trail = trail
        self.environment = environment

    def handle(
        self,
        enterprise: str,
        command: Command,
        actor: Actor,
        author: Author,
        now: datetime,
        *,
        provisional: Provisional | None = None,
    ) -> Outcome:
        """Decide a command about the enterprise, and keep what it does.

        `provisional` is the password for who has none and is issued credentials by the command. RuleRefused;
        CommitError and AuditUnavailable when it could not be kept; what delivering the password raises.
        """
        password = prepare_password_of(command, now) or (provisional.new if provisional is not None else None)

        def work(connection: Connection) -> Outcome:
            outcome = self.decide(connection, enterprise, command, actor, author, now, password=password)
            if outcome.events:
                _deliver(outcome, provisional)
                self.record(connection, author, type(command).__name__, enterprise, now, without_secrets(command))
            return outcome

        return self.commit.run(work)

    def decide(
        self,
        connection: Connection,
        enterprise: str,
        command: Command,
        actor: Actor,
        author: Author,
        now: datetime,
        *,
        password: NewPassword | None = None,
    ) -> Outcome:
        """Decide a command and write what it does, but for the audit record, in a transaction of GroupCommit.

        RuleRefused.
        """
        before = find_snapshot(connection, enterprise)
        world = StoredWorld(connection, self.environment)
        answer = decide(before.account if before else None, command, actor, world, now)
        if isinstance(answer, Refused):
            raise RuleRefused(answer.rule)
        account = before.account if before else None
        for event in answer.events:
            account = apply(account, event)
        # Only RegisterEnterprise is accepted where there is no account, and it makes one.
        account = cast(EnterpriseAccount, account)
        if answer.events:
            version = before.version if before else 0
            texts = [write_event(event) for event in answer.events]
            version = append_events(connection, enterprise, version, texts, author, now)
            keep_snapshot(connection, Snapshot(version, account))
            _keep_logins(connection, before.account if before else None, account, answer.events, password, now)
        return Outcome(account, answer.events)

    def record(
        self, connection: Connection, author: Author, operation: str, enterprise: str, now: datetime, request: Any
    ) -> None:
        """Write the audit record of a change, with where the history then ends, in the change's transaction."""
        asked = {"session": author.session, "command": request}
        deed = AuditRecord.of_deed(RecordKind.USER_CHANGE, f"users {operation}", author.name, asked, now)
        organisation = f"cbe:{enterprise}" if enterprise else None
        record = replace(deed, organisation=organisation, facts=find_head(connection))
        self._trail.append(connection, self._trail.seal(record))


def prepare_password_of(command: Command, now: datetime) -> NewPassword | None:
    """Hash the password that a command carries, if any: slow, so not in the transaction."""
    match command:
        case CreateUser(password=str(password)) | SetUserPassword(password=password):
            return prepare_password(password, chosen_by_holder=False, now=now)
        case ChangeOwnPassword(password=password) | ResetOwnPassword(password=password):
            return prepare_password(password, chosen_by_holder=True, now=now)
    return None


def without_secrets(command: Command) -> Mapping[str, Any]:
    """Return a command as the audit may keep it: without its password."""
    told = {each.name: getattr(command, each.name) for each in fields(command) if each.name != "password"}
    return {name: to_document(value) for name, value in told.items()}


def _deliver(outcome: Outcome, provisional: Provisional | None) -> None:
    for event in outcome.events:
        if isinstance(event, CredentialsIssued) and provisional is not None:
            provisional.deliver(event.user_name, outcome.account.users[event.user_id].contact)


def _keep_logins(
    connection: Connection,
    before: EnterpriseAccount | None,
    after: EnterpriseAccount,
    events: Iterable[Event],
    password: NewPassword | None,
    now: datetime,
) -> None:
    """Keep the password that was set; end the sessions and passwords of who is gone or may no longer log in."""
    for event in events:
        match event:
            case UserCreated() | PasswordSet() | CredentialsIssued() if password is not None:
                user_id = event.user.user_id if isinstance(event, UserCreated) else event.user_id
                keep_password(connection, user_id, password, now)
                forget_failures(connection, after.users[user_id].user_name or user_id)
                end_sessions_of(connection, Kind.MEMBER, user_id, now)
            case UserBlocked():
                end_sessions_of(connection, Kind.MEMBER, event.user_id, now)
            case PasswordLoginSwitched(on=False):
                end_sessions_by(connection, after.enterprise.number, Means.PASSWORD.value, now)
    for user_id, user in before.users.items() if before is not None else ():
        if user_id not in after.users:
            end_sessions_of(connection, Kind.MEMBER, user_id, now)
        kept = after.users.get(user_id)
        if user.password is not PasswordState.NONE and (kept is None or kept.password is PasswordState.NONE):
            remove_password(connection, user_id)
