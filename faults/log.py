"""What clients hold against what the log has, once a gateway has stopped."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import select

from faults.load import WELL, Asked
from gateway.storage.database import Database
from gateway.storage.tables import audit_records
from tests.e2e.conftest import run_command


def find_lost(url: str, asked: Iterable[Asked]) -> int:
    """Count the receipts whose record is not in the log, at its place and with its content."""
    kept = [each.receipt for each in asked if each.receipt is not None]
    stored = {position: (ticket, leaf) for position, ticket, leaf, *_ in _records(url)}
    return sum(stored.get(each.position) != (each.ticket, each.leaf) for each in kept)


def find_unanswered(url: str, asked: Iterable[Asked]) -> int:
    """Count the messages whose answer did not arrive, although the log says that they were answered."""
    recorded = {ticket for *_, ticket in _records(url)}
    return sum(each.receipt is None and each.ticket in recorded for each in asked)


def find_answered_twice(url: str, asked: Iterable[Asked]) -> int:
    """Count the messages that have more than one record of an answer."""
    times = Counter(ticket for *_, code, ticket in _records(url) if code == WELL)
    return sum(times[each.ticket] > 1 for each in asked)


def is_whole(state: Path, url: str) -> bool:
    """Tell whether `audit verify` finds the log as it was signed."""
    return bool(run_command("audit", "verify", "--state", state, KSZ_DATABASE_URL=url).returncode == 0)


def _records(url: str) -> list[tuple[int, str, bytes, str | None, str | None]]:
    columns = audit_records.c
    statement = select(columns.position, columns.ticket_cbss, columns.leaf, columns.code, columns.customer_ticket)
    database = Database(url)
    try:
        with database.read() as connection:
            return [tuple(row) for row in connection.execute(statement)]
    finally:
        database.close()
