"""Target: what remote sources answer, read by the adapter of each port, through HTTP, the signature and the contract.

Nothing leaves the process: a played connection hands over the octets of an answer to the question that was sent.
"""

import http.client
import io
import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

from lxml import etree

from fuzz.changes import change_tree, edit_bytes, edit_envelope
from fuzz.target import HUNG_SECONDS, Tried, Try, names_person, randomness, try_reading
from gateway.bootstrap import REMOTE_REPOSITORIES
from gateway.contracts import Contracts, OperationContract, load_contracts
from gateway.pki import Identity, KeyKind, create_authority, create_key, issue
from gateway.source_settings import WITHOUT_LEGAL_CONTEXT
from gateway.sources.exchange import Endpoint
from gateway.sources.guard import Guard, GuardPolicy
from gateway.sources.remote import Asker, RemoteSource
from gateway.sources.remote_contract import RemoteContract
from gateway.wss.sign import Signer
from services.consultation import Consultation, SourceCommunicationFailed, SourceFault
from services.dimona.period import DeclarationSearch, PeriodSearch
from services.dimona.repository import EmployerUnknown, TicketReused
from services.dimona.submission import read_submission
from services.dmfa.attestation import AttestationSearch
from services.employer import EmployerReference, Register, read_reference
from services.user_access import AccessQuestion
from tests.log_lines import captured_logs

_SAMPLES = Path(__file__).resolve().parent.parent / "fixtures" / "samples"
_SIGNATURE = re.compile(rb"<ds:SignatureValue>([^<]+)<")
_REFUSALS = (SourceFault, SourceCommunicationFailed, EmployerUnknown, TicketReused)
_STATUS_LINES = (
    *(
        "HTTP/1.1 200 OK",
        "HTTP/1.1 500 Internal Server Error",
        "HTTP/1.0 200 OK",
        "HTTP/1.1 204 No Content",
        "HTTP/1.1 999 ",
    ),
    *("HTTP/1.1 302 Found", "HTTP/1.1 -1 x", "HTTP/9 200", "200", "", "\xff", "HTTP/1.1 100 Continue"),
)
_HEADERS = (
    *(
        "Content-Type: text/plain",
        "Content-Type: ",
        "Content-Length: -1",
        "Content-Length: 99999999999",
        "Content-Length: x",
    ),
    *(
        "Transfer-Encoding: chunked",
        "Content-Encoding: gzip",
        "Content-Type: text/xml; charset=\xff",
        "x" * 70000,
        ": x",
    ),
    *("Content-Length: 10", "Location: file:///etc/passwd", "Content-Type: text/xml; x*=y''%ff", "Connection: upgrade"),
)
_CODES = (
    "MSG00000",
    "MSG00005",
    "MSG00006",
    "MSG00100",
    "MSG00008",
    "MSG00020",
    "MSG00023",
    "MSG00025",
    "SES00100",
    "x",
)
# It would be left alone after a few failures, and hardly anything else happens here; and what hangs is to be found, not
# told as late.
_PATIENT = GuardPolicy(deadline_seconds=10 * HUNG_SECONDS, failures=10**9)


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked of a port, and the answer that a sample has to it."""

    service: str
    operation: str
    answer: bytes
    ask: Callable[[Any], object]


class _Register:
    """What the adapters ask of our own database."""

    def find_employer(self, reference: EmployerReference) -> None:
        return None

    def is_pcsa(self, cbe_number: str) -> bool:
        return False


class _Socket:
    """A connection's socket: gives, when it is read, what `answer` makes of all that was sent."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer
        self._sent = b""

    def sendall(self, data: bytes) -> None:
        self._sent += data

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._answer(self._sent))

    def settimeout(self, seconds: float) -> None: ...

    def close(self) -> None: ...


class _Connection(http.client.HTTPConnection):
    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        super().__init__("127.0.0.1")
        self._play = answer

    def connect(self) -> None:
        self.sock: Any = _Socket(self._play)


