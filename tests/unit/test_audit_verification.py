"""Verification of a log in memory: what a root, a stamp or a part of the log must be to count."""

import json
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.audit.checkpoint import Checkpoint, sign
from gateway.audit.export import ExportedLog, ExportUnreadable
from gateway.audit.tree import Frontier, leaf_hash
from gateway.audit.verification import Breach, Entry, EntryUnreadable, Root, position_in, verify
from gateway.pki import create_authority

ORIGIN = "gateway.example/audit"
KEY = Ed25519PrivateKey.generate()
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
ENTRIES = [json.dumps({"position": number}).encode() for number in range(7)]
LEAVES = [leaf_hash(octets) for octets in ENTRIES]


def checkpoint(size: int, key: Ed25519PrivateKey = KEY, origin: str = ORIGIN) -> str:
    return sign(Checkpoint(origin, size, Frontier.of(LEAVES[:size]).root, NOW), key)


@dataclass
class LogInMemory:
    """Entries, and the roots that were signed over them."""

    signed: list[Root] = field(default_factory=lambda: [Root("the head", checkpoint(7))])
    start: Frontier = field(default_factory=Frontier)
    octets: list[bytes] = field(default_factory=lambda: list(ENTRIES))

    def roots(self) -> list[Root]:
        return self.signed

    def check_end(self, end: Frontier) -> None:
        pass

    def entries(self) -> Iterator[Entry]:
        for number, octets in enumerate(self.octets, start=self.start.size):
            yield Entry(number, octets)


def test_a_log_is_verified_with_its_public_key_alone() -> None:
    log = LogInMemory([Root("kept", checkpoint(3), 3), Root("the head", checkpoint(7), 7)])
    verified = verify(log, ORIGIN, KEY.public_key())
    assert (verified.first, verified.size, verified.roots, verified.stamps) == (0, 7, 2, 0)
    assert verified.root == Frontier.of(LEAVES).root


def test_a_part_is_verified_from_its_frontier_and_from_no_other() -> None:
    part = LogInMemory(start=Frontier.of(LEAVES[:4]), octets=ENTRIES[4:])
    assert verify(part, ORIGIN, KEY.public_key()).first == 4
    part.start = Frontier.of(LEAVES[1:5])
    with pytest.raises(Breach, match="one or more of the records 4 to 6"):
        verify(part, ORIGIN, KEY.public_key())


@pytest.mark.parametrize(
    ("root", "told"),
    [
        (Root("kept", checkpoint(7, Ed25519PrivateKey.generate())), "the log's key did not sign it"),
        (Root("kept", checkpoint(7, origin="another.example/audit")), "of another log"),
        (Root("kept", checkpoint(3), 4), "kept for 4 records, and was signed over 3"),
        (Root("kept", checkpoint(3), position=3), "not over record 3"),
        (Root("kept", checkpoint(7), position=-1, leaf=LEAVES[6]), "not over record -1"),
        (Root("kept", checkpoint(7), position=3, leaf=LEAVES[4]), "record 3 is not the one that kept is about"),
        (Root("kept", "nothing"), "no checkpoint of this log"),
    ],
)
def test_a_root_that_does_not_belong_to_the_log_is_told(root: Root, told: str) -> None:
    with pytest.raises(Breach, match=told):
        verify(LogInMemory(), ORIGIN, KEY.public_key(), [root])


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_of_two_receipts_of_one_position_each_is_compared(order: slice) -> None:
    genuine, forged = (Root(f"of {leaf}", checkpoint(7), position=3, leaf=LEAVES[leaf]) for leaf in (3, 4))
    with pytest.raises(Breach, match="record 3 is not the one that of 4 is about"):
        verify(LogInMemory(), ORIGIN, KEY.public_key(), [genuine, forged][order])


@pytest.mark.parametrize(
    "octets", [b"[" * 200_000, b'{"position":1e400}', b'{"position":NaN}', b"\xff", b'{"position":"0"}']
)
def test_what_is_no_entry_is_told_as_such(octets: bytes) -> None:
    with pytest.raises(EntryUnreadable, match="line 1 is no entry"):
        position_in(octets, "line 1")


