"""The embedded stand-in of the NSSO's Dimona, and the notifications of what is declared to it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of submissions, declarations, periods, workers and notifications."""
    time = sa.DateTime(timezone=True)
    op.create_table(
        "dimona_submissions",
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("received_at", time, nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("client", "ticket", name="pk_dimona_submissions"),
    )
    op.create_table(
        "dimona_declarations",
        sa.Column("number", sa.String(13), nullable=False),
        sa.Column("received_at", time, nullable=False),
        sa.Column("employer_number", sa.String(10), nullable=False),
        sa.Column("ssin", sa.String(11), nullable=False),
        sa.Column("period_id", sa.String(12), nullable=False),
        sa.Column("late", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("worker_type", sa.String(3), nullable=False),
        sa.Column("joint_committee", sa.String(6), nullable=False),
        sa.Column("using_company", sa.String(10)),
        sa.Column("declaration", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_dimona_declarations"),
    )
    op.create_table(
        "dimona_periods",
        sa.Column("period_id", sa.String(12), nullable=False),
        sa.Column("employer_number", sa.String(10), nullable=False),
        sa.Column("ssin", sa.String(11), nullable=False),
        sa.Column("begin_date", sa.Date(), nullable=False),
        sa.Column("begin_hour", sa.Time()),
        sa.Column("end_date", sa.Date()),
        sa.Column("end_hour", sa.Time()),
        sa.Column("planned_hours", sa.Integer()),
        sa.Column("planned_days", sa.Integer()),
        sa.Column("cancelled", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("locked", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("late", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("last_action", sa.String(6), nullable=False),
        sa.Column("created_at", time, nullable=False),
        sa.Column("updated_at", time, nullable=False),
        sa.Column("worker_type", sa.String(3), nullable=False),
        sa.Column("joint_committee", sa.String(6), nullable=False),
        sa.Column("using_company", sa.String(10)),
        sa.Column("features", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("period_id", name="pk_dimona_periods"),
    )
    for table, key in (("dimona_declarations", "number"), ("dimona_periods", "period_id")):
        for column in ("ssin", "employer_number", "using_company"):
            op.create_index(f"ix_{table}_{column}_{key}", table, [column, key])
    op.create_index("ix_dimona_periods_employer_number_ssin", "dimona_periods", ["employer_number", "ssin"])
    op.create_table(
        "dimona_workers",
        sa.Column("ssin", sa.String(11), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("sex", sa.String(1), nullable=False),
        sa.Column("search_key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("ssin", name="pk_dimona_workers"),
    )
    op.create_index("ix_dimona_workers_search_key_birth_date", "dimona_workers", ["search_key", "birth_date"])
    op.create_table(
        "dimona_notifications",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, autoincrement=True),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("organisation", sa.String(40), nullable=False),
        sa.Column("declaration_number", sa.String(13), nullable=False),
        sa.Column("created_at", time, nullable=False),
        sa.Column("acknowledged_at", time),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dimona_notifications"),
        sa.UniqueConstraint(
            "declaration_number",
            "client",
            "organisation",
            name="uq_dimona_notifications_declaration_number_client_organisation",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_dimona_notifications_client_acknowledged_at_id",
        "dimona_notifications",
        ["client", "acknowledged_at", "id"],
    )


def downgrade() -> None:
    """Drop every table that `upgrade` created."""
    for table in (
        "dimona_notifications",
        "dimona_workers",
        "dimona_periods",
        "dimona_declarations",
        "dimona_submissions",
    ):
        op.drop_table(table)
