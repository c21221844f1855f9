"""The Merkle tree of RFC 6962 §2.1 (RFC 9162 §2.1), over leaves known by their hashes: pure, and ours alone to grow.

Of a tree that grows, the roots of its perfect subtrees are enough to append and to know the root: the frontier. Paths
need the leaves that they pass by.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from hashlib import sha256
from typing import Self

HASH_BYTES = 32
_EMPTY_ROOT = sha256(b"").digest()


class PathBroken(Exception):
    """The path has not the length that proves what it should."""


def leaf_hash(octets: bytes) -> bytes:
    """Return the hash of an entry."""
    return sha256(b"\x00" + octets).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node from those of its children."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The first `size` leaves; `peaks` are the roots of their perfect subtrees, the largest first."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, leaves: Iterable[bytes]) -> Self:
        """Return the frontier of all these leaf hashes."""
        frontier = cls()
        for leaf in leaves:
            frontier = frontier.append(leaf)
        return frontier

    @classmethod
    def from_octets(cls, size: int, octets: bytes) -> Self:
        """Return the frontier whose `octets` these are; ValueError when that many leaves have other peaks."""
        if size < 0 or len(octets) != HASH_BYTES * size.bit_count():
            raise ValueError(f"no {size} leaves have peaks of {len(octets)} bytes")
        return cls(size, tuple(octets[at : at + HASH_BYTES] for at in range(0, len(octets), HASH_BYTES)))

    @property
    def octets(self) -> bytes:
        """The peaks, one after the other."""
        return b"".join(self.peaks)

    @property
    def root(self) -> bytes:
        """The root of the tree."""
        if not self.peaks:
            return _EMPTY_ROOT
        return reduce(lambda right, left: node_hash(left, right), reversed(self.peaks))

    def append(self, leaf: bytes) -> Self:
        """Return the frontier with one leaf hash more."""
        peaks, node = list(self.peaks), leaf
        # One peak merges for each one bit at the end of the size.
        for _ in range((~self.size & (self.size + 1)).bit_length() - 1):
            node = node_hash(peaks.pop(), node)
        return type(self)(self.size + 1, (*peaks, node))


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root over all these leaf hashes."""
    return Frontier.of(leaves).root


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return what, with the leaf at `index`, gives the root over all these leaf hashes; IndexError outside them."""
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_path(leaves[:split], index), root_of(leaves[split:])]
    return [*inclusion_path(leaves[split:], index - split), root_of(leaves[:split])]


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root that the path leads to, from the leaf hash at `index` of `size` (RFC 9162 §2.1.3.2).

    PathBroken when it is no path from there.
    """
    if not 0 <= index < size:
        raise PathBroken(f"there is no leaf {index} among {size}")
    node, last = leaf, size - 1
    for sibling in path:
        if last == 0:
            raise PathBroken("the path is too long")
        if index & 1 or index == last:
            node = node_hash(sibling, node)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        index, last = index >> 1, last >> 1
    if last:
        raise PathBroken("the path is too short")
    return node


def consistency_path(leaves: Sequence[bytes], former_size: int) -> list[bytes]:
    """Return what proves that the tree over these leaf hashes began with the `former_size` first of them.

    IndexError unless that lies between one and their number.
    """
    if not 0 < former_size <= len(leaves):
        raise IndexError(former_size)
    return _subproof(leaves, former_size, known=True)


def roots_from_consistency(
    former_size: int, former_root: bytes, size: int, path: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """Return the former and the present root that the path leads to (RFC 9162 §2.1.4.2): who knows both compares.

    PathBroken when it is no path between trees of these sizes.
    """
    if not 0 < former_size <= size:
        raise PathBroken(f"no tree of {size} leaves began with {former_size}")
    if former_size == size:
        if path:
            raise PathBroken("the path is too long")
        return former_root, former_root
    # A perfect former tree is a node of the present one: its root begins the path, though it is not sent.
    nodes = path if former_size & (former_size - 1) else [former_root, *path]
    if not nodes:
        raise PathBroken("the path is too short")
    index, last = former_size - 1, size - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    former = present = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            raise PathBroken("the path is too long")
        if index & 1 or index == last:
            former, present = node_hash(node, former), node_hash(node, present)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            present = node_hash(present, node)
        index, last = index >> 1, last >> 1
    if last:
        raise PathBroken("the path is too short")
    return former, present


def _split(size: int) -> int:
    """Return the largest power of two below the size."""
    return 1 << ((size - 1).bit_length() - 1)


def _subproof(leaves: Sequence[bytes], former_size: int, *, known: bool) -> list[bytes]:
    if former_size == len(leaves):
        return [] if known else [root_of(leaves)]
    split = _split(len(leaves))
    if former_size <= split:
        return [*_subproof(leaves[:split], former_size, known=known), root_of(leaves[split:])]
    return [*_subproof(leaves[split:], former_size - split, known=False), root_of(leaves[:split])]