@pytest.mark.parametrize(
    "roots",
    [
        "[" * 200_000,
        '{"first":1.0,"frontier":"","roots":[]}\n',
        '{"first":0,"frontier":"","roots":["a"]}\n',
        "\u2028",
        "{}",
    ],
)
def test_a_hostile_file_of_roots_is_no_export(tmp_path: Path, roots: str) -> None:
    (tmp_path / "log.jsonl.roots").write_text(roots, "utf-8")
    with pytest.raises(ExportUnreadable):
        ExportedLog(tmp_path / "log.jsonl")


def test_a_line_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl.roots").write_text('{"first":0,"frontier":"","roots":[]}\n', "utf-8")
    with (tmp_path / "log.jsonl").open("wb") as file:
        file.truncate(1024**3)
    tracemalloc.start()
    try:
        with pytest.raises(EntryUnreadable, match="line 1 has no end"):
            list(ExportedLog(tmp_path / "log.jsonl").entries())
        assert tracemalloc.get_traced_memory()[1] < 256 * 1024**2
    finally:
        tracemalloc.stop()


def test_roots_that_are_not_in_their_order_are_told() -> None:
    log = LogInMemory([Root("kept at 5", checkpoint(5)), Root("kept at 3", checkpoint(3)), Root("head", checkpoint(7))])
    with pytest.raises(Breach, match="kept at 3, over 3 records, stands after one over 5"):
        verify(log, ORIGIN, KEY.public_key())


def test_roots_are_asked_for_as_their_entries_come() -> None:
    """A log of years has a checkpoint for each minute, with a time stamp of some thousand octets."""

    class Streamed(LogInMemory):
        given = 0

        def roots(self) -> Iterator[Root]:  # type: ignore[override]
            for size in range(1, 8):
                self.given += 1
                yield Root(f"kept at {size}", checkpoint(size), size)

        def entries(self) -> Iterator[Entry]:
            for entry in super().entries():
                assert self.given <= entry.position + 2
                yield entry

    assert verify(Streamed(), ORIGIN, KEY.public_key()).roots == 7


def test_entries_after_the_last_signed_root_prove_nothing() -> None:
    with pytest.raises(Breach, match="one or more of the records 5 to 6 are under no signed root"):
        verify(LogInMemory([Root("the head", checkpoint(5))]), ORIGIN, KEY.public_key())


def test_where_a_change_lies_is_told_by_the_roots_around_it() -> None:
    log = LogInMemory([Root(f"kept at {size}", checkpoint(size)) for size in (2, 5, 7)])
    log.octets[3] = b'{"position":3,"client":"nobody"}'
    with pytest.raises(Breach, match="one or more of the records 2 to 4 are not what kept at 5 was signed over"):
        verify(log, ORIGIN, KEY.public_key())


def test_a_time_stamp_that_is_not_genuine_is_told_where_its_authority_is_known() -> None:
    log = LogInMemory([replace(Root("the head", checkpoint(7)), stamp=bytes.fromhex("30053003020102"))])
    assert verify(log, ORIGIN, KEY.public_key()).stamps == 0
    roots = [create_authority(datetime.now(UTC)).certificate]
    with pytest.raises(Breach, match="the time stamp of the head is not genuine"):
        verify(log, ORIGIN, KEY.public_key(), stamp_roots=roots)


def test_progress_is_told() -> None:
    octets = [json.dumps({"position": number}).encode() for number in range(2500)]
    frontier = Frontier.of(map(leaf_hash, octets))
    signed = sign(Checkpoint(ORIGIN, frontier.size, frontier.root, NOW), KEY)
    reached: list[int] = []
    verify(LogInMemory([Root("the head", signed)], octets=octets), ORIGIN, KEY.public_key(), progress=reached.append)
    assert reached == [1000, 2000]
