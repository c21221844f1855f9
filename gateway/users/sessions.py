"""Who is logged in: sessions that end by themselves, known by a token that only its holder has.

What is stored is a digest of the token: who reads the database can act as nobody.
"""

import hashlib
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, bindparam, insert, select, update

from gateway.storage.database import Database
from gateway.storage.group_commit import GroupCommit
from gateway.storage.user_tables import user_sessions

# A session ends this long after its last command, and this long after its begin whatever happens: a working day.
IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=8)
# How exactly the last use is known; a write for each command would buy nothing.
_PRECISION = timedelta(minutes=1)

_INSERT = insert(user_sessions)
_OF_TOKEN = select(user_sessions).where(user_sessions.c.token_digest == bindparam("digest"))
_USE = update(user_sessions).where(user_sessions.c.session == bindparam("of")).values(used_at=bindparam("now"))
_OPEN = user_sessions.c.ended_at.is_(None)
_END = update(user_sessions).where(user_sessions.c.session == bindparam("of"), _OPEN).values(ended_at=bindparam("now"))
_END_ALL = (
    update(user_sessions)
    .where(user_sessions.c.kind == bindparam("of_kind"), user_sessions.c.holder == bindparam("of"), _OPEN)
    .values(ended_at=bindparam("now"))
)
_END_BY_MEANS = (
    update(user_sessions)
    .where(
        user_sessions.c.kind == bindparam("of_kind"),
        user_sessions.c.enterprise == bindparam("of"),
        user_sessions.c.means == bindparam("by"),
        _OPEN,
    )
    .values(ended_at=bindparam("now"))
)


class NotLoggedIn(Exception):
    """The token is of no session, or of one that has ended; the message says why."""


class Kind(StrEnum):
    """Who can be logged in, and what `holder` then is."""

    MEMBER = "member"
    """A user of an enterprise: its user id."""
    OPERATOR = "operator"
    """One of the gateway's own operators: the name."""
    APPLICANT = "applicant"
    """A person who is user of no enterprise, and may only ask for a manager: the national number."""


@dataclass(frozen=True, slots=True)
class Session:
    """A person who is logged in: as whom, of which enterprise (empty unless a member), by which means."""

    id: str
    kind: Kind
    holder: str = field(repr=False)
    enterprise: str
    means: str
    created_at: datetime
    used_at: datetime

    @property
    def ends_at(self) -> datetime:
        """When it ends if it is not used before."""
        return min(self.created_at + LONGEST, self.used_at + IDLE)


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session with the token that its holder keeps; it cannot be had again."""

    session: Session
    token: str = field(repr=False)


def start_session(
    connection: Connection, kind: Kind, holder: str, *, means: str, now: datetime, enterprise: str = ""
) -> NewSession:
    """Write a session in the transaction of the login, and return it with its token."""
    token = secrets.token_urlsafe(32)
    session = Session(str(uuid.uuid4()), kind, holder, enterprise, means, now, now)
    values = {
        "session": session.id,
        "token_digest": _digest(token),
        "kind": kind.value,
        "holder": holder,
        "enterprise": enterprise,
        "means": means,
        "created_at": now,
        "used_at": now,
    }
    connection.execute(_INSERT, values)
    return NewSession(session, token)


def end_sessions_of(connection: Connection, kind: Kind, holder: str, now: datetime) -> None:
    """End every session of somebody who is blocked or deleted, or whose password was changed."""
    connection.execute(_END_ALL, {"of_kind": kind.value, "of": holder, "now": now})


def end_sessions_by(connection: Connection, enterprise: str, means: str, now: datetime) -> None:
    """End every session of an enterprise's users that was opened by means which no longer log anybody in."""
    connection.execute(_END_BY_MEANS, {"of_kind": Kind.MEMBER.value, "of": enterprise, "by": means, "now": now})


def read_session(connection: Connection, token: str, now: datetime) -> Session:
    """Return the session of the token; NotLoggedIn when there is none or it has ended."""
    row = connection.execute(_OF_TOKEN, {"digest": _digest(token)}).first()
    if row is None:
        raise NotLoggedIn("this session is not known here")
    session = Session(row.session, Kind(row.kind), row.holder, row.enterprise, row.means, row.created_at, row.used_at)
    if row.ended_at is not None:
        raise NotLoggedIn("this session was ended")
    if now >= session.created_at + LONGEST:
        raise NotLoggedIn(f"a session lasts at most {LONGEST // timedelta(hours=1)} hours")
    if now >= session.used_at + IDLE:
        raise NotLoggedIn(f"a session ends when it is not used for {IDLE // timedelta(minutes=1)} minutes")
    return session


class Sessions:
    """Finds and ends sessions."""

    def __init__(self, database: Database, commit: GroupCommit) -> None:
        self._database = database
        self._commit = commit

    def use(self, token: str, now: datetime) -> Session:
        """Return the session of the token, kept open by this use; NotLoggedIn, CommitError."""
        with self._database.read() as connection:
            session = read_session(connection, token, now)
        if now - session.used_at >= _PRECISION:
            self._commit.run(lambda connection: connection.execute(_USE, {"of": session.id, "now": now}))
        return session

    def end(self, session: Session, now: datetime) -> None:
        """End the session; nobody can act in it any more."""
        self._commit.run(lambda connection: connection.execute(_END, {"of": session.id, "now": now}))


def _digest(token: str) -> str:
    # A token is 256 random bits: no salt and no slow hash could make it harder to guess.
    return hashlib.sha256(token.encode()).hexdigest()
