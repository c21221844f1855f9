"""Authenticate: who sends this, proved as the client's annex demands.

With a Security header the signature proves it; without one only a TLS client certificate can. Either way the
certificate names the client, through the annex it is bound in; where none binds it, through User Management, as a
technical user for whom the role's annex is made out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from authz.annex import Annex, AuthenticationMethod, Role, RoleAnnex
from gateway.annexes.registry import AnnexesUnavailable
from gateway.dry_run import find_dry_run
from gateway.established import Arrived, Authenticated, Parsed, get
from gateway.facts import TechnicalUsers, reading_facts
from gateway.refusal import Fault
from gateway.wss.certificate import Certificate
from gateway.wss.faults import SecurityCode, SecurityFault
from gateway.wss.policy import SecurityPolicy
from gateway.wss.trust import Trust
from gateway.wss.verify import VerifiedMessage, find_security_header, verify_envelope


class Annexes(Protocol):
    """The annexes in force; each method may raise AnnexesUnavailable."""

    def find(self, certificate: Certificate, now: datetime) -> Annex | None:
        """Return the one annex that binds this certificate; None when none does, or several."""
        ...

    def is_bound(self, certificate: Certificate, now: datetime) -> bool:
        """Tell whether any annex binds this certificate."""
        ...

    def find_for_role(self, role: Role, now: datetime) -> RoleAnnex | None:
        """Return the annex for this role."""
        ...


def authenticate(
    parsed: Parsed,
    trust: Trust,
    policy: SecurityPolicy,
    annexes: Annexes,
    technical_users: TechnicalUsers,
    clock: Callable[[], datetime],
) -> Authenticated:
    """Establish the client; wsse faults say what its proof lacks, MSG00001 that it cannot be told who it is."""
    now = clock()
    try:
        proof = _prove(parsed, trust, policy, now)
        annex = _find_annex(proof.certificate, annexes, technical_users, now)
        _check_demands(annex, proof)
        dry_run = find_dry_run(parsed.message.envelope, proof.verified.headers if proof.verified else ())
    except SecurityFault as fault:
        raise Fault(fault.code, fault.reason, faultcode=fault.code) from None
    except AnnexesUnavailable as error:
        raise Fault(
            "MSG00001",
            "The gateway cannot read its annexes now; try again later.",
            faultcode="soapenv:Server",
            internal=str(error),
        ) from error
    verified = proof.verified
    return Authenticated(
        previous=parsed,
        at=now,
        certificate=proof.certificate,
        annex=annex,
        method=proof.method,
        payload=verified.body_child if verified else parsed.message.payload,
        signature_value=verified.signature_value if verified else None,
        replay_key=verified.replay_key if verified else None,
        forget_at=verified.expires_at if verified else None,
        dry_run=dry_run,
    )


@dataclass(frozen=True, slots=True)
class _Proof:
    """A certificate that we trust, and that the caller has the key of; `verified` is None without a signature."""

    certificate: Certificate
    method: AuthenticationMethod
    verified: VerifiedMessage | None


def _prove(parsed: Parsed, trust: Trust, policy: SecurityPolicy, now: datetime) -> _Proof:
    arrived = get(parsed, Arrived)
    if find_security_header(parsed.message.envelope) is not None:
        verified = verify_envelope(parsed.message.envelope, trust, policy, now)
        return _Proof(verified.certificate, AuthenticationMethod.X509_TOKEN, verified)
    if arrived.peer_certificate is None:
        raise SecurityFault(
            SecurityCode.CERTIFICATE_UNAVAILABLE,
            "Sign the message with an X.509 token, or connect with your client certificate, as your annex says.",
        )
    return _Proof(trust.authenticate(arrived.peer_certificate, now), AuthenticationMethod.MUTUAL_TLS, None)


def _find_annex(certificate: Certificate, annexes: Annexes, technical_users: TechnicalUsers, now: datetime) -> Annex:
    annex = annexes.find(certificate, now) or _find_technical_user(certificate, annexes, technical_users, now)
    if annex is None:
        raise SecurityFault(
            SecurityCode.FAILED_AUTHENTICATION,
            "No annex in force today binds this certificate, and no technical user who may call has registered it.",
        )
    return annex


def _find_technical_user(
    certificate: Certificate, annexes: Annexes, technical_users: TechnicalUsers, now: datetime
) -> Annex | None:
    """Ask User Management whose certificate it is, and make the role's annex out to its technical user.

    The database is asked only for a certificate of our authorities whose key the caller has proved to hold: who is
    nobody's client costs us no query. Nothing is remembered, so that what the enterprise changes counts at once.
    """
    role_annex = annexes.find_for_role(Role.TECHNICAL_USER, now)
    # A certificate that several annexes bind names nobody, and does not become somebody here.
    if role_annex is None or annexes.is_bound(certificate, now):
        return None
    with reading_facts():
        holder = technical_users.find(certificate.sha256, now)
    return role_annex.make_out_to(holder) if holder is not None else None


def _check_demands(annex: Annex, proof: _Proof) -> None:
    """Raise SecurityFault unless the client proved who it is as its annex demands."""
    if proof.method not in annex.methods:
        wanted = " or ".join(sorted(annex.methods))
        raise SecurityFault(SecurityCode.FAILED_AUTHENTICATION, f"Your annex asks for authentication by {wanted}.")
    if annex.sign_token and proof.verified is not None and not proof.verified.token_signed:
        raise SecurityFault(
            SecurityCode.INVALID_SECURITY,
            "Your annex asks that the signature covers the BinarySecurityToken too.",
        )
