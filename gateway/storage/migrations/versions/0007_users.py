"""User Management: its history, what is derived from it, credentials and sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ON_SQLITE = (
    "CREATE TRIGGER user_history_no_update BEFORE UPDATE ON user_history "
    "BEGIN SELECT RAISE(ABORT, 'the history of User Management is only ever added to'); END",
    "CREATE TRIGGER user_history_no_delete BEFORE DELETE ON user_history "
    "BEGIN SELECT RAISE(ABORT, 'the history of User Management is only ever added to'); END",
    # INSERT OR REPLACE deletes the former row without asking the trigger above.
    "CREATE TRIGGER user_history_no_replace BEFORE INSERT ON user_history WHEN NEW.sequence IN "
    "(SELECT sequence FROM user_history) OR (NEW.enterprise, NEW.version) IN "
    "(SELECT enterprise, version FROM user_history) "
    "BEGIN SELECT RAISE(ABORT, 'the history of User Management is only ever added to'); END",
)
_ON_POSTGRESQL = (
    "CREATE FUNCTION refuse_history_change() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the history of User Management is only ever added to'; END $$",
    "CREATE TRIGGER user_history_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON user_history "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_history_change()",
)


def upgrade() -> None:
    """Create the tables, and the triggers that keep the history as it was written."""
    time = sa.DateTime(timezone=True)
    op.create_table(
        "user_history",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False),
        sa.Column("enterprise", sa.String(10), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("session", sa.String(36), nullable=False),
        sa.Column("recorded_at", time, nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_user_history"),
    )
    op.create_index("ix_user_history_enterprise", "user_history", ["enterprise", "version"], unique=True)
    op.create_table(
        "user_enterprises",
        sa.Column("enterprise", sa.String(10), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("enterprise", name="pk_user_enterprises"),
    )
    op.create_table(
        "user_identifiers",
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("enterprise", sa.String(10), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "identifier", name="pk_user_identifiers"),
    )
    op.create_index("ix_user_identifiers_enterprise", "user_identifiers", ["enterprise"])
    op.create_table(
        "user_people",
        sa.Column("enterprise", sa.String(10), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("national_number", sa.String(11), nullable=False),
        sa.PrimaryKeyConstraint("enterprise", "user_id", name="pk_user_people"),
    )
    op.create_index("ix_user_people_national_number", "user_people", ["national_number"])
    op.create_table(
        "user_credentials",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("must_change", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("expires_at", time),
        sa.Column("changed_at", time, nullable=False),
        sa.PrimaryKeyConstraint("account", name="pk_user_credentials"),
    )
    op.create_table(
        "login_failures",
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_failed_at", time, nullable=False),
        sa.Column("locked_until", time),
        sa.PrimaryKeyConstraint("user_name", name="pk_login_failures"),
    )
    op.create_index("ix_login_failures_last_failed_at", "login_failures", ["last_failed_at"])
    op.create_table(
        "user_sessions",
        sa.Column("session", sa.String(36), nullable=False),
        sa.Column("token_digest", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("enterprise", sa.String(10), nullable=False),
        sa.Column("means", sa.String(16), nullable=False),
        sa.Column("created_at", time, nullable=False),
        sa.Column("used_at", time, nullable=False),
        sa.Column("ended_at", time),
        sa.PrimaryKeyConstraint("session", name="pk_user_sessions"),
    )
    op.create_index("ix_user_sessions_token_digest", "user_sessions", ["token_digest"], unique=True)
    op.create_index("ix_user_sessions_holder", "user_sessions", ["holder"])
    for statement in _ON_SQLITE if op.get_context().dialect.name == "sqlite" else _ON_POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    """Drop every table that `upgrade` created, with its triggers."""
    for table in (
        "user_sessions",
        "login_failures",
        "user_credentials",
        "user_people",
        "user_identifiers",
        "user_enterprises",
        "user_history",
    ):
        op.drop_table(table)
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_history_change()")
