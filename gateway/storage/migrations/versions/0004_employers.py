"""The embedded stand-in of the registers of employers."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of employers."""
    op.create_table(
        "employers",
        sa.Column("registration_number", sa.String(10), nullable=False),
        sa.Column("register", sa.String(8), nullable=False),
        sa.Column("enterprise_number", sa.String(10)),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("natural_person", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("deletion_date", sa.Date()),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("registration_number", name="pk_employers"),
    )
    op.create_index("ix_employers_enterprise_number", "employers", ["enterprise_number"])


def downgrade() -> None:
    """Drop every table that `upgrade` created."""
    op.drop_table("employers")
