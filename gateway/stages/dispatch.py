"""Dispatch: the operation asks its source and says what it found."""

from collections.abc import Callable
from datetime import datetime

from gateway.established import Answered, Arrived, Permitted, get
from gateway.refusal import Fault
from services.consultation import Consultation, Outcome, SourceCommunicationFailed, SourceFault


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
    except SourceFault as fault:
        outcome = Outcome(case=fault.case, information=fault.information)
    except SourceCommunicationFailed as failure:
        raise Fault(
            "MSG00002",
            "The exchange with the source broke off; try again later.",
            faultcode="soapenv:Server",
            internal=str(failure),
        ) from failure
    return Answered(permitted, outcome)
