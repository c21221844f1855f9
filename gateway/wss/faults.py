"""The one exception that the verification of a message raises, and the codes it carries.

Codes are those of WSS 1.0 §12 and, for freshness, WSS 1.1 §12. A reason is shown to strangers: it is fixed
text that says what to mend, and repeats nothing of the message.
"""

from enum import StrEnum


class SecurityCode(StrEnum):
    """The faultcode, as a QName with the prefix that the gateway's envelopes declare."""

    UNSUPPORTED_CERTIFICATE = "wsse:UnsupportedSecurityToken"
    UNSUPPORTED_ALGORITHM = "wsse:UnsupportedAlgorithm"
    INVALID_SECURITY = "wsse:InvalidSecurity"
    INVALID_CERTIFICATE = "wsse:InvalidSecurityToken"
    FAILED_AUTHENTICATION = "wsse:FailedAuthentication"
    FAILED_CHECK = "wsse:FailedCheck"
    CERTIFICATE_UNAVAILABLE = "wsse:SecurityTokenUnavailable"
    MESSAGE_EXPIRED = "wsu:MessageExpired"


class SecurityFault(Exception):
    """The message is not proven to come from whom it says; `reason` is English and tells what to mend."""

    def __init__(self, code: SecurityCode, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
