"""Admit: a message is let in once, and within its client's quota."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from authz.annex import Annex
from gateway.admission import QuotaExceeded, Replayed
from gateway.established import Admitted, Authenticated, asks_what_answers_when_broken
from gateway.refusal import Fault, Shed
from gateway.storage.group_commit import CommitError


class Admits(Protocol):
    """Lets a message in once, and within its client's quota."""

    def admit(self, annex: Annex, replay_key: bytes | None, forget_at: datetime | None, now: datetime) -> None:
        """Return when it is in; Replayed, QuotaExceeded, or CommitError when that cannot be told."""
        ...


def admit(authenticated: Authenticated, admission: Admits, clock: Callable[[], datetime]) -> Admitted:
    """Note the message durably, across workers and nodes, before anything is done for it.

    wsse:FailedCheck for one seen before, GTW00001 over the quota (shed where this process knew), MSG00001 when it
    cannot be noted. An operation that answers when broken needs no note: it has no effect, and the database that would
    hold it may be what is broken.
    """
    if asks_what_answers_when_broken(authenticated):
        return Admitted(authenticated)
    try:
        admission.admit(authenticated.annex, authenticated.replay_key, authenticated.forget_at, clock())
    except Replayed:
        raise Fault(
            "wsse:FailedCheck",
            "This message was received before. Sign each message anew, with a Timestamp of its own.",
            faultcode="wsse:FailedCheck",
        ) from None
    except QuotaExceeded as exceeded:
        refuse = Shed if exceeded.was_known else Fault
        raise refuse(
            "GTW00001",
            f"Your annex allows {exceeded.limit} requests a {exceeded.period}; "
            f"try again in {exceeded.retry_after_seconds} seconds.",
            retry_after_seconds=exceeded.retry_after_seconds,
        ) from None
    except CommitError as error:
        raise Fault(
            "MSG00001",
            "The gateway cannot accept messages now; try again later.",
            faultcode="soapenv:Server",
            internal=str(error),
        ) from error
    return Admitted(authenticated)
