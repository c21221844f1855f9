"""The embedded stand-in of the NSSO's Dimona: what was declared, the personnel file that it comes to, and who is told.

As the newest migration leaves them; a test compares the two. Declarations are only added. Periods are a projection of
them, written in the transaction of the declaration: `services.dimona.personnel_file.fold` would make the same ones.
Both keep the SSIN under which they were recorded; readers tell the one that is in force (`persons.replaced_by`).
Each index serves one criterion of a search, in the order in which pages follow each other.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    Time,
    UniqueConstraint,
)

from gateway.storage.tables import UtcDateTime, growing_key, metadata

# What a client sent under a ticket, by its SHA-256, and what it was answered, for ever.
dimona_submissions = Table(
    "dimona_submissions",
    metadata,
    Column("client", Text, primary_key=True),
    Column("ticket", Text, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("answers", JSON, nullable=False),
)

# `worker_type`, `joint_committee` and `using_company` are those of the period, whatever the declaration itself says.
dimona_declarations = Table(
    "dimona_declarations",
    metadata,
    Column("number", String(13), primary_key=True),
    Column("received_at", UtcDateTime, nullable=False),
    Column("employer_number", String(10), nullable=False),
    Column("ssin", String(11), nullable=False),
    Column("period_id", String(12), nullable=False),
    Column("late", Boolean(create_constraint=False), nullable=False),
    Column("worker_type", String(3), nullable=False),
    Column("joint_committee", String(6), nullable=False),
    Column("using_company", String(10)),
    Column("declaration", JSON, nullable=False),
    Index("ix_dimona_declarations_ssin_number", "ssin", "number"),
    Index("ix_dimona_declarations_employer_number_number", "employer_number", "number"),
    Index("ix_dimona_declarations_using_company_number", "using_company", "number"),
)

dimona_periods = Table(
    "dimona_periods",
    metadata,
    Column("period_id", String(12), primary_key=True),
    Column("employer_number", String(10), nullable=False),
    Column("ssin", String(11), nullable=False),
    Column("begin_date", Date, nullable=False),
    Column("begin_hour", Time),
    Column("end_date", Date),
    Column("end_hour", Time),
    Column("planned_hours", Integer),
    Column("planned_days", Integer),
    Column("cancelled", Boolean(create_constraint=False), nullable=False),
    Column("locked", Boolean(create_constraint=False), nullable=False),
    Column("late", Boolean(create_constraint=False), nullable=False),
    Column("last_action", String(6), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("worker_type", String(3), nullable=False),
    Column("joint_committee", String(6), nullable=False),
    Column("using_company", String(10)),
    Column("features", JSON, nullable=False),
    Index("ix_dimona_periods_ssin_period_id", "ssin", "period_id"),
    # What a declaration is judged by, while all other writers wait.
    Index("ix_dimona_periods_employer_number_ssin", "employer_number", "ssin"),
    Index("ix_dimona_periods_employer_number_period_id", "employer_number", "period_id"),
    Index("ix_dimona_periods_using_company_period_id", "using_company", "period_id"),
)

# The NSSO's own register of workers; `search_key` is what `services.dimona.worker` makes of the name.
dimona_workers = Table(
    "dimona_workers",
    metadata,
    Column("ssin", String(11), primary_key=True),
    Column("name", Text, nullable=False),
    Column("first_name", Text, nullable=False),
    Column("birth_date", Date, nullable=False),
    Column("sex", String(1), nullable=False),
    Column("search_key", Text, nullable=False),
    Index("ix_dimona_workers_search_key_birth_date", "search_key", "birth_date"),
)

# What a client is to be told of a declaration, cut to its annex; `organisation` is the text of `Organisation.key`.
dimona_notifications = Table(
    "dimona_notifications",
    metadata,
    growing_key("id"),
    Column("client", Text, nullable=False),
    Column("organisation", String(40), nullable=False),
    Column("declaration_number", String(13), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("acknowledged_at", UtcDateTime),
    Column("content", JSON, nullable=False),
    UniqueConstraint("declaration_number", "client", "organisation"),
    Index("ix_dimona_notifications_client_acknowledged_at_id", "client", "acknowledged_at", "id"),
    sqlite_autoincrement=True,
)
