"""The log, recomputed from the stored records alone: entries, leaves, root, and the signature over it."""

from collections import defaultdict
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select

from gateway.audit import checkpoint
from gateway.audit.entry import entry_octets
from gateway.audit.tree import Frontier, leaf_hash
from gateway.storage.database import Database
from gateway.storage.tables import audit_head, audit_records, audit_subjects


def recompute(database: Database, public_key: Ed25519PublicKey) -> list[Any]:
    """Return the rows of the records, having checked that the head is what they make, and signed."""
    with database.read() as connection:
        rows = connection.execute(select(audit_records).order_by(audit_records.c.position)).mappings().all()
        further = defaultdict(list)
        for position, subject in connection.execute(select(audit_subjects)):
            further[position].append(subject)
        head = connection.execute(select(audit_head)).mappings().one()
    assert [row["position"] for row in rows] == list(range(len(rows)))
    leaves = [leaf_hash(entry_octets(row, further[row["position"]])) for row in rows]
    assert [row["leaf"] for row in rows] == leaves
    frontier = Frontier.of(leaves)
    assert (head["size"], head["frontier"]) == (frontier.size, frontier.octets)
    signed = checkpoint.open(head["checkpoint"], public_key)
    assert (signed.size, signed.root) == (frontier.size, frontier.root)
    return list(rows)
