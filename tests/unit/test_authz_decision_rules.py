"""What no single case can show: the order of the checks, and what holds of every decision there is."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from authz_shapes import NOW, SERVICE, read_demo_annex
from hypothesis import given
from hypothesis import strategies as st

from authz.annex import Annex, ClientKind, Grant, RepresentedOrganisation
from authz.answer import MAX_FIELDS, MAX_VALUE, Deny, Permit
from authz.decision import decide
from authz.integration import Inscription, Period, PersonFacts
from authz.organisation import Organisation
from authz.question import AccessFacts, AccessRequest
from authz.ssin import Environment, with_check_digits

SSIN = "80631500121"
SUCCESSOR = "80631500319"
NAME = RepresentedOrganisation("Anybody")
DEATH = date(2021, 9, 17)
ECONOMY = read_demo_annex("economy")
IN_FILE = Inscription(ECONOMY.identity.key, "FPSECO:APPLICANT", date(2000, 1, 1))
AT_SUPPLIER = Inscription("cbe:0208044709", "RSVZ:INSURED", date(2000, 1, 1))

ALL_WRONG = AccessRequest(
    SERVICE,
    "consultCareer",
    Organisation("0999900150"),
    "PCSA:SOCIAL_INQUIRY",
    {"criteria/ssin": "80631500122"},
    ("80631500122",),
)
NOTHING_KNOWN = PersonFacts(
    known=False,
    cancelled=True,
    replaced_by=SUCCESSOR,
    deceased_on=DEATH,
    client_inscriptions=(),
    supplier_inscriptions=(),
)

ORDER = (
    "credentials_mismatch",
    "operation_not_granted",
    "parameters_not_granted",
    "ssin_malformed",
    "ssin_unknown",
    "not_integrated",
    "ssin_replaced",
    "ssin_cancelled",
    "person_deceased",
    "not_integrated_at_supplier",
)


def _decide(annex: Annex, request: AccessRequest, person: PersonFacts, now: datetime) -> Permit | Deny:
    return decide(annex, request, AccessFacts(dict.fromkeys(request.subjects, person)), now, Environment.TEST)


def _mended(count: int) -> tuple[AccessRequest, PersonFacts]:
    """Return a request at which everything fails but the first `count` checks."""
    request, facts = ALL_WRONG, NOTHING_KNOWN
    mends = (
        {"customer": ECONOMY.identity},
        {"legal_context": "FPSECO:ACTIVITY_PROOF_AS_SELF_EMPLOYED"},
        {
            "parameters": {"criteria/ssin": "80631500122", "criteria/period/beginDate": date(2022, 1, 1)},
            "period": Period(date(2022, 1, 1)),
        },
        {
            "subjects": (SSIN,),
            "parameters": {"criteria/ssin": SSIN, "criteria/period/beginDate": date(2022, 1, 1)},
        },
        {"known": True},
        {"client_inscriptions": (IN_FILE,)},
        {"replaced_by": None},
        {"cancelled": False},
        {"deceased_on": None},
        {"supplier_inscriptions": (AT_SUPPLIER,)},
    )
    for mend in mends[:count]:
        if mend.keys() <= set(AccessRequest.__slots__):
            request = replace(request, **mend)
        else:
            facts = replace(facts, **mend)
    return request, facts


@pytest.mark.parametrize(("mended", "case"), list(enumerate(ORDER)))
def test_the_first_check_that_fails_decides(mended: int, case: str) -> None:
    request, facts = _mended(mended)
    decision = _decide(ECONOMY, request, facts, NOW)
    assert isinstance(decision, Deny)
    assert decision.case == case


def test_when_every_check_passes_the_request_is_permitted() -> None:
    request, facts = _mended(len(ORDER))
    assert isinstance(_decide(ECONOMY, request, facts, NOW), Permit)


def test_a_request_about_a_person_cannot_be_decided_without_facts() -> None:
    request, _ = _mended(len(ORDER))
    with pytest.raises(ValueError, match="facts of that person"):
        decide(ECONOMY, request, AccessFacts(), NOW, Environment.TEST)


def test_refusals_before_the_person_need_no_facts() -> None:
    for mended, case in enumerate(ORDER[:4]):
        decision = decide(ECONOMY, _mended(mended)[0], AccessFacts(), NOW, Environment.TEST)
        assert isinstance(decision, Deny)
        assert decision.case == case


def test_a_time_without_a_time_zone_decides_nothing() -> None:
    request, facts = _mended(len(ORDER))
    with pytest.raises(ValueError, match="time zone"):
        _decide(ECONOMY, request, facts, datetime(2024, 6, 1))  # noqa: DTZ001 - the naive time is the point


def test_no_ssin_stands_in_what_a_log_line_would_show() -> None:
    for mended in range(len(ORDER) + 1):
        request, facts = _mended(mended)
        shown = repr((request, facts, _decide(ECONOMY, request, facts, NOW)))
        assert SSIN not in shown
        assert SUCCESSOR not in shown


def test_information_stays_within_the_contract_and_counts_what_it_leaves_out() -> None:
    request, facts = _mended(len(ORDER))
    parameters = {f"criteria/{'x' * 300}{number}": "1" for number in range(20)}
    decision = _decide(ECONOMY, replace(request, parameters=parameters), facts, NOW)
    assert isinstance(decision, Deny)
    assert len(decision.information) == MAX_FIELDS
    assert all(len(name) <= 64 and len(value) <= MAX_VALUE for name, value in decision.information)
    # Twenty parameters and the required period are refused; fourteen are named.
    assert decision.information[-1] == ("parameter", "and 7 more")


def test_a_refusal_about_one_of_several_persons_keeps_all_numbers_out_of_log_lines() -> None:
    request, facts = _mended(len(ORDER))
    request = replace(request, subjects=(SSIN, SUCCESSOR))
    known = AccessFacts({SSIN: facts, SUCCESSOR: replace(facts, known=False)})
    decision = decide(ECONOMY, request, known, NOW, Environment.TEST)
    assert isinstance(decision, Deny)
    assert (decision.case, decision.subject) == ("ssin_unknown", SUCCESSOR)
    assert not any(ssin in repr((request, known, decision)) for ssin in (SSIN, SUCCESSOR))


def test_of_several_persons_none_is_permitted_without_facts() -> None:
    request, facts = _mended(len(ORDER))
    with pytest.raises(ValueError, match="facts of that person"):
        decide(ECONOMY, replace(request, subjects=(SSIN, SUCCESSOR)), AccessFacts({SSIN: facts}), NOW, Environment.TEST)


@given(st.lists(st.booleans(), min_size=1, max_size=6))
def test_several_persons_are_permitted_when_each_of_them_alone_is(integrated: list[bool]) -> None:
    request, facts = _mended(len(ORDER))
    ssins = tuple(with_check_digits(f"8063150{number:02d}", False) for number in range(len(integrated)))
    persons = {
        ssin: facts if known else replace(facts, client_inscriptions=())
        for ssin, known in zip(ssins, integrated, strict=True)
    }
    together = decide(ECONOMY, replace(request, subjects=ssins), AccessFacts(persons), NOW, Environment.TEST)
    alone = [
        decide(ECONOMY, replace(request, subjects=(ssin,)), AccessFacts(persons), NOW, Environment.TEST)
        for ssin in ssins
    ]
    assert isinstance(together, Permit) == all(isinstance(each, Permit) for each in alone)
    if isinstance(together, Deny):
        assert together.subject == ssins[integrated.index(False)]


organisations = st.sampled_from(
    [*read_demo_annex("integrator").represents, ECONOMY.identity, Organisation(sector=21, institution=0)]
)
annexes = st.sampled_from([read_demo_annex(name) for name in ("pcsa", "economy", "integrator", "probe", "inspection")])
days = st.dates(date(1950, 1, 1), date(2030, 1, 1))
inscriptions = st.lists(
    st.builds(
        Inscription,
        organisations.map(lambda organisation: organisation.key),
        st.sampled_from(["PCSA:FILE", "FPSECO:APPLICANT", "DGO6:APPLICANT", "PPSSI:INQUIRY"]),
        days,
        st.none() | days,
    ),
    max_size=3,
).map(tuple)
persons = st.builds(
    PersonFacts,
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, SUCCESSOR]),
    st.sampled_from([None, DEATH]),
    inscriptions,
    st.none() | inscriptions,
)


@st.composite
def requests(draw: st.DrawFn) -> AccessRequest:
    ssin = draw(st.sampled_from([SSIN, "80631500122"]))
    begin = draw(st.none() | days)
    return AccessRequest(
        service=draw(st.sampled_from([SERVICE, "TestConnectionService/v1"])),
        operation=draw(st.sampled_from(["consultCareer", "consultContributions", "sendTestMessage"])),
        customer=draw(st.none() | organisations),
        legal_context=draw(
            st.sampled_from(
                [
                    None,
                    "PCSA:SOCIAL_INQUIRY",
                    "FPSECO:ACTIVITY_PROOF_AS_SELF_EMPLOYED",
                    "DGO6:PROFESIONAL_CARD",
                ]
            )
        ),
        parameters={"criteria/ssin": ssin} | ({"criteria/period/beginDate": begin} if begin else {}),
        subjects=(ssin,),
        period=Period(begin) if begin else None,
        needs_grant=draw(st.booleans()),
    )


times = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds


def _grants(annex: Annex, request: AccessRequest) -> tuple[Grant, ...]:
    named = annex.grants.get((request.service, request.operation, request.legal_context), ())
    return tuple(grant for grant in named if (request.customer or annex.identity) in grant.customers)


@given(annexes, requests(), persons, times)
def test_nothing_is_permitted_without_a_matching_grant_of_an_active_annex(
    annex: Annex, request: AccessRequest, person: PersonFacts, now: datetime
) -> None:
    decision = _decide(annex, request, person, now)
    if isinstance(decision, Permit):
        (grant,) = _grants(annex, request)
        assert annex.is_active(now)
        assert (decision.clause, decision.revision) == (grant.clause, annex.revision)
        assert set(request.parameters) <= grant.parameters
        assert person.known
        assert any(inscription.context in grant.integration.contexts for inscription in person.client_inscriptions)
    if not _grants(annex, request):
        assert isinstance(decision, Deny)


@given(annexes, requests(), persons, times)
def test_a_refusal_before_integration_tells_nothing_of_a_successor_or_a_death(
    annex: Annex, request: AccessRequest, person: PersonFacts, now: datetime
) -> None:
    decision = _decide(annex, request, person, now)
    if isinstance(decision, Deny) and ORDER.index(decision.case) <= ORDER.index("not_integrated"):
        told = f"{decision.information} {decision.allowed} {decision.clause}"
        assert SUCCESSOR not in told
        assert DEATH.isoformat() not in told
        ignorant = replace(person, replaced_by=None, deceased_on=None, cancelled=False)
        assert _decide(annex, request, ignorant, now) == decision


@given(requests(), persons, times)
def test_an_enterprise_learns_nothing_of_what_became_of_a_person(
    request: AccessRequest, person: PersonFacts, now: datetime
) -> None:
    enterprise_annex = replace(ECONOMY, kind=ClientKind.ENTERPRISE)
    ignorant = replace(person, replaced_by=None, deceased_on=None, cancelled=False)
    assert _decide(enterprise_annex, request, person, now) == _decide(enterprise_annex, request, ignorant, now)
