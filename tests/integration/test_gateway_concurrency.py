"""Many clients at once: everybody is answered about the person and the ticket of the own message."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random

from gateway_world import (
    CONTEXTS,
    CUSTOMERS,
    OVER_TLS,
    OpenWorld,
    Reply,
    World,
    assert_valid,
    request_xml,
    signed_names,
)

from fixtures.messages import envelope
from fixtures.personas import load_personas

REQUESTS = 400
THREADS = 20


@dataclass(frozen=True)
class Question:
    """A prepared request with what its answer must hold."""

    ssin: str
    ticket: str
    client: str
    kind: str
    outcome: tuple[str, str]
    reference: str | None
    send: Callable[[], Reply]


def prepare(world: World) -> list[Question]:
    """Draw questions, reproducibly: most are in order, every fourth is broken in one of three ways."""
    random = Random(20)  # noqa: S311 - nothing is secret here
    personas = [each for each in load_personas(world.clock().date()) if each.person is not None]
    known = [
        (persona, expectation)
        for persona in personas
        for expectation in persona.expectations
        if expectation.operation == "consultCareer"
        and expectation.client in ("pcsa", "career-account", "economy")
        and expectation.customer == CUSTOMERS[expectation.client]
        and expectation.legal_context == CONTEXTS[expectation.client]
    ]
    questions = []
    for number in range(REQUESTS):
        persona, expectation = random.choice(known)
        ticket, client = f"ticket-{number}", expectation.client
        payload = request_xml(
            "consultCareer", persona.ssin, expectation.customer, expectation.legal_context, expectation.period, ticket
        )
        kind = random.choice(("good",) * 9 + ("invalid", "invalid", "tampered"))
        outcome = (expectation.value, expectation.code)
        if kind == "invalid":
            payload = payload.replace("<criteria>", f"<criteria wrong='{ticket}'>")
            outcome = ("fault", "MSG00004")
        if client in OVER_TLS:
            kind = "good" if kind == "tampered" else kind
            message, environ = envelope(payload), world.handed_over(client)
        else:
            message, environ = world.sign(payload, client), {}
        if kind == "tampered":
            message, outcome = message.replace(b"ticket-", b"forged-"), ("fault", "wsse:FailedCheck")
        career = persona.person.career if persona.person else None
        reference = career.nisse_reference if career else None
        send = _sender(world, message, environ)
        questions.append(Question(persona.ssin, ticket, client, kind, outcome, reference, send))
    return questions


def _sender(world: World, message: bytes, environ: dict[str, str]) -> Callable[[], Reply]:
    return lambda: world.post(message, **environ)


def test_each_of_many_concurrent_requests_gets_its_own_answer(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    questions = prepare(world)
    assert {question.kind for question in questions} == {"good", "invalid", "tampered"}
    with ThreadPoolExecutor(THREADS) as pool:
        replies = list(pool.map(lambda question: question.send(), questions))
    for question, reply in zip(questions, replies, strict=True):
        assert reply.outcome == question.outcome
        if question.kind == "tampered":
            assert not reply.is_signed
            continue
        signed_names(reply, world.own_identity)
        if question.kind == "invalid":
            assert reply.information == [("criteria", reply.information[0][1])]
            assert "'wrong'" in reply.information[0][1]
            continue
        assert_valid(reply.payload)
        assert reply.payload.findtext("criteria/ssin") == question.ssin
        assert reply.payload.findtext("informationCustomer/ticket") == question.ticket
        if reply.outcome[0] == "DATA_FOUND":
            assert reply.payload.findtext("ssin") == question.ssin
            assert reply.payload.findtext("career/nisseReference") == question.reference
            assert (reply.payload.find("dataFilters") is not None) == (question.client == "economy")
    tickets = [record["ticket_cbss"] for record in world.records()]
    assert len(tickets) == len(set(tickets))
    recorded = Counter(record["customer_ticket"] for record in world.records())
    good = {question.ticket for question in questions if question.kind == "good"}
    assert all(recorded[ticket] == 1 for ticket in good)


def test_of_many_copies_of_a_message_sent_at_once_one_is_answered(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    message = world.sign(request_xml("consultCareer", "75631290176", CUSTOMERS["pcsa"], CONTEXTS["pcsa"]))
    with ThreadPoolExecutor(THREADS) as pool:
        replies = list(pool.map(lambda _: world.post(message), range(THREADS)))
    codes = Counter(reply.outcome[1] for reply in replies)
    assert codes == {"MSG00000": 1, "wsse:FailedCheck": THREADS - 1}


def test_a_quota_is_exact_however_many_ask_at_once(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    world.clock.now = world.clock.now.replace(second=1)
    payload = request_xml("consultCareer", "75631290176", CUSTOMERS["inspection"], CONTEXTS["inspection"])
    messages = [world.sign(payload, "inspection") for _ in range(50)]
    with ThreadPoolExecutor(THREADS) as pool:
        codes = Counter(reply.outcome[1] for reply in pool.map(world.post, messages))
    assert codes == {"MSG00000": 30, "GTW00001": 20}
