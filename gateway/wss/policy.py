"""What the gateway accepts of a signed message, as one frozen object."""

from dataclasses import dataclass
from datetime import timedelta

from gateway.wss.names import ECDSA_SHA256, RSA_SHA256


@dataclass(frozen=True, slots=True)
class SecurityPolicy:
    """The limits of the profile. Loosening one opens the door that its comment names."""

    # A captured message can be sent again for as long as this, by whoever finds the replay keys lost; and the
    # replay keys must be kept for as long.
    max_age: timedelta = timedelta(minutes=5)

    # A message from the future stays fresh for longer than max_age. Expires gets no such tolerance.
    clock_skew: timedelta = timedelta(seconds=60)

    # Shorter RSA keys can be factored, and then anybody signs as the client.
    min_rsa_bits: int = 2048

    # Longer RSA keys make each verification slow.
    max_rsa_bits: int = 8192

    # SHA-1 collides, and an HMAC algorithm would take the public certificate for a shared secret.
    signature_algorithms: frozenset[str] = frozenset({RSA_SHA256, ECDSA_SHA256})

    # Each reference costs a canonicalisation, before anybody knows who asks for it.
    max_references: int = 8

    # Replies confirm the signature of the request that they answer (WSS 1.1 §8.5): without, the answer to one question
    # can be given to another. A request has nothing to confirm.
    confirmations: bool = False

    # Children of soap:Header; and of wsse:Security, which holds a token, a Timestamp and a Signature.
    max_header_children: int = 32
    max_security_children: int = 8

    # Each prefix in a PrefixList is searched for on every element that is canonicalised.
    max_inclusive_prefixes: int = 16

    # Characters of base64 before anything is decoded: the token, and a digest or signature value.
    max_token_characters: int = 16 * 1024
    max_value_characters: int = 2 * 1024

    # Memory for certificates that were found good; the least recently used goes first.
    max_cached_certificates: int = 4096
