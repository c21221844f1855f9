"""Verifying the log with nothing but its public key: entries to leaves, leaves to roots, roots to signatures.

What is verified is a `ReadableLog`, in the database or in an exported file. The first thing that is not as it was
signed ends it. Whoever cuts off the newest records and puts back a head that was once signed leaves a log that is
whole in itself: only a root that was kept elsewhere tells, a receipt, a proof or a checkpoint.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import merge
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.audit import checkpoint as checkpoints
from gateway.audit.checkpoint import Checkpoint, CheckpointBroken
from gateway.audit.octets import to_base64
from gateway.audit.time_stamp import TimeStampFailed, verify_time_stamp
from gateway.audit.tree import Frontier, leaf_hash


class Breach(Exception):
    """The log is not what was signed; the message says where, by position, and names no person."""


class EntryUnreadable(Exception):
    """What stands there cannot be read as a record at all; the message says where."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands at a position: the octets of the entry and, where it is stored too, the hash of its leaf."""

    position: int
    octets: bytes
    leaf: bytes | None = None


@dataclass(frozen=True, slots=True)
class Root:
    """A signed checkpoint as text, what it is called here, and what else goes with it.

    `size` is the one that stands beside it, if any; `position` and `leaf` are of an entry that it must cover; `stamp`
    is an RFC 3161 token over the text.
    """

    name: str
    text: str
    size: int | None = None
    position: int | None = None
    leaf: bytes | None = None
    stamp: bytes | None = None


