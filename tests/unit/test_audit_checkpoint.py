"""Checkpoints: the form that C2SP gives them, and nothing believed that the log's key did not sign."""

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit import checkpoint
from gateway.audit.checkpoint import Checkpoint, CheckpointBroken, make_vkey, read_vkey

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key()
ROOT = sha256(b"root").digest()
HEAD = Checkpoint("gateway.example/audit", 42, ROOT, datetime(2026, 3, 10, 12, 0, 5, 7, tzinfo=UTC))
TEXT = checkpoint.sign(HEAD, KEY)


def test_checkpoint_is_a_signed_note() -> None:
    """By hand, from C2SP's signed-note and tlog-checkpoint: a library of ours has no say in it."""
    signed, _, signature = TEXT.partition("\n\n")
    root = base64.b64encode(ROOT).decode()
    assert signed == f"gateway.example/audit\n42\n{root}\ntime 2026-03-10T12:00:05.000007Z"
    dash, name, encoded = signature.removesuffix("\n").split(" ")
    assert (dash, name) == ("\N{EM DASH}", "gateway.example/audit")
    octets = base64.b64decode(encoded)
    assert octets[:4] == sha256(b"gateway.example/audit\n\x01" + PUBLIC.public_bytes_raw()).digest()[:4]
    PUBLIC.verify(octets[4:], f"{signed}\n".encode())


def test_vkey_has_the_form_of_the_example_of_signed_note() -> None:
    origin, public_key = read_vkey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    assert origin == "PeterNeumann"
    assert make_vkey(origin, public_key) == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "a+b",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10",
    ],
)
def test_other_text_is_no_vkey(vkey: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of several modules
        read_vkey(vkey)


def test_own_checkpoint_is_known_at_whatever_time_it_was_signed() -> None:
    for moment in (HEAD.time, HEAD.time + timedelta(days=400)):
        assert checkpoint.is_own(checkpoint.sign(replace(HEAD, time=moment), KEY), HEAD.origin, 42, ROOT, KEY)


@pytest.mark.parametrize(
    ("text", "origin", "size", "root"),
    [
        (TEXT, HEAD.origin, 41, ROOT),
        (TEXT, HEAD.origin, 42, sha256(b"another").digest()),
        (TEXT, "gateway.example/other", 42, ROOT),
        (TEXT.replace("2026", "2027"), HEAD.origin, 42, ROOT),
        (TEXT.replace("\n42\n", "\n43\n"), HEAD.origin, 43, ROOT),
        (checkpoint.sign(HEAD, Ed25519PrivateKey.generate()), HEAD.origin, 42, ROOT),
        (TEXT[:-10] + "AAAAAAAA=\n", HEAD.origin, 42, ROOT),
        (TEXT.partition("\n\n")[0], HEAD.origin, 42, ROOT),
        (TEXT + "x", HEAD.origin, 42, ROOT),
        ("", HEAD.origin, 42, ROOT),
    ],
)
def test_no_other_text_is_an_own_checkpoint(text: str, origin: str, size: int, root: bytes) -> None:
    assert not checkpoint.is_own(text, origin, size, root, KEY)


def test_checkpoint_is_opened_with_the_public_half() -> None:
    assert checkpoint.open(TEXT, PUBLIC) == HEAD
    local = replace(HEAD, time=HEAD.time.astimezone(timezone(timedelta(hours=2))))
    assert checkpoint.open(checkpoint.sign(local, KEY), PUBLIC) == HEAD


def test_signatures_of_witnesses_may_stand_beside() -> None:
    witness = checkpoint.sign(HEAD, Ed25519PrivateKey.generate()).rpartition("\n\n")[2]
    other = witness.replace("gateway.example/audit", "witness.example")
    head, blank, own = TEXT.rpartition("\n\n")
    assert checkpoint.open(f"{head}{blank}{other}{witness}{own}{other}", PUBLIC) == HEAD


def test_checkpoint_of_another_key_is_not_opened() -> None:
    with pytest.raises(CheckpointBroken, match="did not sign"):
        checkpoint.open(checkpoint.sign(HEAD, Ed25519PrivateKey.generate()), PUBLIC)


@given(st.integers(0, 8 * len(TEXT.encode()) - 1))
def test_checkpoint_with_any_bit_changed_is_not_opened(bit: int) -> None:
    octets = bytearray(TEXT.encode())
    octets[bit // 8] ^= 1 << bit % 8
    with pytest.raises(CheckpointBroken):
        checkpoint.open(octets.decode("utf-8", "replace"), PUBLIC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        TEXT.replace("\n42\n", "\n042\n"),
        TEXT.replace("\n42\n", "\n+42\n"),
        TEXT.replace("\n42\n", "\n-42\n"),
        TEXT.replace("time ", "tijd "),
        TEXT.replace("\n42\n", "\n42\n\n"),
        TEXT.partition("\n\n")[0],
        "\n" + TEXT,
    ],
)
def test_other_text_is_no_checkpoint(text: str) -> None:
    with pytest.raises(CheckpointBroken):
        checkpoint.open(text, PUBLIC)
