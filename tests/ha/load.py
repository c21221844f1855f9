"""Clients that consult and declare all the time, at every node in turn, and remember what they were answered.

A consultation is asked once. A declaration is sent again under its ticket, at the next node, until it is accepted.
"""

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count, pairwise

import requests
from lxml import etree

from fixtures import dmfa_personas
from fixtures.messages import envelope, moment, sign
from gateway.pki import load_identity
from tests.e2e.conftest import RunningGateway

CONSULTATION, DECLARATION = "consultation", "declaration"
NO_ANSWER = "no answer"
# What a client may be told while the database is away; each means that it may try again.
MAY_TRY_AGAIN = frozenset({"MSG00001", "MSG00002", "MSG00020", NO_ANSWER})
_PATHS = {CONSULTATION: "/SelfEmployedService/v2/consult", DECLARATION: "/DimonaService/v1/consult"}
_CLIENTS = {CONSULTATION: "pcsa", DECLARATION: "brewery"}
_SSIN = "75631290176"
_WORKER = next(each.ssin for each in dmfa_personas.load_personas() if each.name == "one-employer")
_CLIENTS_OF_A_KIND = 4
_PAUSE_SECONDS = 0.05
_RETRY_SECONDS = 0.3
_TIMEOUT_SECONDS = 12
# So long a declaration is sent again after the end, lest a database that never comes back keeps us for ever.
_LAST_ANSWER_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Attempt:
    """One message and what came of it; times are monotonic seconds. `period_id` is that of an accepted declaration."""

    node: int
    kind: str
    ticket: str
    sent: float
    ended: float
    code: str
    ticket_cbss: str | None
    result: str | None
    period_id: str | None

    @property
    def is_served(self) -> bool:
        return self.code == "MSG00000" and (self.kind == CONSULTATION or self.result == "ACCEPTED")

    @property
    def is_unexpected(self) -> bool:
        return not self.is_served and self.code not in MAY_TRY_AGAIN


class Load:
    """Runs from `start` to `stop`; `attempts` grows all the time. `days` gives each declaration a day of its own."""

    def __init__(self, nodes: Sequence[RunningGateway], days: Iterator[date]) -> None:
        self.attempts: list[Attempt] = []
        self._nodes = nodes
        self._days = days
        clients = nodes[0].state / "pki" / "clients"
        self._identities = {kind: load_identity(clients / client) for kind, client in _CLIENTS.items()}
        self._turns = count()
        self._stopping = threading.Event()
        self._give_up = float("inf")
        self._failures: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._guard, args=(work,), daemon=True)
            for work in (self._consult, self._declare)
            for _ in range(_CLIENTS_OF_A_KIND)
        ]

    def start(self) -> None:
        """Let all clients begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Return when each client has got its last answer; raises what went wrong in one."""
        self._give_up = time.monotonic() + _LAST_ANSWER_SECONDS
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        if self._failures:
            raise self._failures[0]

    def is_served_since(self, moment: float) -> bool:
        """Tell whether every node has served each kind of request, sent after that moment."""
        served = {(each.node, each.kind) for each in list(self.attempts) if each.is_served and each.sent > moment}
        return len(served) == len(self._nodes) * len(_PATHS) or bool(self._failures)

    def longest_interruption(self, begin: float, end: float) -> float:
        """Return for how long, within these moments, some node served none of some kind, in seconds."""
        served: dict[tuple[int, str], list[float]] = {}
        for each in list(self.attempts):
            if each.is_served and begin <= each.ended <= end:
                served.setdefault((each.node, each.kind), [begin]).append(each.ended)
        gaps = [later - earlier for moments in served.values() for earlier, later in pairwise([*sorted(moments), end])]
        return max(gaps, default=end - begin)

    def _guard(self, work: Callable[[requests.Session], None]) -> None:
        try:
            with requests.Session() as session:
                session.verify, session.trust_env = self._nodes[0].authority, False
                while not self._stopping.is_set():
                    work(session)
        except BaseException as failure:
            self._failures.append(failure)

    def _consult(self, session: requests.Session) -> None:
        self._send(session, CONSULTATION, str(uuid.uuid4()), _consult_xml())

    def _declare(self, session: requests.Session) -> None:
        ticket, content = str(uuid.uuid4()), _declare_xml(next(self._days))
        while self._send(session, DECLARATION, ticket, content).code in MAY_TRY_AGAIN:
            if time.monotonic() > self._give_up:
                return

    def _send(self, session: requests.Session, kind: str, ticket: str, content: str) -> Attempt:
        node = next(self._turns) % len(self._nodes)
        message = sign(envelope(content.replace("TICKET", ticket)), self._identities[kind], moment())
        sent = time.monotonic()
        try:
            url = f"{self._nodes[node].url}{_PATHS[kind]}"
            headers = {"Content-Type": "text/xml; charset=utf-8"}
            reply = etree.fromstring(session.post(url, message, headers=headers, timeout=_TIMEOUT_SECONDS).content)
        except requests.RequestException:
            told: tuple[str | None, ...] = (NO_ANSWER, None, None, None)
        else:
            told = tuple(_read(reply))
        attempt = Attempt(node, kind, ticket, sent, time.monotonic(), str(told[0]), *told[1:])
        self.attempts.append(attempt)
        time.sleep(_PAUSE_SECONDS if attempt.is_served else _RETRY_SECONDS)
        return attempt


def _read(reply: etree._Element) -> Iterator[str | None]:
    fault = reply.findtext(".//faultstring") or ""
    yield reply.findtext(".//status/code") or reply.findtext(".//reasonCode") or fault.partition(":")[0]
    for name in ("ticketCBSS", "result", "dimonaPeriodId"):
        yield reply.findtext(f".//{name}")


def _consult_xml() -> str:
    return (
        '<v2:consultCareerRequest xmlns:v2="http://kszbcss.fgov.be/intf/SelfEmployedService/v2"><informationCustomer>'
        "<ticket>TICKET</ticket><customerIdentification><cbeNumber>0999900150</cbeNumber></customerIdentification>"
        "</informationCustomer><legalContext>PCSA:SOCIAL_INQUIRY</legalContext>"
        f"<criteria><ssin>{_SSIN}</ssin></criteria></v2:consultCareerRequest>"
    )


def _declare_xml(day: date) -> str:
    return (
        '<v1:submitDeclarationsRequest xmlns:v1="http://kszbcss.fgov.be/intf/DimonaService/v1"><informationCustomer>'
        "<ticket>TICKET</ticket><customerIdentification><cbeNumber>0999930141</cbeNumber></customerIdentification>"
        "</informationCustomer><legalContext>NSSO:EMPLOYER_DECLARATION</legalContext><criteria><employer>"
        "<nssoRegistrationNumber>0192020132</nssoRegistrationNumber></employer><declaration><in>"
        f"<worker><ssin>{_WORKER}</ssin></worker><features><workerType>OTH</workerType>"
        f"<jointCommittee>118</jointCommittee></features><startingDate>{day}</startingDate>"
        f"<endingDate>{day}</endingDate></in></declaration></criteria></v1:submitDeclarationsRequest>"
    )
