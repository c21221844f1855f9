"""A gateway under load is reloaded, loses its management process or stops: no request is lost."""

import os
import shutil
import signal
import socket
import ssl
import threading
import time
import warnings
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from sqlalchemy import func, select

from fixtures.messages import envelope, sign
from gateway.bootstrap import opened_storage
from gateway.pki import issue, load_identity
from gateway.settings import load_settings
from gateway.storage.tables import audit_records
from gateway.wss.faults import SecurityFault
from gateway.wss.names import DS
from gateway.wss.policy import SecurityPolicy
from gateway.wss.trust import Trust
from gateway.wss.verify import verify_envelope
from tests.e2e.conftest import PATIENCE, RunningGateway, free_port, run_command, serving, wait_until
from tests.e2e.test_serving import SELF_EMPLOYED, career_request, identity_of, signed_request

_HERE = x509.IPAddress(ip_address("127.0.0.1"))
WSSE = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}"


@pytest.fixture
def own(state: Path, tmp_path: Path) -> Path:
    """A state of our own, to change."""
    return shutil.copytree(state, tmp_path / "own")


@contextmanager
def load(
    gateway: RunningGateway, threads: int = 4, payload: str = career_request(), client: str = "pcsa"
) -> Iterator[Counter[str]]:
    """Ask without a pause, each time over a new connection; what was answered is counted, what was not too.

    An answer counts when the gateway signed it, with whichever key, and confirms the very question.
    """
    answered: Counter[str] = Counter()
    stop = threading.Event()
    trust = Trust(Path(gateway.authority).read_bytes())

    def ask() -> None:
        while not stop.is_set():
            try:
                # Each of its own: two that are signed in the same moment would be a message and its replay.
                ticket = f"<informationCustomer><ticket>{uuid4()}</ticket>"
                own = payload.replace("<informationCustomer>", ticket)
                now = datetime.now(UTC)
                message = sign(envelope(own), identity_of(gateway.state, client), now)
                told = etree.fromstring(gateway.post(SELF_EMPLOYED, message).content)
                code = told.findtext(".//status/code") or str(told.findtext(".//faultstring"))
                answered[code if answers(told, message, trust) else f"{code}, not signed for this question"] += 1
            except requests.RequestException as error:
                answered[type(error).__name__] += 1

    askers = [threading.Thread(target=ask) for _ in range(threads)]
    for asker in askers:
        asker.start()
    try:
        yield answered
    finally:
        stop.set()
        for asker in askers:
            asker.join()


def answers(reply: etree._Element, message: bytes, trust: Trust) -> bool:
    """Tell whether the reply is signed by somebody of the authority, and confirms the signature of the message."""
    try:
        verified = verify_envelope(reply, trust, SecurityPolicy(confirmations=True), datetime.now(UTC))
    except SecurityFault:
        return False
    signature = str(etree.fromstring(message).findtext(f".//{{{DS}}}SignatureValue"))
    return verified.confirmed == b64decode(signature)


def says(gateway: RunningGateway, event: str, times: int = 1) -> None:
    wait_until(lambda: gateway.log.read_text().count(f'"{event}"') >= times, gateway.log.read_text)


def reload(gateway: RunningGateway, outcome: str = "reloaded") -> None:
    gateway.process.send_signal(signal.SIGHUP)
    says(gateway, outcome)


def renew(state: Path) -> bytes:
    """Put another key and certificate of the gateway in place, each by renaming; return the certificate's DER."""
    authority = load_identity(state / "pki" / "ca")
    new = issue(authority, "gateway", 999_001, datetime.now(UTC), names=[_HERE])
    for name, content, mode in (("gateway.key", new.key_pem, 0o600), ("gateway.pem", new.certificate_pem, 0o644)):
        draft = state / "pki" / f".{name}"
        draft.touch(mode)
        draft.write_bytes(content)
        draft.rename(state / "pki" / name)
    return new.certificate.public_bytes(Encoding.DER)


def served_certificate(gateway: RunningGateway) -> bytes:
    host, port = gateway.url.removeprefix("https://").split(":")
    context = ssl.create_default_context(cafile=gateway.authority)
    context.check_hostname = False
    with socket.create_connection((host, int(port)), PATIENCE) as plain, context.wrap_socket(plain) as secured:
        return secured.getpeercert(binary_form=True) or b""


def signing_certificate(gateway: RunningGateway) -> bytes:
    reply = gateway.post(SELF_EMPLOYED, signed_request(gateway.state))
    return b64decode(str(etree.fromstring(reply.content).findtext(f".//{WSSE}BinarySecurityToken")))


def test_a_reload_and_a_new_key_under_load_lose_no_request(own: Path) -> None:
    with serving(own, "--no-tls", scheme="http") as gateway, load(gateway) as answered:
        wait_until(lambda: answered["MSG00000"] > 20)
        renewed = renew(own)
        wait_until(lambda: signing_certificate(gateway) == renewed)
        reload(gateway)
        before = answered["MSG00000"]
        wait_until(lambda: answered["MSG00000"] > before + 20)
        assert signing_certificate(gateway) == renewed
        assert requests.get(f"{gateway.management_url}/ready", timeout=PATIENCE).ok
    assert set(answered) == {"MSG00000"}


