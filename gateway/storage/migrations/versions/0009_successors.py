"""Which numbers a number has replaced: what was recorded under them is read under it."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the numbers that were replaced by the one in force."""
    op.create_index("ix_persons_replaced_by", "persons", ["replaced_by"])


def downgrade() -> None:
    """Drop the index."""
    op.drop_index("ix_persons_replaced_by", table_name="persons")
