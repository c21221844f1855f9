"""The RSVZ behind SelfEmployedService, kept in this database: one query per consultation.

Implements `services.self_employed.repository`. Reads only; decides nothing: what contradicts itself is handed
on as it is stored.
"""

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import Row, bindparam, exists, select

from gateway.sources.asking import Read, asking
from gateway.storage.arza_tables import (
    arza_affiliations,
    arza_careers,
    arza_contributions,
    arza_fund_outages,
    arza_pcsas,
    arza_segments,
)
from gateway.storage.hot_statement import HotStatement
from services.self_employed.career import (
    Affiliation,
    Career,
    Contribution,
    ContributionAccount,
    MissingDelivery,
    Segment,
)

_CAREER = (
    select(
        arza_careers.c.ssin,
        arza_careers.c.nisse_reference,
        arza_careers.c.enterprise_number,
        arza_careers.c.occupation,
        arza_affiliations.c.number,
        arza_affiliations.c.fund,
        arza_affiliations.c.signature_date,
        arza_segments.c.begin_date,
        arza_segments.c.end_date,
        arza_segments.c.quality,
        arza_segments.c.contribution,
        arza_segments.c.equality,
    )
    .select_from(
        arza_careers.outerjoin(arza_affiliations, arza_affiliations.c.ssin == arza_careers.c.ssin).outerjoin(
            arza_segments,
            (arza_segments.c.ssin == arza_affiliations.c.ssin)
            & (arza_segments.c.affiliation == arza_affiliations.c.number),
        )
    )
    .where(arza_careers.c.ssin == bindparam("ssin"))
    .order_by(arza_affiliations.c.number, arza_segments.c.begin_date, arza_segments.c.number)
)

_CONTRIBUTIONS = HotStatement(
    select(
        arza_contributions.c.quarter,
        arza_contributions.c.fund,
        arza_contributions.c.situation,
        arza_contributions.c.ziv,
        exists()
        .where(
            arza_fund_outages.c.fund == arza_contributions.c.fund,
            arza_fund_outages.c.begin_quarter <= arza_contributions.c.quarter,
            arza_fund_outages.c.end_quarter >= arza_contributions.c.quarter,
        )
        .label("missing"),
    )
    .where(
        arza_contributions.c.ssin == bindparam("ssin"),
        arza_contributions.c.quarter.between(bindparam("begin"), bindparam("end")),
    )
    .order_by(arza_contributions.c.quarter, arza_contributions.c.fund)
)

_ANY_CONTRIBUTION = select(arza_contributions.c.ssin).where(arza_contributions.c.ssin == bindparam("ssin")).limit(1)

_PCSA = select(arza_pcsas.c.cbe_number).where(arza_pcsas.c.cbe_number == bindparam("cbe_number"))

_NOBODY = select(arza_careers.c.ssin).limit(1).where(arza_careers.c.ssin == "")


class SqlSelfEmployedRepository:
    """Answers from the `arza_…` tables; `read` gives a connection for the duration of a question."""

    def __init__(self, read: Read) -> None:
        self._read = read

    def probe(self) -> None:
        """Ask for nobody: return if the register answers."""
        with asking(self._read) as connection:
            connection.execute(_NOBODY).first()

    def find_career(self, ssin: str, begin: date = date.min, end: date | None = None) -> Career | None:
        """Return the whole career, affiliations in the register's order, segments by date."""
        with asking(self._read) as connection:
            rows = connection.execute(_CAREER, {"ssin": ssin}).all()
        return _make_career(rows) if rows else None

    def find_contributions(self, ssin: str, begin: str, end: str) -> ContributionAccount | None:
        """Return the contributions by quarter and fund; only an empty answer costs a second query."""
        rows = self._find_rows(ssin, begin, end)
        if rows is None:
            return None
        return ContributionAccount(
            ssin=ssin,
            contributions=tuple(
                Contribution(row.quarter, row.fund, row.situation, row.ziv) for row in rows if not row.missing
            ),
            missing=tuple(MissingDelivery(row.quarter, row.fund) for row in rows if row.missing),
        )

    def find_funds(self, ssin: str, begin: str, end: str) -> dict[str, tuple[str, ...]] | None:
        """Return which fund keeps the account of which quarters; None when none ever kept one of the person."""
        rows = self._find_rows(ssin, begin, end)
        if rows is None:
            return None
        funds: dict[str, tuple[str, ...]] = {}
        for row in rows:
            funds[row.fund] = (*funds.get(row.fund, ()), row.quarter)
        return funds

    def _find_rows(self, ssin: str, begin: str, end: str) -> Sequence[Any] | None:
        with asking(self._read) as connection:
            rows = _CONTRIBUTIONS.run(connection, {"ssin": ssin, "begin": begin, "end": end})
            if not rows and connection.execute(_ANY_CONTRIBUTION, {"ssin": ssin}).first() is None:
                return None
        return rows

    def is_pcsa(self, cbe_number: str) -> bool:
        """Say whether the register has the organisation among its PCSAs."""
        with asking(self._read) as connection:
            return connection.execute(_PCSA, {"cbe_number": cbe_number}).first() is not None


def _make_career(rows: Sequence[Row[*tuple[Any, ...]]]) -> Career:
    head = rows[0]
    return Career(
        ssin=head.ssin,
        nisse_reference=head.nisse_reference,
        self_employed_enterprise_number=head.enterprise_number,
        occupation=head.occupation,
        affiliations=tuple(
            _make_affiliation(list(group))
            for number, group in groupby(rows, key=lambda row: row.number)
            if number is not None
        ),
    )


def _make_affiliation(rows: Sequence[Row[*tuple[Any, ...]]]) -> Affiliation:
    return Affiliation(
        social_insurance_fund=rows[0].fund,
        signature_date=rows[0].signature_date,
        career_segments=tuple(
            Segment(row.begin_date, row.end_date, row.quality, row.contribution, row.equality)
            for row in rows
            if row.begin_date is not None
        ),
    )
