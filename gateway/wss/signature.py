"""Reads a ds:Signature: the algorithms it names, what it refers to, and its value. Computes nothing.

SignedInfo is read child by child, in the order of the XML Signature schema, and whatever the profile does
not know is refused, so that nothing is skipped that another reader would obey.
"""

from dataclasses import dataclass

from lxml import etree

from gateway.wss.content import read_base64
from gateway.wss.faults import SecurityCode, SecurityFault
from gateway.wss.names import (
    DIRECT_REFERENCE_TAG,
    DS,
    ENVELOPED_SIGNATURE,
    EXCLUSIVE_C14N,
    SHA256,
    STR_TRANSFORM,
    TOKEN_REFERENCE_TAG,
    X509_V3,
)
from gateway.wss.policy import SecurityPolicy

_INCLUSIVE_NAMESPACES_TAG = f"{{{EXCLUSIVE_C14N}}}InclusiveNamespaces"
_SHA256_LENGTH = 32


def _tags(*names: str) -> list[str]:
    return [f"{{{DS}}}{name}" for name in names]


_PARTS = _tags("SignedInfo", "SignatureValue", "KeyInfo")
_METHODS = _tags("CanonicalizationMethod", "SignatureMethod")
_REFERENCE = _tags("Reference")
_REFERENCE_PARTS = _tags("Transforms", "DigestMethod", "DigestValue")
_TRANSFORM = _tags("Transform")


@dataclass(frozen=True, slots=True)
class Reference:
    """One ds:Reference: the id it points to, how to canonicalise what has it, and its digest."""

    target: str
    inclusive_prefixes: tuple[str, ...]
    digest: bytes


@dataclass(frozen=True, slots=True)
class Signature:
    """A ds:Signature as its sender wrote it; `token` is the id of the certificate that KeyInfo points to."""

    signed_info: etree._Element
    inclusive_prefixes: tuple[str, ...]
    algorithm: str
    references: tuple[Reference, ...]
    value: bytes
    token: str


def read_signature(element: etree._Element, policy: SecurityPolicy) -> Signature:
    """Read a ds:Signature; SecurityFault where it is not of the profile."""
    signed_info, value, key_info = _children(element, _PARTS)
    if len(signed_info) > policy.max_references + 2:
        raise _invalid("The signature has too many references. Sign the Body, the Timestamp and the token.")
    references = max(1, len(list(signed_info.iterchildren("*"))) - len(_METHODS))
    canonicalization, method, *refs = _children(signed_info, _METHODS + _REFERENCE * references)
    return Signature(
        signed_info=signed_info,
        inclusive_prefixes=_read_canonicalization(canonicalization, policy),
        algorithm=_read_signature_method(method, policy),
        references=tuple(_read_reference(reference, policy) for reference in refs),
        value=read_base64(value, policy.max_value_characters),
        token=_read_key_info(key_info),
    )


def _read_signature_method(method: etree._Element, policy: SecurityPolicy) -> str:
    algorithm = method.get("Algorithm", "")
    if algorithm not in policy.signature_algorithms or len(method):
        raise _unsupported("Sign with rsa-sha256 or ecdsa-sha256, without parameters.")
    return algorithm


def _read_reference(reference: etree._Element, policy: SecurityPolicy) -> Reference:
    uri = reference.get("URI", "")
    if len(uri) < 2 or not uri.startswith("#"):
        raise _invalid("A Reference must point to an Id inside the message, as URI='#Id'.")
    if reference.find(_REFERENCE_PARTS[0]) is None:
        raise _unsupported("A Reference must have the transform xml-exc-c14n#.")
    transforms, digest_method, digest_value = _children(reference, _REFERENCE_PARTS)
    prefixes = _read_transforms(transforms, policy)
    if digest_method.get("Algorithm") != SHA256 or len(digest_method):
        raise _unsupported("Digest with SHA-256 (http://www.w3.org/2001/04/xmlenc#sha256).")
    digest = read_base64(digest_value, policy.max_value_characters)
    if len(digest) != _SHA256_LENGTH:
        raise _invalid("A DigestValue is not as long as a SHA-256 digest.")
    return Reference(uri[1:], prefixes, digest)


