"""The gateway's own tables, as the newest migration leaves them; a test compares the two.

All times are UTC and aware on the Python side. Text that a client may influence is `Text`: a length that one
database enforces and another does not would be a difference that only production shows.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time. SQLite keeps no time zone, so the type itself checks and restores UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC; ValueError for a naive time, whose meaning nobody can know."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a time zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time as aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def growing_key(name: str) -> Column[int]:
    """Return a growing key. SQLite makes one only of a column that it calls INTEGER."""
    kind: Any = BigInteger().with_variant(Integer, "sqlite")
    return Column(name, kind, primary_key=True, autoincrement=True)


_POSITION: Any = BigInteger().with_variant(Integer, "sqlite")

# What the national register and the bis register say of a number. `replaced_by` is the number in force now,
# never one that was itself replaced.
persons = Table(
    "persons",
    metadata,
    Column("ssin", String(11), primary_key=True),
    Column("replaced_by", String(11)),
    Column("cancelled", Boolean, nullable=False),
    Column("deceased_on", Date),
    Index("ix_persons_replaced_by", "replaced_by"),
)

# The repertory of persons: `organisation` is the text of `Organisation.key`. The unique constraint is also
# the index that integration control reads.
inscriptions = Table(
    "inscriptions",
    metadata,
    growing_key("id"),
    Column("ssin", String(11), nullable=False),
    Column("organisation", String(40), nullable=False),
    Column("context", String(64), nullable=False),
    Column("begin_date", Date, nullable=False),
    Column("end_date", Date),
    UniqueConstraint("ssin", "organisation", "context", "begin_date"),
    Index("ix_inscriptions_organisation", "organisation"),
)

# Every activation of an annex, in the order in which they were added; rows are never changed. `revision` is
# the hash of the content, which may come back: putting an earlier revision in force again is a new
# activation of it.
annex_revisions = Table(
    "annex_revisions",
    metadata,
    growing_key("sequence"),
    Column("revision", String(64), nullable=False),
    Column("client", Text, nullable=False),
    Column("certificates", JSON, nullable=False),
    Column("active_from", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("document", Text, nullable=False),
    Index("ix_annex_revisions_client", "client"),
    sqlite_autoincrement=True,
)

# Who proposed and who approved each activation, and what of the two statements is not in the activation's own row
# (`gateway.annexes.statement`). An activation from before these were kept has none.
annex_signatures = Table(
    "annex_signatures",
    metadata,
    Column(
        "sequence",
        BigInteger().with_variant(Integer, "sqlite"),
        ForeignKey(annex_revisions.c.sequence),
        primary_key=True,
        autoincrement=False,
    ),
    Column("after", String(64), nullable=False),
    Column("follows", String(64), nullable=False),
    Column("ordered_for", UtcDateTime),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", UtcDateTime, nullable=False),
    Column("proposal_signature", LargeBinary, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("approval_signature", LargeBinary, nullable=False),
)

# What waits for a second operator: one order for a client at a time. `active_from` is null where the approval is to
# set it.
annex_proposals = Table(
    "annex_proposals",
    metadata,
    Column("client", Text, primary_key=True),
    Column("revision", String(64), nullable=False),
    Column("certificates", JSON, nullable=False),
    Column("active_from", UtcDateTime),
    Column("after", String(64), nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", UtcDateTime, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("document", Text, nullable=False),
)

# One row per exchange and per change of what decisions rest on. `position` is the index of its leaf in the log, and
# `leaf` the leaf's hash, so that a proof need not read all records. `subject` is a pseudonym keyed by the
# month's key, of the first person asked or told about; `sealed` is encrypted under the month's other key.
# `left_out` counts the items about persons whom the client may not see, null where nobody was listed; `refusals` what
# a stranger was refused within a minute beyond the refusals that have records.
audit_records = Table(
    "audit_records",
    metadata,
    Column("position", _POSITION, primary_key=True, autoincrement=False),
    Column("ticket_cbss", String(36), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("month", String(7), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("client", Text),
    Column("annex_revision", String(64)),
    Column("annex_clause", Text),
    Column("certificate", String(64)),
    Column("source_address", Text),
    Column("authentication_method", Text),
    Column("organisation", Text),
    Column("service", Text),
    Column("operation", Text),
    Column("legal_context", Text),
    Column("deliberation", Text),
    Column("customer_ticket", Text),
    Column("subject", String(64)),
    Column("criteria", JSON, nullable=False),
    Column("delivered", JSON, nullable=False),
    Column("withheld", JSON, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("value", Text),
    Column("code", Text),
    Column("sealed", LargeBinary, nullable=False),
    Column("left_out", Integer),
    Column("refusals", BigInteger),
    Column("leaf", LargeBinary, nullable=False),
    UniqueConstraint("ticket_cbss", "kind"),
    Index("ix_audit_records_received_at", "received_at"),
    Index("ix_audit_records_subject", "subject"),
)

# The persons that a record is about besides the one in its own row, by the same pseudonyms.
audit_subjects = Table(
    "audit_subjects",
    metadata,
    Column("position", _POSITION, ForeignKey(audit_records.c.position), primary_key=True, autoincrement=False),
    Column("subject", String(64), primary_key=True),
    Index("ix_audit_subjects_subject", "subject"),
)

# The head of the log, one row, or none before the first record: how many leaves, the roots of their perfect subtrees
# (`gateway.audit.tree.Frontier`), and the signed checkpoint. Each batch that records writes it anew.
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("checkpoint", Text, nullable=False),
)

# Checkpoints that are kept, one a minute while the log grows; `time_stamp` is the RFC 3161 token over the text.
audit_checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column("size", _POSITION, primary_key=True, autoincrement=False),
    Column("checkpoint", Text, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("time_stamp", LargeBinary),
)

# How often an address that no annex knows was refused within one minute. `source` is an IPv4 address or an
# IPv6 /64 network.
stranger_refusals = Table(
    "stranger_refusals",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("minute", UtcDateTime, primary_key=True),
    Column("refusals", BigInteger, nullable=False),
    Column("last_refused_at", UtcDateTime, nullable=False),
    Column("last_code", Text),
)

# The messages that were admitted and could still be replayed.
replay_keys = Table(
    "replay_keys",
    metadata,
    Column("replay_key", LargeBinary(32), primary_key=True),
    Column("forget_at", UtcDateTime, nullable=False),
    Index("ix_replay_keys_forget_at", "forget_at"),
)

# How much of its quota a client has used in a period (`minute` or `day`, UTC).
quota_counters = Table(
    "quota_counters",
    metadata,
    Column("client", Text, primary_key=True),
    Column("period", String(8), primary_key=True),
    Column("period_start", UtcDateTime, primary_key=True),
    Column("used", BigInteger, nullable=False),
    Column("forget_at", UtcDateTime, nullable=False),
    Index("ix_quota_counters_forget_at", "forget_at"),
)

# At most one row, `id` 1: the gateway is closed, until it is deleted.
maintenance = Table(
    "maintenance",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("message", Text, nullable=False),
    Column("until", UtcDateTime),
    Column("since", UtcDateTime, nullable=False),
    Column("account", Text, nullable=False),
)
