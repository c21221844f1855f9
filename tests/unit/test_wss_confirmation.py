"""A reply confirms the signature of its request (WSS 1.1 §8.5): verified where the policy speaks of replies."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from lxml import etree

from gateway.wss.faults import SecurityFault
from gateway.wss.names import CONFIRMATION_TAG
from gateway.wss.policy import SecurityPolicy
from gateway.wss.trust import Trust
from gateway.wss.verify import verify_envelope
from tests.remote_source import identity, sign_as

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
REPLIES = replace(SecurityPolicy(), confirmations=True)


def reply(confirm: bytes | None = b"a signature") -> etree._Element:
    return etree.fromstring(sign_as("source").sign("<a></a>", confirm, NOW))


def trust() -> Trust:
    return Trust(identity("source").certificate_pem)


def test_what_a_reply_confirms_is_given_back() -> None:
    assert verify_envelope(reply(), trust(), REPLIES, NOW).confirmed == b"a signature"


def test_a_reply_must_confirm_a_signature_and_cover_the_confirmation() -> None:
    with pytest.raises(SecurityFault):
        verify_envelope(reply(None), trust(), REPLIES, NOW)
    changed = reply()
    next(changed.iter(CONFIRMATION_TAG)).set("Value", "b3RoZXI=")
    with pytest.raises(SecurityFault):
        verify_envelope(changed, trust(), REPLIES, NOW)
    uncovered = reply(None)
    security = uncovered[0][0]
    security.append(etree.fromstring(etree.tostring(next(reply().iter(CONFIRMATION_TAG)))))
    with pytest.raises(SecurityFault, match="does not cover the SignatureConfirmation"):
        verify_envelope(uncovered, trust(), REPLIES, NOW)


def test_a_request_has_nothing_to_confirm() -> None:
    with pytest.raises(SecurityFault):
        verify_envelope(reply(), trust(), SecurityPolicy(), NOW)
