"""Golden cases: those of the demo annexes hold, and would not if a clause were missing; what is wrong is told."""

import json
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from authz.annex_document import AnnexInvalid, read_any_annex
from authz.annex_yaml import Path as Place
from authz.annex_yaml import read_yaml, show_path
from authz.case_coverage import list_clauses
from authz.decision_cases import CasesInvalid
from gateway.annexes.cases import CasesReport, cases_beside, run_cases
from gateway.cli import app
from gateway.contracts import Contracts, load_contracts
from gateway.demo_world import ANNEXES, annex_files

CLIENTS = [path.stem for path in annex_files()]


@cache
def contracts() -> Contracts:
    return load_contracts()


def text_of(client: str) -> str:
    return (ANNEXES / f"{client}.yaml").read_text("utf-8")


def run(client: str, cases: str | None = None, annex: str | None = None) -> CasesReport:
    text = annex or text_of(client)
    cases = cases or cases_beside(ANNEXES / f"{client}.yaml").read_text("utf-8")
    return run_cases(cases, read_any_annex(text, contracts().shapes()), read_yaml(text), contracts())


def command(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["annex", "test", *map(str, arguments)], env={"COLUMNS": "160"})


def test_the_cases_of_the_demo_annexes_hold_and_exercise_them() -> None:
    done = command(ANNEXES, "--fail-under", "90", "--json")
    assert done.exit_code == 0, done.exception
    reports = json.loads(done.stdout)
    assert [Path(report["annex"]).stem for report in reports] == CLIENTS
    assert {report["coverage"] for report in reports} == {100.0}


def removable(values: Any) -> Iterator[Place]:
    """Give the clauses without which an annex decides otherwise, whatever the contract."""
    for place in list_clauses(values):
        if place[0] == "operations" and place[2:] not in ((), ("integration",), ("integrationExemption",)):
            yield place


@pytest.mark.parametrize("client", CLIENTS)
def test_without_a_clause_a_case_fails(client: str) -> None:
    values = read_yaml(text_of(client)).values
    unnoticed = []
    for place in removable(values):
        changed = deepcopy(values)
        inside: Any = changed
        for step in place[:-1]:
            inside = inside[step]
        del inside[place[-1]]
        try:
            report = run(client, annex=yaml.safe_dump(changed, sort_keys=False))
        except AnnexInvalid:
            continue  # The only one of its kind: nothing is left without it.
        if not report.failures:
            unnoticed.append(show_path(place))
    assert unnoticed == []


CASES = """\
now: 2024-06-01T12:00:00Z
request:
  service: SelfEmployedService/v2
  operation: consultCareer
  legalContext: FPSECO:ACTIVITY_PROOF_AS_SELF_EMPLOYED
  parameters: { criteria/ssin: "80631500121", criteria/period/beginDate: 2022-01-01 }
facts:
  clientInscriptions: [{ organisation: "cbe:0999900249", context: FPSECO:APPLICANT, begin: 2010-01-01 }]
cases:
  - rule: recent activity is told
    expected: { permit: "operations[0]" }
"""


def test_clauses_that_no_case_exercises_are_named_with_their_lines() -> None:
    report = run("economy", CASES)
    lines = text_of("economy").splitlines()
    missing = {each.clause: lines[each.line - 1].strip() for each in report.unexercised}
    assert missing == {
        "validFrom": "validFrom: 2024-01-01",
        "represents": "client: economy",
        "operations[0].withheld[0]": "- career/occupation",
        "operations[0].withheld[1]": "- career/affiliations/affiliation/signatureDate",
        "operations[0].parameters.criteria/period.required": "criteria/period: { required: true, maxYearsBack: 5 }",
        "operations[0].parameters.criteria/period.maxYearsBack": "criteria/period: { required: true, maxYearsBack: 5 }",
        "operations[0].integration": "integration:",
    }
    assert report.coverage == pytest.approx(100 * 4 / 11)