def test_the_tls_certificate_is_read_anew_by_a_reload_and_not_before(own: Path) -> None:
    with serving(own, KSZ_SIGNING_KEY=str(own / "pki" / "gateway.key")) as gateway:
        former = served_certificate(gateway)
        renewed = renew(own)
        assert served_certificate(gateway) == former
        reload(gateway)
        wait_until(lambda: served_certificate(gateway) == renewed)


def test_what_could_not_start_is_not_reloaded(own: Path) -> None:
    with serving(own) as gateway:
        (own / "pki" / "ca.pem").rename(own / "pki" / "away.pem")
        reload(gateway, "not_reloaded")
        (own / "pki" / "away.pem").rename(own / "pki" / "ca.pem")
        assert gateway.post(SELF_EMPLOYED, signed_request(own)).ok


def test_a_management_process_that_died_is_started_again_and_survives_a_reload(own: Path) -> None:
    with serving(own) as gateway:
        (management,) = management_processes(gateway.process.pid)
        time.sleep(2.5)  # It is not restarted twice within two seconds.
        os.kill(management, signal.SIGKILL)
        says(gateway, "management_restarted")
        wait_until(lambda: is_ready(gateway))
        (restarted,) = management_processes(gateway.process.pid)
        reload(gateway)
        assert management_processes(gateway.process.pid) == [restarted]
        assert is_ready(gateway)


def management_processes(arbiter: int) -> list[int]:
    """Return the processes of the arbiter that manage."""
    children = Path(f"/proc/{arbiter}/task/{arbiter}/children").read_text().split()
    return [int(child) for child in children if b"gateway.management" in Path(f"/proc/{child}/cmdline").read_bytes()]


def is_ready(gateway: RunningGateway) -> bool:
    with suppress(requests.ConnectionError):
        return requests.get(f"{gateway.management_url}/ready", timeout=PATIENCE).ok
    return False


def test_a_stop_under_load_answers_what_was_begun(own: Path) -> None:
    before = count_exchanges(own)
    with serving(own, "--no-tls", scheme="http") as gateway, load(gateway) as answered:
        wait_until(lambda: answered["MSG00000"] > 20)
        gateway.process.terminate()
        gateway.process.wait(PATIENCE)
    # Who came when nobody listened any more was refused a connection, never left without the answer to a request.
    assert set(answered) == {"MSG00000", "ConnectionError"}
    assert count_exchanges(own) - before == answered["MSG00000"]


def test_a_stop_does_not_wait_for_a_time_stamp_that_does_not_come(own: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as authority:
        authority.settimeout(PATIENCE)
        stamps = {
            "KSZ_AUDIT_TIME_STAMP_URL": f"http://127.0.0.1:{authority.getsockname()[1]}/",
            "KSZ_AUDIT_TIME_STAMP_CA": str(own / "pki" / "ca.pem"),
        }
        with serving(own, **stamps) as gateway:
            # The management process has just begun to wait for the answer, for ten seconds.
            asked, _ = authority.accept()
            (management,) = management_processes(gateway.process.pid)
            gateway.process.terminate()
            assert gateway.process.wait(PATIENCE) == 0
            asked.close()
        assert not Path(f"/proc/{management}").exists()
        assert "Traceback" not in gateway.log.read_text()


def count_exchanges(state: Path) -> int:
    with opened_storage(load_settings(state=state)) as storage, storage.database.read() as connection:
        return connection.execute(select(func.count()).where(audit_records.c.kind == "exchange")).scalar_one()


def test_an_old_protocol_and_a_weak_suite_are_refused(gateway: RunningGateway) -> None:
    host, port = gateway.url.removeprefix("https://").split(":")

    def agreed(**wanted: Any) -> str | None:
        context = ssl.create_default_context(cafile=gateway.authority)
        context.check_hostname = False
        context.set_ciphers(wanted.get("ciphers", "ALL:@SECLEVEL=0"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = wanted.get("least", ssl.TLSVersion.TLSv1)
            context.maximum_version = wanted["most"]
        try:
            with socket.create_connection((host, int(port)), PATIENCE) as plain, context.wrap_socket(plain) as secured:
                return secured.version()
        except (ssl.SSLError, ConnectionResetError):
            return None

    assert agreed(most=ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    assert agreed(most=ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    assert agreed(most=ssl.TLSVersion.TLSv1_1) is None
    # No forward secrecy; no authenticated encryption.
    assert agreed(most=ssl.TLSVersion.TLSv1_2, ciphers="AES256-GCM-SHA384") is None
    assert agreed(most=ssl.TLSVersion.TLSv1_2, ciphers="ECDHE-RSA-AES256-SHA384") is None


def test_a_key_that_others_may_read_stops_the_start(own: Path) -> None:
    (own / "pki" / "gateway.key").chmod(0o640)
    address = f"127.0.0.1:{free_port()}"
    refused = run_command("serve", "--state", own, "--bind", address, KSZ_MANAGEMENT_BIND=f"127.0.0.1:{free_port()}")
    assert refused.returncode == 1
    assert "closed to all others (chmod go-rwx)" in refused.stderr
    assert refused.stderr.count("\n") == 1
