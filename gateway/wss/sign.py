"""Signs the gateway's envelopes. It parses nothing: every signed part is assembled in its canonical form.

Each signed element declares the namespaces that it uses itself, in canonical order, so that its octets in the
envelope are the octets that are digested. What is put into the Body must be canonical already.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from gateway.wss.names import (
    BASE64_BINARY,
    DS,
    ECDSA_SHA256,
    EXCLUSIVE_C14N,
    RSA_SHA256,
    SHA256,
    SOAP,
    WSSE,
    WSSE11,
    WSU,
    X509_V3,
)

_LIFETIME = timedelta(minutes=5)

# faultcode is a QName with one of these prefixes, so the Envelope declares them all.
_ENVELOPE = f'<soapenv:Envelope xmlns:soapenv="{SOAP}" xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}">'
_SECURITY = '<wsse:Security soapenv:mustUnderstand="1">'
_BODY = f'<soapenv:Body xmlns:soapenv="{SOAP}" xmlns:wsu="{WSU}" wsu:Id="body">'
_BODY_END = "</soapenv:Body>"
_KEY_INFO = (
    f'<ds:KeyInfo><wsse:SecurityTokenReference><wsse:Reference URI="#token" ValueType="{X509_V3}">'
    "</wsse:Reference></wsse:SecurityTokenReference></ds:KeyInfo>"
)
_REFERENCE_BEGIN = (
    f'<ds:Transforms><ds:Transform Algorithm="{EXCLUSIVE_C14N}"></ds:Transform></ds:Transforms>'
    f'<ds:DigestMethod Algorithm="{SHA256}"></ds:DigestMethod><ds:DigestValue>'
)


class SigningFailed(Exception):
    """The gateway's key did not sign; the answer must not leave as if it had."""


@dataclass(frozen=True, slots=True)
class HeaderBlock:
    """A block of the Header, beside Security: its text in exclusive canonical form, with `id` as its wsu:Id."""

    id: str
    canonical: str

    @classmethod
    def identify(cls, id_: str, canonical: str) -> "HeaderBlock":
        """Give an element its wsu:Id; it has neither attributes nor a prefix that sorts after `wsu` yet."""
        tag, end, rest = canonical.partition(">")
        return cls(id_, f'{tag} xmlns:wsu="{WSU}" wsu:Id="{id_}"{end}{rest}')


class Signer:
    """Signs replies with one RSA or P-256 key. Threads may share it.

    Raises ValueError if key or certificate cannot be read or do not belong together.
    """

    def __init__(self, key_pem: bytes, cert_pem: bytes) -> None:
        certificate = x509.load_pem_x509_certificate(cert_pem)
        key = load_pem_private_key(key_pem, None)
        if key.public_key() != certificate.public_key():
            raise ValueError("The gateway's key does not belong to its certificate")
        algorithm, self._transform = _choose_algorithm(key)
        self.validity = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        self._key = xmlsec.Key.from_memory(key_pem, xmlsec.constants.KeyDataFormatPem)
        self._signed_info = (
            f'<ds:SignedInfo xmlns:ds="{DS}">'
            f'<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE_C14N}"></ds:CanonicalizationMethod>'
            f'<ds:SignatureMethod Algorithm="{algorithm}"></ds:SignatureMethod>'
        )
        self._token = (
            f'<wsse:BinarySecurityToken xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}" EncodingType="{BASE64_BINARY}" '
            f'ValueType="{X509_V3}" wsu:Id="token">{_base64(certificate.public_bytes(Encoding.DER))}'
            "</wsse:BinarySecurityToken>"
        )
        self._token_reference = _reference("token", self._token)

    def sign(
        self, body_inner_xml: str, confirm: bytes | None, now: datetime, blocks: Sequence[HeaderBlock] = ()
    ) -> bytes:
        """Return a whole envelope, UTF-8, signed over Body, Timestamp, token, confirmation and header blocks.

        `body_inner_xml` is the Body's one element in exclusive canonical form. `confirm` is the
        SignatureValue of the request that is answered (WSS 1.1 §8.5), None if it had none. `now` is aware.
        `receipt` is a header block in canonical form, with the id `receipt`. Raises SigningFailed.
        """
        body = _BODY + _within_body(body_inner_xml) + _BODY_END
        timestamp = _timestamp(now)
        confirmation = "" if confirm is None else _confirmation(confirm)
        references = [_reference("body", body), _reference("timestamp", timestamp), self._token_reference]
        if confirmation:
            references.append(_reference("confirmation", confirmation))
        references += (_reference(block.id, block.canonical) for block in blocks)
        signed_info = f"{self._signed_info}{''.join(references)}</ds:SignedInfo>"
        return (
            f"{_ENVELOPE}<soapenv:Header>{_SECURITY}{self._token}{timestamp}{confirmation}"
            f'<ds:Signature xmlns:ds="{DS}">{signed_info}'
            f"<ds:SignatureValue>{_base64(self._sign_octets(signed_info.encode()))}</ds:SignatureValue>"
            f"{_KEY_INFO}</ds:Signature></wsse:Security>{_texts(blocks)}</soapenv:Header>{body}</soapenv:Envelope>"
        ).encode()

    def _sign_octets(self, octets: bytes) -> bytes:
        context = xmlsec.SignatureContext()
        try:
            context.key = self._key
            return bytes(context.sign_binary(octets, self._transform))
        except xmlsec.Error as error:
            raise SigningFailed("The gateway's key cannot sign") from error


