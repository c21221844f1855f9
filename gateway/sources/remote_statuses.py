"""What the statuses and faults of a remote source mean for a port: one table for all services."""

import re
from collections.abc import Container

import structlog

from gateway.sources.remote import Answer
from services.consultation import SourceAnswerInvalid, SourceFault, SourceUnavailable, SsinUnknownToSource

log = structlog.get_logger(__name__)

FOUND = frozenset({"MSG00000"})

# It knows nobody by this number, or not by this one any more.
_UNKNOWN_PERSON = frozenset({"MSG00005", "MSG00006", "MSG00007", "MSG00021"})
# It, or what it asks itself, cannot answer now.
_AWAY = frozenset({"MSG00001", "MSG00002", "MSG00003", "MSG00020", "GTW00001", "GTW00002"})
# What it would have to tell is not fit to be told.
_CONTRADICTION = "MSG00023"
# It does not let us ask this: its operator and ours have to talk, our clients can do nothing.
_REFUSES_US = frozenset({"MSG00004", "MSG00012", "MSG00013", "MSG00014", "MSG00015", "MSG00016", "MSG00027"})
# What a source calls a code may hold anything, a person's number too: only what is one is repeated.
_CODE = re.compile(r"[A-Z]{3}[0-9]{5}")


def expect(answer: Answer, expected: Container[str], *, person: bool = True) -> None:
    """Return if the answer's code is one that the adapter knows what to do with; raise what it is otherwise.

    SourceUnavailable, SsinUnknownToSource where a `person` was asked about by SSIN, or SourceAnswerInvalid for a code
    that nobody expected.
    """
    if answer.value != "fault" and answer.code in expected:
        return
    raise _make_fault(answer, person)


def _make_fault(answer: Answer, person: bool) -> SourceFault:
    """Return the fault that an answer without data is."""
    if answer.value == "fault" or answer.code in _REFUSES_US:
        if answer.code not in _AWAY:
            log.error("source_refuses_us", code=_show(answer.code))
        return SourceUnavailable("the source does not answer us")
    if person and answer.code in _UNKNOWN_PERSON:
        return SsinUnknownToSource("the source does not know the person")
    if answer.code in _AWAY:
        return SourceUnavailable("the source says that it is unavailable")
    if answer.code == _CONTRADICTION:
        reason = "word that its own record contradicts itself"
    else:
        reason = f"status {_show(answer.code)}, which does not answer the question"
    return SourceAnswerInvalid.giving(reason)


def _show(code: str) -> str:
    return code if _CODE.fullmatch(code) else "of another form than codes have"