class ReadableLog(Protocol):
    """A log, or a part of one that begins at the end of `start`. Its methods may raise EntryUnreadable."""

    @property
    def start(self) -> Frontier:
        """What the entries are appended to: empty, unless it is a part."""
        ...

    def roots(self) -> Iterable[Root]:
        """Give every checkpoint that was kept, and the head, by how many entries they are over."""
        ...

    def check_end(self, end: Frontier) -> None:
        """Return if nothing else says that the log ends otherwise; Breach."""
        ...

    def entries(self) -> Iterator[Entry]:
        """Give every entry in order."""
        ...


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found whole: the entries from `first` to before `size`, and the root over all.

    `roots` is how many signed roots agreed, `stamps` how many of them have a time stamp that was verified.
    """

    first: int
    size: int
    root: bytes
    roots: int
    stamps: int = 0

    @property
    def root_text(self) -> str:
        """The root as checkpoints write it."""
        return to_base64(self.root)


def verify(
    log: ReadableLog,
    origin: str,
    public_key: Ed25519PublicKey,
    outside: Iterable[Root] = (),
    stamp_roots: Sequence[x509.Certificate] = (),
    progress: Callable[[int], None] = lambda position: None,
) -> Verified:
    """Verify the log, and every root kept outside against it; Breach at the first thing that is not as signed.

    Time stamps are verified if there are `stamp_roots`, the certificates that their authority's come from. `progress`
    is told how far it got, now and then.
    """
    try:
        verified = _verify(log, origin, public_key, list(outside), progress)
        return replace(verified, stamps=_verify_stamps(log.roots(), stamp_roots)) if stamp_roots else verified
    except EntryUnreadable as unreadable:
        raise Breach(str(unreadable)) from None


def _verify(
    log: ReadableLog,
    origin: str,
    public_key: Ed25519PublicKey,
    outside: Sequence[Root],
    progress: Callable[[int], None],
) -> Verified:
    given = sorted(((root, _open(root, origin, public_key)) for root in outside), key=_size)
    # A log of years has more checkpoints than a machine should hold: each is opened when its entries have come.
    signed = merge(_opened(log.roots(), origin, public_key), given, key=_size)
    claimed: dict[int | None, list[Root]] = {}
    for root in outside:
        claimed.setdefault(root.position, []).append(root)
    frontier, sound, agreed = log.start, log.start.size, 0
    awaited = _after_start(signed, log.start)
    for entry in log.entries():
        leaf = _check(entry, frontier.size, claimed.get(frontier.size, ()))
        frontier = frontier.append(leaf)
        while awaited is not None and _size(awaited) == frontier.size:
            root, checkpoint = awaited
            if checkpoint.root != frontier.root:
                raise Breach(f"{_between(sound, frontier.size)} not what {root.name} was signed over")
            sound, agreed, awaited = frontier.size, agreed + 1, next(signed, None)
        if frontier.size % 1000 == 0:
            progress(frontier.size)
    if frontier.size > log.start.size and sound != frontier.size:
        raise Breach(f"{_between(sound, frontier.size)} under no signed root")
    if awaited is not None:
        root, checkpoint = awaited
        raise Breach(
            f"the newest records are missing: the log ends after {frontier.size}, and {root.name} was signed over "
            f"{checkpoint.size}"
        )
    log.check_end(frontier)
    return Verified(log.start.size, frontier.size, frontier.root, agreed)


def _size(opened: tuple[Root, Checkpoint]) -> int:
    return opened[1].size


def _opened(roots: Iterable[Root], origin: str, public_key: Ed25519PublicKey) -> Iterator[tuple[Root, Checkpoint]]:
    """Yield the roots with what they say; Breach for one that says what it must not, or stands where it must not."""
    before = 0
    for root in roots:
        checkpoint = _open(root, origin, public_key)
        if checkpoint.size < before:
            raise Breach(f"{root.name}, over {checkpoint.size} records, stands after one over {before}")
        before = checkpoint.size
        yield root, checkpoint


def _after_start(signed: Iterator[tuple[Root, Checkpoint]], start: Frontier) -> tuple[Root, Checkpoint] | None:
    """Return the first root that is over entries after the start; Breach for one over none that has another root."""
    for root, checkpoint in signed:
        if checkpoint.size > start.size:
            return root, checkpoint
        if checkpoint.size == 0 and start.size == 0 and checkpoint.root != start.root:
            raise Breach(f"{root.name} is over no records, and has another root")
    return None


def _verify_stamps(roots: Iterable[Root], stamp_roots: Sequence[x509.Certificate]) -> int:
    """Return how many of the roots have a time stamp; Breach for one that is not genuine."""
    stamped = 0
    for root in roots:
        if root.stamp is not None:
            try:
                verify_time_stamp(root.stamp, root.text.encode(), stamp_roots)
            except TimeStampFailed as failed:
                raise Breach(f"the time stamp of {root.name} is not genuine: {failed}") from None
            stamped += 1
    return stamped


def _open(root: Root, origin: str, public_key: Ed25519PublicKey) -> Checkpoint:
    try:
        checkpoint = checkpoints.open(root.text, public_key)
    except CheckpointBroken as broken:
        raise Breach(f"{root.name} is no checkpoint of this log: {broken}") from None
    if checkpoint.origin != origin:
        raise Breach(f"{root.name} is a checkpoint of another log: {checkpoint.origin}")
    if root.size is not None and root.size != checkpoint.size:
        raise Breach(f"{root.name} is kept for {root.size} records, and was signed over {checkpoint.size}")
    if root.position is not None and not 0 <= root.position < checkpoint.size:
        raise Breach(f"{root.name} is over {checkpoint.size} records, and so not over record {root.position}")
    return checkpoint


def _check(entry: Entry, position: int, claimed: Iterable[Root]) -> bytes:
    """Return the leaf of an entry that stands where it should and is what its stored leaf and all others say; Breach.

    `claimed` are the roots kept outside that are about this position.
    """
    if entry.position > position:
        raise Breach(f"record {position} is missing: the next one is record {entry.position}")
    if entry.position < position:
        raise Breach(f"a record stands at position {entry.position}, where none can: {position} was expected")
    leaf = leaf_hash(entry.octets)
    if entry.leaf is not None and entry.leaf != leaf:
        raise Breach(f"record {position} is not what was recorded: its content and its leaf differ")
    for root in claimed:
        if root.leaf not in (None, leaf):
            raise Breach(f"record {position} is not the one that {root.name} is about")
    return leaf


def _between(sound: int, size: int) -> str:
    """Say among which records the first change lies."""
    return f"record {sound} is" if size - sound == 1 else f"one or more of the records {sound} to {size - 1} are"


def position_in(octets: bytes, where: str) -> int:
    """Return the position that an entry states; EntryUnreadable when it states none."""
    try:
        position = json.loads(octets)["position"]
    except (ValueError, KeyError, TypeError, RecursionError):
        position = None
    if type(position) is not int:
        raise EntryUnreadable(f"{where} is no entry of the log")
    return position
