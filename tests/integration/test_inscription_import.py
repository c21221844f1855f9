"""Importing inscriptions: all lines or none, every bad one told, the same file twice changes nothing."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from databases import Databases
from sqlalchemy import insert
from storage_world import NOON, World, open_world

from authz.enterprise import with_check_digits as with_cbe_check_digits
from authz.ssin import Environment, with_check_digits
from gateway import inscription_lines
from gateway.inscription_import import ImportReport, import_inscriptions
from gateway.storage.tables import inscriptions

CBE = with_cbe_check_digits("09999001")
HEADER = "ssin,organisation,context,begin,end"
ONE, TWO = (with_check_digits(f"8566010{number}", False) for number in (10, 20))
REAL = with_check_digits("850101100", False)


@pytest.fixture
def world(databases: Databases, tmp_path: Path) -> Iterator[World]:
    with open_world(databases, tmp_path) as opened:
        yield opened


def run(world: World, *lines: str, environment: Environment = Environment.TEST) -> ImportReport:
    return import_inscriptions(
        [line + "\n" for line in lines],
        world.database,
        world.commit,
        world.trail,
        actor="operator:an",
        now=NOON,
        environment=environment,
    )


def problems(world: World, *lines: str, environment: Environment = Environment.TEST) -> list[tuple[int, str]]:
    report = run(world, HEADER, *lines, environment=environment)
    assert report.added == 0
    assert world.rows(inscriptions) == []
    return [(each.line, each.column) for each in report.problems]


def stored(world: World) -> list[tuple[str, ...]]:
    columns = ("ssin", "organisation", "context", "begin_date", "end_date")
    return [tuple(str(row[column]) for column in columns) for row in world.rows(inscriptions)]


def test_lines_become_inscriptions(world: World) -> None:
    report = run(
        world, HEADER, f"{TWO},25/0,RSVZ:INSURED,2020-01-01,", f" {ONE} , {CBE},PCSA:FILE,2024-01-01,2024-12-31", ""
    )
    assert report == ImportReport(added=2)
    assert stored(world) == [
        (ONE, f"cbe:{CBE}", "PCSA:FILE", "2024-01-01", "2024-12-31"),
        (TWO, "sector:25/0", "RSVZ:INSURED", "2020-01-01", "None"),
    ]


def test_import_is_recorded_with_its_lines_sealed(world: World) -> None:
    run(world, HEADER, f"{ONE},{CBE},PCSA:FILE,2024-01-01,")
    (record,) = world.rows()
    assert (record["kind"], record["client"], record["operation"]) == (
        "inscription change",
        "operator:an",
        "inscriptions import",
    )
    assert world.unseal(record)["request"] == [[ONE, f"cbe:{CBE}", "PCSA:FILE", date(2024, 1, 1), None]]


def test_same_file_again_changes_and_records_nothing(world: World) -> None:
    lines = (HEADER, f"{ONE},{CBE},PCSA:FILE,2024-01-01,", f"{TWO},{CBE},PCSA:FILE,2024-01-01,2024-02-01")
    run(world, *lines)
    before = stored(world)
    assert run(world, *lines) == ImportReport(unchanged=2)
    assert stored(world) == before
    assert len(world.rows()) == 1


@pytest.mark.parametrize(
    ("line", "column"),
    [
        (f"{ONE[:-1]}x,{CBE},PCSA:FILE,2024-01-01,", "ssin"),
        (f"{ONE[:9]}00,{CBE},PCSA:FILE,2024-01-01,", "ssin"),
        (f"{ONE},{CBE[:8]}00,PCSA:FILE,2024-01-01,", "organisation"),
        (f"{ONE},25,PCSA:FILE,2024-01-01,", "organisation"),
        (f"{ONE},2500/0,PCSA:FILE,2024-01-01,", "organisation"),
        (f"{ONE},{CBE},pcsa,2024-01-01,", "context"),
        (f"{ONE},{CBE},A:{'B' * 63},2024-01-01,", "context"),
        (f"{ONE},{CBE},PCSA:FILE,,", "begin"),
        (f"{ONE},{CBE},PCSA:FILE,2024-02-30,", "begin"),
        (f"{ONE},{CBE},PCSA:FILE,2024-01-01,soon", "end"),
        (f"{ONE},{CBE},PCSA:FILE,2024-01-02,2024-01-01", "end"),
        (f"{ONE},{CBE},PCSA:FILE,2024-01-01", ""),
        (f"{ONE},{CBE},PCSA:FILE,2024-01-01,,", ""),
        (f'{ONE},"{CBE}"x,PCSA:FILE,2024-01-01,', ""),
    ],
)
def test_bad_line_is_refused_with_its_number_and_column(world: World, line: str, column: str) -> None:
    good = f"{TWO},{CBE},PCSA:FILE,2024-01-01,"
    assert problems(world, good, line) == [(3, column)]


def test_every_bad_line_is_told_in_order_and_none_quoted(world: World) -> None:
    lines = (
        f"{TWO},{CBE},PCSA:FILE,2024-01-01,",
        f"{ONE},{CBE},PCSA:FILE,bad,",
        f"{TWO},{CBE},PCSA:FILE,2024-02-01,",
        f"{ONE},nobody,PCSA:FILE,2024-01-01,",
    )
    report = run(world, HEADER, *lines)
    assert [each.line for each in report.problems] == [3, 4, 5]
    assert not any(number in str(report) for number in (ONE, TWO))


def test_wrong_header_is_refused(world: World) -> None:
    report = run(world, f"{ONE},{CBE},PCSA:FILE,2024-01-01,")
    assert [each.line for each in report.problems] == [1]
    assert run(world).problems == report.problems


def test_production_refuses_synthetic_persons(world: World) -> None:
    line = f"{ONE},{CBE},PCSA:FILE,2024-01-01,"
    assert problems(world, line, environment=Environment.PRODUCTION) == [(2, "ssin")]
    assert run(world, HEADER, line.replace(ONE, REAL), environment=Environment.PRODUCTION).added == 1


@pytest.mark.parametrize(
    ("periods", "bad_lines"),
    [
        (["2024-01-01,2024-06-30", "2024-07-01,"], []),
        (["2024-01-01,2024-06-30", "2024-06-30,"], [3]),
        (["2024-01-01,", "2030-01-01,2030-01-02"], [3]),
        (["2024-03-01,2024-03-31", "2024-01-01,2024-12-31"], [2]),
        (["2024-01-01,2024-12-31", "2024-02-01,2024-02-02", "2024-06-01,2024-06-02"], [3, 4]),
        (["2024-01-01,2024-12-31", "2024-01-01,2024-12-31"], [3]),
    ],
)
def test_lines_of_a_file_that_overlap_are_refused(world: World, periods: list[str], bad_lines: list[int]) -> None:
    lines = [f"{ONE},{CBE},PCSA:FILE,{period}" for period in periods]
    report = run(world, HEADER, *lines)
    assert [each.line for each in report.problems] == bad_lines


def test_other_contexts_and_organisations_do_not_overlap(world: World) -> None:
    lines = [
        f"{ONE},{CBE},PCSA:FILE,2024-01-01,",
        f"{ONE},{CBE},PCSA:DEBT,2024-01-01,",
        f"{ONE},1/2,PCSA:FILE,2024-01-01,",
    ]
    assert run(world, HEADER, *lines).added == 3


@pytest.mark.parametrize(
    ("period", "added"),
    [
        ("2024-03-01,2024-03-31", 0),
        ("2024-02-01,2024-03-01", None),
        ("2024-03-31,", None),
        ("2024-03-01,", None),
        ("2024-01-01,", None),
        ("2024-01-01,2024-02-29", 1),
        ("2024-04-01,", 1),
    ],
)
def test_lines_that_overlap_the_repertory_are_refused(world: World, period: str, added: int | None) -> None:
    run(world, HEADER, f"{ONE},{CBE},PCSA:FILE,2024-03-01,2024-03-31")
    report = run(world, HEADER, f"{ONE},{CBE},PCSA:FILE,{period}")
    assert [each.line for each in report.problems] == ([2] if added is None else [])
    assert report.added == (added or 0)


def test_file_of_many_chunks_is_compared_and_written_across_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inscription_lines, "_CHUNK", 7)
    lines = [f"{ONE},{CBE},PCSA:FILE,{year}-01-01,{year}-12-31" for year in range(2023, 1969, -1)]
    overlapping = f"{ONE},{CBE},PCSA:FILE,1990-05-01,1990-05-02"
    assert [each.line for each in run(world, HEADER, *lines, overlapping).problems] == [56]
    assert run(world, HEADER, *lines) == ImportReport(added=54)
    assert len(world.rows()) == 8
    assert run(world, HEADER, *lines) == ImportReport(unchanged=54)


def test_change_by_somebody_else_during_the_import_stops_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inscription_lines, "_CHUNK", 1)

    def interfere(_written: int) -> None:
        row = {"ssin": TWO, "organisation": f"cbe:{CBE}", "context": "PCSA:FILE"}
        with world.database.write() as connection:
            connection.execute(insert(inscriptions), row | {"begin_date": NOON.date(), "end_date": None})

    first, second = sorted((ONE, TWO))
    assert (first, second) == (ONE, TWO)
    report = import_inscriptions(
        [HEADER, f"{ONE},{CBE},PCSA:FILE,2024-01-01,", f"{TWO},{CBE},PCSA:FILE,2024-01-01,"],
        world.database,
        world.commit,
        world.trail,
        actor="operator:an",
        now=NOON,
        environment=Environment.TEST,
        progress=interfere,
    )
    assert report.added == 1
    assert [each.line for each in report.problems] == [3]
    assert len(world.rows()) == 1
