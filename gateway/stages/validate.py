"""Validate: the payload against the compiled XSD, then read into values."""

from gateway.established import Arrived, Resolved, Valid, get
from gateway.refusal import Fault
from gateway.xml.binding import Unreadable

# As many information fields as the most sparing of the contracts has room for (TestConnectionService).
MOST_VIOLATIONS = 5
MOST_CHARACTERS = 256


def validate(resolved: Resolved) -> Valid:
    """Validate and read the payload; MSG00004 names each element that is wrong."""
    arrived = get(resolved, Arrived)
    payload = resolved.previous.previous.payload
    errors = arrived.endpoint.contract.schema.find_errors(payload, MOST_VIOLATIONS, resolved.operation.forms)
    if errors:
        raise _invalid(errors)
    try:
        return Valid(resolved, resolved.operation.read_request(payload))
    except Unreadable as unreadable:
        path = unreadable.path.partition("/")[2] or unreadable.path
        raise _invalid(((path, "the value is outside the supported calendar or structure"),)) from None


def _invalid(errors: tuple[tuple[str, str], ...]) -> Fault:
    return Fault(
        "MSG00004",
        "The message is not valid against its XSD: see the information fields.",
        information=tuple((path[-64:], message[:MOST_CHARACTERS]) for path, message in errors),
    )