def unsigned(body_inner_xml: str, blocks: Sequence[HeaderBlock] = ()) -> bytes:
    """Return a whole envelope, UTF-8, without signature: for strangers, or when there is no usable key."""
    texts = _texts(blocks)
    header = f"<soapenv:Header>{texts}</soapenv:Header>" if texts else ""
    return (f"{_ENVELOPE}{header}<soapenv:Body>{_within_body(body_inner_xml)}{_BODY_END}</soapenv:Envelope>").encode()


def _choose_algorithm(key: object) -> tuple[str, Any]:
    if isinstance(key, rsa.RSAPrivateKey):
        return RSA_SHA256, xmlsec.constants.TransformRsaSha256
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return ECDSA_SHA256, xmlsec.constants.TransformEcdsaSha256
    raise ValueError("The gateway's key must be RSA, or elliptic on the curve P-256")


def _within_body(inner_xml: str) -> str:
    """Drop from the first tag what the Body declares already, as canonicalising it would (soapenv:Fault)."""
    tag, end, rest = inner_xml.partition(">")
    for prefix, namespace in (("soapenv", SOAP), ("wsu", WSU)):
        tag = tag.replace(f' xmlns:{prefix}="{namespace}"', "")
    return tag + end + rest


def _texts(blocks: Sequence[HeaderBlock]) -> str:
    return "".join(block.canonical for block in blocks)


def _timestamp(now: datetime) -> str:
    return (
        f'<wsu:Timestamp xmlns:wsu="{WSU}" wsu:Id="timestamp"><wsu:Created>{_time(now)}</wsu:Created>'
        f"<wsu:Expires>{_time(now + _LIFETIME)}</wsu:Expires></wsu:Timestamp>"
    )


def _confirmation(signature_value: bytes) -> str:
    return (
        f'<wsse11:SignatureConfirmation xmlns:wsse11="{WSSE11}" xmlns:wsu="{WSU}" '
        f'Value="{_base64(signature_value)}" wsu:Id="confirmation"></wsse11:SignatureConfirmation>'
    )


def _reference(target: str, canonical: str) -> str:
    digest = _base64(sha256(canonical.encode()).digest())
    return f'<ds:Reference URI="#{target}">{_REFERENCE_BEGIN}{digest}</ds:DigestValue></ds:Reference>'


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _base64(octets: bytes) -> str:
    return b64encode(octets).decode("ascii")
