"""Dispatch: the operation asks its source and says what it found."""

from collections.abc import Callable
from datetime import datetime

import structlog

from gateway.established import Answered, Arrived, Permitted, get
from gateway.refusal import Fault
from services.consultation import Consultation, Outcome, SourceCommunicationFailed, SourceFault

log = structlog.get_logger(__name__)


def dispatch(permitted: Permitted, clock: Callable[[], datetime]) -> Answered:
    """Call the operation; a source that cannot answer is a case of the reply, one that broke off is MSG00002."""
    arrived = get(permitted, Arrived)
    valid = permitted.previous
    operation = valid.previous.operation
    consultation = Consultation(
        operation=operation.descriptor.name,
        values=valid.values,
        now=clock(),
        client_certificate=valid.previous.previous.previous.certificate.pem,
        client=valid.previous.previous.previous.annex.client,
    )
    try:
        outcome = arrived.endpoint.call(operation, consultation)
        return Answered(permitted, outcome, outcome.reason)
    except SourceFault as fault:
        _tell_operator(arrived, fault)
        return Answered(permitted, Outcome(case=fault.case, information=fault.information), reason=str(fault))
    except SourceCommunicationFailed as failure:
        _tell_operator(arrived, failure)
        raise Fault(
            "MSG00002",
            "The exchange with the source broke off; try again later.",
            faultcode="soapenv:Server",
            internal=str(failure),
        ) from failure


def _tell_operator(arrived: Arrived, error: Exception) -> None:
    """Log that a source failed, by classes alone: what a source says may be about a person."""
    log.warning(
        "source_failed",
        ticket=arrived.ticket,
        service=arrived.endpoint.contract.descriptor.name,
        error=type(error).__name__,
        cause=type(error.__cause__).__name__,
    )
