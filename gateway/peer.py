"""Who is at the other end of the connection: the peer's address and the TLS client certificate, from WSGI's environ.

The certificate comes from the TLS connection itself, or from a header that only a trusted reverse proxy may set. The
same header from anywhere else is as if it were not there.
"""

import base64
import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Peer:
    """`address` is an IP address, or `local` for a unix socket; `certificate` is DER, None if there is none."""

    address: str
    certificate: bytes | None


@dataclass(frozen=True, slots=True)
class PeerFinder:
    """`trusted_proxies` are the addresses whose `certificate_header` is believed."""

    trusted_proxies: frozenset[str]
    certificate_header: str

    def find(self, environ: Mapping[str, Any]) -> Peer:
        """Return the peer of a request."""
        address = str(environ.get("REMOTE_ADDR") or "local")
        if address in self.trusted_proxies:
            forwarded = str(environ.get("HTTP_X_FORWARDED_FOR") or address).rpartition(",")[2].strip()
            return Peer(forwarded[:45] or address, self._handed_over(environ))
        return Peer(address, _of_connection(environ.get("gunicorn.socket")))

    def _handed_over(self, environ: Mapping[str, Any]) -> bytes | None:
        value = environ.get("HTTP_" + self.certificate_header.upper().replace("-", "_"), "")
        try:
            return base64.b64decode(value, validate=True) or None
        except ValueError:
            return None


@lru_cache(maxsize=4096)
def source_of(address: str | None) -> str:
    """Return what requests from an address are counted under; what is no address is counted as it stands.

    A source is an IPv4 address or an IPv6 /64 network, since whoever has one IPv6 address has 2^64 of them.
    """
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return (address or "unknown")[:64]
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((int(ip), 64), strict=False))


def _of_connection(connection: object) -> bytes | None:
    return connection.getpeercert(binary_form=True) if isinstance(connection, ssl.SSLSocket) else None
