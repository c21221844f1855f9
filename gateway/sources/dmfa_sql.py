"""The registers of attestations behind DmfaConsultationService, kept in this database.

Implements `services.dmfa.repository`. Reads only; decides nothing: what contradicts itself is handed on as it is
stored.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Row,
    Select,
    String,
    and_,
    bindparam,
    exists,
    select,
    tuple_,
)

from gateway.sources.asking import Read, asking
from gateway.storage.dmfa_tables import dmfa_attestations, dmfa_outages
from services.dmfa.attestation import Attestation, AttestationPage, AttestationSearch, MissingDelivery, Position

_COLUMNS = dmfa_attestations.c
_KEY = (_COLUMNS.quarter, _COLUMNS.attestation_id, _COLUMNS.version)

_UNDELIVERED = (
    exists()
    .where(
        dmfa_outages.c.source == _COLUMNS.source,
        dmfa_outages.c.begin_quarter <= _COLUMNS.quarter,
        dmfa_outages.c.end_quarter >= _COLUMNS.quarter,
    )
    .correlate(dmfa_attestations)
)

_VERSIONS = select(
    _COLUMNS.ssin,
    _COLUMNS.quarter,
    _COLUMNS.attestation_id,
    _COLUMNS.version,
    _COLUMNS.previous_version,
    _COLUMNS.next_version,
    _COLUMNS.status,
    _COLUMNS.creation_date,
    _COLUMNS.source,
    _COLUMNS.document,
)

# What each criterion says; the page's place is one of them, but not of what is missing of the whole answer.
_CONDITIONS: Mapping[str, ColumnElement[bool]] = {
    "latest_only": _COLUMNS.next_version.is_(None),
    "provincial_or_local": _COLUMNS.provincial_or_local == bindparam("provincial_or_local"),
    "sector_indicators": _COLUMNS.sector_indicator.in_(bindparam("sector_indicators", expanding=True)),
    "attestation_id": _COLUMNS.attestation_id == bindparam("attestation_id"),
    "attestation_version": _COLUMNS.version == bindparam("attestation_version"),
    "nsso_registration_number": _COLUMNS.nsso_number == bindparam("nsso_registration_number"),
    "enterprise_number": _COLUMNS.enterprise_number == bindparam("enterprise_number"),
    "employer_class": _COLUMNS.employer_class == bindparam("employer_class"),
    "worker_code": _COLUMNS.worker_code == bindparam("worker_code"),
}
_AFTER = tuple_(*_KEY) > tuple_(
    bindparam("after_quarter", type_=String),
    bindparam("after_id", type_=BigInteger),
    bindparam("after_version", type_=BigInteger),
)

_Statement = Select[*tuple[Any, ...]]
_Version = Row[*tuple[Any, ...]]

_NOBODY = select(dmfa_attestations.c.ssin).limit(1).where(dmfa_attestations.c.ssin == "")


class SqlDmfaRepository:
    """Answers from the `dmfa_…` tables; `read` gives a connection for the duration of a question."""

    def __init__(self, read: Read) -> None:
        self._read = read

    def probe(self) -> None:
        """Ask for nobody: return if the register answers."""
        with asking(self._read) as connection:
            connection.execute(_NOBODY).first()

    def find_attestations(self, search: AttestationSearch, limit: int) -> AttestationPage:
        """Return a page, read in one range of the key; what is missing costs a second query."""
        given = _given(search)
        page, missing = _statements(given, paged=search.after is not None)
        parameters = _parameters(search, given)
        with asking(self._read) as connection:
            rows = connection.execute(page, parameters | _place(search.after) | {"most": limit + 1}).all()
            undelivered = connection.execute(missing, parameters).all()
        return AttestationPage(
            attestations=tuple(_make_attestation(row) for row in rows[:limit]),
            more=len(rows) > limit,
            missing=tuple(MissingDelivery(row.source, row.quarter) for row in undelivered),
        )


@cache
def _statements(given: tuple[str, ...], *, paged: bool) -> tuple[_Statement, _Statement]:
    """Return the statements of the page and of what is missing, made once for each choice of criteria."""
    asked = and_(
        _COLUMNS.ssin == bindparam("ssin"),
        _COLUMNS.quarter.between(bindparam("begin_quarter"), bindparam("end_quarter")),
        *(_CONDITIONS[name] for name in given),
    )
    page = _VERSIONS.where(asked, ~_UNDELIVERED).order_by(*_KEY).limit(bindparam("most", type_=Integer))
    missing = (
        select(_COLUMNS.source, _COLUMNS.quarter)
        .distinct()
        .where(asked, _UNDELIVERED)
        .order_by(_COLUMNS.source, _COLUMNS.quarter)
    )
    return (page.where(_AFTER) if paged else page), missing


def _given(search: AttestationSearch) -> tuple[str, ...]:
    """Name the criteria that narrow; every version narrows nothing, while an employer that is no authority does."""
    names = (name for name in _CONDITIONS if getattr(search, name) not in (None, ()))
    return tuple(name for name in names if name != "latest_only" or search.latest_only)


def _parameters(search: AttestationSearch, given: tuple[str, ...]) -> dict[str, Any]:
    values = {name: getattr(search, name) for name in given if name != "latest_only"}
    return values | {
        "ssin": search.ssin,
        "begin_quarter": search.begin_quarter,
        "end_quarter": search.end_quarter,
    }


def _place(after: Position | None) -> dict[str, Any]:
    if after is None:
        return {}
    return {"after_quarter": after.quarter, "after_id": after.attestation_id, "after_version": after.version}


def _make_attestation(row: _Version) -> Attestation:
    return Attestation(
        ssin=row.ssin,
        source=row.source,
        position=Position(row.quarter, row.attestation_id, row.version),
        previous_version=row.previous_version,
        next_version=row.next_version,
        status=row.status,
        creation_date=row.creation_date,
        document=row.document,
    )
