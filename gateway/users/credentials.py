"""The passwords of accounts, and the attempts to log in: who is locked out, and for how long.

An attempt is counted, durably, before the password is looked at, and forgotten when it succeeds: however many are made
side by side, on however many nodes, no more passwords are tried than the policy allows.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from sqlalchemy import Connection, bindparam, delete, select, update

from gateway.storage.conflicts import for_each_dialect
from gateway.storage.database import Database
from gateway.storage.group_commit import GroupCommit
from gateway.storage.user_tables import login_failures, user_credentials
from gateway.users.passwords import hash_password, is_outdated, is_password

# Five guesses a quarter of an hour, 480 a day: hopeless against ten characters, bearable for who mistypes.
ATTEMPTS = 5
LOCKED_FOR = timedelta(minutes=15)
# What was mistyped this long ago counts no more, and the rows of names that nobody has go.
FORGOTTEN_AFTER = timedelta(hours=24)
# A provisional password travels by SMS or by word of mouth: time enough to use it, not to find it in a drawer.
PROVISIONAL_FOR = timedelta(days=7)

_OF_ACCOUNT = select(user_credentials).where(user_credentials.c.account == bindparam("of"))
_FAILURES = select(login_failures).where(login_failures.c.user_name == bindparam("name"))
_FORGET = delete(login_failures).where(login_failures.c.user_name == bindparam("name"))
_FORGET_OLD = delete(login_failures).where(login_failures.c.last_failed_at < bindparam("before"))
_REMOVE = delete(user_credentials).where(user_credentials.c.account == bindparam("of"))
_REHASH = (
    update(user_credentials)
    .where(user_credentials.c.account == bindparam("of"), user_credentials.c.password_hash == bindparam("former"))
    .values(password_hash=bindparam("hashed"))
)
_KEEP = for_each_dialect(
    user_credentials,
    lambda statement: statement.on_conflict_do_update(
        index_elements=["account"],
        set_={name: statement.excluded[name] for name in ("password_hash", "must_change", "expires_at", "changed_at")},
    ),
)
_COUNT = for_each_dialect(
    login_failures,
    lambda statement: statement.on_conflict_do_update(
        index_elements=["user_name"],
        set_={name: statement.excluded[name] for name in ("failures", "last_failed_at", "locked_until")},
    ),
)


class LockedOut(Exception):
    """Too many attempts with this name; `until` is when the next one is looked at."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"too many attempts with this user name: the next is looked at from {until:%H:%M:%S} UTC on")
        self.until = until


@dataclass(frozen=True, slots=True)
class NewPassword:
    """A password to keep, already hashed: hashing is slow, and must not be done in a transaction."""

    hashed: str = field(repr=False)
    must_change: bool
    expires_at: datetime | None = None


def prepare_password(
    password: str, *, chosen_by_holder: bool, now: datetime, hasher: PasswordHasher | None = None
) -> NewPassword:
    """Hash a password. One that somebody else chose must be changed at the next login, and soon."""
    expires_at = None if chosen_by_holder else now + PROVISIONAL_FOR
    return NewPassword(hash_password(password, hasher), not chosen_by_holder, expires_at)


def keep_password(connection: Connection, account: str, new: NewPassword, now: datetime) -> None:
    """Make it the password of the account."""
    values = {
        "account": account,
        "password_hash": new.hashed,
        "must_change": new.must_change,
        "expires_at": new.expires_at,
        "changed_at": now,
    }
    connection.execute(_KEEP[connection.dialect.name], values)


def remove_password(connection: Connection, account: str) -> None:
    """Forget the password of an account that is gone, or uses none."""
    connection.execute(_REMOVE, {"of": account})


def forget_failures(connection: Connection, login_name: str) -> None:
    """End a lock-out: who gave the holder of the name a new password vouches for it."""
    connection.execute(_FORGET, {"name": _same_name(login_name)})


def has_password(connection: Connection, account: str) -> bool:
    """Tell whether the account has a password."""
    return connection.execute(_OF_ACCOUNT, {"of": account}).first() is not None


def must_change_password(connection: Connection, account: str) -> bool:
    """Tell whether the password of the account was chosen by somebody else."""
    row = connection.execute(_OF_ACCOUNT, {"of": account}).first()
    return row is not None and bool(row.must_change)


class Credentials:
    """Verifies passwords, and locks out who guesses."""

    def __init__(self, database: Database, commit: GroupCommit, hasher: PasswordHasher | None = None) -> None:
        self._database = database
        self._commit = commit
        self._hasher = hasher

    def verify(self, login_name: str, account: str | None, password: str, now: datetime) -> bool:
        """Tell whether this is the password, not expired, of the account that has the login name (None: nobody has it),
        after the same work. LockedOut without looking at the password; CommitError.
        """
        name = _same_name(login_name)
        self._commit.run(lambda connection: _count_attempt(connection, name, now))
        with self._database.read() as connection:
            row = connection.execute(_OF_ACCOUNT, {"of": account}).first() if account is not None else None
        if not is_password(row.password_hash if row else None, password, self._hasher) or row is None:
            return False
        if row.expires_at is not None and row.expires_at <= now:
            return False
        hashed = hash_password(password, self._hasher) if is_outdated(row.password_hash, self._hasher) else None

        def succeed(connection: Connection) -> None:
            connection.execute(_FORGET, {"name": name})
            if hashed is not None:
                connection.execute(_REHASH, {"of": account, "former": row.password_hash, "hashed": hashed})

        self._commit.run(succeed)
        return True


def _same_name(login_name: str) -> str:
    """Return what all ways to write a name have in common: their letters, whatever their case."""
    return login_name.strip().casefold()


def _count_attempt(connection: Connection, user_name: str, now: datetime) -> None:
    """Count one more attempt; the one after the last that is allowed locks the name."""
    connection.execute(_FORGET_OLD, {"before": now - FORGOTTEN_AFTER})
    row = connection.execute(_FAILURES, {"name": user_name}).first()
    if row is not None and row.locked_until is not None and row.locked_until > now:
        raise LockedOut(row.locked_until)
    # A lock that has ended starts the count anew.
    failures = 1 if row is None or row.locked_until is not None else row.failures + 1
    values = {
        "user_name": user_name,
        "failures": failures,
        "last_failed_at": now,
        "locked_until": now + LOCKED_FOR if failures >= ATTEMPTS else None,
    }
    connection.execute(_COUNT[connection.dialect.name], values)
