"""Proofs that one record is in the log, as a text in C2SP's tlog-proof convention.

    c2sp.org/tlog-proof@v1
    extra eyJhbm5leF9jbGF1…                       the entry itself, base64
    index 73894                                   its position
    gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=  the path from its leaf to the root
                                                  and the checkpoint, below a blank line

`docs/verify_proof.py` verifies one with none of the gateway's code.
"""

from dataclasses import dataclass

from gateway.audit.octets import from_base64, to_base64
from gateway.audit.stored_log import StoredLeaves, StoredLog
from gateway.audit.tree import inclusion_path, leaf_hash, root_from_path
from gateway.audit.verification import EntryUnreadable, Root

HEADER = "c2sp.org/tlog-proof@v1"


class ProofUnreadable(Exception):
    """The text is no proof; the message says why."""


class NotProvable(Exception):
    """The log does not hold the record as it was signed; the message says so."""


@dataclass(frozen=True, slots=True)
class Proof:
    """That `entry` is the leaf at `index` of the tree whose signed root `checkpoint` is."""

    entry: bytes
    index: int
    path: tuple[bytes, ...]
    checkpoint: str

    @property
    def size(self) -> int:
        """How many entries the checkpoint is over."""
        return int(self.checkpoint.split("\n")[1])

    @property
    def root(self) -> bytes:
        """The root of the checkpoint."""
        return from_base64(self.checkpoint.split("\n")[2])

    @property
    def text(self) -> str:
        """The proof as text."""
        path = "".join(f"{to_base64(node)}\n" for node in self.path)
        return f"{HEADER}\nextra {to_base64(self.entry)}\nindex {self.index}\n{path}\n{self.checkpoint}"


def prove_record(log: StoredLog, position: int) -> Proof:
    """Prove that a record is in the log, under its head; NotProvable when it is not what was signed."""
    try:
        (entry,) = log.entries(position, position + 1)
    except EntryUnreadable as unreadable:
        raise NotProvable(str(unreadable)) from None
    leaves = StoredLeaves(log, 0, log.size)
    proof = Proof(entry.octets, position, tuple(inclusion_path(leaves, position)), log.checkpoint)
    if root_from_path(leaf_hash(proof.entry), position, log.size, proof.path) != proof.root:
        raise NotProvable(f"record {position} is not what was signed")
    return proof


def read_proof(text: str) -> Proof:
    """Read a proof; ProofUnreadable. Nothing is verified."""
    lines, blank, checkpoint = text.partition("\n\n")
    try:
        header, extra, index, *path = lines.split("\n")
        if not blank or header != HEADER or not extra.startswith("extra ") or not index.startswith("index "):
            raise ValueError
        return Proof(from_base64(extra[6:]), int(index[6:]), tuple(map(from_base64, path)), checkpoint)
    except ValueError:
        raise ProofUnreadable("it has not the lines of a proof") from None


def root_of_proof(name: str, proof: Proof) -> Root:
    """Return what a proof says, to verify a log against."""
    return Root(name, proof.checkpoint, position=proof.index, leaf=leaf_hash(proof.entry))
