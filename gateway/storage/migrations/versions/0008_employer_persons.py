"""Which person an employer is, where it is a natural person."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the SSIN, unknown for what is there."""
    op.add_column("employers", sa.Column("ssin", sa.String(11)))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("employers", "ssin")
