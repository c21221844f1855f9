"""The receipt: a header block of the reply that says where its record stands in the log, and under which signed root.

With it a client can have its record shown and proved later, and whoever keeps one holds a root outside the gateway's
reach (`xsd/ReceiptV1.xsd`, docs/evidence.md).
"""

from base64 import b64encode

from gateway.audit.log import Place
from gateway.wss.sign import HeaderBlock
from gateway.xml.binding import escape_text

RECEIPT = "urn:ksz-gateway:receipt:v1"
RECEIPT_ID = "receipt"


def write_receipt(place: Place) -> HeaderBlock:
    """Return the block, with an id so that it can be signed."""
    canonical = (
        f'<rcpt:Receipt xmlns:rcpt="{RECEIPT}">'
        f"<position>{place.position}</position><leafHash>{b64encode(place.leaf).decode()}</leafHash>"
        f"<checkpoint>{escape_text(place.checkpoint)}</checkpoint></rcpt:Receipt>"
    )
    return HeaderBlock.identify(RECEIPT_ID, canonical)
