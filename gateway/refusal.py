"""How a stage ends an exchange before its source is asked: with a fault, or with a reply that says NO_RESULT.

    Refusal
    ├── Fault        broken or unauthenticated messages, and our own failures
    │   └── Shed     what is refused before anything is done for it: it is counted, and leaves no record
    ├── NoResult     a decision: the reply's status names the case
    └── DryRunEnds   nothing refuses the request, and the client asked no more than that

Every code is of the error catalogue; `gateway.replies` turns refusals into messages.
"""

from datetime import datetime

from authz.answer import Deny
from authz.question import AccessFacts, AccessRequest


class Refusal(Exception):
    """A stage does not let the request pass. `reason` is for the audit; it may name persons, so it is never logged."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Fault(Refusal):
    """The answer is a SOAP fault.

    `code` is of the catalogue; `faultcode` the SOAP 1.1 or WS-Security QName; `reason` says what to mend and is told to
    the client; `information` are (fieldName, fieldValue) pairs of the fault's detail; `http_status` is 500 except where
    HTTP has a word of its own; `retry_after_seconds` is when to come back, 0 where that says nothing.
    """

    def __init__(
        self,
        code: str,
        reason: str,
        *,
        faultcode: str = "soapenv:Client",
        information: tuple[tuple[str, str], ...] = (),
        http_status: int = 500,
        internal: str = "",
        retry_after_seconds: int = 0,
    ) -> None:
        super().__init__(internal or reason)
        self.code = code
        self.told = reason
        self.faultcode = faultcode
        self.information = information
        self.http_status = http_status
        self.retry_after_seconds = retry_after_seconds


class Shed(Fault):
    """The answer is a SOAP fault that costs next to nothing: no record, no signature, no line in the log."""


def reason_of(denial: Deny) -> str:
    """Return a denial as the audit tells it."""
    return f"{denial.case}: {denial.clause}; allowed: {denial.allowed}"


class NoResult(Refusal):
    """The annex or the person's integration does not allow the consultation: the answer is a reply with this case."""

    def __init__(self, request: AccessRequest, facts: AccessFacts, decided_at: datetime, denial: Deny) -> None:
        super().__init__(reason_of(denial))
        self.request = request
        self.facts = facts
        self.decided_at = decided_at
        self.denial = denial


class DryRunEnds(Refusal):
    """The request would pass. As the client asked for a dry run, nothing was consulted."""

    def __init__(self) -> None:
        super().__init__("dry run: the request would pass; nothing was consulted")
