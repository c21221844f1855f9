"""The gateway's own operators, who act for the NSSO: approve managers, keep registers and affiliations, import.

The first is added by whoever may run commands on the machine, the others by an operator who is logged in; the history
keeps each.
"""

import json
import re
from datetime import datetime

from sqlalchemy import Connection, select

from authz.user_management.passwords import has_digits_or_specials, is_long_enough
from gateway.storage.user_tables import user_credentials
from gateway.users.credentials import has_password, keep_password, prepare_password, remove_password
from gateway.users.history import Author, append_events, last_version
from gateway.users.sessions import Kind, Session, end_sessions_of
from gateway.users.store import UserStore, author_of

_PREFIX = "operator/"
_NAME = re.compile(r"[a-z][a-z0-9._-]{1,39}")
# The part of the history that concerns no enterprise.
_OF_NOBODY = ""
_ALL = (
    select(user_credentials.c.account)
    .where(user_credentials.c.account.startswith(_PREFIX, autoescape=True))
    .order_by(user_credentials.c.account)
)


class OperatorRefused(Exception):
    """The operators stay as they are; the message says why."""


def account_of_operator(name: str) -> str:
    """Return under which account the password of an operator is kept."""
    return f"{_PREFIX}{name.strip().casefold()}"


def name_of_operator(account: str) -> str:
    """Return the one way to write the name of an operator's account."""
    return account.removeprefix(_PREFIX)


def list_operators(connection: Connection) -> list[str]:
    """Return the names of all operators."""
    return [name_of_operator(account) for account in connection.execute(_ALL).scalars()]


class Operators:
    """Adds and removes operators."""

    def __init__(self, store: UserStore) -> None:
        self._store = store

    def add(self, name: str, password: str, *, by: Session | None, machine_user: str, now: datetime) -> None:
        """Add an operator, who must change the password at the first login unless it is the first of all.

        `by` is the operator who adds it; only the first needs none: `machine_user` is then recorded as who did it.
        OperatorRefused, AuditUnavailable, CommitError.
        """
        if _NAME.fullmatch(name) is None:
            raise OperatorRefused("a name has 2 to 40 small letters, digits, dots, hyphens, the first a letter")
        if not (is_long_enough(password) and has_digits_or_specials(password)):
            raise OperatorRefused("a password has at least 10 characters, of which 2 are digits or special characters")
        new = prepare_password(password, chosen_by_holder=by is None, now=now)

        def work(connection: Connection) -> None:
            if by is None and list_operators(connection):
                raise OperatorRefused("there is an operator already: log in as one to add others")
            if has_password(connection, account_of_operator(name)):
                raise OperatorRefused(f"{name} is an operator already")
            keep_password(connection, account_of_operator(name), new, now)
            self._keep(connection, "OperatorAdded", name, _author(by, machine_user), now)

        self._store.commit.run(work)

    def remove(self, name: str, *, by: Session, now: datetime) -> None:
        """Remove an operator, but never the last. OperatorRefused, AuditUnavailable, CommitError."""

        def work(connection: Connection) -> None:
            operators = list_operators(connection)
            if name not in operators:
                raise OperatorRefused(f"{name} is no operator")
            if operators == [name]:
                raise OperatorRefused(f"{name} is the last operator: add another one first")
            remove_password(connection, account_of_operator(name))
            end_sessions_of(connection, Kind.OPERATOR, name, now)
            self._keep(connection, "OperatorRemoved", name, author_of(by), now)

        self._store.commit.run(work)

    def change_own_password(self, password: str, *, by: Session, now: datetime) -> None:
        """Give an operator the password that it chose, and end its sessions. OperatorRefused, CommitError."""
        if not (is_long_enough(password) and has_digits_or_specials(password)):
            raise OperatorRefused("a password has at least 10 characters, of which 2 are digits or special characters")
        new = prepare_password(password, chosen_by_holder=True, now=now)

        def work(connection: Connection) -> None:
            keep_password(connection, account_of_operator(by.holder), new, now)
            end_sessions_of(connection, Kind.OPERATOR, by.holder, now)
            self._keep(connection, "OperatorPasswordChanged", by.holder, author_of(by), now)

        self._store.commit.run(work)

    def _keep(self, connection: Connection, event: str, name: str, author: Author, now: datetime) -> None:
        version = last_version(connection, _OF_NOBODY)
        text = json.dumps({"event": event, "name": name}, separators=(",", ":"))
        append_events(connection, _OF_NOBODY, version, [text], author, now)
        self._store.record(connection, author, event, _OF_NOBODY, now, {"name": name})


def _author(session: Session | None, machine_user: str) -> Author:
    return author_of(session) if session is not None else Author(f"machine/{machine_user}")
