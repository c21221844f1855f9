"""Makes the audit record of an exchange out of what was established, and has it written before anything leaves."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from authz.question import AccessRequest
from authz.ssin import has_valid_check_digits
from gateway.audit.record import AuditRecord, RecordKind, RecordOutcome
from gateway.audit.trail import AuditTrail
from gateway.established import (
    Admitted,
    Answered,
    Arrived,
    Authenticated,
    Disclosed,
    Established,
    Permitted,
    Resolved,
    Screened,
    Valid,
    asks_what_answers_when_broken,
    find,
    get,
)
from gateway.receipt import write_receipt
from gateway.refusal import NoResult, Refusal
from gateway.replies import Message
from gateway.wss.sign import HeaderBlock

log = structlog.get_logger(__name__)

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


class Unrecorded(Exception):
    """The record of an exchange could not be made durable: no answer may leave."""


class ExchangeRecorder:
    """Records exchanges in the audit trail."""

    def __init__(self, trail: AuditTrail) -> None:
        self._trail = trail

    def record(self, established: Established, message: Message, refusal: Refusal | None) -> tuple[HeaderBlock, ...]:
        """Record what was established and what will be answered; return the receipt for it. Raises Unrecorded.

        Whoever did not get past admission counts as a stranger, whatever certificate was sent: what such a one can
        make us keep is bounded, and no receipt is made out. What answers when broken leaves no record.
        """
        if asks_what_answers_when_broken(established):
            return ()
        with _or_unrecorded(established):
            resolved = find(established, Resolved)
            kind = RecordKind.DRY_RUN if resolved and resolved.dry_run else RecordKind.EXCHANGE
            record = make_record(established, message, refusal, kind)
            if find(established, Admitted) is None:
                self._trail.record_stranger(record)
                return ()
            return (write_receipt(self._trail.record(record)),)

    def record_unsigned(self, established: Established, message: Message, refusal: Refusal) -> tuple[HeaderBlock, ...]:
        """Add that an answer already recorded could not be signed, so that a fault left in its place; as `record`."""
        if asks_what_answers_when_broken(established):
            return ()
        with _or_unrecorded(established):
            record = make_record(established, message, refusal, RecordKind.SIGNATURE_FAILURE)
            return (write_receipt(self._trail.record(record)),)


@contextmanager
def _or_unrecorded(established: Established) -> Iterator[None]:
    """Let whatever goes wrong while recording, a mistake of ours included, keep the answer from leaving."""
    try:
        yield
    except Exception as error:
        log.error("not_recorded", ticket=get(established, Arrived).ticket, error=type(error).__name__)
        raise Unrecorded(type(error).__name__) from error


def make_record(
    established: Established,
    message: Message,
    refusal: Refusal | None,
    kind: RecordKind = RecordKind.EXCHANGE,
) -> AuditRecord:
    """Gather the record; what the request did not get far enough to establish stays None."""
    arrived = get(established, Arrived)
    authenticated = find(established, Authenticated)
    resolved = find(established, Resolved)
    valid = find(established, Valid)
    permitted = find(established, Permitted)
    answered = find(established, Answered)
    screened = find(established, Screened)
    disclosed = find(established, Disclosed)
    denied = refusal if isinstance(refusal, NoResult) else None
    decided = permitted or denied
    decision = permitted.permit if permitted else denied.denial if denied else None
    request = decided.request if decided else None
    customer = request.customer if request else None
    subjects = _subjects(request, answered, screened if refusal is None else None)
    information = valid.values.get("informationCustomer", {}) if valid else {}
    return AuditRecord(
        ticket_cbss=arrived.ticket,
        received_at=arrived.received_at,
        outcome=RecordOutcome(message.outcome),
        kind=kind,
        code=message.code or None,
        value=message.value or None,
        client=authenticated.annex.client if authenticated else None,
        annex_revision=authenticated.annex.revision if authenticated else None,
        annex_clause=decision.clause if decision else None,
        certificate=authenticated.certificate.sha256 if authenticated else None,
        source_address=arrived.address,
        authentication_method=authenticated.method if authenticated else None,
        organisation=customer.key if customer else None,
        service=arrived.endpoint.contract.descriptor.name,
        operation=resolved.operation.descriptor.name if resolved else None,
        legal_context=_granted_context(request, authenticated),
        deliberation=permitted.permit.deliberation if permitted else None,
        customer_ticket=_without_persons(information.get("ticket")),
        criteria=tuple(request.parameters) if request else (),
        delivered=disclosed.delivered if disclosed and refusal is None else (),
        withheld=disclosed.withheld if disclosed and refusal is None else (),
        left_out=screened.left_out if screened else None,
        subject=subjects[0] if subjects else None,
        further_subjects=subjects[1:],
        message=arrived.body or b"",
        request=request,
        facts=decided.facts if decided else None,
        decided_at=decided.decided_at if decided else None,
        reason=refusal.reason if refusal else answered.reason if answered else "",
    )


def _subjects(request: AccessRequest | None, answered: Answered | None, screened: Screened | None) -> tuple[str, ...]:
    """Return the persons asked about, dealt with and told about, each once, in that order."""
    asked = request.subjects if request else ()
    concerned = answered.outcome.concerned if answered else ()
    told = screened.told if screened else ()
    if not concerned and told in ((), asked):
        return asked
    return tuple(dict.fromkeys((*asked, *concerned, *told)))


def _granted_context(request: AccessRequest | None, authenticated: Authenticated | None) -> str | None:
    """Return the legal context if the annex names it; any other text may be anything, and is in the sealed message."""
    granted = {context for _, _, context in authenticated.annex.grants} if authenticated else set()
    return request.legal_context if request and request.legal_context in granted else None


def _without_persons(ticket: str | None) -> str | None:
    """Return the client's own ticket, None when it holds an SSIN: the sealed message has it all the same.

    A UUID (RFC 9562) is kept: one of three hundred at random has digits that would pass for an SSIN. A number that was
    filled up to look like a UUID lacks the version and the variant; who forges those too could as well write the
    number in letters.
    """
    if ticket is None or _UUID.fullmatch(ticket):
        return ticket
    numbers = re.findall(r"(?=(\d{11}))", re.sub(r"[\s./-]", "", ticket))
    return None if any(has_valid_check_digits(number) for number in numbers) else ticket
