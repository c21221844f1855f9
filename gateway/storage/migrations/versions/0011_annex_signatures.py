"""Two operators for each activation of an annex: what waits for the second, and what both signed."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_GROWING = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables; the activations that are there have no signatures, and get none here."""
    op.create_table(
        "annex_signatures",
        sa.Column("sequence", _GROWING, autoincrement=False, nullable=False),
        sa.Column("after", sa.String(64), nullable=False),
        sa.Column("follows", sa.String(64), nullable=False),
        sa.Column("ordered_for", _TIME),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", _TIME, nullable=False),
        sa.Column("proposal_signature", sa.LargeBinary(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("approval_signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_annex_signatures"),
        sa.ForeignKeyConstraint(["sequence"], ["annex_revisions.sequence"], name="fk_annex_signatures_sequence"),
    )
    op.create_table(
        "annex_proposals",
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("revision", sa.String(64), nullable=False),
        sa.Column("certificates", sa.JSON(), nullable=False),
        sa.Column("active_from", _TIME),
        sa.Column("after", sa.String(64), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", _TIME, nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("client", name="pk_annex_proposals"),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("annex_proposals")
    op.drop_table("annex_signatures")
