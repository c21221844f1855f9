"""The revocation list is read again when its file changes; one that cannot be read leaves the former in force."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.demo_pki import DemoClient, prepare_pki, revoke
from gateway.file_watch import FileWatch
from gateway.pki import load_identity
from gateway.revocation import reload_revocation_list
from gateway.wss.faults import SecurityFault
from gateway.wss.policy import SecurityPolicy
from gateway.wss.trust import Trust

SERIAL = 7


@pytest.fixture
def state(tmp_path: Path) -> Path:
    prepare_pki(tmp_path, [DemoClient("bank", SERIAL)], datetime.now(UTC))
    return tmp_path


@pytest.fixture
def trust(state: Path) -> Trust:
    pki = state / "pki"
    return Trust((pki / "ca.pem").read_bytes(), (pki / "crl.pem").read_bytes(), SecurityPolicy())


@pytest.fixture
def watch(state: Path, trust: Trust) -> FileWatch:
    path = state / "pki" / "crl.pem"
    return FileWatch((path,), partial(reload_revocation_list, path, trust), poll_seconds=0.01)


def is_trusted(state: Path, trust: Trust) -> bool:
    der = load_identity(state / "pki" / "clients" / "bank").certificate.public_bytes(Encoding.DER)
    try:
        trust.authenticate(der, datetime.now(UTC))
    except SecurityFault:
        return False
    return True


def test_a_certificate_revoked_meanwhile_is_refused(state: Path, trust: Trust, watch: FileWatch) -> None:
    assert is_trusted(state, trust)
    revoke(state, SERIAL, datetime.now(UTC))
    assert is_trusted(state, trust)
    watch.look()
    assert not is_trusted(state, trust)


@pytest.mark.parametrize("content", [b"", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", b"nonsense"])
def test_a_list_that_cannot_be_read_leaves_the_former(
    state: Path, trust: Trust, watch: FileWatch, content: bytes
) -> None:
    revoke(state, SERIAL, datetime.now(UTC))
    watch.look()
    (state / "pki" / "crl.pem").write_bytes(content)
    watch.look()
    assert not is_trusted(state, trust)


def test_a_list_that_vanished_leaves_the_former_until_it_is_back(state: Path, trust: Trust, watch: FileWatch) -> None:
    file = state / "pki" / "crl.pem"
    content = file.read_bytes()
    file.unlink()
    watch.look()
    assert is_trusted(state, trust)
    file.write_bytes(content)
    revoke(state, SERIAL, datetime.now(UTC))
    watch.look()
    assert not is_trusted(state, trust)


@pytest.fixture
def started(watch: FileWatch) -> Iterator[FileWatch]:
    watch.start()
    yield watch
    watch.close()


def test_the_watch_looks_by_itself(state: Path, trust: Trust, started: FileWatch) -> None:
    assert is_trusted(state, trust)
    revoke(state, SERIAL, datetime.now(UTC))
    deadline = time.monotonic() + 5
    while is_trusted(state, trust) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_trusted(state, trust)
