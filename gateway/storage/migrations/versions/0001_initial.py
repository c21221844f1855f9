"""Persons and inscriptions, annexes, audit, replay keys and quota counters."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of the gateway itself."""
    sequence = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    time = sa.DateTime(timezone=True)
    op.create_table(
        "persons",
        sa.Column("ssin", sa.String(11), nullable=False),
        sa.Column("replaced_by", sa.String(11)),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("deceased_on", sa.Date()),
        sa.PrimaryKeyConstraint("ssin", name="pk_persons"),
    )
    op.create_table(
        "inscriptions",
        sa.Column("id", sequence, nullable=False, autoincrement=True),
        sa.Column("ssin", sa.String(11), nullable=False),
        sa.Column("organisation", sa.String(40), nullable=False),
        sa.Column("context", sa.String(64), nullable=False),
        sa.Column("begin_date", sa.Date(), nullable=False),
        sa.Column("end_date", sa.Date()),
        sa.PrimaryKeyConstraint("id", name="pk_inscriptions"),
        sa.UniqueConstraint(
            "ssin",
            "organisation",
            "context",
            "begin_date",
            name="uq_inscriptions_ssin_organisation_context_begin_date",
        ),
    )
    op.create_index("ix_inscriptions_organisation", "inscriptions", ["organisation"])
    op.create_table(
        "annex_revisions",
        sa.Column("sequence", sequence, nullable=False, autoincrement=True),
        sa.Column("revision", sa.String(64), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("certificates", sa.JSON(), nullable=False),
        sa.Column("active_from", time, nullable=False),
        sa.Column("recorded_at", time, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_annex_revisions"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_annex_revisions_client", "annex_revisions", ["client"])
    op.create_table(
        "audit_records",
        sa.Column("position", sequence, nullable=False, autoincrement=True),
        sa.Column("ticket_cbss", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("received_at", time, nullable=False),
        sa.Column("recorded_at", time, nullable=False),
        sa.Column("client", sa.Text()),
        sa.Column("annex_revision", sa.String(64)),
        sa.Column("annex_clause", sa.Text()),
        sa.Column("certificate", sa.String(64)),
        sa.Column("source_address", sa.Text()),
        sa.Column("authentication_method", sa.Text()),
        sa.Column("organisation", sa.Text()),
        sa.Column("service", sa.Text()),
        sa.Column("operation", sa.Text()),
        sa.Column("legal_context", sa.Text()),
        sa.Column("deliberation", sa.Text()),
        sa.Column("customer_ticket", sa.Text()),
        sa.Column("subject", sa.String(64)),
        sa.Column("criteria", sa.JSON(), nullable=False),
        sa.Column("delivered", sa.JSON(), nullable=False),
        sa.Column("withheld", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("value", sa.Text()),
        sa.Column("code", sa.Text()),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_audit_records"),
        sa.UniqueConstraint("ticket_cbss", "kind", name="uq_audit_records_ticket_cbss_kind"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_records_received_at", "audit_records", ["received_at"])
    op.create_index("ix_audit_records_subject", "audit_records", ["subject"])
    op.create_table(
        "stranger_refusals",
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("minute", time, nullable=False),
        sa.Column("refusals", sa.BigInteger(), nullable=False),
        sa.Column("last_refused_at", time, nullable=False),
        sa.Column("last_code", sa.Text()),
        sa.PrimaryKeyConstraint("source", "minute", name="pk_stranger_refusals"),
    )
    op.create_table(
        "replay_keys",
        sa.Column("replay_key", sa.LargeBinary(32), nullable=False),
        sa.Column("forget_at", time, nullable=False),
        sa.PrimaryKeyConstraint("replay_key", name="pk_replay_keys"),
    )
    op.create_index("ix_replay_keys_forget_at", "replay_keys", ["forget_at"])
    op.create_table(
        "quota_counters",
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("period", sa.String(8), nullable=False),
        sa.Column("period_start", time, nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("forget_at", time, nullable=False),
        sa.PrimaryKeyConstraint("client", "period", "period_start", name="pk_quota_counters"),
    )
    op.create_index("ix_quota_counters_forget_at", "quota_counters", ["forget_at"])


def downgrade() -> None:
    """Drop every table that `upgrade` created."""
    for table in (
        "quota_counters",
        "replay_keys",
        "stranger_refusals",
        "audit_records",
        "annex_revisions",
        "inscriptions",
        "persons",
    ):
        op.drop_table(table)
