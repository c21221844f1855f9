"""Verifies who signed an envelope, that it is fresh, and that what will be acted upon is what was signed.

Cheap checks come first: shape and limits, freshness, the certificate (remembered), then the signature, then the
digests: certificates are public, and only the holder of the key may have a whole Body canonicalised. It does not
know clients or annexes, and does not remember messages: it names the key under which a replay is found.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest

import xmlsec
from lxml import etree

from gateway.wss.certificate import Certificate
from gateway.wss.content import canonicalize, read_base64
from gateway.wss.faults import SecurityCode, SecurityFault
from gateway.wss.header import SecuredEnvelope, find_security_header, read_secured_envelope
from gateway.wss.names import ECDSA_SHA256, RSA_SHA256
from gateway.wss.policy import SecurityPolicy
from gateway.wss.signature import Reference, Signature, read_signature
from gateway.wss.timestamp import check_fresh, read_timestamp
from gateway.wss.trust import Trust

__all__ = ["VerifiedMessage", "find_security_header", "verify_envelope"]

_TRANSFORMS = {
    RSA_SHA256: xmlsec.constants.TransformRsaSha256,
    ECDSA_SHA256: xmlsec.constants.TransformEcdsaSha256,
}


@dataclass(frozen=True, slots=True)
class VerifiedMessage:
    """What the signature proves. Times are aware, UTC.

    `body_child` is the one element in the verified Body, `headers` are the verified header blocks beside Security: the
    only parts of the envelope to act upon.
    `replay_key` is the same for every variant of a message that its signature allows, and may be forgotten at
    `expires_at`, when the message is no longer fresh on any node. `confirmed` is the SignatureValue that a reply
    confirms, None in a request.
    """

    certificate: Certificate
    body_child: etree._Element
    replay_key: bytes
    signature_value: bytes
    token_signed: bool
    created: datetime
    expires_at: datetime
    headers: tuple[etree._Element, ...] = ()
    confirmed: bytes | None = None


def verify_envelope(envelope: etree._Element, trust: Trust, policy: SecurityPolicy, now: datetime) -> VerifiedMessage:
    """Verify a parsed soap:Envelope (parsed without DTD or entities); raise SecurityFault, and nothing else.

    Side effect: comments are taken out of the Body, because no signature covers them and they would split
    text.
    """
    parts = read_secured_envelope(envelope, policy)
    signature = read_signature(parts.signature, policy)
    targets = _resolve(signature, parts)
    body_child = _get_only_child(parts.body)
    timestamp = read_timestamp(parts.timestamp)
    check_fresh(timestamp, policy, now)
    certificate = trust.authenticate(read_base64(parts.token, policy.max_token_characters), now)
    etree.strip_tags(parts.body, etree.Comment)
    signed_octets = canonicalize(signature.signed_info, signature.inclusive_prefixes)
    _check_signature(signature, certificate, signed_octets)
    for reference, target in zip(signature.references, targets, strict=True):
        _check_digest(reference, target)
    return VerifiedMessage(
        certificate=certificate,
        body_child=body_child,
        # The key rather than the certificate: the same key may stand in two certificates, and the authority's
        # signature on a certificate can be varied without making it invalid.
        replay_key=sha256(certificate.public_key_sha256 + signed_octets).digest(),
        signature_value=signature.value,
        token_signed=any(target is parts.token for target in targets),
        created=timestamp.created,
        expires_at=timestamp.created + policy.max_age + policy.clock_skew,
        headers=tuple(target for target in targets if target.getparent() is parts.header),
        confirmed=_read_confirmation(parts.confirmation),
    )


def _resolve(signature: Signature, parts: SecuredEnvelope) -> list[etree._Element]:
    """Return what each reference points to; refuse a signature that does not cover Body and Timestamp.

    A reference may point to the Body, to the Timestamp and token of our Security header and to other
    headers. None of these contains another or the Signature, so no octet is canonicalised twice.
    """
    if parts.identified.get(signature.token) is not parts.token:
        raise SecurityFault(
            SecurityCode.CERTIFICATE_UNAVAILABLE,
            "KeyInfo does not point to the BinarySecurityToken of the Security header.",
        )
    targets = [_resolve_reference(reference, parts) for reference in signature.references]
    if len(set(targets)) < len(targets):
        raise _invalid("Two references of the signature point to the same element.")
    if parts.body not in targets:
        raise _invalid("The signature does not cover the Body of the Envelope. Sign it.")
    if parts.timestamp not in targets:
        raise _invalid("The signature does not cover the Timestamp of the Security header. Sign it.")
    if parts.confirmation is not None and parts.confirmation not in targets:
        raise _invalid("The signature does not cover the SignatureConfirmation. Sign it.")
    return targets


def _resolve_reference(reference: Reference, parts: SecuredEnvelope) -> etree._Element:
    target = parts.identified.get(reference.target)
    if target is None:
        raise _invalid("A reference of the signature points to an Id that no element of the message has.")
    if target in (parts.body, parts.timestamp, parts.token, parts.confirmation):
        return target
    if target.getparent() is parts.header and target is not parts.security:
        return target
    raise _invalid("A reference may point to the Body, the Timestamp, the token or another header, and no further.")


def _read_confirmation(confirmation: etree._Element | None) -> bytes | None:
    if confirmation is None:
        return None
    try:
        return b64decode(confirmation.get("Value", ""), validate=True)
    except (Base64Error, ValueError):
        raise _invalid("The SignatureConfirmation confirms no signature.") from None


def _get_only_child(body: etree._Element) -> etree._Element:
    children = list(body.iterchildren("*"))
    if len(children) != 1:
        raise _invalid("The Body must hold exactly one element.")
    return children[0]


def _check_digest(reference: Reference, target: etree._Element) -> None:
    digest = sha256(canonicalize(target, reference.inclusive_prefixes)).digest()
    if not compare_digest(digest, reference.digest):
        raise SecurityFault(
            SecurityCode.FAILED_CHECK,
            "A signed element does not have the digest that was signed. Change nothing after signing, not "
            "even white space, and canonicalise with xml-exc-c14n#.",
        )


def _check_signature(signature: Signature, certificate: Certificate, signed_octets: bytes) -> None:
    if signature.algorithm != certificate.algorithm:
        raise SecurityFault(
            SecurityCode.FAILED_CHECK,
            "The SignatureMethod does not fit the key: rsa-sha256 for RSA, ecdsa-sha256 for P-256.",
        )
    context = xmlsec.SignatureContext()
    context.key = certificate.verifying_key
    try:
        context.verify_binary(signed_octets, _TRANSFORMS[signature.algorithm], signature.value)
    except xmlsec.Error:
        raise SecurityFault(
            SecurityCode.FAILED_CHECK,
            "The signature was not made over this SignedInfo with the key of this certificate.",
        ) from None


def _invalid(reason: str) -> SecurityFault:
    return SecurityFault(SecurityCode.INVALID_SECURITY, reason)
