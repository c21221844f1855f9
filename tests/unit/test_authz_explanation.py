"""Explanations: the decision of `decide`, every check in its order, and nothing that the refusal would not tell."""

from dataclasses import replace
from datetime import datetime

import pytest
from authz_shapes import NOW
from hypothesis import given
from test_authz_decision_rules import (
    DEATH,
    ECONOMY,
    ORDER,
    SSIN,
    SUCCESSOR,
    _decide,
    _mended,
    annexes,
    persons,
    requests,
    times,
)
from test_authz_decisions import Table, TableCase, asked_in, cases

from authz.annex import Annex, ClientKind
from authz.answer import Deny, Permit
from authz.decision import decide, make_question
from authz.explanation import Check, Explanation, Result, explain
from authz.integration import PersonFacts
from authz.question import AccessFacts, AccessRequest
from authz.rules import PERSON_RULES, REQUEST_RULES
from authz.ssin import Environment

NAMES = [rule.name for rule in (*REQUEST_RULES, *PERSON_RULES)]


def _explain(annex: Annex, request: AccessRequest, person: PersonFacts, now: datetime = NOW) -> Explanation:
    return explain(annex, request, AccessFacts(dict.fromkeys(request.subjects, person)), now, Environment.TEST)


def _results(explanation: Explanation) -> list[Result]:
    return [check.result for check in explanation.checks]


@pytest.mark.parametrize(("family", "case"), list(cases()))
def test_the_decision_of_every_case_is_explained(family: Table, case: TableCase) -> None:
    asked = asked_in(family, case)
    explanation, decision = explain(*asked), decide(*asked)
    assert explanation.decision == decision
    refused = [check for check in explanation.checks if check.result is Result.REFUSED]
    if isinstance(decision, Permit):
        assert refused == []
    else:
        (decisive,) = refused
        assert (decisive.clause, decisive.allowed) == (decision.clause, decision.allowed)
        assert decisive.subject == decision.subject


@given(annexes, requests(), persons, times)
def test_an_explanation_decides_as_the_decision_does(
    annex: Annex, request: AccessRequest, person: PersonFacts, now: datetime
) -> None:
    explanation = _explain(annex, request, person, now)
    assert explanation.decision == _decide(annex, request, person, now)
    results = _results(explanation)
    if isinstance(explanation.decision, Permit):
        assert set(results) <= {Result.PASSED, Result.NOT_APPLICABLE}
    else:
        decisive = results.index(Result.REFUSED)
        assert set(results[:decisive]) <= {Result.PASSED, Result.NOT_APPLICABLE}
        assert set(results[decisive + 1 :]) <= {Result.NOT_REACHED}


@given(annexes, requests(), persons, times)
def test_a_check_that_does_not_apply_objects_to_nothing(
    annex: Annex, request: AccessRequest, person: PersonFacts, now: datetime
) -> None:
    for kind in ClientKind:
        asked = replace(annex, kind=kind), request, AccessFacts(dict.fromkeys(request.subjects, person)), now
        question = make_question(*asked, Environment.TEST)
        rules = (*REQUEST_RULES, *(rule.about(ssin) for ssin in request.subjects for rule in PERSON_RULES))
        for rule in rules:
            assert rule.applies(question) or rule.check(question) is None


@pytest.mark.parametrize(("mended", "name"), list(enumerate(name for name in NAMES if name != "employer")))
def test_every_check_stands_in_its_order_and_the_first_that_objects_decides(mended: int, name: str) -> None:
    explanation = _explain(ECONOMY, *_mended(mended))
    assert [check.name for check in explanation.checks] == NAMES
    (decisive,) = (check for check in explanation.checks if check.result is Result.REFUSED)
    assert decisive.name == name
    assert explanation.decision.case == ORDER[mended]


def test_a_permit_names_the_clause_of_each_check_that_rests_on_one() -> None:
    explanation = _explain(ECONOMY, *_mended(len(ORDER)))
    assert {check.name: check.clause for check in explanation.checks if check.clause} == {
        "credentials": "represents",
        "operation": "operations[0]",
        "parameters": "operations[0].parameters",
        "integration": "operations[0].integration",
    }
    employer = next(check for check in explanation.checks if check.name == "employer")
    assert employer == Check("employer", employer.asks, Result.NOT_APPLICABLE)


def test_each_person_is_checked_in_turn_and_none_after_the_one_who_is_refused() -> None:
    request, facts = _mended(len(ORDER))
    third = "80631500220"
    request = replace(request, subjects=(SSIN, SUCCESSOR, third))
    known = AccessFacts({SSIN: facts, SUCCESSOR: replace(facts, client_inscriptions=()), third: facts})
    checks = explain(ECONOMY, request, known, NOW, Environment.TEST).checks
    of_person = {ssin: [check for check in checks if check.subject == ssin] for ssin in request.subjects}
    assert {check.result for check in of_person[SSIN]} == {Result.PASSED}
    assert [check.name for check in of_person[SUCCESSOR] if check.result is Result.REFUSED] == ["integration"]
    assert {check.result for check in of_person[third]} == {Result.NOT_REACHED}


@given(annexes, requests(), persons, times)
def test_nothing_of_what_became_of_a_person_shows_before_integration_has_passed(
    annex: Annex, request: AccessRequest, person: PersonFacts, now: datetime
) -> None:
    explanation = _explain(annex, request, person, now)
    if isinstance(explanation.decision, Deny) and ORDER.index(explanation.decision.case) <= ORDER.index(
        "not_integrated"
    ):
        ignorant = replace(person, replaced_by=None, deceased_on=None, cancelled=False)
        assert _explain(annex, request, ignorant, now) == explanation
        assert not any(told in str(explanation) for told in (SUCCESSOR, DEATH.isoformat()))


@given(requests(), persons, times)
def test_an_enterprise_is_told_no_fates(request: AccessRequest, person: PersonFacts, now: datetime) -> None:
    annex = replace(ECONOMY, kind=ClientKind.ENTERPRISE)
    ignorant = replace(person, replaced_by=None, deceased_on=None, cancelled=False)
    explanation = _explain(annex, request, person, now)
    assert explanation == _explain(annex, request, ignorant, now)
    fates = {check.result for check in explanation.checks if check.name in ("replacement", "cancellation", "death")}
    assert fates <= {Result.NOT_APPLICABLE, Result.NOT_REACHED}


def test_no_ssin_stands_in_what_a_log_line_would_show() -> None:
    for mended in range(len(ORDER) + 1):
        shown = repr(_explain(ECONOMY, *_mended(mended)))
        assert SSIN not in shown
        assert SUCCESSOR not in shown


def test_a_request_about_a_person_cannot_be_explained_without_facts() -> None:
    with pytest.raises(ValueError, match="facts of that person"):
        explain(ECONOMY, _mended(len(ORDER))[0], AccessFacts(), NOW, Environment.TEST)
