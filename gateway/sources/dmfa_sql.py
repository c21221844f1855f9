"""The registers of attestations behind DmfaConsultationService, kept in this database.

Implements `services.dmfa.repository`. Reads only; decides nothing: what contradicts itself is handed on as it is
stored.
"""

from sqlalchemy import ColumnElement, Row, Select, and_, exists, select, tuple_

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

_Version = Row[*tuple[object, ...]]


class SqlDmfaRepository:
    """Answers from the `dmfa_…` tables; `read` gives a connection for the duration of a question."""

    def __init__(self, read: Read) -> None:
        self._read = read

    def find_attestations(self, search: AttestationSearch, limit: int) -> AttestationPage:
        """Return a page, read in one range of the key; what is missing costs a second query."""
        conditions = _conditions(search)
        with asking(self._read) as connection:
            rows = connection.execute(_page(search, conditions, limit + 1)).all()
            missing = connection.execute(_missing(conditions)).all()
        return AttestationPage(
            attestations=tuple(_make_attestation(row) for row in rows[:limit]),
            more=len(rows) > limit,
            missing=tuple(MissingDelivery(row.source, row.quarter) for row in missing),
        )


def _page(search: AttestationSearch, conditions: ColumnElement[bool], limit: int) -> Select[*tuple[object, ...]]:
    query = _VERSIONS.where(conditions, ~_UNDELIVERED).order_by(*_KEY).limit(limit)
    if search.after is None:
        return query
    after = search.after
    return query.where(tuple_(*_KEY) > tuple_(after.quarter, after.attestation_id, after.version))


def _missing(conditions: ColumnElement[bool]) -> Select[*tuple[object, ...]]:
    return (
        select(_COLUMNS.source, _COLUMNS.quarter)
        .distinct()
        .where(conditions, _UNDELIVERED)
        .order_by(_COLUMNS.source, _COLUMNS.quarter)
    )


def _conditions(search: AttestationSearch) -> ColumnElement[bool]:
    """Say all that was asked but the page; criteria that were not sent stand nowhere in the statement."""
    conditions = [
        _COLUMNS.ssin == search.ssin,
        _COLUMNS.quarter.between(search.begin_quarter, search.end_quarter),
    ]
    if search.latest_only:
        conditions.append(_COLUMNS.next_version.is_(None))
    if search.provincial_or_local is not None:
        conditions.append(_COLUMNS.provincial_or_local.is_(search.provincial_or_local))
    if search.sector_indicators:
        conditions.append(_COLUMNS.sector_indicator.in_(search.sector_indicators))
    for column, value in (
        (_COLUMNS.attestation_id, search.attestation_id),
        (_COLUMNS.version, search.attestation_version),
        (_COLUMNS.nsso_number, search.nsso_registration_number),
        (_COLUMNS.enterprise_number, search.enterprise_number),
        (_COLUMNS.employer_class, search.employer_class),
        (_COLUMNS.worker_code, search.worker_code),
    ):
        if value is not None:
            conditions.append(column == value)
    return and_(*conditions)


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
