"""Authenticate: who sends this, proved as the client's annex demands.

With a Security header the signature proves it; without one only a TLS client certificate can. Either way the
certificate names the client, through the annex it is bound in.
"""

from collections.abc import Callable
from datetime import datetime

from authz.annex import Annex, AuthenticationMethod
from gateway.annex_registry import AnnexesUnavailable, AnnexRegistry
from gateway.established import Arrived, Authenticated, Parsed, get
from gateway.refusal import Fault
from gateway.wss.certificate import Certificate
from gateway.wss.faults import SecurityCode, SecurityFault
from gateway.wss.policy import SecurityPolicy
from gateway.wss.trust import Trust
from gateway.wss.verify import find_security_header, verify_envelope


def authenticate(
    parsed: Parsed,
    trust: Trust,
    policy: SecurityPolicy,
    annexes: AnnexRegistry,
    clock: Callable[[], datetime],
) -> Authenticated:
    """Establish the client; wsse faults say what its proof lacks."""
    try:
        return _authenticate(parsed, trust, policy, annexes, clock())
    except SecurityFault as fault:
        raise Fault(fault.code, fault.reason, faultcode=fault.code) from None
    except AnnexesUnavailable as error:
        raise Fault(
            "MSG00001",
            "The gateway cannot read its annexes now; try again later.",
            faultcode="soapenv:Server",
            internal=str(error),
        ) from error


def _authenticate(
    parsed: Parsed, trust: Trust, policy: SecurityPolicy, annexes: AnnexRegistry, now: datetime
) -> Authenticated:
    arrived = get(parsed, Arrived)
    if find_security_header(parsed.message.envelope) is not None:
        verified = verify_envelope(parsed.message.envelope, trust, policy, now)
        annex = _find_annex(verified.certificate, AuthenticationMethod.X509_TOKEN, annexes, now)
        if annex.sign_token and not verified.token_signed:
            raise SecurityFault(
                SecurityCode.INVALID_SECURITY,
                "Your annex asks that the signature covers the BinarySecurityToken too.",
            )
        return Authenticated(
            previous=parsed,
            certificate=verified.certificate,
            annex=annex,
            method=AuthenticationMethod.X509_TOKEN,
            payload=verified.body_child,
            signature_value=verified.signature_value,
            replay_key=verified.replay_key,
            forget_at=verified.expires_at,
        )
    if arrived.peer_certificate is None:
        raise SecurityFault(
            SecurityCode.CERTIFICATE_UNAVAILABLE,
            "Sign the message with an X.509 token, or connect with your client certificate, as your annex says.",
        )
    certificate = trust.authenticate(arrived.peer_certificate, now)
    annex = _find_annex(certificate, AuthenticationMethod.MUTUAL_TLS, annexes, now)
    return Authenticated(
        previous=parsed,
        certificate=certificate,
        annex=annex,
        method=AuthenticationMethod.MUTUAL_TLS,
        payload=parsed.message.payload,
        signature_value=None,
        replay_key=None,
        forget_at=None,
    )


def _find_annex(certificate: Certificate, method: AuthenticationMethod, annexes: AnnexRegistry, now: datetime) -> Annex:
    annex = annexes.find(certificate, now)
    if annex is None:
        raise SecurityFault(
            SecurityCode.FAILED_AUTHENTICATION,
            "This certificate is bound in no annex that is in force today.",
        )
    if method not in annex.methods:
        wanted = " or ".join(sorted(annex.methods))
        raise SecurityFault(SecurityCode.FAILED_AUTHENTICATION, f"Your annex asks for authentication by {wanted}.")
    return annex
