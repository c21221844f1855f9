"""The exchanges of a period as the misuse report looks at them, read from the audit."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, select

from gateway.audit.misuse import Exchange
from gateway.audit.record import RecordKind, RecordOutcome
from gateway.storage.tables import audit_records, audit_subjects


def read_exchanges(connection: Connection, since: datetime, until: datetime) -> Iterator[Exchange]:
    """Give every exchange of a client that was received from `since` to before `until`, dry runs too, in no order.

    Refused are replies that say no by decision, and faults. Strangers, whom no annex knows, are not clients.
    """
    columns = audit_records.c
    wanted = (
        columns.kind.in_((RecordKind.EXCHANGE, RecordKind.DRY_RUN)),
        columns.client.is_not(None),
        columns.received_at >= since,
        columns.received_at < until,
    )
    further: dict[int, list[str]] = {}
    about = select(audit_subjects).join(audit_records, columns.position == audit_subjects.c.position).where(*wanted)
    for position, subject in connection.execute(about):
        further.setdefault(position, []).append(subject)
    needed = (columns.position, columns.client, columns.received_at, columns.outcome, columns.code, columns.month)
    statement = select(*needed, columns.subject).where(*wanted).execution_options(yield_per=1000)
    for row in connection.execute(statement):
        persons = [*([row.subject] if row.subject else []), *further.get(row.position, ())]
        yield Exchange(
            row.client,
            row.received_at,
            row.outcome in (RecordOutcome.REFUSAL, RecordOutcome.FAULT),
            row.code,
            tuple((row.month, person) for person in persons),
        )
