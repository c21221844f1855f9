"""Many clients at once: nobody gets another's answer, and a message is answered once whichever worker it reaches."""

import random
import re
import ssl
import threading
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

from lxml import etree

from fixtures.messages import envelope, moment, sign
from fixtures.persona import Expectation, Persona
from fixtures.personas import load_personas
from gateway.pki import Identity, load_identity
from tests.e2e.conftest import PATIENCE, RunningGateway

THREADS = 100
REQUESTS_OF_A_THREAD = 100
REPLAYS = 500

PATH = "/SelfEmployedService/v2/consult"
NAMESPACE = "http://kszbcss.fgov.be/intf/SelfEmployedService/v2"
PERSONAS = load_personas()
KNOWN = {persona.ssin for persona in PERSONAS}
# inspection has a quota for half a minute of one such thread, and another test shows it.
CLIENTS = ("pcsa", "economy", "integrator", "career-account")
SIGNING = ("pcsa", "economy", "integrator")


@contextmanager
def connected(gateway: RunningGateway, client: str) -> Iterator[HTTPSConnection]:
    """A connection that stays open; a client that does not sign presents its certificate."""
    context = ssl.create_default_context(cafile=gateway.authority)
    if client not in SIGNING:
        pki = gateway.state / "pki" / "clients"
        context.load_cert_chain(pki / f"{client}.pem", pki / f"{client}.key")
    connection = HTTPSConnection(gateway.url.removeprefix("https://"), context=context, timeout=PATIENCE)
    try:
        yield connection
    finally:
        connection.close()


def post(connection: HTTPSConnection, message: bytes) -> etree._Element:
    connection.request("POST", PATH, message, {"Content-Type": "text/xml; charset=utf-8"})
    return etree.fromstring(connection.getresponse().read())


def payload_of(ssin: str, expectation: Expectation, ticket: str) -> str:
    return (
        f'<v2:{expectation.operation}Request xmlns:v2="{NAMESPACE}"><informationCustomer><ticket>{ticket}</ticket>'
        f"<customerIdentification>{elements(expectation.customer)}</customerIdentification></informationCustomer>"
        f"<legalContext>{expectation.legal_context}</legalContext><criteria><ssin>{ssin}</ssin>"
        + (f"<period>{elements(expectation.period)}</period>" if expectation.period else "")
        + f"</criteria></v2:{expectation.operation}Request>"
    )


def elements(values: Mapping[str, Any]) -> str:
    return "".join(f"<{name}>{value}</{name}>" for name, value in values.items())


def questions_of(client: str) -> list[tuple[Persona, Expectation]]:
    return [(persona, each) for persona in PERSONAS for each in persona.expectations if each.client == client]


def identities(state: Path) -> dict[str, Identity]:
    return {client: load_identity(state / "pki" / "clients" / client) for client in SIGNING}


def test_no_reply_holds_another_clients_or_persons_data(gateway: RunningGateway) -> None:
    signers = identities(gateway.state)
    questions = {client: questions_of(client) for client in CLIENTS}
    successors = {persona.ssin: persona.person.replaced_by for persona in PERSONAS if persona.person}

    def ask(number: int) -> Counter[str]:
        dice, client = random.Random(number), CLIENTS[number % len(CLIENTS)]  # noqa: S311 - which questions, no secret
        seen: Counter[str] = Counter()
        with connected(gateway, client) as connection:
            for _ in range(REQUESTS_OF_A_THREAD):
                persona, expectation = dice.choice(questions[client])
                ticket, broken = uuid.uuid4().hex, dice.random() < 0.15
                ssin = f"{persona.ssin[:10]}x" if broken else persona.ssin
                message = envelope(payload_of(ssin, expectation, ticket))
                if client in SIGNING:
                    message = sign(message, signers[client], moment())
                reply = post(connection, message)
                code = reply.findtext(".//status/code") or reply.findtext(".//reasonCode")
                assert code == ("MSG00004" if broken else expectation.code), etree.tostring(reply)
                tickets = {node.text for node in reply.iter("ticket")}
                assert tickets <= {ticket}, "the reply is another request's"
                named = set(re.findall(r"(?<!\d)\d{11}(?!\d)", etree.tostring(reply, encoding="unicode"))) & KNOWN
                assert named <= {persona.ssin, successors.get(persona.ssin)}, "the reply names another person"
                seen[code] += 1
        return seen

    with ThreadPoolExecutor(THREADS) as pool:
        codes = sum(pool.map(ask, range(THREADS)), Counter())
    assert codes.total() == THREADS * REQUESTS_OF_A_THREAD
    assert min(codes["MSG00000"], codes["MSG00004"], codes["MSG00012"], codes["MSG00027"]) > 0


def test_a_replayed_message_is_answered_once_whichever_worker_it_reaches(gateway: RunningGateway) -> None:
    signer = identities(gateway.state)["pcsa"]
    persona, expectation = next(each for each in questions_of("pcsa") if each[1].code == "MSG00000")
    payload = envelope(payload_of(persona.ssin, expectation, "replayed"))
    answers: list[list[str | None]] = [[], []]
    messages = [b""]
    ready, sent = threading.Barrier(3), threading.Barrier(3)

    def send(mine: list[str | None]) -> None:
        for _ in range(REPLAYS):
            # A connection of its own each time: the kernel gives it to either worker.
            with connected(gateway, "pcsa") as connection:
                connection.connect()
                ready.wait(timeout=PATIENCE)
                reply = post(connection, messages[0])
                mine.append(reply.findtext(".//status/code") or reply.findtext(".//faultcode"))
                sent.wait(timeout=PATIENCE)

    threads = [threading.Thread(target=send, args=(mine,), daemon=True) for mine in answers]
    for thread in threads:
        thread.start()
    for _ in range(REPLAYS):
        messages[0] = sign(payload, signer, moment())
        ready.wait(timeout=PATIENCE)
        sent.wait(timeout=PATIENCE)
    for thread in threads:
        thread.join()
    assert [sorted(map(str, pair)) for pair in zip(*answers, strict=True)] == [
        ["MSG00000", "wsse:FailedCheck"]
    ] * REPLAYS
