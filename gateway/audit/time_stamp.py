"""RFC 3161 time stamps: an authority outside says that a checkpoint was there at its time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Timer
from time import monotonic

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from gateway.sources.exchange import Exchange, open_endpoint
from gateway.sources.trouble import Trouble

_LONGEST_ANSWER = 64 * 1024


class TimeStampFailed(Exception):
    """There is no time stamp, or none that can be believed; the message says why."""


@dataclass(frozen=True, slots=True)
class TimeStampAuthority:
    """An authority at a URL, whose certificates come from `roots`; it has `seconds` for all of its answer."""

    url: str
    roots: Sequence[x509.Certificate]
    seconds: float = 10.0

    def stamp(self, octets: bytes) -> bytes:
        """Return the authority's time-stamp response over the octets, DER and verified; TimeStampFailed."""
        request = TimestampRequestBuilder().data(octets).hash_algorithm(HashAlgorithm.SHA256).build()
        try:
            content = self._ask(request.as_bytes())
        except (Trouble, OSError) as error:
            raise TimeStampFailed(f"the authority gives none: {error}") from None
        verify_time_stamp(content, octets, self.roots, request.nonce)
        return content

    def _ask(self, request: bytes) -> bytes:
        until = monotonic() + self.seconds
        exchange = Exchange(open_endpoint(self.url, None), _LONGEST_ANSWER, lambda: max(0.0, until - monotonic()))
        # A socket counts the seconds of each reading: an answer that comes drop by drop is cut off here.
        cut_off = Timer(self.seconds, exchange.abort)
        cut_off.daemon = True
        cut_off.start()
        try:
            return exchange.ask(request, "application/timestamp-query")
        finally:
            cut_off.cancel()


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
