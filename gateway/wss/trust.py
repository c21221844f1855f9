"""Decides whether a certificate is to be believed: chain, validity, revocation. Remembers what it found good.

It does not say whose certificate it is; annexes bind certificates to clients.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import crypto

from gateway.wss.certificate import Certificate, read_certificate
from gateway.wss.faults import SecurityCode, SecurityFault
from gateway.wss.policy import SecurityPolicy

# The numbers of OpenSSL's X509_V_ERR_…, which pyOpenSSL gives without names.
_LIST_MISSING, _LIST_INVALID, _LIST_NOT_YET_VALID, _LIST_EXPIRED, _REVOKED = 3, 8, 11, 12, 23
_LIST_UNUSABLE = frozenset({_LIST_MISSING, _LIST_INVALID, _LIST_NOT_YET_VALID, _LIST_EXPIRED})
_END_OF_LIST = b"-----END X509 CRL-----"


@dataclass(frozen=True, slots=True)
class _Anchors:
    """The store of one moment: authorities, revocation lists, and when the first of the lists runs out."""

    store: crypto.X509Store
    next_update: datetime | None


class Trust:
    """The authorities and revocation lists that certificates are checked against. Threads may share it.

    `ca_pem` holds one or more authorities; each is an end of the chain, whether or not it is self-signed.
    `crl_pem` holds a list of each authority, or is None: then nothing is ever revoked. A list past its
    nextUpdate is no list: certificates are refused until `replace_crl` brings a newer one. Raises ValueError
    if either cannot be read.
    """

    def __init__(
        self, ca_pem: bytes, crl_pem: bytes | None = None, policy: SecurityPolicy | None = None
    ) -> None:
        self._authorities = x509.load_pem_x509_certificates(ca_pem)
        self._policy = policy or SecurityPolicy()
        self._lock = Lock()
        self._known: OrderedDict[bytes, tuple[Certificate, datetime]] = OrderedDict()
        self._anchors = self._build_anchors(crl_pem)

    def replace_crl(self, crl_pem: bytes | None) -> None:
        """Check against these lists from now on, and forget what was found good under the former ones."""
        anchors = self._build_anchors(crl_pem)
        with self._lock:
            self._anchors = anchors
            self._known.clear()

    def authenticate(self, der: bytes, now: datetime) -> Certificate:
        """Return the certificate if it is to be believed at `now` (aware, UTC); SecurityFault if it is not.

        The answer is remembered until the first end of validity in its chain or the lists' nextUpdate.
        """
        with self._lock:
            if known := self._known.get(der):
                certificate, until = known
                if certificate.not_before <= now < until:
                    self._known.move_to_end(der)
                    return certificate
                del self._known[der]
        certificate = read_certificate(der, self._policy)
        _check_validity(certificate, now)
        candidate = crypto.X509.from_cryptography(x509.load_der_x509_certificate(der))
        # One lock for the check and for what is remembered of it: a list that is replaced meanwhile must win.
        with self._lock:
            until = self._check_chain(candidate, now)
            self._known[der] = certificate, until
            if len(self._known) > self._policy.max_cached_certificates:
                self._known.popitem(last=False)
        return certificate

    def _check_chain(self, candidate: crypto.X509, now: datetime) -> datetime:
        """Check chain and revocation; return until when this answer holds."""
        anchors = self._anchors
        anchors.store.set_time(now)
        try:
            chain = crypto.X509StoreContext(anchors.store, candidate).get_verified_chain()
        except crypto.X509StoreContextError as error:
            raise _refusal(error.errors[0]) from None
        ends = [certificate.to_cryptography().not_valid_after_utc for certificate in chain]
        return min([*ends, anchors.next_update] if anchors.next_update else ends)

    def _build_anchors(self, crl_pem: bytes | None) -> _Anchors:
        store = crypto.X509Store()
        for authority in self._authorities:
            store.add_cert(crypto.X509.from_cryptography(authority))
        lists = _read_lists(crl_pem) if crl_pem is not None else []
        for revocation_list in lists:
            store.add_crl(revocation_list)
        flags = crypto.X509StoreFlags.PARTIAL_CHAIN
        store.set_flags(flags if crl_pem is None else flags | crypto.X509StoreFlags.CRL_CHECK)
        updates = [update for item in lists if (update := item.next_update_utc) is not None]
        return _Anchors(store, min(updates, default=None))


def read_pem_certificate(pem: bytes) -> bytes:
    """Return the DER of the first certificate in PEM text; ValueError if there is none."""
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


def _read_lists(crl_pem: bytes) -> list[x509.CertificateRevocationList]:
    blocks = crl_pem.split(_END_OF_LIST)[:-1]
    if not blocks:
        raise ValueError("There is no revocation list in this PEM text")
    return [x509.load_pem_x509_crl(block + _END_OF_LIST) for block in blocks]


def _check_validity(certificate: Certificate, now: datetime) -> None:
    if now < certificate.not_before:
        raise SecurityFault(
            SecurityCode.INVALID_CERTIFICATE,
            "The certificate is not valid yet. Use it from its notBefore on.",
        )
    if now >= certificate.not_after:
        raise SecurityFault(
            SecurityCode.INVALID_CERTIFICATE, "The certificate has expired. Sign with one that is valid."
        )


def _refusal(error: int) -> SecurityFault:
    if error == _REVOKED:
        return SecurityFault(
            SecurityCode.FAILED_AUTHENTICATION,
            "The certificate has been revoked by its authority. Sign with another one.",
        )
    if error in _LIST_UNUSABLE:
        return SecurityFault(
            SecurityCode.FAILED_AUTHENTICATION,
            "The gateway has no valid revocation list of the certificate's authority, and accepts no "
            "certificates until its operator has renewed the list. Try again later.",
        )
    return SecurityFault(
        SecurityCode.FAILED_AUTHENTICATION,
        "The certificate comes from no authority that this gateway trusts. Use the one you registered.",
    )
