"""Logging in: by user name and password, or by eID, itsme or authenticator app. Gives a session, or says why not.

What it says to who has proved nothing is the same for every reason. Who has proved who it is, is told which rule keeps
it out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from authz.brussels import brussels_day
from authz.user_management.commands import Activate, Member
from authz.user_management.model import EnterpriseAccount, Means, User
from authz.user_management.question import Question
from authz.user_management.rules.login import NOT_BLOCKED, OWN_ENTERPRISE, PASSWORD_LOGIN_ON
from gateway.users.credentials import Credentials
from gateway.users.history import Author
from gateway.users.means import Holder
from gateway.users.operators import account_of_operator, name_of_operator
from gateway.users.projection import Holding, IdentifierKind, find_holding, find_snapshot, users_of_person
from gateway.users.sessions import Kind, NewSession, start_session
from gateway.users.store import RuleRefused, StoredWorld, UserStore


class LoginRefused(Exception):
    """Nobody was logged in; the message says what to do."""


class SeveralUsers(LoginRefused):
    """The person is several users, and must say as which one it logs in."""

    def __init__(self, found: Sequence[Holding]) -> None:
        super().__init__("you are several users: name the enterprise, or the user id, as which you log in")
        self.found = tuple(found)


# Asked of everybody who logs in; the first login answers to the rules of Activate as well.
_RULES = (OWN_ENTERPRISE, NOT_BLOCKED, PASSWORD_LOGIN_ON)
_WRONG = "the user name or the password is wrong, or the password has expired"


@dataclass(frozen=True, slots=True)
class _Found:
    account: EnterpriseAccount
    user: User


class Logins:
    """Logs people in; one for each process."""

    def __init__(self, store: UserStore, credentials: Credentials) -> None:
        self._store = store
        self._credentials = credentials

    def by_password(self, login_name: str, password: str, now: datetime) -> NewSession:
        """Log a user in by user name; before one is chosen, the user id is its provisional name.

        LoginRefused, LockedOut, RuleRefused, CommitError.
        """
        with self._store.database.read() as connection:
            found = _find_user(connection, login_name)
        user_id = found.user.user_id if found is not None else None
        if not self._credentials.verify(login_name, user_id, password, now) or found is None:
            raise LoginRefused(_WRONG)
        return self._enter(Holding(found.account.enterprise.number, found.user.user_id), Means.PASSWORD, now)

    def operator(self, name: str, password: str, now: datetime) -> NewSession:
        """Log one of the gateway's operators in. LoginRefused, LockedOut, CommitError."""
        account = account_of_operator(name)
        holder = name_of_operator(account)
        if not self._credentials.verify(account, account, password, now):
            raise LoginRefused(_WRONG)
        return self._store.commit.run(
            lambda connection: start_session(connection, Kind.OPERATOR, holder, means=Means.PASSWORD.value, now=now)
        )

    def by_proof(
        self, holder: Holder, now: datetime, *, enterprise: str | None = None, user_id: str | None = None
    ) -> NewSession:
        """Log in the person whom a proof names, as its only user that fits; as an applicant if it is no user at all.

        LoginRefused, SeveralUsers, RuleRefused, CommitError.
        """
        with self._store.database.read() as connection:
            found = users_of_person(connection, holder.ssin)
        fitting = [each for each in found if enterprise in (None, each.enterprise) and user_id in (None, each.holder)]
        if len(fitting) > 1:
            raise SeveralUsers(fitting)
        if fitting:
            return self._enter(fitting[0], Means(holder.means), now)
        if enterprise is not None or user_id is not None:
            raise LoginRefused("you are no such user: leave the choice out to log in, or to ask for a manager")
        return self._store.commit.run(
            lambda connection: start_session(connection, Kind.APPLICANT, holder.ssin, means=holder.means, now=now)
        )

    def _enter(self, holding: Holding, means: Means, now: datetime) -> NewSession:
        """Start the session of a user whom the rules let in; the first login activates it."""
        member = Member(holding.enterprise, holding.holder, means)

        def work(connection: Connection) -> NewSession:
            snapshot = find_snapshot(connection, holding.enterprise)
            user = snapshot.account.users.get(holding.holder) if snapshot is not None else None
            if snapshot is None or user is None:
                raise LoginRefused(_WRONG)
            world = StoredWorld(connection, self._store.environment)
            question = Question(snapshot.account, Activate(), member, world, brussels_day(now))
            for rule in _RULES:
                if not rule.holds(question):
                    raise RuleRefused(rule)
            new = start_session(
                connection, Kind.MEMBER, holding.holder, means=means.value, now=now, enterprise=holding.enterprise
            )
            if not user.activated:
                author = Author(holding.holder, new.session.id)
                self._store.decide(connection, holding.enterprise, Activate(), member, author, now)
                self._store.record(connection, author, "Activate", holding.enterprise, now, {})
            return new

        return self._store.commit.run(work)


def _find_user(connection: Connection, login_name: str) -> _Found | None:
    """Return who logs in under this name: a user name, or the identification of who has not chosen one yet."""
    for kind in (IdentifierKind.USER_NAME, IdentifierKind.USER_ID):
        holding = find_holding(connection, kind, login_name.strip())
        snapshot = find_snapshot(connection, holding.enterprise) if holding is not None else None
        if holding is None or snapshot is None:
            continue
        user = snapshot.account.users.get(holding.holder)
        if user is not None and (kind is IdentifierKind.USER_NAME or user.user_name is None):
            return _Found(snapshot.account, user)
    return None
