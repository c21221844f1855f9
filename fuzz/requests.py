"""Hostile requests, made of valid ones of every client and operation: the payload, the header, the proof, the bytes.

Most inputs are changed in the payload and then signed honestly: only these get behind the signature. Nothing here knows
what the gateway should answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

from lxml import etree

from authz.brussels import brussels_day
from fixtures.attacks import Request
from fixtures.messages import ENVELOPED_SIGNATURE, EXCLUSIVE_C14N, NODE, NSSO, ZEEP, Shape, envelope, sign
from fuzz.changes import change_tree, edit_bytes, edit_envelope, insert_markup
from fuzz.corpus import Client, Question, load_clients
from fuzz.gateway import FuzzedGateway

_CONNECTION = "/TestConnectionService/v1/consult"
# A quota so small that more would only ever be told so, and technical users who may not send messages at all.
_SELDOM = ("inspection", "ftp")
_CONTENT_TYPES = ("", "text/xml", "application/xml", "text/xml; charset=latin-1", "text/plain", "a/b; c*=x''%ff", "é")
_ACTIONS = ('""', '"http://kszbcss.fgov.be/SelfEmployedService/consultCareer"', "urn:a", '"', "\u00ff")
_BLOCKS = (
    *('<d:dryRun xmlns:d="urn:ksz-gateway:dry-run:v1">true</d:dryRun>',) * 4,
    '<d:dryRun xmlns:d="urn:ksz-gateway:dry-run:v1" soap:mustUnderstand="1">1</d:dryRun>',
    '<d:dryRun xmlns:d="urn:ksz-gateway:dry-run:v1">false</d:dryRun>',
    '<d:dryRun xmlns:d="urn:ksz-gateway:dry-run:v1"><d:dryRun>true</d:dryRun></d:dryRun>',
    '<d:explanation xmlns:d="urn:ksz-gateway:dry-run:v1"/>',
    '<r:Receipt xmlns:r="urn:ksz-gateway:receipt:v1"><position>0</position></r:Receipt>',
    '<x xmlns="urn:a" soap:mustUnderstand="1"/>',
    '<x xmlns="urn:a" soap:actor="urn:b" soap:mustUnderstand="1"/>',
)


@dataclass(frozen=True, slots=True)
class Input:
    """One request and who asks: a client that signs or connects, or None for a stranger."""

    request: Request
    client: str | None


def make_input(gateway: FuzzedGateway, seed: int, number: int) -> Input:
    """Make the input of this number; the same but for its times (and ECDSA's randomness) whenever it is made."""
    # Not for secrets.
    random = Random(f"{seed}:{number}")  # noqa: S311
    client = choose_client(random, list(load_clients(brussels_day(gateway.clock())).values()))
    question = random.choice(client.questions)
    payload = etree.fromstring(question.text)
    for _ in range(random.choices((0, 1, 2, 3, 5), (10, 40, 25, 15, 10))[0]):
        change_tree(random, payload)
    text = etree.tostring(payload, encoding="unicode")
    if random.random() < 0.1:
        text = insert_markup(random, text)
    return send_as(gateway, random, client, Question(question.path, question.operation, text))


def choose_client(random: Random, clients: Sequence[Client]) -> Client:
    """Choose one of the clients, all as often but those that are answered nothing else than who they are."""
    return random.choices(clients, [1 if client.name.endswith(_SELDOM) else 5 for client in clients])[0]


def send_as(gateway: FuzzedGateway, random: Random, client: Client, question: Question) -> Input:
    """Prove the request as the client would, or nearly so, and now and then spoil what was proved."""
    try:
        content = _prove(gateway, random, client, question.text)
    except etree.LxmlError:
        # No honest client could sign this; send it as a stranger would.
        return Input(Request(envelope(question.text), path=question.path), None)
    if not client.signs:
        return Input(_over_http(random, Request(content, path=question.path, client=client.name)), client.name)
    kind = random.random()
    if kind < 0.15:
        content = edit_envelope(random, content)
    elif kind < 0.3:
        content = edit_bytes(random, content)
    return Input(_over_http(random, Request(content, path=question.path)), client.name)


def _prove(gateway: FuzzedGateway, random: Random, client: Client, text: str) -> bytes:
    """Sign as the client's annex demands; now and then otherwise, as clients may and strangers do."""
    if not client.signs:
        return envelope(text)
    shape, now, block = NSSO if client.sign_token else ZEEP, gateway.clock(), ""
    if random.random() < 0.25:
        shape = random.choice(
            (
                NODE,
                NSSO,
                replace(ZEEP, prefixes=("soap", "v2", "wsu")),
                replace(ZEEP, prefixes=("#default", "nobody")),
                replace(ZEEP, expires_in=None),
                replace(ZEEP, created_offset=timedelta(seconds=random.randrange(-400, 120))),
                replace(
                    ZEEP,
                    created_text=random.choice(("2015-01-01", "9999-12-31T23:59:59Z", "x", "0001-01-01T00:00:00Z")),
                ),
                Shape(transforms=(ENVELOPED_SIGNATURE, EXCLUSIVE_C14N), sign_token=True, plain_id=True),
            )
        )
    if random.random() < 0.2:
        block = random.choice(_BLOCKS)
        names = [etree.QName(each).localname for each in etree.fromstring(envelope("", block))[0]]
        shape = replace(shape, signed_headers=tuple(names) if random.random() < 0.8 else ())
    return sign(envelope(text, block), gateway.identities[client.name], now, shape)


def _over_http(random: Random, request: Request) -> Request:
    if random.random() > 0.05:
        return request
    return random.choice(
        (
            replace(request, headers={"Content-Type": random.choice(_CONTENT_TYPES)}),
            replace(request, headers={"SOAPAction": random.choice(_ACTIONS)}),
            replace(request, headers={"Content-Encoding": random.choice(("gzip", "identity", "x"))}),
            replace(request, path=_CONNECTION),
            replace(request, method=random.choice(("GET", "PUT", "OPTIONS"))),
        )
    )
