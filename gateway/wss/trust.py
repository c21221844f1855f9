"""Decides whether a certificate is to be believed: chain, validity, revocation. Remembers what it found good.

It does not say whose certificate it is; annexes bind certificates to clients.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from cryptography import x509
from OpenSSL import crypto

from gateway.wss.certificate import Certificate, read_certificate
from gateway.wss.faults import SecurityCode, SecurityFault
from gateway.wss.policy import SecurityPolicy

# The numbers of OpenSSL, which pyOpenSSL gives without names: X509_V_ERR_…
_LIST_MISSING, _LIST_INVALID, _REVOKED = 3, 8, 23
# X509_V_FLAG_NO_CHECK_TIME. A store obeys only the first `set_time` it gets, so times are compared here instead.
_NO_CHECK_TIME = 0x200000
_END_OF_LIST = b"-----END X509 CRL-----"


@dataclass(frozen=True, slots=True)
class _Anchors:
    """Authorities and revocation lists of one moment.

    `next_updates` says, by issuer, when its list runs out; None where no lists are kept.
    """

    store: crypto.X509Store
    next_updates: Mapping[x509.Name, datetime] | None


class Trust:
    """The authorities and revocation lists that certificates are checked against. Threads may share it.

    `ca_pem` holds one or more authorities; each is an end of the chain, whether or not it is self-signed.
    `crl_pem` holds a list of each authority, or is None: then nothing is ever revoked. A list past its
    nextUpdate is no list: certificates are refused until `replace_crl` brings a newer one. Raises ValueError
    if either cannot be read.
    """

    def __init__(self, ca_pem: bytes, crl_pem: bytes | None = None, policy: SecurityPolicy | None = None) -> None:
        self._authorities = x509.load_pem_x509_certificates(ca_pem)
        self._policy = policy or SecurityPolicy()
        self._lock = Lock()
        self._known: OrderedDict[bytes, tuple[Certificate, datetime]] = OrderedDict()
        self._anchors = self._build_anchors(crl_pem)

    @property
    def authorities(self) -> Mapping[x509.Name, datetime]:
        """When each authority ends, by its name; the later of two certificates of the same."""
        by_end = sorted(self._authorities, key=lambda authority: authority.not_valid_after_utc)
        return {authority.subject: authority.not_valid_after_utc for authority in by_end}

    @property
    def next_updates(self) -> Mapping[x509.Name, datetime] | None:
        """When each authority's revocation list runs out, by its name; None where no lists are kept."""
        return self._anchors.next_updates

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
            anchors = self._anchors
        certificate = read_certificate(der, self._policy)
        _check_validity(certificate, now)
        until = _check_chain(anchors, der, now)
        with self._lock:
            # What was found good under a list that has been replaced meanwhile must not be remembered.
            if anchors is self._anchors:
                self._known[der] = certificate, until
                if len(self._known) > self._policy.max_cached_certificates:
                    self._known.popitem(last=False)
        return certificate

    def _build_anchors(self, crl_pem: bytes | None) -> _Anchors:
        store = crypto.X509Store()
        for authority in self._authorities:
            store.add_cert(crypto.X509.from_cryptography(authority))
        flags = crypto.X509StoreFlags.PARTIAL_CHAIN | _NO_CHECK_TIME
        if crl_pem is None:
            store.set_flags(flags)
            return _Anchors(store, None)
        store.set_flags(flags | crypto.X509StoreFlags.CRL_CHECK)
        lists = _read_lists(crl_pem)
        for revocation_list in lists:
            store.add_crl(revocation_list)
        return _Anchors(store, _find_next_updates(lists))


def _read_lists(crl_pem: bytes) -> list[x509.CertificateRevocationList]:
    blocks = crl_pem.split(_END_OF_LIST)[:-1]
    if not blocks:
        raise ValueError("There is no revocation list in this PEM text")
    return [x509.load_pem_x509_crl(block + _END_OF_LIST) for block in blocks]


def _find_next_updates(lists: Iterable[x509.CertificateRevocationList]) -> dict[x509.Name, datetime]:
    """Return when the newest list of each issuer runs out; one without nextUpdate cannot be known to be new."""
    newest = {item.issuer: item for item in sorted(lists, key=lambda item: item.last_update_utc)}
    return {issuer: end for issuer, item in newest.items() if (end := item.next_update_utc) is not None}


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


def _check_chain(anchors: _Anchors, der: bytes, now: datetime) -> datetime:
    """Check chain and revocation of a certificate that is itself valid now; return until when that holds."""
    candidate = x509.load_der_x509_certificate(der)
    context = crypto.X509StoreContext(anchors.store, crypto.X509.from_cryptography(candidate))
    try:
        chain = [certificate.to_cryptography() for certificate in context.get_verified_chain()]
    except crypto.X509StoreContextError as error:
        raise _refusal(error.errors[0]) from None
    until = min(certificate.not_valid_after_utc for certificate in chain)
    if not max(certificate.not_valid_before_utc for certificate in chain) <= now < until:
        raise SecurityFault(
            SecurityCode.FAILED_AUTHENTICATION,
            "The authority that issued the certificate is itself not valid now. Use a certificate of another.",
        )
    if anchors.next_updates is None:
        return until
    next_update = anchors.next_updates.get(candidate.issuer)
    if next_update is None or next_update <= now:
        raise _no_list()
    return min(until, next_update)


def _refusal(error: int) -> SecurityFault:
    if error == _REVOKED:
        return SecurityFault(
            SecurityCode.FAILED_AUTHENTICATION,
            "The certificate has been revoked by its authority. Sign with another one.",
        )
    if error in (_LIST_MISSING, _LIST_INVALID):
        return _no_list()
    return SecurityFault(
        SecurityCode.FAILED_AUTHENTICATION,
        "The certificate comes from no authority that this gateway trusts. Use the one you registered.",
    )


def _no_list() -> SecurityFault:
    return SecurityFault(
        SecurityCode.FAILED_AUTHENTICATION,
        "The gateway has no valid revocation list of the certificate's authority, and accepts none of its "
        "certificates until it has. Try again later, or tell the operator of the gateway.",
    )
