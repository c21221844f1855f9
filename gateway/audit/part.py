"""Which part of the log a period is: positions from the first record of it to the last, with what stands between."""

from datetime import datetime

from sqlalchemy import Connection, func, select

from gateway.storage.tables import audit_records


def find_part(
    connection: Connection, month: str | None = None, since: datetime | None = None, until: datetime | None = None
) -> tuple[int, int] | None:
    """Return the first position and the one after the last of what was received then; None when nothing was."""
    columns = audit_records.c
    statement = select(func.min(columns.position), func.max(columns.position))
    if month is not None:
        statement = statement.where(columns.month == month)
    if since is not None:
        statement = statement.where(columns.received_at >= since)
    if until is not None:
        statement = statement.where(columns.received_at < until)
    first, last = connection.execute(statement).one()
    return None if first is None else (first, last + 1)
