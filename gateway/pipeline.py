"""A request from socket to signed answer: the stages in their order, and what happens when one refuses.

| stage        | establishes                                                     | on failure                       |
| ------------ | --------------------------------------------------------------- | -------------------------------- |
| receive      | POST, XML content type, UTF-8, size, within the address's rate  | HTTP 405, 413, 415, 429, a fault |
| parse        | one SOAP 1.1 Envelope, no DTD, bounded cost                     | Client fault                     |
| authenticate | the client, by signature or TLS certificate, as its annex says  | wsse fault or MSG00001, unsigned |
| admit        | within the client's rate and quota, not replayed                | fault, unsigned                  |
| resolve      | the operation                                                   | Client fault                     |
| validate     | the payload against its XSD                                     | fault MSG00004                   |
| authorize    | annex and integration allow it                                  | reply NO_RESULT                  |
| rehearse     | that it is meant: a dry run ends here                           | reply NO_RESULT                  |
| dispatch     | what the source has                                             | a case of the reply, or MSG00002 |
| screen       | of the persons found, those in the customer's file              | items left out, counted          |
| disclose     | what of it the annex grants                                     |                                  |
| respond      | a message valid against its XSD, recorded, then signed          | fault MSG00003                   |

What answers a message over mutual TLS is not signed where the annex says so (`unsignedReplies`).

HealthCheck answers when things are broken (`answers_when_broken`): past authentication, whose annexes are in memory, it
needs neither database nor audit nor signing key (only technical users, who are not in memory, are unknown without the
database). `admit` notes nothing of it, the recorder keeps no record, and its
answer leaves unsigned where it cannot be signed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from time import perf_counter
from traceback import extract_tb
from typing import Protocol

import structlog

from authz.explanation import explain
from authz.ssin import Environment
from gateway.dry_run import write_explanation
from gateway.established import (
    Admitted,
    Arrived,
    Authenticated,
    Disclosed,
    Established,
    Kind,
    Permitted,
    Resolved,
    Valid,
    asks_what_answers_when_broken,
    find,
    get,
)
from gateway.facts import EmployerAccess, Facts, TechnicalUsers
from gateway.maintenance import Maintenance
from gateway.rate_limit import RateLimit
from gateway.recorder import Unrecorded
from gateway.refusal import DryRunEnds, Fault, NoResult, Refusal, Shed
from gateway.replies import Message, Replies
from gateway.shedding import limit_address, limit_client, refuse_under_maintenance
from gateway.stages.admit import Admits, admit
from gateway.stages.authenticate import Annexes, authenticate
from gateway.stages.authorize import authorize
from gateway.stages.disclose import disclose
from gateway.stages.dispatch import dispatch
from gateway.stages.parse import parse
from gateway.stages.receive import receive
from gateway.stages.rehearse import rehearse
from gateway.stages.resolve import resolve
from gateway.stages.screen import screen
from gateway.stages.validate import validate
from gateway.wss.policy import SecurityPolicy
from gateway.wss.sign import HeaderBlock, SigningFailed, unsigned
from gateway.wss.trust import Trust
from gateway.xml.parse import XmlLimits

log = structlog.get_logger(__name__)

STAGES = (
    *("receive", "parse", "authenticate", "admit", "resolve"),
    *("validate", "authorize", "dispatch", "screen", "disclose"),
)
"""The stages that establish something, in their order."""

_UNRECORDED = Fault("MSG00001", "The gateway cannot record exchanges now; try again later.", faultcode="soapenv:Server")


class Signs(Protocol):
    """Signs what leaves."""

    def sign(
        self, body_inner_xml: str, confirm: bytes | None, now: datetime, blocks: Sequence[HeaderBlock] = ()
    ) -> bytes:
        """Return a whole envelope around the Body's element, confirming a request's signature; SigningFailed."""
        ...


class Closure(Protocol):
    """Knows whether the gateway is closed for maintenance."""

    @property
    def current(self) -> Maintenance | None:
        """The maintenance that goes on, None while the gateway is open."""
        ...


class Recorder(Protocol):
    """Makes the record of an exchange durable; returns its receipt, a header block or none. Raises Unrecorded."""

    def record(self, established: Established, message: Message, refusal: Refusal | None) -> tuple[HeaderBlock, ...]:
        """Record what was established and what will be answered."""
        ...

    def record_unsigned(self, established: Established, message: Message, refusal: Refusal) -> tuple[HeaderBlock, ...]:
        """Add that the answer could not be signed."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over HTTP: `content` is a whole envelope, UTF-8. The rest is for the log and the metrics.

    `decision` is `permit` or `deny`, empty where nothing was decided. `marks` are moments of `perf_counter`: the begin,
    the end of each stage that established something, the end of the last that ran, and when the message was written,
    recorded and sealed (when it could not be recorded, or not be signed, the last may stand twice). `shed` are those
    that were refused before anything was done for them: without a record or a line in the log.
    """

    http_status: int
    content: bytes
    outcome: str
    code: str
    client: str
    operation: str
    decision: str
    marks: Sequence[float]
    retry_after_seconds: int = 0
    shed: bool = False


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The stages with what each of them needs; one per worker process, used by all its threads."""

    max_bytes: int
    limits: XmlLimits
    trust: Trust
    policy: SecurityPolicy
    annexes: Annexes
    technical_users: TechnicalUsers
    address_limit: RateLimit
    client_limit: RateLimit
    maintenance: Closure
    admission: Admits
    facts: Facts
    employer_access: EmployerAccess
    environment: Environment
    replies: Replies
    recorder: Recorder
    signer: Signs
    clock: Callable[[], datetime]

    def process(self, arrived: Arrived) -> Answer:
        """Answer a request; whatever happens, the caller gets a SOAP message, and none leaves unrecorded.

        Only what is shed before anything was done for it leaves no record.
        """
        trail = _Trail(arrived)
        with trail:
            message, refusal = self._decide(arrived, trail)
        if isinstance(refusal, Shed):
            return self._shed(trail, message)
        try:
            with trail:
                receipt = self.recorder.record(trail.established, message, refusal)
            with trail:
                return self._seal(trail, message.with_blocks(receipt))
        except Unrecorded:
            with trail:
                return self._say_unrecorded(trail)

    def _shed(self, trail: "_Trail", message: Message) -> Answer:
        """Answer without a record and unsigned: each of the two takes no time."""
        trail.mark()
        trail.mark()
        return replace(_answer(trail, message, unsigned(message.body)), shed=True)

    def _decide(self, arrived: Arrived, trail: "_Trail") -> tuple[Message, Refusal | None]:
        try:
            try:
                return self.replies.answer(self._run(arrived, trail)), None
            except NoResult as denial:
                message = self.replies.no_result(get(trail.established, Valid), denial)
                return self._explained(trail.established, message, denial), denial
            except DryRunEnds as end:
                message = self.replies.dry_run(get(trail.established, Valid))
                return self._explained(trail.established, message, get(trail.established, Permitted)), end
        except Fault as fault:
            return self._fault(trail.established, fault), fault
        except Exception as error:
            failure = _internal_error(arrived, error)
            return self._fault(trail.established, failure), failure

    def _run(self, arrived: Arrived, trail: "_Trail") -> Disclosed:
        with trail:
            limit_address(arrived, self.address_limit)
            received = trail.add(receive(arrived, self.max_bytes))
            parsed = trail.add(parse(received, self.limits))
            refuse_under_maintenance(parsed, self.maintenance.current, arrived.received_at)
            authenticated = trail.add(
                authenticate(parsed, self.trust, self.policy, self.annexes, self.technical_users, self.clock)
            )
            limit_client(authenticated, self.client_limit)
            admitted = trail.add(admit(authenticated, self.admission, self.clock))
            resolved = trail.add(resolve(admitted))
            valid = trail.add(validate(resolved))
            permitted = trail.add(authorize(valid, self.facts, self.employer_access, self.environment))
            rehearse(permitted)
            answered = trail.add(dispatch(permitted, self.clock))
            screened = trail.add(screen(answered, self.facts))
            return trail.add(disclose(screened))

    def _explained(self, established: Established, message: Message, decided: NoResult | Permitted) -> Message:
        """Add the explanation to the answer of a dry run."""
        if not get(established, Resolved).dry_run:
            return message
        annex = get(established, Authenticated).annex
        explanation = explain(annex, decided.request, decided.facts, decided.decided_at, self.environment)
        return message.with_blocks((write_explanation(explanation, decided.decided_at),))

    def _fault(self, established: Established, fault: Fault) -> Message:
        try:
            return self.replies.fault(established, fault)
        except Exception as error:
            # The detail cannot be written, or does not fit its XSD; a fault without it is still better than none.
            arrived = get(established, Arrived)
            return self.replies.fault(arrived, _internal_error(arrived, error))

    def _seal(self, trail: "_Trail", message: Message) -> Answer:
        """Put the message into its envelope; a fault takes its place, and is recorded, when it cannot be signed."""
        established = trail.established
        try:
            return _answer(trail, message, self._envelope(established, message))
        except Exception as error:
            failure = _internal_error(get(established, Arrived), error)
            fault = self._fault(established, failure)
            fault = fault.with_blocks(self.recorder.record_unsigned(established, fault, failure))
            return _answer(trail, fault, unsigned(fault.body, fault.blocks))

    def _say_unrecorded(self, trail: "_Trail") -> Answer:
        established = trail.established
        fault = self._fault(established, _UNRECORDED)
        try:
            return _answer(trail, fault, self._envelope(established, fault))
        except Exception as error:
            _internal_error(get(established, Arrived), error)
            return _answer(trail, fault, unsigned(fault.body))

    def _envelope(self, established: Established, message: Message) -> bytes:
        """Sign for a client whose message was let in; a stranger gets no signature, nobody unknown may make us sign."""
        admitted = find(established, Admitted)
        if admitted is None or _wants_no_signature(admitted.previous):
            return unsigned(message.body, message.blocks)
        try:
            return self.signer.sign(message.body, admitted.previous.signature_value, self.clock(), message.blocks)
        except SigningFailed:
            if asks_what_answers_when_broken(established):
                return unsigned(message.body, message.blocks)
            raise


