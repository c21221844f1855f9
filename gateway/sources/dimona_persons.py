"""Who is meant by an SSIN or by an identity: the register of persons, and the NSSO's own register of workers.

A person may have had several numbers; what was recorded under one that was replaced afterwards is that of the person.
"""

from collections.abc import Iterable

from sqlalchemy import Column, ColumnElement, CompoundSelect, Connection, bindparam, func, select, union

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
_REPLACED = persons.alias("replaced")
_NUMBERS = (
    select(persons.c.ssin, func.coalesce(persons.c.replaced_by, persons.c.ssin).label("in_force"), _REPLACED.c.ssin)
    .join_from(persons, _REPLACED, _REPLACED.c.replaced_by == func.coalesce(persons.c.replaced_by, persons.c.ssin))
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


def find_numbers(connection: Connection, ssins: Iterable[str]) -> dict[str, str]:
    """Return every number that the persons of these SSINs have or had, with the one of `ssins` that names the person.

    Of two numbers of one person that of the two that is in force names it.
    """
    asked = set(ssins)
    found = {ssin: ssin for ssin in asked}
    rows = connection.execute(_NUMBERS, {"ssins": list(asked)}).all() if asked else []
    for ssin, in_force, replaced in rows:
        found[in_force] = found[replaced] = in_force if in_force in asked else ssin
    return found


def numbers_of_named(*conditions: ColumnElement[bool]) -> CompoundSelect[str]:
    """Return the statement for every number that the workers have or had of whom these conditions hold."""
    in_force = (
        select(func.coalesce(persons.c.replaced_by, dimona_workers.c.ssin))
        .join_from(dimona_workers, persons, persons.c.ssin == dimona_workers.c.ssin, isouter=True)
        .where(*conditions)
    )
    return union(in_force, select(_REPLACED.c.ssin).where(_REPLACED.c.replaced_by.in_(in_force)))


def in_force_of(ssin: Column[str]) -> ColumnElement[str]:
    """Return the number in force for the one that a column holds, where a statement has joined `persons` on it."""
    return func.coalesce(persons.c.replaced_by, ssin).label("in_force")


def _standing_of_stranger(ssin: str) -> Standing:
    return Standing.UNKNOWN if has_valid_check_digits(ssin) else Standing.MALFORMED
