"""The embedded stand-in of the registers of attestations."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of attestations and of the quarters that registers have not delivered."""
    op.create_table(
        "dmfa_attestations",
        sa.Column("ssin", sa.String(11), nullable=False),
        sa.Column("quarter", sa.String(6), nullable=False),
        sa.Column("attestation_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("version", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("previous_version", sa.BigInteger()),
        sa.Column("next_version", sa.BigInteger()),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("creation_date", sa.Date(), nullable=False),
        sa.Column("source", sa.String(12), nullable=False),
        sa.Column("nsso_number", sa.String(10), nullable=False),
        sa.Column("enterprise_number", sa.String(10)),
        sa.Column("sector_indicator", sa.String(3)),
        sa.Column("provincial_or_local", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("employer_class", sa.Integer()),
        sa.Column("worker_code", sa.Integer()),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("ssin", "quarter", "attestation_id", "version", name="pk_dmfa_attestations"),
    )
    op.create_table(
        "dmfa_outages",
        sa.Column("source", sa.String(12), nullable=False),
        sa.Column("begin_quarter", sa.String(6), nullable=False),
        sa.Column("end_quarter", sa.String(6), nullable=False),
        sa.PrimaryKeyConstraint("source", "begin_quarter", name="pk_dmfa_outages"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop every table that `upgrade` created."""
    for table in ("dmfa_outages", "dmfa_attestations"):
        op.drop_table(table)
