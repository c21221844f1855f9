"""Checkpoints stamped by another's authority, `openssl ts`, and verified by it too."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from gateway.audit.time_stamp import TimeStampAuthority, TimeStampFailed, verify_time_stamp
from gateway.audit.verification import Breach, Root, verify
from tests.unit.test_audit_time_stamp import ROOTS, answering
from tests.unit.test_audit_verification import KEY, ORIGIN, LogInMemory, checkpoint

CHECKPOINT = "gateway.example/audit\n1\nroot\n\n— gateway.example/audit signature\n".encode()
CONFIGURATION = """
[tsa]
default_tsa = here
[here]
dir = {directory}
serial = {directory}/serial
signer_cert = {directory}/tsa.pem
signer_key = {directory}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
[extensions]
extendedKeyUsage = critical, timeStamping
"""


def openssl(*arguments: str | Path) -> None:
    done = subprocess.run(["/usr/bin/openssl", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certified authority's files."""
    path = tmp_path_factory.mktemp("tsa")
    (path / "openssl.cnf").write_text(CONFIGURATION.format(directory=path))
    (path / "serial").write_text("01")
    new = ("req", "-newkey", "rsa:2048", "-nodes")
    openssl(*new, "-x509", "-subj", "/CN=Stamp CA", "-days", "30", "-keyout", path / "ca.key", "-out", path / "ca.pem")
    openssl(*new, "-subj", "/CN=Stamps", "-keyout", path / "tsa.key", "-out", path / "tsa.csr")
    signing = ("-CA", path / "ca.pem", "-CAkey", path / "ca.key", "-CAcreateserial", "-days", "30")
    extensions = ("-extfile", path / "openssl.cnf", "-extensions", "extensions")
    openssl("x509", "-req", "-in", path / "tsa.csr", *signing, *extensions, "-out", path / "tsa.pem")
    return path


@pytest.fixture(scope="module")
def url(directory: Path) -> Iterator[str]:
    """The authority over HTTP."""

    def answer(request: bytes) -> tuple[int, bytes]:
        (directory / "request").write_bytes(request)
        files = ("-queryfile", directory / "request", "-out", directory / "response")
        openssl("ts", "-reply", "-config", directory / "openssl.cnf", "-section", "here", *files)
        return 200, (directory / "response").read_bytes()

    with answering(answer) as address:
        yield address


def test_a_checkpoint_is_stamped_and_openssl_verifies_it(url: str, directory: Path) -> None:
    roots = x509.load_pem_x509_certificates((directory / "ca.pem").read_bytes())
    response = TimeStampAuthority(url, roots).stamp(CHECKPOINT)
    assert abs(verify_time_stamp(response, CHECKPOINT, roots) - datetime.now(UTC)) < timedelta(minutes=1)
    (directory / "checkpoint").write_bytes(CHECKPOINT)
    (directory / "stored").write_bytes(response)
    openssl(
        "ts", "-verify", "-data", directory / "checkpoint", "-in", directory / "stored", "-CAfile", directory / "ca.pem"
    )
    for other in (CHECKPOINT + b"x", b"other"):
        with pytest.raises(TimeStampFailed, match="Mismatch between messages"):
            verify_time_stamp(response, other, roots)


def test_a_stamp_from_an_authority_that_is_not_ours_is_refused(url: str) -> None:
    with pytest.raises(TimeStampFailed, match="cannot be believed"):
        TimeStampAuthority(url, ROOTS).stamp(CHECKPOINT)


def test_an_answer_to_another_question_is_refused(url: str, directory: Path) -> None:
    roots = x509.load_pem_x509_certificates((directory / "ca.pem").read_bytes())
    former = TimeStampAuthority(url, roots).stamp(CHECKPOINT)
    with answering(lambda request: (200, former)) as replaying, pytest.raises(TimeStampFailed, match="Nonce mismatch"):
        TimeStampAuthority(replaying, roots).stamp(CHECKPOINT)


def test_a_stamped_checkpoint_counts_in_the_verification_of_the_log(url: str, directory: Path) -> None:
    roots = x509.load_pem_x509_certificates((directory / "ca.pem").read_bytes())
    stamp = TimeStampAuthority(url, roots).stamp(checkpoint(7).encode())
    log = LogInMemory([Root("the head", checkpoint(7), stamp=stamp)])
    assert verify(log, ORIGIN, KEY.public_key(), stamp_roots=roots).stamps == 1
    moved = LogInMemory([Root("kept", checkpoint(3), stamp=stamp), Root("the head", checkpoint(7))])
    with pytest.raises(Breach, match="the time stamp of kept is not genuine"):
        verify(moved, ORIGIN, KEY.public_key(), stamp_roots=roots)
