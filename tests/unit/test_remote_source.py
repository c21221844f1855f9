"""Which answers of a remote source count, and what the others are told as."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from fixtures.persons import SyntheticPerson, generate
from gateway.simulator.server import SimulatorServer
from gateway.sources.guard import GuardPolicy
from gateway.sources.remote import Answer, RemoteSource
from gateway.sources.remote_persons import about_person
from gateway.sources.remote_self_employed import RemoteSelfEmployedRepository
from gateway.sources.remote_statuses import expect
from gateway.wss.sign import HeaderBlock
from services.consultation import (
    SourceAnswerInvalid,
    SourceCommunicationFailed,
    SourceFault,
    SourceUnavailable,
    SsinUnknownToSource,
)
from tests.remote_source import SetClock, ask, identity, played, sign_as
from tests.unit.fakes_self_employed import FakeSelfEmployedRepository

SERVICE = "SelfEmployedService/v2"
PERSON = next(person for person in generate(1, 50) if person.career and person.contributions)
ssin = PERSON.ssin


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def server(clock: SetClock) -> Iterator[SimulatorServer]:
    people: list[SyntheticPerson] = [PERSON]
    with played(SERVICE, FakeSelfEmployedRepository(people), clock) as opened:
        yield opened


@pytest.fixture
def source(server: SimulatorServer, clock: SetClock) -> Iterator[RemoteSource]:
    with_patience = ask(SERVICE, server, clock)
    yield with_patience
    with_patience.close()


def career(source: RemoteSource) -> Answer:
    return source.ask("consultCareer", {"ssin": ssin}, about_person(ssin))


def test_an_answer_of_the_source_to_our_question_counts(source: RemoteSource) -> None:
    answer = career(source)
    assert (answer.value, answer.code) == ("DATA_FOUND", "MSG00000")
    assert ssin not in repr(answer)
    assert RemoteSelfEmployedRepository(source, lambda number: False).find_career(ssin) == PERSON.career


class NamingFieldsOnly:
    """Signs as the source, and adds to each status a field that has a name and no value, as the contract allows."""

    def sign(self, body: str, confirm: bytes | None, now: datetime, blocks: Sequence[HeaderBlock] = ()) -> bytes:
        told = body.replace("</status>", "<information><fieldName>note</fieldName></information></status>")
        return sign_as("source").sign(told, confirm, now, blocks)


def test_a_field_of_the_status_may_have_no_value(clock: SetClock) -> None:
    with played(SERVICE, FakeSelfEmployedRepository([PERSON]), clock, signer=NamingFieldsOnly()) as server:
        source = ask(SERVICE, server, clock)
        answer = career(source)
        source.close()
    assert (answer.code, answer.information) == ("MSG00000", (("note", ""),))


def details(source: RemoteSource) -> str:
    with pytest.raises(SourceAnswerInvalid) as raised:
        career(source)
    assert ssin not in f"{raised.value}{raised.value.__cause__}"
    return dict(raised.value.information)["details"]


def test_an_answer_signed_by_anybody_else_is_none(source: RemoteSource, server: SimulatorServer) -> None:
    server.faults.replace("forged")
    assert details(source) == "the answer is not signed by the source"


def test_an_answer_to_another_question_is_none(source: RemoteSource, server: SimulatorServer) -> None:
    career(source)
    server.faults.replace("stale")
    assert details(source) == "the answer is to another question"


def test_an_answer_that_is_not_fresh_is_none(server: SimulatorServer, clock: SetClock) -> None:
    moments = iter([clock.now, clock.now + timedelta(minutes=6)])
    late = ask(SERVICE, server, lambda: next(moments))
    assert details(late) == "the answer is not signed by the source"
    late.close()


def test_two_certificates_count_while_the_source_changes_them(server: SimulatorServer, clock: SetClock) -> None:
    both = identity("next").certificate_pem + identity("source").certificate_pem
    source = ask(SERVICE, server, clock, certificate_pem=both)
    assert career(source).code == "MSG00000"
    source.close()
    other = ask(SERVICE, server, clock, certificate_pem=identity("next").certificate_pem)
    assert details(other) == "the answer is not signed by the source"
    other.close()


def test_a_source_that_does_not_know_us_is_unavailable(server: SimulatorServer, clock: SetClock) -> None:
    stranger = ask(SERVICE, server, clock, signer=sign_as("stranger"))
    with pytest.raises(SourceUnavailable):
        career(stranger)
    assert stranger.guard.counts["not_served"] == 1
    stranger.close()


def test_an_address_that_answers_nothing_fails_its_probe(server: SimulatorServer, clock: SetClock) -> None:
    source = ask(SERVICE, server, clock, policy=GuardPolicy(deadline_seconds=0.5))
    source.probe()
    server.close()
    with pytest.raises(SourceUnavailable):
        source.probe()
    source.close()


@pytest.mark.parametrize(
    ("value", "code", "told"),
    [
        ("NO_RESULT", "MSG00005", SsinUnknownToSource),
        ("NO_RESULT", "MSG00006", SsinUnknownToSource),
        ("NO_RESULT", "MSG00021", SsinUnknownToSource),
        ("NO_RESULT", "MSG00020", SourceUnavailable),
        ("NO_RESULT", "MSG00013", SourceUnavailable),
        ("NO_RESULT", "MSG00023", SourceAnswerInvalid),
        ("NO_RESULT", "MSG00025", SourceAnswerInvalid),
        ("DATA_FOUND", "MSG99999", SourceAnswerInvalid),
        ("fault", "MSG00001", SourceUnavailable),
        ("fault", "MSG00003", SourceUnavailable),
        ("fault", "GTW00001", SourceUnavailable),
        ("fault", "MSG00000", SourceUnavailable),
    ],
)
def test_each_status_means_something_to_a_port(value: str, code: str, told: type[SourceFault]) -> None:
    with pytest.raises(told):
        expect(Answer(value, code), {"MSG00000"})


def test_who_asks_about_no_person_is_not_told_that_the_person_is_unknown() -> None:
    with pytest.raises(SourceAnswerInvalid, match="status MSG00005"):
        expect(Answer("NO_RESULT", "MSG00005"), {"MSG00000"}, person=False)


def test_what_is_told_and_not_confirmed_may_have_been_done(source: RemoteSource, server: SimulatorServer) -> None:
    server.faults.replace("close")
    with pytest.raises(SourceCommunicationFailed):
        source.tell("consultCareer", {"ssin": ssin}, "ticket")
    assert source.guard.counts == {"broken_off": 1}


def test_a_person_whom_the_source_does_not_know_is_MSG00021() -> None:  # noqa: N802 - the code as it is written
    assert SsinUnknownToSource.case == "not_integrated_at_supplier"
    values: dict[str, Any] = {"criteria": {"ssin": ssin}, "ssin": {"#text": "00000000000", "@replaces": ssin}}
    assert about_person(ssin)(values)
    assert not about_person(ssin)(values | {"ssin": {"#text": "00000000000"}})
    assert not about_person(ssin)({"criteria": {"ssin": "00000000000"}})


def test_what_is_no_code_is_not_repeated() -> None:
    with pytest.raises(SourceAnswerInvalid) as raised:
        expect(Answer("DATA_FOUND", ssin), {"MSG00000"})
    assert ssin not in f"{raised.value}{raised.value.information}"
