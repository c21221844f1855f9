"""The clients, authority and clock that the tests of WS-Security share. Keys are made once per process."""

from datetime import UTC, datetime
from functools import cache

from lxml import etree

from fixtures.attacks import Material
from gateway.demo_pki import REVOKED_SERIAL
from gateway.pki import Identity, KeyKind, create_authority, create_key, create_revocation_list, issue
from gateway.wss.policy import SecurityPolicy
from gateway.wss.trust import Trust
from gateway.wss.verify import VerifiedMessage, verify_envelope

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
BODY = (
    '<v2:consultCareerRequest xmlns:v2="http://kszbcss.fgov.be/intf/SelfEmployedService/v2">'
    "<legalContext>PCSA:SOCIAL_INQUIRY</legalContext></v2:consultCareerRequest>"
)


@cache
def authority() -> Identity:
    return create_authority(NOW)


@cache
def client(kind: KeyKind = KeyKind.RSA) -> Identity:
    return issue(authority(), "pcsa", 1001, NOW, key=create_key(kind))


@cache
def other() -> Identity:
    return issue(authority(), "economy", 1002, NOW, key=create_key(KeyKind.RSA))


def material() -> Material:
    return Material(client(), other(), authority(), BODY, NOW)


def trust(policy: SecurityPolicy | None = None) -> Trust:
    return Trust(authority().certificate_pem, create_revocation_list(authority(), {REVOKED_SERIAL}, NOW), policy)


def verify(message: bytes, now: datetime = NOW) -> VerifiedMessage:
    return verify_envelope(etree.fromstring(message), trust(), SecurityPolicy(), now)
