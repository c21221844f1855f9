"""Who is meant by an SSIN or by an identity: the register of persons, and the NSSO's own register of workers."""

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, func, select

from authz.ssin import has_valid_check_digits
from gateway.storage.dimona_tables import dimona_workers
from gateway.storage.tables import persons
from services.dimona.worker import IdentityKey, Person, Standing

_SUCCESSORS = persons.alias("successors")
_PERSONS = (
    select(
        persons.c.ssin,
        func.coalesce(_SUCCESSORS.c.ssin, persons.c.ssin).label("in_force"),
        func.coalesce(_SUCCESSORS.c.cancelled, persons.c.cancelled).label("cancelled"),
        func.coalesce(_SUCCESSORS.c.deceased_on, persons.c.deceased_on).label("deceased_on"),
    )
    .join_from(persons, _SUCCESSORS, _SUCCESSORS.c.ssin == persons.c.replaced_by, isouter=True)
    .where(persons.c.ssin.in_(bindparam("ssins", expanding=True)))
)
_NAMESAKES = (
    select(dimona_workers.c.ssin, dimona_workers.c.search_key, dimona_workers.c.birth_date, dimona_workers.c.sex)
    .where(dimona_workers.c.search_key.in_(bindparam("search_keys", expanding=True)))
    .order_by(dimona_workers.c.ssin)
)


def find_persons(connection: Connection, ssins: Iterable[str]) -> dict[str, Person]:
    """Return the person of each SSIN, and of each number in force that a replaced one has become."""
    asked = set(ssins)
    found = {ssin: Person(ssin, _standing_of_stranger(ssin)) for ssin in asked}
    rows = connection.execute(_PERSONS, {"ssins": list(asked)}).all() if asked else []
    for row in rows:
        person = Person(row.in_force, Standing.CANCELLED if row.cancelled else Standing.IN_FORCE, row.deceased_on)
        found[row.ssin] = found[person.ssin] = person
    return found


def find_namesakes(connection: Connection, keys: Iterable[IdentityKey]) -> dict[IdentityKey, tuple[str, ...]]:
    """Return the SSINs of the workers who have each identity."""
    found: dict[IdentityKey, tuple[str, ...]] = dict.fromkeys(keys, ())
    if found:
        for row in connection.execute(_NAMESAKES, {"search_keys": list({key[0] for key in found})}):
            key = (row.search_key, row.birth_date, row.sex)
            if key in found:
                found[key] = (*found[key], row.ssin)
    return found


def _standing_of_stranger(ssin: str) -> Standing:
    return Standing.UNKNOWN if has_valid_check_digits(ssin) else Standing.MALFORMED
