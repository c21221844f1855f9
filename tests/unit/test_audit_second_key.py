"""What is sealed opens with the month's keys and the auditor's private key together, and with nothing less."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from gateway.audit.keys import MonthKey, MonthKeys
from gateway.audit.reading_key import (
    PassphraseWrong,
    ReadingKeyUnusable,
    load_auditor_key,
    load_reading_key,
    make_pair,
)
from gateway.audit.sealed_box import BoxBroken, SealingKey, SealingKeys, open_box
from gateway.cli import app

AUDITOR = X25519PrivateKey.generate()
MONTH = MonthKey("2026-03", bytes(32), b"s" * 32)
BOX = SealingKey.derive(MONTH, AUDITOR.public_key()).close(b"in the box", b"record")


def test_box_opens_with_both_keys() -> None:
    assert open_box(BOX, MONTH, AUDITOR, b"record") == b"in the box"


@pytest.mark.parametrize(
    ("month", "auditor", "bound"),
    [
        (MONTH, X25519PrivateKey.generate(), b"record"),
        (MonthKey("2026-03", bytes(32), b"t" * 32), AUDITOR, b"record"),
        (MonthKey("2026-04", bytes(32), b"s" * 32), AUDITOR, b"record"),
        (MONTH, AUDITOR, b"another record"),
    ],
    ids=["another auditor", "another secret", "another month", "another record"],
)
def test_box_stays_closed_for_any_other(month: MonthKey, auditor: X25519PrivateKey, bound: bytes) -> None:
    with pytest.raises(BoxBroken):
        open_box(BOX, month, auditor, bound)


@given(st.integers(0, 8 * len(BOX) - 1))
def test_any_bit_that_is_changed_closes_the_box(bit: int) -> None:
    changed = bytearray(BOX)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(BoxBroken):
        open_box(bytes(changed), MONTH, AUDITOR, b"record")


@given(st.integers(0, len(BOX) - 1))
def test_a_box_that_is_cut_short_stays_closed(length: int) -> None:
    with pytest.raises(BoxBroken):
        open_box(BOX[:length], MONTH, AUDITOR, b"record")


def test_point_that_no_pair_has_is_refused() -> None:
    with pytest.raises(BoxBroken):
        open_box(BOX[:1] + bytes(32) + BOX[33:], MONTH, AUDITOR, b"record")


def test_process_cannot_read_what_was_sealed_before_its_start(tmp_path: Path) -> None:
    """A process has the month's file, the public key, and what it sealed with since it started."""
    earlier = SealingKeys(MonthKeys(tmp_path), AUDITOR.public_key()).get("2026-03")
    box = earlier.close(b"in the box", b"record")
    started = SealingKeys(MonthKeys(tmp_path), AUDITOR.public_key()).get("2026-03")
    assert started.month == earlier.month
    with pytest.raises(InvalidTag):
        started._cipher.decrypt(box[33:45], box[45:], b"record")
    # The private half of its own pair is nowhere in what it keeps.
    kept = [getattr(started, name) for name in SealingKey.__slots__]
    assert not any(isinstance(value, X25519PrivateKey) for value in kept)


def test_process_derives_once_a_month(tmp_path: Path) -> None:
    keys = SealingKeys(MonthKeys(tmp_path), AUDITOR.public_key())
    assert keys.get("2026-03") is keys.get("2026-03")
    assert keys.get("2026-03").close(b"", b"")[1:33] != keys.get("2026-04").close(b"", b"")[1:33]


def test_forked_process_seals_with_a_pair_of_its_own(tmp_path: Path) -> None:
    keys = SealingKeys(MonthKeys(tmp_path), AUDITOR.public_key())
    ours = keys.get("2026-03").close(b"", b"")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, keys.get("2026-03").close(b"", b""))
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reading, 1000)
    os.close(reading)
    os.close(writing)
    assert ours[1:33] != theirs[1:33]
    month = MonthKeys(tmp_path).find("2026-03")
    assert month is not None
    assert open_box(theirs, month, AUDITOR, b"") == open_box(ours, month, AUDITOR, b"") == b""


def test_sealing_key_is_in_no_repr() -> None:
    assert repr(SealingKey.derive(MONTH, AUDITOR.public_key())) == "SealingKey(month=MonthKey(month='2026-03'))"


def test_pair_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    private, public = tmp_path / "auditor.key", tmp_path / "auditor.pub"
    make_pair(private, public)
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert load_auditor_key(private).public_key() == load_reading_key(public)
    with pytest.raises(FileExistsError):
        make_pair(private, tmp_path / "other.pub")


def test_private_key_may_be_under_a_passphrase(tmp_path: Path) -> None:
    private, public = tmp_path / "auditor.key", tmp_path / "auditor.pub"
    make_pair(private, public, "vier ogen")
    assert load_auditor_key(private, "vier ogen").public_key() == load_reading_key(public)
    for wrong, told in ((None, "needs its passphrase"), ("twee ogen", "not under this passphrase")):
        with pytest.raises(PassphraseWrong, match=told):
            load_auditor_key(private, wrong)


def _signing_key(path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    path.with_suffix(".key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.with_suffix(".pub").write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def _nothing(path: Path) -> None:
    pass


def _text(path: Path) -> None:
    path.with_suffix(".key").write_text("a key")
    path.with_suffix(".pub").write_text("a key")


@pytest.mark.parametrize("write", [_signing_key, _nothing, _text])
def test_what_is_no_such_key_is_refused(tmp_path: Path, write: Callable[[Path], None]) -> None:
    write(tmp_path / "auditor")
    with pytest.raises(ReadingKeyUnusable, match="audit key"):
        load_reading_key(tmp_path / "auditor.pub")
    with pytest.raises(ReadingKeyUnusable, match=r"auditor\.key"):
        load_auditor_key(tmp_path / "auditor.key")


@pytest.mark.parametrize("point", [bytes(32), b"\1" + bytes(31)])
def test_a_key_with_which_everybody_agrees_on_the_same_is_refused(tmp_path: Path, point: bytes) -> None:
    low = X25519PublicKey.from_public_bytes(point)
    (tmp_path / "auditor.pub").write_bytes(low.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(ReadingKeyUnusable, match="no private key has"):
        load_reading_key(tmp_path / "auditor.pub")


def test_the_command_makes_a_pair_and_never_replaces_one(tmp_path: Path) -> None:
    private = tmp_path / "auditor.key"
    arguments = ["audit", "key", str(private), "--passphrase", "--password-stdin"]
    assert CliRunner().invoke(app, arguments, input="vier ogen\n").exit_code == 0
    assert load_auditor_key(private, "vier ogen").public_key() == load_reading_key(tmp_path / "auditor.pub")
    before = private.read_bytes()
    again = CliRunner().invoke(app, arguments, input="vier ogen\n")
    assert "is there already" in str(again.exception)
    assert private.read_bytes() == before
