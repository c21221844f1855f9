"""The operations of DmfaConsultationService over fakes: criteria, pages, cases and contradictions."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from fixtures.attestations import Employment, SyntheticOutage, make_attestations, make_employer
from services.consultation import Consultation, Outcome, SourceAnswerInvalid, SourceUnavailable
from services.dmfa import DESCRIPTOR
from services.dmfa.attestation import Attestation, AttestationPage, AttestationSearch, Position
from services.dmfa.criteria import parse_position, render_position
from services.dmfa.operations import PAGE, consult_attestations, consult_personnel
from services.dmfa.reply import UNSUPPORTED
from services.employer_numbers import (
    complete_nsso_number,
    has_valid_enterprise_check_digits,
    has_valid_nsso_check_digits,
)
from tests.unit.fakes_dmfa import FakeDmfaRepository, FakePageTokens

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
SSIN = "80641095104"
OPERATION = "consultDmfaAttestationsBySsin"
ATTESTATIONS = make_attestations(
    SSIN,
    100,
    (
        Employment(10, "2018Q1", "2018Q2", history=("CREATION", "MODIFICATION", "CANCELLATION")),
        Employment(13, "2018Q3", "2018Q4", occupations=2),
        Employment(14, "2019Q1", "2019Q2", kind="student"),
        Employment(15, "2019Q3", "2019Q3", kind="apprentice"),
    ),
)


def consultation(client: str = "pensions", customer: str = "0999910345", **criteria: Any) -> Consultation:
    given = {
        "ssin": SSIN,
        "quarterPeriod": {"beginQuarter": "2018Q1", "endQuarter": "2019Q4"},
        "resultsAction": "RESULTS_ONLINE_ONLY",
        "latestSituationOnly": True,
    }
    values = {
        "informationCustomer": {"customerIdentification": {"cbeNumber": customer}},
        "legalContext": "PENSIONS:CAREER",
        "criteria": given | criteria,
    }
    return Consultation(OPERATION, values, NOW, "", client)


def ask(repository: FakeDmfaRepository | None = None, **criteria: Any) -> Outcome:
    return consult_attestations(
        consultation(**criteria), repository or FakeDmfaRepository(ATTESTATIONS), FakePageTokens()
    )


def told(outcome: Outcome) -> list[tuple[int, int]]:
    versions = outcome.data["dmfaAttestations"]["dmfaAttestation"]
    return [
        (each["attestationInformation"]["attestationId"], each["attestationInformation"]["attestationVersion"])
        for each in versions
    ]


def expect(**names: Any) -> list[tuple[int, int]]:
    return [
        (each.position.attestation_id, each.position.version)
        for each in ATTESTATIONS
        if each.next_version is None and all(getattr(each, name) == value for name, value in names.items())
    ]


def quarters(begin: str, end: str) -> Mapping[str, str]:
    return {"beginQuarter": begin, "endQuarter": end}


FEDERAL, MUNICIPAL = make_employer(13), make_employer(14)
EVERYTHING = expect()
NARROWING: dict[str, tuple[dict[str, Any], list[tuple[int, int]]]] = {
    "quarterPeriod": ({"quarterPeriod": quarters("2018Q3", "2018Q3")}, [(106, 1)]),
    "provincialOrLocalAuthority": ({"provincialOrLocalAuthority": True}, expect(source="DIBISS_ORPSS")),
    "provincialOrLocalAuthority false": ({"provincialOrLocalAuthority": False}, expect(source="RSZ_ONSS")),
    "sectorIndicators": ({"sectorIndicators": {"sectorIndicator": ["PFR"]}}, [(106, 1), (107, 1)]),
    "attestationId": ({"attestationId": 107}, [(107, 1)]),
    "nssoRegistrationNumber": ({"nssoRegistrationNumber": FEDERAL.nsso_number}, [(106, 1), (107, 1)]),
    "enterpriseNumber": ({"enterpriseNumber": MUNICIPAL.enterprise_number}, expect(source="DIBISS_ORPSS")),
    "employerClass": (
        {"nssoRegistrationNumber": FEDERAL.nsso_number, "employerClass": FEDERAL.employer_class},
        [(106, 1), (107, 1)],
    ),
    "workerCode": ({"nssoRegistrationNumber": make_employer(15).nsso_number, "workerCode": 487}, [(110, 1)]),
}


@pytest.mark.parametrize("criterion", NARROWING)
def test_each_criterion_narrows_the_answer(criterion: str) -> None:
    given, expected = NARROWING[criterion]
    outcome = ask(**given)
    assert outcome.case == "data_found"
    assert told(outcome) == expected
    assert expected != EVERYTHING


@pytest.mark.parametrize(("name", "other"), [("employerClass", 999), ("workerCode", 999)])
def test_an_employer_with_another_class_or_code_has_nothing(name: str, other: int) -> None:
    assert ask(nssoRegistrationNumber=FEDERAL.nsso_number, **{name: other}).case == "no_data"


def test_the_latest_situation_leaves_out_what_was_replaced() -> None:
    assert told(ask()) == EVERYTHING
    everything = told(ask(latestSituationOnly=False))
    assert everything == [(each.position.attestation_id, each.position.version) for each in ATTESTATIONS]
    assert len(everything) == len(EVERYTHING) + 4


def test_a_version_is_told_when_it_is_asked() -> None:
    assert told(ask(attestationId=100, attestationVersion=2, latestSituationOnly=False)) == [(100, 2)]
    assert ask(attestationId=100, attestationVersion=2, latestSituationOnly=True).case == "no_data"


def test_versions_are_linked_and_documents_are_put_in_whole() -> None:
    outcome = ask(attestationId=100, latestSituationOnly=False)
    first, second, third = outcome.data["dmfaAttestations"]["dmfaAttestation"]
    assert [each["attestationInformation"]["attestationStatus"] for each in (first, second, third)] == [
        "CREATION", "MODIFICATION", "CANCELLATION",
    ]  # fmt: skip
    assert first["attestationVersionLink"] == {"nextAttestationVersion": 2}
    assert second["attestationVersionLink"] == {"previousAttestationVersion": 1, "nextAttestationVersion": 3}
    assert third["attestationVersionLink"] == {"previousAttestationVersion": 2}
    assert first["attEmployerDeclaration"] is ATTESTATIONS[0].document["attEmployerDeclaration"]
    assert outcome.data["unsupportedData"] == {"unsupportedElement": list(UNSUPPORTED)}
    assert outcome.data["ssin"] == {"#text": SSIN, "@canceled": False}


UNUSABLE: dict[str, tuple[dict[str, Any], str]] = {
    "begin before 2003Q1": (
        {"quarterPeriod": quarters("2002Q4", "2003Q4")},
        "criteria/quarterPeriod/beginQuarter",
    ),
    "end before 2003Q1": ({"quarterPeriod": quarters("2003Q1", "2002Q4")}, "criteria/quarterPeriod/endQuarter"),
    "end before begin": ({"quarterPeriod": quarters("2019Q1", "2018Q4")}, "criteria/quarterPeriod/endQuarter"),
    "begin to come": ({"quarterPeriod": quarters("2026Q3", "2026Q4")}, "criteria/quarterPeriod/beginQuarter"),
    "sectors exclude the authority": (
        {"provincialOrLocalAuthority": True, "sectorIndicators": {"sectorIndicator": ["PRI", "PFR"]}},
        "criteria/sectorIndicators",
    ),
    "authority excludes the sectors": (
        {"provincialOrLocalAuthority": False, "sectorIndicators": {"sectorIndicator": ["PLP"]}},
        "criteria/sectorIndicators",
    ),
    "NSSO number": ({"nssoRegistrationNumber": "0190001500"}, "criteria/nssoRegistrationNumber"),
    "enterprise number": ({"enterpriseNumber": "0999900151"}, "criteria/enterpriseNumber"),
    "token": ({"next": "forged"}, "criteria/next"),
}


@pytest.mark.parametrize("cause", UNUSABLE)
def test_what_cannot_be_used_is_named_and_the_source_not_asked(cause: str) -> None:
    criteria, field = UNUSABLE[cause]
    repository = FakeDmfaRepository(ATTESTATIONS)
    outcome = ask(repository, **criteria)
    assert outcome.case == "criterion_unusable"
    assert outcome.information[0] == ("field", field)
    assert outcome.information[1][0] == "details"
    assert repository.asked == []


def test_the_first_quarter_and_the_current_one_can_be_asked() -> None:
    assert ask(quarterPeriod=quarters("2003Q1", "2003Q1")).case == "no_data"
    assert ask(quarterPeriod=quarters("2026Q2", "2027Q4")).case == "no_data"
    assert (
        ask(provincialOrLocalAuthority=True, sectorIndicators={"sectorIndicator": ["PRI", "PLP"]}).case == "data_found"
    )


def test_a_batch_is_not_promised_and_the_source_not_asked() -> None:
    repository = FakeDmfaRepository(ATTESTATIONS)
    assert ask(repository, resultsAction="RESULTS_BATCH_ONLY").case == "not_implemented"
    assert consult_personnel(consultation()).case == "not_implemented"
    assert repository.asked == []


MANY = make_attestations(SSIN, 1, (Employment(10, "2003Q1", "2025Q4"), Employment(13, "2003Q1", "2025Q4")))
LONG = {"quarterPeriod": quarters("2003Q1", "2025Q4")}


def test_pages_hold_everything_once_in_order() -> None:
    repository, tokens = FakeDmfaRepository(MANY), FakePageTokens()
    found: list[tuple[int, int]] = []
    criteria: dict[str, Any] = dict(LONG)
    sizes = []
    while True:
        outcome = consult_attestations(consultation(**criteria), repository, tokens)
        found += told(outcome)
        sizes.append(len(told(outcome)))
        if "next" not in outcome.data:
            break
        assert outcome.case == "page_found"
        criteria["next"] = outcome.data["next"]
    assert outcome.case == "data_found"
    assert found == [(each.position.attestation_id, each.position.version) for each in MANY]
    assert sizes == [PAGE] * (len(MANY) // PAGE) + [len(MANY) % PAGE]


def test_a_version_added_in_between_doubles_and_hides_nothing() -> None:
    repository, tokens = FakeDmfaRepository(MANY), FakePageTokens()
    first = consult_attestations(consultation(**LONG), repository, tokens)
    added = make_attestations(SSIN, 9000, (Employment(20, "2003Q1", "2003Q2"),))
    repository = FakeDmfaRepository([*MANY, *added])
    second = consult_attestations(consultation(**LONG, next=first.data["next"]), repository, tokens)
    assert told(second) == [(each.position.attestation_id, 1) for each in MANY[PAGE : 2 * PAGE]]


@pytest.mark.parametrize(
    "changed",
    [
        {"client": "unemployment"},
        {"customer": "0999910246"},
        {"ssin": "74702295244"},
        {"latestSituationOnly": False},
        {"quarterPeriod": quarters("2003Q1", "2025Q3")},
        {"sectorIndicators": {"sectorIndicator": ["PRI"]}},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_page_of_another_question_is_refused(changed: dict[str, Any]) -> None:
    repository, tokens = FakeDmfaRepository(MANY), FakePageTokens()
    token = consult_attestations(consultation(**LONG), repository, tokens).data["next"]
    outcome = consult_attestations(consultation(**(LONG | {"next": token} | changed)), repository, tokens)
    assert (outcome.case, outcome.information[0]) == ("criterion_unusable", ("field", "criteria/next"))


def test_the_longest_position_is_short_enough_for_a_token() -> None:
    longest = Position("2999Q4", 99_999_999_999, 99_999_999_999)
    assert len(render_position(longest)) <= 31
    assert parse_position(render_position(longest)) == longest


def test_a_missing_register_makes_the_answer_a_partial_one() -> None:
    repository = FakeDmfaRepository(ATTESTATIONS, [SyntheticOutage("DIBISS_ORPSS", "2019Q1", "2019Q2")])
    outcome = ask(repository)
    assert outcome.case == "source_missing"
    assert outcome.information == (("source", "DIBISS_ORPSS"), ("quarters", "2019Q1-2019Q2"))
    assert told(outcome) == expect(source="RSZ_ONSS")
    assert ask(repository, provincialOrLocalAuthority=False).case == "data_found"


def test_a_missing_register_and_more_pages_are_both_told() -> None:
    outage = SyntheticOutage("RSZ_ONSS", "2025Q4", "2025Q4")
    outcome = ask(FakeDmfaRepository(MANY, [outage]), **LONG)
    assert outcome.case == "source_missing"
    assert "next" in outcome.data


def test_registers_that_are_all_missing_are_an_unavailable_source() -> None:
    outages = [SyntheticOutage(source, "2018Q1", "2019Q4") for source in ("RSZ_ONSS", "DIBISS_ORPSS")]
    with pytest.raises(SourceUnavailable) as caught:
        ask(FakeDmfaRepository(ATTESTATIONS, outages))
    assert caught.value.information == (
        ("source", "DIBISS_ORPSS"), ("quarters", "2019Q1-2019Q2"),
        ("source", "RSZ_ONSS"), ("quarters", "2018Q1-2018Q4, 2019Q3"),
    )  # fmt: skip


class _Answering:
    """Answers with one page whatever is asked."""

    def __init__(self, *attestations: Attestation) -> None:
        self._page = AttestationPage(attestations)

    def find_attestations(self, search: AttestationSearch, limit: int) -> AttestationPage:
        return self._page


def with_declaration(attestation: Attestation, **changes: Any) -> Attestation:
    declaration = attestation.document["attEmployerDeclaration"]
    return replace(attestation, document={**attestation.document, "attEmployerDeclaration": declaration | changes})


ONE, TWO = ATTESTATIONS[0], ATTESTATIONS[1]
CONTRADICTIONS = {
    "another SSIN": ((replace(ONE, ssin="74702295244"),), "an attestation of another SSIN"),
    "quarter not asked": (
        (replace(ONE, position=replace(ONE.position, quarter="2020Q1")),),
        "a quarter that was not asked",
    ),
    "no declaration": ((replace(ONE, document={}),), "an attestation without a declaration"),
    "another quarter": ((with_declaration(ONE, quarter="2018Q2"),), "a declaration of another quarter"),
    "another worker": (
        (with_declaration(ONE, attNaturalPerson={"ssin": "74702295244"}),),
        "a declaration about another SSIN",
    ),
    "out of order": ((TWO, ONE), "attestations out of order"),
    "twice": ((ONE, ONE), "attestations out of order"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_of_the_source_is_found_and_names_nobody(name: str) -> None:
    attestations, contradiction = CONTRADICTIONS[name]
    with pytest.raises(SourceAnswerInvalid) as caught:
        consult_attestations(consultation(), _Answering(*attestations), FakePageTokens())
    assert caught.value.information == (("details", contradiction),)
    assert SSIN not in str(caught.value)


def test_a_page_that_goes_back_is_found() -> None:
    tokens = FakePageTokens()
    token = consult_attestations(consultation(**LONG), FakeDmfaRepository(MANY), tokens).data["next"]
    with pytest.raises(SourceAnswerInvalid, match="an earlier page"):
        consult_attestations(consultation(**LONG, next=token), _Answering(MANY[0]), tokens)


def test_a_search_shows_no_ssin() -> None:
    repository = FakeDmfaRepository(ATTESTATIONS)
    ask(repository)
    assert SSIN not in repr(repository.asked)


@pytest.mark.parametrize("operation", DESCRIPTOR.statuses.rows)
def test_statuses_stand_in_the_order_of_the_checks(operation: str) -> None:
    codes = [row.code for row in DESCRIPTOR.statuses.rows[operation].values()]
    order = [
        "MSG00014", "MSG00013", "MSG00027", "MSG00011", "MSG00005", "MSG00012", "MSG00006", "MSG00007",
        "MSG00009", "MSG00021", "GTW00004", "MSG00008", "MSG00025", "MSG00020", "MSG00023", "MSG00100", "HAN20200",
        "MSG00000", "MSG00000",
    ]  # fmt: skip
    of_employer = ["MSG00014", "MSG00013", "MSG00027", "GTW00004", "MSG00025"]
    assert codes == (order if operation == OPERATION else of_employer)


def test_check_digits_of_employer_numbers() -> None:
    number = complete_nsso_number("01900015")
    assert has_valid_nsso_check_digits(number)
    assert [int(number[8:]), 96 - 100 * 1_900_015 % 97] == [96 - 100 * 1_900_015 % 97] * 2
    wrong = [f"{number[:8]}{digits:02}" for digits in range(100) if f"{digits:02}" != number[8:]]
    assert not any(has_valid_nsso_check_digits(each) for each in wrong)
    assert has_valid_enterprise_check_digits("0999900150")
    assert not any(has_valid_enterprise_check_digits(f"09999001{digits:02}") for digits in range(100) if digits != 50)