@pytest.mark.parametrize(
    ("expected", "told"),
    [
        ("{ permit: 'operations[1]' }", ("permit", "'operations[1]'", "'operations[0]'")),
        ("{ deny: MSG00012, clause: kind }", ("deny", "'MSG00012'", "nothing")),
        ("{ permit: 'operations[0]', withheld: [] }", ("withheld", "[]", "['career/occupation', ")),
    ],
)
def test_a_case_decided_otherwise_is_shown_with_both_and_covers_nothing(
    expected: str, told: tuple[str, str, str]
) -> None:
    report = run("economy", CASES.replace('{ permit: "operations[0]" }', expected))
    (failure,) = report.failures
    assert (failure.rule, failure.line) == ("recent activity is told", 10)
    name, wanted, decided = failure.differences[0]
    assert (name, wanted) == told[:2]
    assert decided.startswith(told[2])
    assert report.coverage == 0


def test_a_refusal_is_expected_by_its_case_or_by_its_code() -> None:
    for case in ("not_integrated", "MSG00012"):
        expected = f'{{ deny: {case}, clause: "operations[0].integration" }}\n    facts: {{ clientInscriptions: [] }}'
        assert run("economy", CASES.replace('{ permit: "operations[0]" }', expected)).failures == ()


@pytest.mark.parametrize(
    ("old", "new", "line", "path"),
    [
        ("now: 2024-06-01T12:00:00Z", "now: 2024-06-01T12:00:00", 1, "now"),
        ("consultCareer", "consultCarrier", 10, "cases[0].request"),
        ("criteria/period/beginDate", "criteria/since", 6, "request.parameters.criteria/since"),
        ("begin: 2010-01-01", "begin: soon", 8, "facts.clientInscriptions[0].begin"),
        ('{ permit: "operations[0]" }', "{ clause: kind }", 11, "cases[0].expected"),
        ("- rule: recent activity is told", "- rules: recent", 10, "cases[0].rules"),
    ],
)
def test_what_is_wrong_with_cases_is_told_with_its_line(old: str, new: str, line: int, path: str) -> None:
    assert old in CASES
    with pytest.raises(CasesInvalid) as caught:
        run("economy", CASES.replace(old, new))
    assert (line, path) in [(problem.line, problem.path) for problem in caught.value.problems]


def test_cases_of_an_annex_for_a_role_say_who_has_it() -> None:
    cases = cases_beside(ANNEXES / "technical-users.yaml").read_text("utf-8")
    alone = yaml.safe_load(cases)
    del alone["holder"]
    alone["now"] = "2024-06-01T12:00:00Z"
    for case in alone["cases"]:
        case.pop("now", None)
    with pytest.raises(CasesInvalid, match="nobody has the role"):
        run("technical-users", yaml.safe_dump(alone))


def test_the_command_fails_for_a_case_for_too_little_and_for_cases_that_are_none(tmp_path: Path) -> None:
    annex, beside = tmp_path / "economy.yaml", tmp_path / "economy.cases.yaml"
    annex.write_text(text_of("economy"))
    for cases, options, told in (
        (CASES, ["--fail-under", "90"], "less than 90 % is exercised of: economy"),
        (CASES.replace("permit: ", "clause: kind, deny: "), [], "cases decided otherwise than expected: 1"),
        ("cases: []", [], "cannot be used; problems found: 2"),
    ):
        beside.write_text(cases)
        done = command(annex, *options)
        assert done.exit_code == 1
        assert told in str(done.exception)
    beside.unlink()
    assert f"has no golden cases: write them in {beside}" in str(command(annex).exception)


def test_a_test_that_decides_nothing_fails(tmp_path: Path) -> None:
    beside = tmp_path / "economy.cases.yaml"
    beside.write_text(CASES)
    for named, told in (
        (tmp_path, f"there are no annexes (.yaml) in {tmp_path}"),
        (beside, "name their annex instead"),
    ):
        done = command(named)
        assert done.exit_code == 1
        assert told in str(done.exception)


def test_a_check_of_annexes_checks_the_cases_among_them(tmp_path: Path) -> None:
    cases = tmp_path / "economy.cases.yaml"
    cases.write_text(CASES.replace("rule:", "rules:"))
    done = CliRunner().invoke(app, ["annex", "check", str(cases)])
    assert done.exit_code == 1
    assert "cases[0].rules" in done.stdout
    cases.write_text(CASES)
    assert CliRunner().invoke(app, ["annex", "check", str(cases)]).exit_code == 0