def _read_transforms(transforms: etree._Element, policy: SecurityPolicy) -> tuple[str, ...]:
    """Accept exclusive C14N, alone or after the enveloped-signature transform.

    No element that we let a Reference point to contains the Signature, so the enveloped transform changes
    nothing.
    """
    steps = list(transforms.iterchildren("*"))
    algorithms = [step.get("Algorithm", "") for step in steps]
    if STR_TRANSFORM in algorithms:
        raise _unsupported("The STR-Transform is not supported. Refer to the token itself, by its Id.")
    if algorithms not in ([EXCLUSIVE_C14N], [ENVELOPED_SIGNATURE, EXCLUSIVE_C14N]):
        raise _unsupported("The only transforms are xml-exc-c14n# and, before it, enveloped-signature.")
    _children(transforms, _TRANSFORM * len(steps))
    if len(steps) == 2 and len(steps[0]):
        raise _unsupported("The enveloped-signature transform takes no parameters.")
    return _read_prefixes(steps[-1], policy)


def _read_canonicalization(method: etree._Element, policy: SecurityPolicy) -> tuple[str, ...]:
    if method.get("Algorithm") != EXCLUSIVE_C14N:
        raise _unsupported("The CanonicalizationMethod must be xml-exc-c14n#, without comments.")
    return _read_prefixes(method, policy)


def _read_prefixes(method: etree._Element, policy: SecurityPolicy) -> tuple[str, ...]:
    """Read the PrefixList of ec:InclusiveNamespaces (Exclusive XML Canonicalization §2)."""
    if len(method) == 0:
        return ()
    if len(method) > 1 or method[0].tag != _INCLUSIVE_NAMESPACES_TAG or len(method[0]):
        raise _unsupported("xml-exc-c14n# takes one parameter, InclusiveNamespaces, and no other.")
    prefixes = method[0].get("PrefixList", "").split()
    if len(prefixes) > policy.max_inclusive_prefixes:
        raise _invalid("A PrefixList is too long. Leave it out, or name only the prefixes that are needed.")
    return tuple(prefixes)


def _read_key_info(key_info: etree._Element) -> str:
    """Return the id of the token, named by a direct reference (X.509 Token Profile §3.2.1)."""
    holders = list(key_info.iterchildren("*"))
    pointers = list(holders[0].iterchildren("*")) if len(holders) == 1 else []
    if (
        len(pointers) != 1
        or holders[0].tag != TOKEN_REFERENCE_TAG
        or pointers[0].tag != DIRECT_REFERENCE_TAG
        or pointers[0].get("ValueType", X509_V3) != X509_V3
    ):
        raise SecurityFault(
            SecurityCode.UNSUPPORTED_CERTIFICATE,
            "KeyInfo must hold a SecurityTokenReference with a Reference to the BinarySecurityToken of the "
            "same header (X509v3). Issuer and serial, key identifiers and X509Data are not read.",
        )
    uri = pointers[0].get("URI", "")
    if not uri.startswith("#"):
        raise SecurityFault(
            SecurityCode.CERTIFICATE_UNAVAILABLE,
            "KeyInfo must point to the BinarySecurityToken inside the message, as URI='#Id'.",
        )
    return uri[1:]


def _children(element: etree._Element, tags: list[str]) -> list[etree._Element]:
    """Return the children of an element of XML Signature, which must be exactly these, in this order."""
    children = list(element.iterchildren("*"))
    if [child.tag for child in children] != tags:
        raise _invalid("The ds:Signature has missing, doubled or unknown elements, or has them in disorder.")
    return children


def _unsupported(reason: str) -> SecurityFault:
    return SecurityFault(SecurityCode.UNSUPPORTED_ALGORITHM, reason)


def _invalid(reason: str) -> SecurityFault:
    return SecurityFault(SecurityCode.INVALID_SECURITY, reason)
