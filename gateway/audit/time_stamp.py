"""RFC 3161 time stamps: an authority outside says that a checkpoint was there at its time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import requests
from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

_TIMEOUT_SECONDS = 10
_LONGEST_ANSWER = 64 * 1024


class TimeStampFailed(Exception):
    """There is no time stamp, or none that can be believed; the message says why."""


@dataclass(frozen=True, slots=True)
class TimeStampAuthority:
    """An authority at a URL, whose certificates come from `roots`."""

    url: str
    roots: Sequence[x509.Certificate]

    def stamp(self, octets: bytes) -> bytes:
        """Return the authority's time-stamp response over the octets, DER and verified; TimeStampFailed."""
        request = TimestampRequestBuilder().data(octets).hash_algorithm(HashAlgorithm.SHA256).build()
        headers = {"Content-Type": "application/timestamp-query"}
        try:
            answer = requests.post(self.url, request.as_bytes(), headers=headers, timeout=_TIMEOUT_SECONDS, stream=True)
            with answer:
                answer.raise_for_status()
                content = answer.raw.read(_LONGEST_ANSWER)
        except (requests.RequestException, OSError) as error:
            raise TimeStampFailed(f"the authority does not answer: {type(error).__name__}") from None
        verify_time_stamp(content, octets, self.roots, request.nonce)
        return bytes(content)


def verify_time_stamp(
    response: bytes, octets: bytes, roots: Sequence[x509.Certificate], nonce: int | None = None
) -> datetime:
    """Return the time that a time-stamp response (DER) gives to the octets; TimeStampFailed unless it is genuine.

    `nonce` is that of the request, where it is still known.
    """
    try:
        decoded = decode_timestamp_response(response)
        VerifierBuilder(roots=list(roots), nonce=nonce).build().verify_message(decoded, octets)
    except (VerificationError, ValueError) as error:
        raise TimeStampFailed(f"the authority's answer cannot be believed: {error}") from None
    return decoded.tst_info.gen_time
