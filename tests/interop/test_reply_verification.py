"""The verifications that the examples in Python and Node show accept a reply to their request and no other."""

import base64
import importlib.util
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from zeep.exceptions import SignatureVerificationFailed

from fixtures.messages import envelope, moment, sign
from gateway.pki import load_identity
from gateway.wss.sign import Signer, unsigned
from tests.e2e.conftest import PATIENCE
from tests.interop.conftest import CLIENTS

BODY = "<answer>genuine</answer>"
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
WSU_ID = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}Id"


def wrapped(reply: bytes, forged_id: str | None) -> bytes:
    """Move the signed Body out of sight, and put a forged one in its place."""
    tree = etree.fromstring(reply)
    header, body = tree
    tree.remove(body)
    etree.SubElement(header, "hidden").append(body)
    forged = etree.SubElement(tree, f"{SOAP}Body")
    etree.SubElement(forged, "answer").text = "forged"
    if forged_id:
        forged.set(WSU_ID, forged_id)
    return etree.tostring(tree)


def replies(pki: Path, confirmed: bytes) -> dict[str, bytes]:
    """Return a good reply and forged ones, by name."""
    signer = Signer((pki / "gateway.key").read_bytes(), (pki / "gateway.pem").read_bytes())
    other = Signer((pki / "clients" / "economy.key").read_bytes(), (pki / "clients" / "economy.pem").read_bytes())
    now = datetime.now(UTC)
    good = signer.sign(BODY, confirmed, now)
    return {
        "good": good,
        "changed": good.replace(b"genuine", b"forged!"),
        "of another signer": other.sign(BODY, confirmed, now),
        "to another request": signer.sign(BODY, b"another signature", now),
        "to no request": signer.sign(BODY, None, now),
        "unsigned": unsigned(BODY),
        "wrapped": wrapped(good, None),
        "wrapped with an Id": wrapped(good, "other"),
        "wrapped with the same Id": wrapped(good, "body"),
    }


FORGED = [
    "changed",
    "of another signer",
    "to another request",
    "to no request",
    "unsigned",
    "wrapped",
    "wrapped with an Id",
    "wrapped with the same Id",
]


class Refused(Exception):
    """The example did not believe the reply."""


def verify_in_python(pki: Path, name: str) -> None:
    spec = importlib.util.spec_from_file_location("ksz_signature", CLIENTS / "zeep" / "ksz_signature.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    client = pki / "clients" / "pcsa"
    signature = module.KszSignature(client.with_suffix(".key"), client.with_suffix(".pem"), pki / "gateway.pem")
    request = etree.fromstring(f'<s:Envelope xmlns:s="{SOAP[1:-1]}"><s:Header/><s:Body/></s:Envelope>')
    sent, _ = signature.apply(request, {})
    confirmed = base64.b64decode(sent.findtext(".//{*}SignatureValue"))
    try:
        signature.verify(etree.fromstring(replies(pki, confirmed)[name]))
    except (SignatureVerificationFailed, ValueError) as error:
        raise Refused from error


def verify_in_node(pki: Path, name: str) -> None:
    request = sign(envelope(BODY), load_identity(pki / "clients" / "pcsa"), moment())
    value = etree.fromstring(request).findtext(".//{*}SignatureValue")
    assert value is not None
    reply = replies(pki, base64.b64decode(value))[name]
    program = (
        f'import {{ verifyReply }} from "{CLIENTS / "node" / "verify.mjs"}"; import {{ readFileSync }} from "node:fs";'
        "const [reply, request] = readFileSync(0, 'utf8').split('\\0');"
        "try { verifyReply(reply, request, readFileSync(process.argv[1], 'utf8')) }"
        "catch (error) { console.error(error.message); process.exitCode = 3 }"
    )
    done = subprocess.run(
        [shutil.which("node") or "node", "--input-type=module", "-e", program, pki / "gateway.pem"],
        input=reply + b"\0" + request,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode in (0, 3), done.stderr
    if done.returncode == 3:
        raise Refused(done.stderr.decode())


VERIFICATIONS = pytest.mark.parametrize("verify", [verify_in_python, verify_in_node])


@VERIFICATIONS
def test_the_reply_to_the_request_is_believed(state: Path, verify: Callable[[Path, str], None]) -> None:
    verify(state / "pki", "good")


@VERIFICATIONS
@pytest.mark.parametrize("name", FORGED)
def test_no_other_reply_is_believed(state: Path, verify: Callable[[Path, str], None], name: str) -> None:
    with pytest.raises(Refused):
        verify(state / "pki", name)
