"""Decision cases as data: fixtures/decisions/*.yaml, each with the rule it shows."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest
import yaml
from authz_shapes import DECISIONS, NOW, demo_contracts, read_demo_text

from authz.annex import Annex
from authz.annex_document import read_annex
from authz.brussels import find_quarter, quarter_begin, quarter_end
from authz.decision import AccessFacts, AccessRequest, Deny, Permit, decide
from authz.employer_access import EmployerRelation, NamedEmployer, RelationKind
from authz.integration import Inscription, Period, PersonFacts
from authz.organisation import Organisation
from authz.ssin import Environment


def _cases() -> Iterator[Any]:
    for path in sorted(DECISIONS.glob("*.yaml")):
        family = yaml.safe_load(path.read_text("utf-8"))
        for case in family["cases"]:
            yield pytest.param(family, case, id=f"{path.stem}: {case['rule']}")


def _annex(family: Mapping[str, Any], case: Mapping[str, Any]) -> Annex:
    text = family.get("annexText") or read_demo_text(case.get("annex", family["annex"]))
    changes = iter(case.get("annexChange", ()))
    for old, new in zip(changes, changes, strict=True):
        assert old in text
        text = text.replace(old, new)
    return read_annex(text, demo_contracts())


def _period(parameters: Mapping[str, Any]) -> Period | None:
    begin, end = (parameters.get(f"criteria/period/{name}Date") for name in ("begin", "end"))
    if isinstance(begin, date):
        return Period(begin, end)
    quarters = [find_quarter(parameters.get(f"criteria/period/{name}Quarter", "")) for name in ("begin", "end")]
    if quarters[0] is None:
        return None
    return Period(quarter_begin(*quarters[0]), quarter_end(*quarters[1]) if quarters[1] else None)


def _request(given: Mapping[str, Any]) -> AccessRequest:
    customer, parameters = given["customer"], given["parameters"]
    return AccessRequest(
        service=given["service"],
        operation=given["operation"],
        customer=Organisation.from_values(customer) if customer else None,
        legal_context=given["legalContext"],
        parameters=parameters,
        subjects=_subjects(parameters),
        period=_period(parameters),
        employer=NamedEmployer.from_values(given["employer"]) if given.get("employer") else None,
        needs_grant=given.get("needsGrant", True),
        needs_relation=given.get("needsRelation", False),
    )


def _subjects(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    one, several = parameters.get("criteria/ssin"), parameters.get("criteria/worker/ssin", ())
    return (one,) if one else tuple(several)


def _relation(given: Mapping[str, Any] | None) -> EmployerRelation | None:
    return EmployerRelation(**given | {"kind": RelationKind(given["kind"])}) if given else None


def _facts(given: Mapping[str, Any]) -> PersonFacts:
    supplier = given.get("supplierInscriptions")
    return PersonFacts(
        known=given["known"],
        cancelled=given.get("cancelled", False),
        replaced_by=given.get("replacedBy"),
        deceased_on=given.get("deceasedOn"),
        client_inscriptions=tuple(Inscription(**each) for each in given.get("clientInscriptions", ())),
        supplier_inscriptions=None if supplier is None else tuple(Inscription(**each) for each in supplier),
    )


@pytest.mark.parametrize(("family", "case"), list(_cases()))
def test_the_case_is_decided_as_its_rule_says(family: Mapping[str, Any], case: Mapping[str, Any]) -> None:
    annex = _annex(family, case)
    request = _request(family["request"] | case.get("request", {}))
    persons = {ssin: _facts(family["facts"] | case.get("facts", {})) for ssin in request.subjects}
    persons |= {ssin: _facts(family["facts"] | facts) for ssin, facts in case.get("factsOf", {}).items()}
    facts = AccessFacts(persons, _relation(case.get("relation")))
    now: datetime = case.get("now", NOW)
    decision = decide(annex, request, facts, now.astimezone(UTC), Environment(case.get("environment", "test")))
    expected = case["expected"]

    assert decision.revision == annex.revision
    if "permit" in expected:
        assert isinstance(decision, Permit)
        assert decision.clause == expected["permit"]
        if request.needs_grant:
            assert decision.deliberation.startswith("Demonstration deliberation")
            (grant,) = (each for grants in annex.grants.values() for each in grants if each.clause == decision.clause)
            assert decision.integration == grant.integration
        for name in ("withheld", "dropped"):
            assert name not in expected or getattr(decision, name) == tuple(expected[name])
        assert decision.deliberation == expected.get("deliberation", decision.deliberation)
    else:
        assert isinstance(decision, Deny)
        assert (decision.case, decision.clause) == (expected["deny"], expected.get("clause", ""))
        assert decision.allowed == expected.get("allowed", decision.allowed)
        assert decision.allowed
        assert decision.subject is None or decision.subject in request.subjects
        if "information" in expected:
            assert decision.information == tuple((name, value) for name, value in expected["information"])
