"""Decision cases as data: fixtures/decisions/*.yaml, each with the rule it shows."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, cast

import pytest
from authz_shapes import DECISIONS, demo_contracts, read_demo_text
from pydantic import Field

from authz.annex import Annex
from authz.annex_document import read_annex
from authz.answer import Permit
from authz.brussels import find_quarter, quarter_begin, quarter_end
from authz.decision import decide
from authz.decision_cases import CasePart, CasesPart, RequestPart, read_cases
from authz.employer_access import NamedEmployer
from authz.integration import Period
from authz.question import AccessFacts, AccessRequest
from authz.ssin import Environment


class TableRequest(RequestPart):
    """A request of the tables: of any operation, there or not, so that it says itself what else decides."""

    employer: dict[str, str] | None = None
    needs_grant: bool = True
    needs_relation: bool = False


class TableCase(CasePart):
    """A case under another annex than the file's, or under one with texts replaced, two by two."""

    request: TableRequest = Field(default_factory=TableRequest)
    annex: str | None = None
    annex_change: list[str] = Field(default_factory=list)


class Table(CasesPart):
    """A file of fixtures/decisions: the demo annex that it is about, or one of its own."""

    request: TableRequest
    cases: list[TableCase]
    annex: str | None = None
    annex_text: str | None = None


def cases() -> Iterator[Any]:
    for path in sorted(DECISIONS.glob("*.yaml")):
        family, _ = read_cases(path.read_text("utf-8"), Table)
        for case in family.cases:
            yield pytest.param(family, case, id=f"{path.stem}: {case.rule}")


def _annex(family: Table, case: TableCase) -> Annex:
    text = family.annex_text or read_demo_text(case.annex or family.annex or "")
    changes = iter(case.annex_change)
    for old, new in zip(changes, changes, strict=True):
        assert old in text
        text = text.replace(old, new)
    return read_annex(text, demo_contracts())


def _period(parameters: dict[str, Any]) -> Period | None:
    begin, end = (parameters.get(f"criteria/period/{name}Date") for name in ("begin", "end"))
    if isinstance(begin, date):
        return Period(begin, end)
    quarters = [find_quarter(parameters.get(f"criteria/period/{name}Quarter", "")) for name in ("begin", "end")]
    if quarters[0] is None:
        return None
    return Period(quarter_begin(*quarters[0]), quarter_end(*quarters[1]) if quarters[1] else None)


def _request(given: TableRequest) -> AccessRequest:
    return AccessRequest(
        service=given.service or "",
        operation=given.operation or "",
        customer=given.customer.to_organisation() if given.customer else None,
        legal_context=given.legal_context,
        parameters=given.parameters,
        subjects=_subjects(given.parameters),
        period=_period(given.parameters),
        employer=NamedEmployer.from_values(given.employer) if given.employer else None,
        needs_grant=given.needs_grant,
        needs_relation=given.needs_relation,
    )


def _subjects(parameters: dict[str, Any]) -> tuple[str, ...]:
    one, several = parameters.get("criteria/ssin"), parameters.get("criteria/worker/ssin", ())
    return (one,) if one else tuple(several)


def asked_in(family: Table, case: TableCase) -> tuple[Annex, AccessRequest, AccessFacts, datetime, Environment]:
    """Return what `decide` is asked in a case."""
    request = _request(cast(TableRequest, family.request_of(case)))
    facts, now = family.facts_of(case, request.subjects), family.moment_of(case)
    return _annex(family, case), request, facts, now.astimezone(UTC), case.environment


@pytest.mark.parametrize(("family", "case"), list(cases()))
def test_the_case_is_decided_as_its_rule_says(family: Table, case: TableCase) -> None:
    asked = asked_in(family, case)
    annex, request, decision = asked[0], asked[1], decide(*asked)

    assert decision.revision == annex.revision
    assert case.expected.find_differences(decision) == []
    if isinstance(decision, Permit):
        if request.needs_grant:
            assert decision.deliberation.startswith("Demonstration deliberation")
            (grant,) = (each for grants in annex.grants.values() for each in grants if each.clause == decision.clause)
            assert decision.integration == grant.integration
    else:
        assert decision.allowed
        assert decision.subject is None or decision.subject in request.subjects
