"""Sums of strangers' refusals: what was only counted becomes a record once its minute is over.

A count can be changed without a trace, a record in the log cannot. Sum and count change places in one transaction, so
that each is summed once, whichever node comes first.
"""

from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import Connection, Row, delete, select

from gateway.audit.record import AuditRecord, RecordKind, RecordOutcome
from gateway.audit.trail import STRANGER_RECORDS_PER_MINUTE, AuditTrail
from gateway.storage.tables import stranger_refusals

# From the begin of the minute: by then, whatever arrived within it was recorded or given up.
_OVER = timedelta(minutes=2)
_AT_A_TIME = 200
_IS_OVER = select(stranger_refusals).order_by(stranger_refusals.c.minute).limit(_AT_A_TIME)


def sum_up(connection: Connection, trail: AuditTrail, now: datetime) -> int:
    """Record what sources were refused in minutes that are over, beyond what has records of its own; a work.

    Returns how many counts it took, at most so many at a time. AuditUnavailable.
    """
    counts = connection.execute(_IS_OVER.where(stranger_refusals.c.minute <= now - _OVER)).all()
    for count in counts:
        if count.refusals > STRANGER_RECORDS_PER_MINUTE:
            trail.append(connection, trail.seal(_sum(count)))
        connection.execute(
            delete(stranger_refusals).where(
                stranger_refusals.c.source == count.source, stranger_refusals.c.minute == count.minute
            )
        )
    return len(counts)


def _sum(count: "Row[tuple[str, datetime, int, datetime, str | None]]") -> AuditRecord:
    return AuditRecord(
        ticket_cbss=str(uuid4()),
        received_at=count.minute,
        kind=RecordKind.STRANGER_REFUSALS,
        outcome=RecordOutcome.FAULT,
        code=count.last_code,
        source_address=count.source,
        refusals=count.refusals - STRANGER_RECORDS_PER_MINUTE,
    )
