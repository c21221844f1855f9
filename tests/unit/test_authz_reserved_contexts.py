"""A legal context that one client has for itself: no other annex can grant it, nor on another deliberation."""

import pytest
from authz_shapes import read_demo_text

from authz.annex_document import AnnexInvalid, read_annex
from authz.annex_reference import render_annex_reference
from authz.annex_yaml import AnnexProblem
from gateway.contracts import load_contracts
from services.employer_repertory.natural_persons import RESERVED

SHAPES = load_contracts().shapes()
STATISTICS = read_demo_text("labour-statistics")
FRONT_OFFICE = read_demo_text("front-office")


def problems(text: str, *changes: tuple[str, str]) -> list[tuple[str, str]]:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    with pytest.raises(AnnexInvalid) as caught:
        read_annex(text, SHAPES)
    found: tuple[AnnexProblem, ...] = caught.value.problems
    assert all(problem.remedy for problem in found)
    return [(problem.path, problem.message) for problem in found]


def test_the_client_that_has_it_may_be_granted_it_on_its_deliberation() -> None:
    annex = read_annex(FRONT_OFFICE, SHAPES)
    assert annex.client == RESERVED.client
    (grant,) = annex.grants["EmployerRepertoryService/v1", "consultEmployer", RESERVED.legal_context]
    assert grant.deliberation == RESERVED.deliberation


def test_the_reference_of_annexes_says_so() -> None:
    reference = render_annex_reference()
    for fact in (RESERVED.legal_context, RESERVED.client, RESERVED.deliberation):
        assert f"`{fact}`" in reference


def test_no_other_client_may_be_granted_it() -> None:
    change = ("[STATISTICS:LABOUR_MARKET]", f"[STATISTICS:LABOUR_MARKET, {RESERVED.legal_context}]")
    found = problems(STATISTICS, change, ("Demonstration agreement 24/121 on legal persons", RESERVED.deliberation))
    assert found == [
        ("operations[0].legalContexts[1]", f"{RESERVED.legal_context} is reserved to the client front-office")
    ]


def test_a_longer_name_is_another_client() -> None:
    found = problems(FRONT_OFFICE, ("client: front-office\n", "client: front-office-2\n"))
    assert found == [
        ("operations[0].legalContexts[0]", f"{RESERVED.legal_context} is reserved to the client front-office")
    ]


def test_it_rests_on_its_own_deliberation_alone() -> None:
    change = ("deliberation: Deliberation 07/039", "deliberation: Deliberation 06/80")
    assert problems(FRONT_OFFICE, change) == [
        ("operations[0].deliberation", f"{RESERVED.legal_context} rests on {RESERVED.deliberation} and on nothing else")
    ]


def test_both_mistakes_are_told_at_once() -> None:
    change = ("[STATISTICS:LABOUR_MARKET]", f"[{RESERVED.legal_context}]")
    assert [path for path, _ in problems(STATISTICS, change)] == [
        "operations[0].legalContexts[0]",
        "operations[0].deliberation",
    ]


@pytest.mark.parametrize("kind", ["supportApplication", "monitoringProbe"])
def test_who_consults_nobody_may_not_consult_employers_either(kind: str) -> None:
    found = problems(STATISTICS, ("kind: institution", f"kind: {kind}"))
    assert found == [("operations[0].operation", f"consults persons, which no {kind} may")]