class _Trail:
    """Remembers the last value established, so that a refusal finds what was known when it was raised, and the time.

    `with trail:` marks the end of what is done in it, however it ends.
    """

    def __init__(self, arrived: Arrived) -> None:
        self.established: Established = arrived
        self.marks = [perf_counter()]

    def add(self, established: Kind) -> Kind:
        self.established = established
        self.marks.append(perf_counter())
        return established

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        self.mark()

    def mark(self) -> None:
        self.marks.append(perf_counter())


def _answer(trail: _Trail, message: Message, content: bytes) -> Answer:
    established = trail.established
    authenticated = find(established, Authenticated)
    resolved = find(established, Resolved)
    permitted = find(established, Permitted)
    return Answer(
        http_status=message.http_status,
        content=content,
        outcome=message.outcome,
        code=message.code,
        client=authenticated.annex.client if authenticated else "",
        operation=resolved.operation.descriptor.name if resolved else "",
        decision="permit" if permitted else "deny" if message.outcome == "refusal" else "",
        marks=trail.marks,
        retry_after_seconds=message.retry_after_seconds,
    )


def _wants_no_signature(authenticated: Authenticated) -> bool:
    """Tell whether the annex leaves what answers an unsigned message unsigned, and this is one."""
    return authenticated.annex.unsigned_replies and authenticated.signature_value is None


def _internal_error(arrived: Arrived, error: Exception) -> Fault:
    """Turn a failure of ours into MSG00003. The log gets the place and the class: the text may quote personal data."""
    log.error(
        "internal_error",
        ticket=arrived.ticket,
        error=type(error).__name__,
        where=[f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in extract_tb(error.__traceback__)][-6:],
    )
    return Fault(
        "MSG00003",
        "The gateway failed on this request; report the ticket to its operator.",
        faultcode="soapenv:Server",
        internal=f"{type(error).__name__}: {error}",
    )