class _PlayedEndpoint(Endpoint):
    """The address of a source that is `answer`, which may be put in at any time."""

    answer: Callable[[bytes], bytes]

    def connect(self, seconds: float) -> http.client.HTTPConnection:
        return _Connection(lambda sent: self.answer(sent))


class _Contract(RemoteContract):
    """Notes that an answer got past the verification, when it is read."""

    reached = False

    def read(self, operation: str, payload: etree._Element) -> dict[str, Any]:
        self.reached = True
        return super().read(operation, payload)


@contextmanager
def open_target() -> Iterator[Try]:
    """Make remote sources of every service, with adapters that ask them."""
    contracts = load_contracts()
    now = datetime.now(UTC)
    ours, theirs = (_certify(name, now) for name in ("gateway", "source"))
    source = Signer(theirs.key_pem, theirs.certificate_pem)
    endpoints, ports, read = dict[str, _PlayedEndpoint](), dict[str, Any](), dict[str, _Contract]()
    with ExitStack() as closing, captured_logs() as log:
        for contract in contracts.services.values():
            name = contract.descriptor.name
            if name in REMOTE_REPOSITORIES:
                endpoints[name] = _PlayedEndpoint("127.0.0.1", 9, "/", None)
                read[name] = _Contract(contract)
                remote = RemoteSource(
                    contract=read[name],
                    endpoint=endpoints[name],
                    certificate_pem=theirs.certificate_pem,
                    asker=Asker("0999900150", None if name == WITHOUT_LEGAL_CONTEXT else "FUZZ:ANSWERS"),
                    guard=Guard(name, _PATIENT),
                    signer=Signer(ours.key_pem, ours.certificate_pem),
                    clock=lambda: now,
                    most_bytes=256 * 1024,
                )
                closing.callback(remote.close)
                ports[name] = REMOTE_REPOSITORIES[name](remote, _Register())
        questions = list(_list_questions(contracts, now))

        def attempt(seed: int, number: int) -> Tried:
            random = randomness("answers", seed, number)
            question = random.choice(questions)
            made: list[bytes] = []

            def answer(sent: bytes) -> bytes:
                made.append(_answer(random, question, sent, source, now))
                return made[-1]

            object.__setattr__(endpoints[question.service], "answer", answer)
            port, contract = ports[question.service], read[question.service]
            contract.reached = False
            tried = try_reading(b"", lambda: _read(question, port), _REFUSALS, about_persons=True)
            quoted = tuple(f"logged {line}" for line in log.lines if names_person(line))
            log.lines.clear()
            problems = (*tried.problems, *quoted)
            return Tried(b"\n\n".join(made), tried.code, contract.reached, problems)

        yield attempt


def _read(question: _Question, port: Any) -> str:
    question.ask(port)
    return question.operation


def _certify(name: str, now: datetime) -> Identity:
    return issue(create_authority(now), name, 1001, now, key=create_key(KeyKind.EC))


def _answer(random: Random, question: _Question, sent: bytes, source: Signer, now: datetime) -> bytes:
    """Answer as the source would, signed for this very question; changed before that, or after."""
    payload = etree.fromstring(question.answer)
    kind = random.random()
    if kind < 0.7:
        for _ in range(random.choices((0, 1, 2, 4), (30, 40, 20, 10))[0]):
            change_tree(random, payload)
        code = payload.find("status/code")
        if code is not None and random.random() < 0.1:
            code.text = random.choice(_CODES)
    found = _SIGNATURE.search(sent)
    body = etree.tostring(payload, method="c14n", exclusive=True).decode()
    message = source.sign(body, b64decode(found[1]) if found else None, now)
    if 0.7 <= kind < 0.8:
        message = edit_envelope(random, message)
    elif 0.8 <= kind < 0.9:
        message = edit_bytes(random, message)
    head = ["HTTP/1.1 200 OK", "Content-Type: text/xml; charset=utf-8", f"Content-Length: {len(message)}"]
    if kind >= 0.9:
        head[0] = random.choice((head[0], *_STATUS_LINES))
        head.insert(random.randrange(1, 4), random.choice(_HEADERS))
    content = "\r\n".join((*head, "", "")).encode("latin-1") + message
    return edit_bytes(random, content) if kind >= 0.95 else content


