"""What strangers reach: the parser and the verification of the Security header, with messages to begin from."""

from dataclasses import dataclass
from datetime import UTC, datetime

from fixtures.attacks import ATTACKS, Material
from fixtures.messages import NODE, NSSO, ZEEP, Shape, envelope, sign
from gateway.demo_pki import REVOKED_SERIAL
from gateway.pki import KeyKind, create_authority, create_key, create_revocation_list, issue
from gateway.wss.faults import SecurityFault
from gateway.wss.policy import SecurityPolicy
from gateway.wss.trust import Trust
from gateway.wss.verify import find_security_header, verify_envelope
from gateway.xml.parse import Unparsable, XmlLimits, headers_to_understand, parse_message

_BODY = '<v2:consultCareerRequest xmlns:v2="http://kszbcss.fgov.be/intf/SelfEmployedService/v2"/>'


class Accepted(Exception):
    """A message was verified whose Body is not the one that was signed."""


@dataclass(frozen=True, slots=True)
class Envelopes:
    """What strangers reach of a gateway, at one moment, with messages to begin from."""

    trust: Trust
    policy: SecurityPolicy
    limits: XmlLimits
    now: datetime
    seeds: tuple[bytes, ...]

    def check(self, data: bytes) -> bool:
        """Tell whether the bytes are a signed message; raises what the gateway must not, or Accepted."""
        try:
            message = parse_message(data, self.limits)
            list(headers_to_understand(message.header))
            if find_security_header(message.envelope) is None:
                return False
            verified = verify_envelope(message.envelope, self.trust, self.policy, self.now)
        except (Unparsable, SecurityFault):
            return False
        # Nobody can sign another Body than ours: the keys were made here and are used for nothing else.
        if verified.body_child.tag != "{http://kszbcss.fgov.be/intf/SelfEmployedService/v2}consultCareerRequest":
            raise Accepted(verified.body_child.tag)
        if len(verified.body_child) or verified.body_child.attrib or (verified.body_child.text or "").strip():
            raise Accepted("more than was signed")
        return True


def make_envelopes() -> Envelopes:
    """Make an authority, its clients, and a message of each shape, as they all are today."""
    now = datetime.now(UTC).replace(microsecond=0)
    authority = create_authority(now)
    rsa = issue(authority, "pcsa", 1001, now)
    elliptic = issue(authority, "inspection", 1002, now, key=create_key(KeyKind.EC))
    shapes = (ZEEP, NODE, NSSO, Shape(prefixes=("soap", "v2")), Shape(expires_in=None))
    signed = [sign(envelope(_BODY), client, now, shape) for client in (rsa, elliptic) for shape in shapes]
    material = Material(rsa, elliptic, authority, _BODY, now)
    hostile = [attack.make(material) for name, attack in ATTACKS.items() if name.startswith(("wrapping", "duplicate"))]
    policy = SecurityPolicy()
    trust = Trust(authority.certificate_pem, create_revocation_list(authority, {REVOKED_SERIAL}, now), policy)
    return Envelopes(trust, policy, XmlLimits(), now, (*signed, *hostile))
