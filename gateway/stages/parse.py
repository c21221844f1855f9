"""Parse: one SOAP 1.1 Envelope, at a bounded cost."""

from gateway.dry_run import DRY_RUN_TAG
from gateway.established import Parsed, Received
from gateway.refusal import Fault
from gateway.wss.names import SECURITY_TAG
from gateway.xml.parse import OtherSoapVersion, Unparsable, XmlLimits, headers_to_understand, parse_message

_UNDERSTOOD = {SECURITY_TAG, DRY_RUN_TAG}


def parse(received: Received, limits: XmlLimits) -> Parsed:
    """Parse the body; GTW00013 to 15 when it is no SOAP message, GTW00018 for an unknown mustUnderstand header."""
    try:
        message = parse_message(received.body, limits)
    except Unparsable as unparsable:
        faultcode = "soapenv:VersionMismatch" if isinstance(unparsable, OtherSoapVersion) else "soapenv:Client"
        raise Fault(unparsable.code, unparsable.reason, faultcode=faultcode) from None
    for header in headers_to_understand(message.header):
        if header.tag not in _UNDERSTOOD:
            raise Fault(
                "GTW00018",
                "A header marked mustUnderstand is not one that this gateway knows; leave it out.",
                faultcode="soapenv:MustUnderstand",
            )
    return Parsed(received, message)
