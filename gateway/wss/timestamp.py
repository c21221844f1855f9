"""Reads the Timestamp of a Security header and checks that it is fresh."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from lxml import etree

from gateway.wss.content import read_text
from gateway.wss.faults import SecurityCode, SecurityFault
from gateway.wss.names import CREATED_TAG, EXPIRES_TAG
from gateway.wss.policy import SecurityPolicy

_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)


@dataclass(frozen=True, slots=True)
class Timestamp:
    """When the message was made, and when its sender wants it forgotten; aware, UTC."""

    created: datetime
    expires: datetime | None


def read_timestamp(element: etree._Element) -> Timestamp:
    """Read wsu:Created, which must be there once, and wsu:Expires, which may (WSS 1.0 §10)."""
    created, expires = element.findall(CREATED_TAG), element.findall(EXPIRES_TAG)
    if len(created) != 1 or len(expires) > 1:
        raise SecurityFault(
            SecurityCode.INVALID_SECURITY, "The Timestamp must have one Created, and at most one Expires."
        )
    return Timestamp(_read_time(created[0]), _read_time(expires[0]) if expires else None)


def check_fresh(timestamp: Timestamp, policy: SecurityPolicy, now: datetime) -> None:
    """Refuse what is too old, from the future, or past its own Expires; only the future has a tolerance."""
    if timestamp.created > now + policy.clock_skew:
        raise _expired("Created lies in the future. Set the clock of the sending system.")
    if timestamp.created <= now - policy.max_age:
        raise _expired("Created is too long ago. Sign each message when it is sent, and check the clock.")
    if timestamp.expires is None:
        return
    if timestamp.expires < timestamp.created:
        raise SecurityFault(SecurityCode.INVALID_SECURITY, "Expires is before Created in the Timestamp.")
    if timestamp.expires <= now:
        raise _expired("Expires has passed. Sign the message again and send it at once.")


def _read_time(element: etree._Element) -> datetime:
    text = read_text(element)
    try:
        if _DATE_TIME.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # A time that does not exist is refused like one that cannot be read.
    raise SecurityFault(
        SecurityCode.INVALID_SECURITY,
        "A time in the Timestamp cannot be read. Write it as 2026-01-31T12:00:00.000Z, with Z or an offset.",
    )


def _expired(reason: str) -> SecurityFault:
    return SecurityFault(SecurityCode.MESSAGE_EXPIRED, reason)