def _list_questions(contracts: Contracts, now: datetime) -> Iterator[_Question]:
    for contract in contracts.services.values():
        stem = contract.descriptor.wsdl.removesuffix(".wsdl")
        for operation in contract.operations.values():
            name = operation.descriptor.name
            for sample in sorted(_SAMPLES.glob(f"{stem}.{name}Response*.xml")) if name in _QUESTIONS else ():
                answer = sample.read_bytes()
                ask = _QUESTIONS[name](etree.fromstring(answer), operation, now)
                yield _Question(contract.descriptor.name, name, answer, ask)


def _ask_career(reply: etree._Element, operation: OperationContract, now: datetime) -> Callable[[Any], object]:
    return lambda port: port.find_career(_text(reply, "ssin"))


def _ask_contributions(reply: etree._Element, operation: OperationContract, now: datetime) -> Callable[[Any], object]:
    begin, end = (_text(reply, f"period/{name}", "2018Q1") for name in ("beginQuarter", "endQuarter"))
    return lambda port: port.find_contributions(_text(reply, "ssin"), begin, end)


def _ask_attestations(reply: etree._Element, operation: OperationContract, now: datetime) -> Callable[[Any], object]:
    begin, end = (_text(reply, f"quarterPeriod/{name}", "2025Q1") for name in ("beginQuarter", "endQuarter"))
    search = AttestationSearch(_text(reply, "ssin"), begin, end, latest_only=False)
    return lambda port: port.find_attestations(search, 50)


def _ask_periods(reply: etree._Element, operation: OperationContract, now: datetime) -> Callable[[Any], object]:
    ssin = _text(reply, "worker/ssin", "")
    search = PeriodSearch(ssins=(ssin,) if ssin else (), employer=EmployerReference(enterprise_number="0999930141"))
    return lambda port: port.find_periods(search, 50)


def _ask_declarations(reply: etree._Element, operation: OperationContract, now: datetime) -> Callable[[Any], object]:
    search = DeclarationSearch(employer=EmployerReference(Register.NSSO, "0192020132"))
    return lambda port: port.find_declarations(search, 50)


def _declare(reply: etree._Element, operation: OperationContract, now: datetime) -> Callable[[Any], object]:
    request = _SAMPLES / f"DimonaServiceV1.{operation.descriptor.name}Request.xml"
    values = operation.read_request(etree.parse(request).getroot())
    submission = read_submission(Consultation(operation.descriptor.name, values, now, "", "brewery"))
    return lambda port: port.submit(submission)


def _ask_employer(reply: etree._Element, operation: OperationContract, now: datetime) -> Callable[[Any], object]:
    number = _text(reply, "enterpriseNumber", "0999930141")
    return lambda port: port.find_registrations(EmployerReference(enterprise_number=number))


def _ask_access(reply: etree._Element, operation: OperationContract, now: datetime) -> Callable[[Any], object]:
    entity = {each.tag: each.text for each in reply.iterfind("criteria/entity/*")}
    question = AccessQuestion(
        _text(reply, "technicalUserId"),
        read_reference(entity),
        _text(reply, "application"),
        date.fromisoformat(_text(reply, "referenceDate")),
    )
    return lambda port: port.check_access(question)


def _text(reply: etree._Element, path: str, default: str = "") -> str:
    """Return a criterion of the question that a sample answers."""
    return reply.findtext(f"criteria/{path}") or default


# How each operation of a contract is asked for through its port; the others are not asked of a source.
_QUESTIONS: Mapping[str, Callable[[etree._Element, OperationContract, datetime], Callable[[Any], object]]] = {
    "consultCareer": _ask_career,
    "consultContributions": _ask_contributions,
    "consultDmfaAttestationsBySsin": _ask_attestations,
    "consultPeriods": _ask_periods,
    "consultDeclarations": _ask_declarations,
    "submitDeclarations": _declare,
    "consultEmployer": _ask_employer,
    "CheckUnauthenticatedUserAccess": _ask_access,
}
