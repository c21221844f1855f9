"""The log's key: made once, private, with its public half beside it, and never quietly another."""

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.audit import checkpoint
from gateway.audit.checkpoint import CheckpointBroken
from gateway.audit.log_key import LogKey, public_file, read_public_file
from gateway.key_file import KeyFileUnusable

ORIGIN = "gateway.example/audit"
ROOT, NOW = bytes(32), datetime(2026, 3, 10, tzinfo=UTC)


def test_the_first_makes_the_key_and_others_use_it(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "log.key"
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: LogKey.make(path, ORIGIN), range(8)))
    text = keys[0].sign(3, ROOT, NOW)
    assert {key.open(text).size for key in keys} == {3}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_whoever_has_the_public_file_verifies(tmp_path: Path) -> None:
    text = LogKey.make(tmp_path / "log.key", ORIGIN).sign(3, ROOT, NOW)
    origin, public_key = read_public_file(public_file(tmp_path / "log.key"))
    assert (origin, checkpoint.open(text, public_key).size) == (ORIGIN, 3)
    assert stat.S_IMODE((tmp_path / "log.pub").stat().st_mode) == 0o644


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    LogKey.make(tmp_path / "log.key", ORIGIN)
    (tmp_path / "log.key").chmod(0o640)
    with pytest.raises(KeyFileUnusable, match="chmod"):
        LogKey.from_file(tmp_path / "log.key", ORIGIN)


def test_a_lost_key_is_not_quietly_replaced(tmp_path: Path) -> None:
    LogKey.make(tmp_path / "log.key", ORIGIN)
    (tmp_path / "log.key").unlink()
    with pytest.raises(KeyFileUnusable, match=r"log\.key: is not there: mount or restore it"):
        LogKey.from_file(tmp_path / "log.key", ORIGIN)
    assert not (tmp_path / "log.key").exists()


def test_another_key_does_not_take_the_place_of_a_published_one(tmp_path: Path) -> None:
    LogKey.make(tmp_path / "log.key", ORIGIN)
    (tmp_path / "log.key").unlink()
    with pytest.raises(KeyFileUnusable, match=r"log\.pub: is not the public half"):
        LogKey.make(tmp_path / "log.key", ORIGIN)


def test_a_lost_public_half_is_published_again(tmp_path: Path) -> None:
    key = LogKey.make(tmp_path / "log.key", ORIGIN)
    (tmp_path / "log.pub").unlink()
    assert LogKey.from_file(tmp_path / "log.key", ORIGIN).public == key.public
    assert not (tmp_path / "log.pub").exists()
    LogKey.make(tmp_path / "log.key", ORIGIN)
    assert read_public_file(tmp_path / "log.pub") == (ORIGIN, key.public)


def test_another_name_is_another_log(tmp_path: Path) -> None:
    key = LogKey.make(tmp_path / "log.key", ORIGIN)
    with pytest.raises(KeyFileUnusable, match=r"other\.example"):
        LogKey.from_file(tmp_path / "log.key", "other.example/audit")
    with pytest.raises(CheckpointBroken, match="of the log"):
        LogKey("other.example/audit", key._private).open(key.sign(3, ROOT, NOW))


@pytest.mark.parametrize("kind", ["text", "elliptic"])
def test_what_is_no_key_of_its_kind_is_refused(tmp_path: Path, kind: str) -> None:
    pem = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = tmp_path / "log.key"
    path.touch(0o600)
    path.write_bytes(b"no key" if kind == "text" else pem)
    with pytest.raises(KeyFileUnusable, match="not an Ed25519 key"):
        LogKey.from_file(path, ORIGIN)
    assert not (tmp_path / "log.pub").exists()


def test_the_private_half_is_not_shown(tmp_path: Path) -> None:
    assert "rivate" not in repr(LogKey.generate(ORIGIN))
