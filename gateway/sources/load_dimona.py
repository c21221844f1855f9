"""Puts synthetic workers and what employers declared of them into the database.

For demo and test worlds only. The periods are made of the declarations as everywhere else. Inserts; who loads a worker
or a declaration twice gets the database's IntegrityError.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from sqlalchemy import Connection

from gateway.sources.dimona_sql import put_changes
from gateway.storage.dimona_tables import dimona_workers
from services.dimona.declaration import RecordedDeclaration
from services.dimona.period import EmploymentPeriod
from services.dimona.personnel_file import Change, follow
from services.dimona.worker import Worker, make_search_key

CHUNK = 1000


def load_workers(connection: Connection, workers: Iterable[Worker], chunk: int = CHUNK) -> int:
    """Insert workers; return how many."""
    rows = (
        {
            "ssin": worker.ssin,
            "name": worker.name,
            "first_name": worker.first_name,
            "birth_date": worker.birth_date,
            "sex": worker.sex,
            "search_key": make_search_key(worker.name, worker.first_name),
        }
        for worker in workers
    )
    loaded = 0
    while part := list(islice(rows, chunk)):
        connection.execute(dimona_workers.insert(), part)
        loaded += len(part)
    return loaded


def load_declarations(connection: Connection, declarations: Iterable[RecordedDeclaration], chunk: int = CHUNK) -> int:
    """Insert accepted declarations, in their order, and the periods that they come to; return how many."""
    changes, loaded = _follow(declarations), 0
    while part := list(islice(changes, chunk)):
        put_changes(connection, part)
        loaded += len(part)
    return loaded


def _follow(declarations: Iterable[RecordedDeclaration]) -> Iterator[Change]:
    periods: dict[str, EmploymentPeriod] = {}
    for recorded in declarations:
        periods[recorded.period_id] = follow(periods.get(recorded.period_id), recorded)
        yield Change(recorded, periods[recorded.period_id])
