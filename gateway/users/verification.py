"""The whole check of User Management's data: the chain of the history, and every projection against what its events make."""

from collections.abc import Iterator
from itertools import groupby

from sqlalchemy import Connection

from authz.user_management.history import BrokenHistory, fold
from gateway.users.documents import read_event
from gateway.users.history import Head, HistoryAltered, read_whole_history, verify_chain
from gateway.users.projection import (
    find_snapshot,
    identifiers_of,
    is_for_ever,
    list_enterprises,
    people_of,
    stored_identifiers,
    stored_people,
)


def verify_history(connection: Connection, kept: Head | None = None) -> Head:
    """Check everything, and return where the history ends; see `verify_chain` for `kept`.

    HistoryAltered says which event or account is wrong; UnreadableDocument.
    """
    head = verify_chain(connection, kept)
    seen = set()
    for number in _enterprises_in_history(connection):
        seen.add(number)
    for number in list_enterprises(connection):
        if number not in seen:
            raise HistoryAltered(f"the account of {number} has no history")
    return head


def _enterprises_in_history(connection: Connection) -> Iterator[str]:
    """Yield each enterprise that has events, once its account was found to be what they make."""
    entries = (entry for entry in read_whole_history(connection) if entry.enterprise)
    for number, events in groupby(entries, key=lambda entry: entry.enterprise):
        yield number
        version = 0
