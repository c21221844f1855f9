"""Finds the parts of an envelope that WS-Security is about, each exactly once and each in its place."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from lxml import etree

from gateway.wss.faults import SecurityCode, SecurityFault
from gateway.wss.names import (
    ACTOR_ATTRIBUTE,
    BASE64_BINARY,
    BODY_TAG,
    CONFIRMATION_TAG,
    ENVELOPE_TAG,
    HEADER_TAG,
    NEXT_ACTOR,
    SECURITY_TAG,
    SIGNATURE_TAG,
    TIMESTAMP_TAG,
    TOKEN_TAG,
    WSU,
    WSU_ID,
    X509_V3,
    XML_ID,
)
from gateway.wss.policy import SecurityPolicy

_ID_ATTRIBUTES = (WSU_ID, "Id", "ID", XML_ID)
_REFERABLE = (WSU_ID, "Id")
_find_identified = etree.XPath("//@wsu:Id/.. | //@Id/.. | //@ID/.. | //@xml:id/..", namespaces={"wsu": WSU})


@dataclass(frozen=True, slots=True)
class SecuredEnvelope:
    """The parts of an envelope, not yet verified; `identified` finds the elements by wsu:Id or Id.

    `confirmation` is None in a request, and always there where the policy speaks of replies.
    """

    header: etree._Element
    security: etree._Element
    token: etree._Element
    timestamp: etree._Element
    signature: etree._Element
    body: etree._Element
    confirmation: etree._Element | None
    identified: dict[str, etree._Element]


def find_security_header(envelope: etree._Element) -> etree._Element | None:
    """Return the wsse:Security that is addressed to us, None if there is none; SecurityFault if several."""
    header = _find_header(envelope)
    ours = [] if header is None else list(_security_headers(header))
    if len(ours) > 1:
        raise _invalid("More than one Security header is addressed to the gateway. Send one.")
    return ours[0] if ours else None


def read_secured_envelope(envelope: etree._Element, policy: SecurityPolicy) -> SecuredEnvelope:
    """Find all parts; SecurityFault where one is missing, doubled, misplaced or of a kind we do not take."""
    header = _find_header(envelope)
    if header is not None and len(header) > policy.max_header_children:
        raise _invalid("The SOAP Header has too many children.")
    security = find_security_header(envelope)
    if header is None or security is None:
        raise _invalid("The message has no Security header. Sign its Body and a Timestamp with X.509.")
    if len(security) > policy.max_security_children:
        raise _invalid("The Security header has too many children.")
    tags = (TOKEN_TAG, TIMESTAMP_TAG, SIGNATURE_TAG, *((CONFIRMATION_TAG,) if policy.confirmations else ()))
    parts = {tag: list(security.iterchildren(tag)) for tag in tags}
    if len(list(security.iterchildren("*"))) > sum(map(len, parts.values())):
        raise SecurityFault(
            SecurityCode.UNSUPPORTED_CERTIFICATE,
            "The Security header may hold a BinarySecurityToken, a Timestamp and a Signature, nothing else.",
        )
    timestamp = _only(parts[TIMESTAMP_TAG], "The Security header must have exactly one Timestamp.")
    signature = _only(parts[SIGNATURE_TAG], "The Security header must have exactly one Signature.")
    token = _only(parts[TOKEN_TAG], "The Security header must have exactly one BinarySecurityToken.")
    confirmation = None
    if policy.confirmations:
        confirmation = _only(parts[CONFIRMATION_TAG], "The Security header must confirm exactly one signature.")
    _check_token_kind(token)
    body = _find_body(envelope)
    return SecuredEnvelope(header, security, token, timestamp, signature, body, confirmation, _identify(envelope))


def _find_header(envelope: etree._Element) -> etree._Element | None:
    if envelope.tag != ENVELOPE_TAG:
        raise _invalid("The message is not a SOAP 1.1 Envelope.")
    headers = list(envelope.iterchildren(HEADER_TAG))
    if len(headers) > 1:
        raise _invalid("The Envelope has more than one Header. Send one.")
    return headers[0] if headers else None


def _security_headers(header: etree._Element) -> Iterator[etree._Element]:
    for security in header.iterchildren(SECURITY_TAG):
        if security.get(ACTOR_ATTRIBUTE, "") in ("", NEXT_ACTOR):
            yield security


def _find_body(envelope: etree._Element) -> etree._Element:
    """Return the Body; nothing but the Header and the Body may stand in an Envelope."""
    tags = [child.tag for child in envelope.iterchildren("*")]
    if tags != [HEADER_TAG, BODY_TAG]:
        raise _invalid("The Envelope must hold one Header, then one Body, and nothing else.")
    return next(envelope.iterchildren(BODY_TAG))


def _identify(envelope: etree._Element) -> dict[str, etree._Element]:
    """Map ids to elements; no id may stand on two elements, lest another reader take the other."""
    seen: dict[str, etree._Element] = {}
    identified: dict[str, etree._Element] = {}
    for element in cast(list[etree._Element], _find_identified(envelope)):
        for attribute in _ID_ATTRIBUTES:
            value = element.get(attribute)
            if value is None:
                continue
            if seen.setdefault(value, element) is not element:
                raise _invalid("An Id occurs twice in the message. Give every element an Id of its own.")
            if attribute in _REFERABLE:
                identified[value] = element
    return identified


def _check_token_kind(token: etree._Element) -> None:
    if token.get("ValueType", X509_V3) != X509_V3 or token.get("EncodingType", BASE64_BINARY) != BASE64_BINARY:
        raise SecurityFault(
            SecurityCode.UNSUPPORTED_CERTIFICATE,
            "The BinarySecurityToken must be of ValueType X509v3 and EncodingType Base64Binary.",
        )


def _only(elements: list[etree._Element], reason: str) -> etree._Element:
    if len(elements) != 1:
        raise _invalid(reason)
    return elements[0]


def _invalid(reason: str) -> SecurityFault:
    return SecurityFault(SecurityCode.INVALID_SECURITY, reason)
