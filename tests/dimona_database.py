"""Databases whose registers hold the employers, persons and workers of the tests of Dimona."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, insert

from gateway.sources.dimona_sql import SqlDimonaRepository
from gateway.sources.load_dimona import load_workers
from gateway.storage.database import Database
from gateway.storage.employer_tables import employers
from gateway.storage.group_commit import GroupCommit
from gateway.storage.tables import persons
from services.dimona.personnel_file import Change
from services.dimona.worker import Standing
from services.employer import Employer
from tests.unit.dimona_world import EMPLOYERS, MALFORMED, PERSONS, WORKERS


def prepare_registers(url: str) -> None:
    """Fill the registers that the file rests on with the world's employers, persons and workers."""
    database = Database(url)
    with database.write() as connection:
        add_employers(connection, EMPLOYERS)
        told = {each.ssin: PERSONS.get(each.ssin) for each in WORKERS} | PERSONS
        connection.execute(
            insert(persons),
            [
                {
                    "ssin": ssin,
                    "replaced_by": person.ssin if person and person.ssin != ssin else None,
                    "cancelled": person is not None and person.standing is Standing.CANCELLED,
                    "deceased_on": person.deceased_on if person else None,
                }
                for ssin, person in told.items()
                if ssin != MALFORMED
            ],
        )
        load_workers(connection, WORKERS)
    database.close()


def add_employers(connection: Connection, added: Iterable[Employer]) -> None:
    """Register employers."""
    rows = [
        {
            "registration_number": each.registration_number,
            "register": each.register,
            "enterprise_number": each.enterprise_number,
            "name": each.name,
            "natural_person": each.natural_person,
            "deletion_date": each.deletion_date,
            "document": {},
        }
        for each in added
    ]
    connection.execute(insert(employers), rows)


def tell_nobody(connection: Connection, changes: Sequence[Change]) -> None:
    """Nobody is subscribed."""


@contextmanager
def opened(url: str) -> Iterator[tuple[Database, SqlDimonaRepository]]:
    database = Database(url)
    commit = GroupCommit(database)
    try:
        yield database, SqlDimonaRepository(database.read, commit, tell_nobody)
    finally:
        commit.close()
        database.close()
