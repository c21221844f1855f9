"""A root that somebody kept outside the gateway: a checkpoint, a proof, or a reply with its receipt."""

import re
from pathlib import Path

from lxml import etree

from gateway.audit.octets import from_base64
from gateway.audit.proof import HEADER, ProofUnreadable, read_proof, root_of_proof
from gateway.audit.verification import Root

_RECEIPT = "{urn:ksz-gateway:receipt:v1}Receipt"

# As one begins: whether it is whole, and whose, is for the verification to tell.
_CHECKPOINT = re.compile(r"[^\n]+\n[0-9]+\n[^\n]+\ntime ")
_NONE = "no root: give a reply with its receipt, a proof, or the text of a checkpoint"


class RootUnreadable(Exception):
    """The file holds no root; the message says why."""


def read_kept_root(path: Path) -> Root:
    """Read the root in a file; RootUnreadable. Nothing is verified."""
    try:
        text = path.read_bytes().decode()
        if text.startswith(HEADER):
            return root_of_proof(str(path), read_proof(text))
        if text.lstrip("\ufeff \t\r\n").startswith("<"):
            return _read_receipt(path, text)
    except OSError as error:
        raise RootUnreadable(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise RootUnreadable(f"{path}: {_NONE}") from None
    except (ProofUnreadable, ValueError) as error:
        raise RootUnreadable(f"{path}: {error}") from None
    if not _CHECKPOINT.match(text):
        raise RootUnreadable(f"{path}: {_NONE}")
    return Root(str(path), text)


def _read_receipt(path: Path, text: str) -> Root:
    """Read the receipt in a reply, or by itself: its checkpoint, and the entry that it is about."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        receipt = next(etree.fromstring(text.encode(), parser).iter(_RECEIPT))
        position, leaf, checkpoint = (str(receipt.findtext(name)) for name in ("position", "leafHash", "checkpoint"))
        return Root(str(path), checkpoint, position=int(position), leaf=from_base64(leaf))
    except (etree.XMLSyntaxError, StopIteration):
        raise RootUnreadable(f"{path}: holds no receipt") from None
