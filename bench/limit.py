"""What no gateway on this machine can save: parse, four exclusive C14N, one RSA-2048 verification, one signature.

Measured in one process with the libraries that the gateway uses, and nothing of the gateway.
"""

import time
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from lxml import etree

from fixtures.messages import NAMESPACES, canonical
from gateway.pki import Identity

_PADDING, _HASH = padding.PKCS1v15(), SHA256()


def measure(messages: Sequence[bytes], identity: Identity) -> float:
    """Return the CPU microseconds that a message costs at least; AssertionError if one is not what it should be."""
    key = identity.key
    assert isinstance(key, rsa.RSAPrivateKey)  # noqa: S101 - what the limit is of
    signature = key.sign(b"", _PADDING, _HASH)
    public = key.public_key()
    started = time.process_time()
    for message in messages:
        envelope = etree.fromstring(message)
        octets = [canonical(part) for part in _parts(envelope)]
        public.verify(signature, b"", _PADDING, _HASH)
        key.sign(octets[0], _PADDING, _HASH)
    return (time.process_time() - started) / len(messages) * 1e6


def _parts(envelope: etree._Element) -> list[etree._Element]:
    """Return the Body, the Timestamp, the token and SignedInfo."""
    security = envelope.find("soap:Header/wsse:Security", NAMESPACES)
    body = envelope.find("soap:Body", NAMESPACES)
    names = ("wsu:Timestamp", "wsse:BinarySecurityToken", "ds:Signature/ds:SignedInfo")
    assert security is not None  # noqa: S101 - as above
    parts = [body, *(security.find(name, NAMESPACES) for name in names)]
    return [part for part in parts if part is not None]
