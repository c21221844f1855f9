"""Clients that consult without a pause, whatever happens: each message is sent once, and what came of it is kept."""

import base64
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import uuid4

import requests
from lxml import etree

from faults.questions import questions_of
from fixtures.messages import envelope, sign
from gateway.pki import Identity, load_identity
from tests.e2e.conftest import PATIENCE, RunningGateway

CLIENTS = ("pcsa", "integrator", "economy", "health-insurance", "pensions", "unemployment")
WELL = "MSG00000"
BROKEN = "no answer"
STEADY = 10
"""So many good answers in a row are service."""
PAUSE_AFTER_TROUBLE = 0.1
"""Seconds: who got no data waits so long, lest the clients take from the gateway the processor that it starts with."""
_RECEIPT = "{urn:ksz-gateway:receipt:v1}Receipt"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a client keeps of a reply."""

    ticket: str
    position: int
    leaf: bytes
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A message and what came of it: `code` of the reply or fault, BROKEN for none; times are monotonic seconds."""

    client: str
    ticket: str
    begun: float
    ended: float
    code: str
    receipt: Receipt | None


@dataclass
class Load:
    """A thread for each of `clients`, which are all different.

    `ahead` is how far the clients' clock is ahead of the machine's.
    """

    gateway: RunningGateway
    clients: Sequence[str] = CLIENTS
    wait_seconds: float = 15.0
    pause_seconds: float = 0.0
    ahead: timedelta = timedelta()
    asked: list[Asked] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Load":
        self._threads = [threading.Thread(target=self._consult, args=(each,), daemon=True) for each in self.clients]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE)

    def well_since(self, moment: float) -> int:
        """Count what was asked from this moment on, and answered with data."""
        # A copy, since the clients go on appending.
        return sum(each.code == WELL and each.begun >= moment for each in self.asked.copy())

    def is_steady_since(self, moment: float) -> bool:
        """Tell whether each client, asking since this moment, was answered with data the last few times."""
        newest = {client: deque[Asked](maxlen=STEADY) for client in self.clients}
        for each in self.asked.copy():
            newest[each.client].append(each)
        return all(
            len(few) == STEADY and all(each.code == WELL and each.begun >= moment for each in few)
            for few in newest.values()
        )

    def _consult(self, client: str) -> None:
        identity = load_identity(self.gateway.state / "pki" / "clients" / client)
        questions = questions_of(client)
        with requests.Session() as session:
            session.verify, session.trust_env = self.gateway.authority, False
            for number in count():
                if self._stop.wait(self.pause_seconds):
                    return
                ticket, question = uuid4().hex, questions[number % len(questions)]
                message = self.sign(question.payload(ticket), identity)
                url = self.gateway.url + question.path
                asked = ask(session, url, message, client, ticket, self.wait_seconds)
                self.asked.append(asked)
                if asked.code != WELL:
                    self._stop.wait(PAUSE_AFTER_TROUBLE)

    def sign(self, payload: str, identity: Identity) -> bytes:
        """Return the payload in an envelope that was signed by the clients' clock."""
        return sign(envelope(payload), identity, datetime.now(UTC) + self.ahead)


def ask(session: requests.Session, url: str, message: bytes, client: str, ticket: str, wait_seconds: float) -> Asked:
    """Send a message once, and return what came of it."""
    begun = time.monotonic()
    try:
        reply = session.post(
            url, message, headers={"Content-Type": "text/xml; charset=utf-8"}, timeout=wait_seconds
        ).content
        code, receipt = read_reply(reply)
    except (requests.RequestException, etree.XMLSyntaxError):
        code, receipt = BROKEN, None
    return Asked(client, ticket, begun, time.monotonic(), code, receipt)


def read_reply(reply: bytes) -> tuple[str, Receipt | None]:
    """Return the code of a reply or fault, and its receipt if it has one."""
    tree = etree.fromstring(reply)
    code = tree.findtext(".//status/code") or tree.findtext(".//reasonCode") or tree.findtext(".//faultcode") or "?"
    text = str(tree.findtext(".//faultstring"))
    # A fault of ours begins with its code; WS-Security's own codes stand in faultcode.
    if code.startswith("soapenv:") and text[3:8].isdigit():
        code = text.partition(":")[0]
    block = next(tree.iter(_RECEIPT), None)
    if block is None:
        return code, None
    return code, Receipt(
        str(tree.findtext(".//ticketCBSS")),
        int(str(block.findtext("position"))),
        base64.b64decode(str(block.findtext("leafHash"))),
        str(block.findtext("checkpoint")),
    )
