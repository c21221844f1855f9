"""The further persons of an audit record, and how many items of a reply were left out."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of further subjects; records written before have none."""
    op.add_column("audit_records", sa.Column("left_out", sa.Integer()))
    op.create_table(
        "audit_subjects",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("position", "subject", name="pk_audit_subjects"),
        sa.ForeignKeyConstraint(["position"], ["audit_records.position"], name="fk_audit_subjects_position"),
    )
    op.create_index("ix_audit_subjects_subject", "audit_subjects", ["subject"])


def downgrade() -> None:
    """Drop what `upgrade` created, and with it who else the records are about."""
    op.drop_table("audit_subjects")
    op.drop_column("audit_records", "left_out")
