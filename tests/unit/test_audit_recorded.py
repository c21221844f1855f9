"""What was decided on is read back exactly, whatever it was, and decided alike."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from authz_shapes import read_demo_annex
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from authz.annex import RoleHolder
from authz.decision import decide
from authz.employer_access import EmployerRelation, NamedEmployer, RelationKind
from authz.integration import Inscription, Period, PersonFacts
from authz.organisation import Organisation
from authz.question import AccessFacts, AccessRequest
from authz.ssin import Environment
from fixtures.persons import make_ssin
from gateway.audit.keys import MonthKeys
from gateway.audit.record import AuditRecord, RecordOutcome, Sealed
from gateway.audit.recorded import NoDecision, RecordedDecision, read_decision
from gateway.audit.sealed_box import SealingKeys
from gateway.audit.sealing import seal, unseal

NOON = datetime(2024, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)
RECORD = AuditRecord("5a1a0c1e-0000-4000-8000-000000000001", NOON, RecordOutcome.REPLY)
ANNEX = read_demo_annex("economy")
OWN = ANNEX.identity
SSINS = [make_ssin(date(1980, 3, 15), serial) for serial in range(1, 6)]

Reread = Callable[[AuditRecord], Sealed]

texts = st.text(st.characters(codec="utf-8"), max_size=20)
days = st.dates(date(1900, 1, 1))
organisations = st.one_of(
    st.just(OWN),
    st.builds(Organisation, cbe_number=texts),
    st.builds(lambda sector, institution: Organisation(None, sector, institution), st.integers(), st.integers()),
)
plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    texts,
    st.sampled_from(["2024-01-01", "$date", "2020Q1"]),
    days,
    st.datetimes(timezones=st.sampled_from([None, UTC])),
    st.decimals(allow_nan=False, allow_infinity=False),
)
values = st.one_of(plain, st.lists(plain), st.dictionaries(st.sampled_from(["#text", "@language"]), plain))
paths = st.sampled_from(["criteria/ssin", "criteria/period/beginDate", "criteria/period/endDate", "criteria/other"])
inscriptions = st.builds(
    Inscription, st.sampled_from([OWN.key, "cbe:0"]), st.sampled_from(["FPSECO:APPLICANT", "X:Y"]), days
) | st.builds(Inscription, texts, texts, days, days)
persons = st.builds(
    PersonFacts,
    st.booleans(),
    st.booleans(),
    st.none() | st.sampled_from(SSINS),
    st.none() | days,
    st.lists(inscriptions).map(tuple),
    st.none() | st.lists(inscriptions).map(tuple),
)
relations = st.builds(EmployerRelation, st.sampled_from(RelationKind), st.none() | days, st.none() | days, texts)
holders = st.builds(
    RoleHolder, texts, organisations, texts, st.frozensets(texts), st.frozensets(st.sampled_from(RelationKind))
)


@st.composite
def decisions(draw: st.DrawFn) -> RecordedDecision:
    """Draw what a decision rests on: about no person, one or several."""
    subjects = tuple(draw(st.lists(st.sampled_from(SSINS), unique=True)))
    request = AccessRequest(
        service=draw(st.sampled_from(["SelfEmployedService/v2", "Other/v1"])),
        operation=draw(st.sampled_from(["consultCareer", "other"])),
        customer=draw(st.none() | organisations),
        legal_context=draw(st.sampled_from([None, "FPSECO:ACTIVITY_PROOF_AS_SELF_EMPLOYED", "X:Y"])),
        parameters=draw(st.dictionaries(paths, values)),
        subjects=subjects,
        period=draw(st.none() | st.builds(Period, days, st.none() | days)),
        employer=draw(st.none() | st.builds(NamedEmployer, texts, texts, texts)),
        needs_grant=draw(st.booleans()),
        needs_relation=draw(st.booleans()),
    )
    facts = AccessFacts(
        {ssin: draw(persons) for ssin in subjects}, draw(st.none() | relations), draw(st.none() | holders)
    )
    return RecordedDecision(request, facts, NOON + draw(st.timedeltas(-timedelta(days=9000), timedelta(days=9000))))


@pytest.fixture(scope="module")
def reread(tmp_path_factory: pytest.TempPathFactory) -> Reread:
    """Seal a record, and read back what was sealed of it."""
    keys, auditor = MonthKeys.make(tmp_path_factory.mktemp("audit") / "keys"), X25519PrivateKey.generate()
    sealing = SealingKeys(keys, auditor.public_key())
    return lambda record: unseal(seal(record, sealing, NOON).row, keys, auditor)


@settings(max_examples=300, deadline=None)
@given(decided=decisions())
def test_what_was_sealed_is_read_back_and_decided_alike(reread: Reread, decided: RecordedDecision) -> None:
    record = replace(RECORD, request=decided.request, facts=decided.facts, decided_at=decided.decided_at)
    read = read_decision(reread(record))
    assert read == decided
    assert types_of(read.request.parameters) == types_of(decided.request.parameters)
    before, after = (
        decide(ANNEX, each.request, each.facts, each.decided_at, Environment.TEST) for each in (decided, read)
    )
    assert before == after


def types_of(value: Any) -> Any:
    """True equals 1 and a moment may equal another day's: what a decision looks at is the type too."""
    if isinstance(value, dict):
        return {name: types_of(each) for name, each in value.items()}
    return [types_of(each) for each in value] if isinstance(value, list) else type(value)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"request": {"client": "pcsa", "activeFrom": NOON}, "decided_at": NOON},
        {"request": AccessRequest("S/v1", "o", None), "facts": AccessFacts()},
    ],
)
def test_what_was_never_decided_has_no_decision(reread: Reread, change: dict[str, Any]) -> None:
    with pytest.raises(NoDecision):
        read_decision(reread(replace(RECORD, **change)))


def test_a_field_that_was_never_sealed_is_a_mistake_and_not_a_guess(reread: Reread) -> None:
    record = replace(RECORD, request=AccessRequest("S/v1", "o", None), facts=AccessFacts(), decided_at=NOON)
    sealed = dict(reread(record))
    sealed["request"] = {name: value for name, value in sealed["request"].items() if name != "needs_relation"}
    with pytest.raises(KeyError, match="needs_relation"):
        read_decision(sealed)
