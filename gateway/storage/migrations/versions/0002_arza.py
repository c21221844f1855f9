"""The embedded stand-in of the RSVZ's register."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of careers, contribution accounts, outages and PCSAs."""
    op.create_table(
        "arza_careers",
        sa.Column("ssin", sa.String(11), nullable=False),
        sa.Column("nisse_reference", sa.String(15), nullable=False),
        sa.Column("enterprise_number", sa.String(10)),
        sa.Column("occupation", sa.String(6)),
        sa.PrimaryKeyConstraint("ssin", name="pk_arza_careers"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "arza_affiliations",
        sa.Column("ssin", sa.String(11), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("fund", sa.String(3), nullable=False),
        sa.Column("signature_date", sa.Date()),
        sa.PrimaryKeyConstraint("ssin", "number", name="pk_arza_affiliations"),
        sa.ForeignKeyConstraint(["ssin"], ["arza_careers.ssin"], name="fk_arza_affiliations_ssin"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "arza_segments",
        sa.Column("ssin", sa.String(11), nullable=False),
        sa.Column("affiliation", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("begin_date", sa.Date(), nullable=False),
        sa.Column("end_date", sa.Date()),
        sa.Column("quality", sa.Integer(), nullable=False),
        sa.Column("contribution", sa.Integer(), nullable=False),
        sa.Column("equality", sa.Integer()),
        sa.PrimaryKeyConstraint("ssin", "affiliation", "number", name="pk_arza_segments"),
        sa.ForeignKeyConstraint(
            ["ssin", "affiliation"],
            ["arza_affiliations.ssin", "arza_affiliations.number"],
            name="fk_arza_segments_ssin_affiliation",
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "arza_contributions",
        sa.Column("ssin", sa.String(11), nullable=False),
        sa.Column("quarter", sa.String(6), nullable=False),
        sa.Column("fund", sa.String(3), nullable=False),
        sa.Column("situation", sa.String(2), nullable=False),
        sa.Column("ziv", sa.Integer()),
        sa.PrimaryKeyConstraint("ssin", "quarter", "fund", name="pk_arza_contributions"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "arza_fund_outages",
        sa.Column("fund", sa.String(3), nullable=False),
        sa.Column("begin_quarter", sa.String(6), nullable=False),
        sa.Column("end_quarter", sa.String(6), nullable=False),
        sa.PrimaryKeyConstraint("fund", "begin_quarter", name="pk_arza_fund_outages"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "arza_pcsas",
        sa.Column("cbe_number", sa.String(10), nullable=False),
        sa.PrimaryKeyConstraint("cbe_number", name="pk_arza_pcsas"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop every table that `upgrade` created."""
    for table in (
        "arza_pcsas",
        "arza_fund_outages",
        "arza_contributions",
        "arza_segments",
        "arza_affiliations",
        "arza_careers",
    ):
        op.drop_table(table)
