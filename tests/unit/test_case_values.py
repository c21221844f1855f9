"""The parameters of golden cases hold what the contracts' elements do."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from gateway.annexes.case_values import find_mistake
from gateway.contracts import load_contracts
from gateway.xml.model import Element


@pytest.fixture(scope="module")
def elements() -> dict[str, Element]:
    operations = (each for service in load_contracts().services.values() for each in service.operations.values())
    return {
        f"{operation.descriptor.name} {path}": element
        for operation in operations
        for path, element in operation.request.paths()
    }


SSIN = "consultContributions criteria/ssin"
QUARTER = "consultContributions criteria/period/beginQuarter"
PERIOD = "consultContributions criteria/period"
LATEST = "consultDmfaAttestationsBySsin criteria/latestSituationOnly"
VERSION = "consultDmfaAttestationsBySsin criteria/attestationVersion"
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("path", "value"),
    [(SSIN, "75631290176"), (SSIN, ["1", "2"]), (PERIOD, None), (LATEST, True), (VERSION, 1)],
)
def test_what_the_contract_has_is_taken(elements: dict[str, Element], path: str, value: Any) -> None:
    assert find_mistake(elements[path], value) is None


@pytest.mark.parametrize(
    ("path", "value", "wanted"),
    [
        (SSIN, 75631290176, "a text; write it between quotes"),
        (QUARTER, date(2020, 1, 1), "a text; write it between quotes"),
        (QUARTER, ["2020Q1", 3], "a text; write it between quotes"),
        (QUARTER, None, "a text; write it between quotes"),
        (PERIOD, "2020", "nothing: it holds elements, which are named by their own paths"),
        (LATEST, "1", "true or false"),
        (LATEST, 1, "true or false"),
        (VERSION, "1", "a whole number"),
        (VERSION, True, "a whole number"),
        (VERSION, {"#text": 1}, "a whole number"),
    ],
)
def test_anything_else_is_told_with_what_is_wanted(
    elements: dict[str, Element], path: str, value: Any, wanted: str
) -> None:
    assert find_mistake(elements[path], value) == wanted


def test_a_moment_is_no_day(elements: dict[str, Element]) -> None:
    days = [element for element in elements.values() if getattr(element.type, "builtin", "") == "date"]
    assert days
    assert {find_mistake(each, NOON) for each in days} == {"a day, such as 2026-01-31"}
    assert {find_mistake(each, NOON.date()) for each in days} == {None}
