"""Audit records become the leaves of a signed log.

Records that are there are numbered anew, from 0 and without gaps in their order, and the log's head is made of them.
It is signed in this transaction, with `sign_head` (`gateway.audit.log.Log.sign`), which `Database.migrate` is given.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from gateway.audit.entry import entry_octets
from gateway.audit.tree import Frontier, leaf_hash
from gateway.storage.tables import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_CHUNK = 1000
_NAMES = (
    *("ticket_cbss", "kind", "month", "client", "annex_revision", "annex_clause", "certificate", "source_address"),
    *("authentication_method", "organisation", "service", "operation", "legal_context", "deliberation"),
    *("customer_ticket", "subject", "outcome", "value", "code", "left_out"),
)
_records = sa.table(
    "audit_records",
    sa.column("position", sa.BigInteger()),
    *(sa.column(name) for name in _NAMES),
    *(sa.column(name, UtcDateTime()) for name in ("received_at", "recorded_at")),
    *(sa.column(name, sa.JSON()) for name in ("criteria", "delivered", "withheld")),
    sa.column("sealed", sa.LargeBinary()),
    sa.column("leaf", sa.LargeBinary()),
)
_before = [column for column in _records.columns if column.name != "leaf"]
_head = sa.table(
    "audit_head",
    *(sa.column(name) for name in ("id", "size", "checkpoint")),
    sa.column("frontier", sa.LargeBinary()),
)
# The further subjects, and which record was where, while positions change.
_kept = sa.table("audit_subjects_kept", sa.column("position"), sa.column("subject"))
_moved = sa.table("audit_records_moved", sa.column("former"), sa.column("position"))


def upgrade() -> None:
    """Number the records, hash them, and make the head."""
    position = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    op.create_table(
        "audit_checkpoints",
        sa.Column("size", position, nullable=False, autoincrement=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("time_stamp", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("size", name="pk_audit_checkpoints"),
    )
    op.add_column("audit_records", sa.Column("refusals", sa.BigInteger()))
    op.add_column("audit_records", sa.Column("leaf", sa.LargeBinary()))
    op.execute("CREATE TABLE audit_subjects_kept AS SELECT position, subject FROM audit_subjects")
    op.create_index("ix_kept", "audit_subjects_kept", ["position"])
    op.execute("DELETE FROM audit_subjects")
    op.create_table(
        "audit_records_moved", sa.Column("former", position, primary_key=True), sa.Column("position", position)
    )
    frontier = _number(op.get_bind())
    if frontier.size:
        checkpoint = context.config.attributes["sign_head"](frontier)
        values = {"id": 1, "size": frontier.size, "frontier": frontier.octets, "checkpoint": checkpoint}
        op.get_bind().execute(sa.insert(_head), values)
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("audit_records", "leaf", nullable=False)
        op.alter_column("audit_records", "position", server_default=None)
        op.execute("DROP SEQUENCE audit_records_position_seq")
    else:
        with op.batch_alter_table("audit_records") as records:
            records.alter_column("leaf", existing_type=sa.LargeBinary(), nullable=False)
            records.create_primary_key("pk_audit_records", ["position"])
    op.execute(
        "INSERT INTO audit_subjects (position, subject) SELECT moved.position, subject"
        " FROM audit_subjects_kept AS kept JOIN audit_records_moved AS moved ON moved.former = kept.position"
    )
    op.drop_table("audit_records_moved")
    op.drop_table("audit_subjects_kept")


def downgrade() -> None:
    """Forget the log. Records stay, with the positions that they have, and new ones are numbered after them."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE audit_records_position_seq OWNED BY audit_records.position")
        following = "(SELECT coalesce(max(position), 0) + 1 FROM audit_records)"
        op.execute(f"SELECT setval('audit_records_position_seq', {following}, false)")
        default = sa.text("nextval('audit_records_position_seq'::regclass)")
        op.alter_column("audit_records", "position", server_default=default)
    op.drop_column("audit_records", "leaf")
    op.drop_column("audit_records", "refusals")
    op.drop_table("audit_checkpoints")
    op.drop_table("audit_head")


def _number(connection: sa.Connection) -> Frontier:
    """Give every record its position and its leaf; a position never grows, so that none is taken twice."""
    frontier = Frontier()
    for chunk in _chunks(connection):
        further = _further_subjects(connection, chunk[0]["position"], chunk[-1]["position"])
        moved, numbered = [], []
        for row in chunk:
            position = frontier.size
            leaf = leaf_hash(entry_octets({**row, "position": position}, further.get(row["position"], [])))
            frontier = frontier.append(leaf)
            moved.append({"former": row["position"], "position": position})
            numbered.append({"was": row["position"], "now": position, "hash": leaf})
        connection.execute(sa.insert(_moved), moved)
        connection.execute(_UPDATE, numbered)
    return frontier


_UPDATE = (
    sa.update(_records)
    .where(_records.c.position == sa.bindparam("was"))
    .values(position=sa.bindparam("now"), leaf=sa.bindparam("hash"))
)


def _chunks(connection: sa.Connection) -> Iterator[list[dict[str, Any]]]:
    """Yield the records in their order, as they were."""
    query, last = sa.select(*_before).order_by(_records.c.position).limit(_CHUNK), -1
    while rows := connection.execute(query.where(_records.c.position > last)).mappings().all():
        last = rows[-1]["position"]
        yield [dict(row) for row in rows]


def _further_subjects(connection: sa.Connection, first: int, last: int) -> dict[int, list[str]]:
    query = sa.select(_kept).where(_kept.c.position.between(first, last)).order_by(_kept.c.position)
    rows = connection.execute(query).all()
    return {position: [row.subject for row in group] for position, group in groupby(rows, lambda row: row.position)}
