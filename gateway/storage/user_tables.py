"""User Management, as the newest migration leaves it: the history that nobody can change, and what is derived from it.

Only `user_history` says what was decided; `user_enterprises` and `user_identifiers` are projections of it, written in
the same transaction. Credentials and sessions are no part of the history: a password is forgotten when it changes.
"""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from gateway.storage.tables import UtcDateTime, metadata

# One row per event. Triggers refuse UPDATE and DELETE (and TRUNCATE). `sequence` has no gap, and `digest` covers the
# row and the digest of the row before. `enterprise` is empty for what concerns the operators of the gateway.
user_history = Table(
    "user_history",
    metadata,
    Column("sequence", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("enterprise", String(10), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("session", String(36), nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    # JSON, exactly the text that the digest covers.
    Column("event", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Index("ix_user_history_enterprise", "enterprise", "version", unique=True),
)

# What the events of an enterprise add up to; `version` is the number of those events.
user_enterprises = Table(
    "user_enterprises",
    metadata,
    Column("enterprise", String(10), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("document", JSON, nullable=False),
)

# Whose a user name, identification, sender number, certificate or registration number is; it can be only one holder's.
user_identifiers = Table(
    "user_identifiers",
    metadata,
    Column("kind", String(24), primary_key=True),
    Column("identifier", Text, primary_key=True),
    Column("enterprise", String(10), nullable=False),
    Column("holder", Text, nullable=False),
    Index("ix_user_identifiers_enterprise", "enterprise"),
)

# As which users a person can log in.
user_people = Table(
    "user_people",
    metadata,
    Column("enterprise", String(10), primary_key=True),
    Column("user_id", Text, primary_key=True),
    Column("national_number", String(11), nullable=False),
    Index("ix_user_people_national_number", "national_number"),
)

# Passwords, only as Argon2id hashes; one that another person chose ends at `expires_at`. `account` is a user's
# identification, or operator/NAME.
user_credentials = Table(
    "user_credentials",
    metadata,
    Column("account", Text, primary_key=True),
    Column("password_hash", Text, nullable=False),
    Column("must_change", Boolean(create_constraint=False), nullable=False),
    Column("expires_at", UtcDateTime),
    Column("changed_at", UtcDateTime, nullable=False),
)

# Attempts to log in that have not succeeded, by the name that was given: one that nobody has is locked as well, so
# that a lock tells nobody which names exist.
login_failures = Table(
    "login_failures",
    metadata,
    Column("user_name", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_failed_at", UtcDateTime, nullable=False),
    Column("locked_until", UtcDateTime),
    Index("ix_login_failures_last_failed_at", "last_failed_at"),
)

# Who is logged in. The token itself is nowhere but with its holder.
user_sessions = Table(
    "user_sessions",
    metadata,
    Column("session", String(36), primary_key=True),
    Column("token_digest", String(64), nullable=False),
    # member, operator or applicant; what identifies each is `holder`: a user id, a name, a national number.
    Column("kind", String(16), nullable=False),
    Column("holder", Text, nullable=False),
    Column("enterprise", String(10), nullable=False),
    Column("means", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Index("ix_user_sessions_token_digest", "token_digest", unique=True),
    Index("ix_user_sessions_holder", "holder"),
)
