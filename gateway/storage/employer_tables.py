"""The embedded stand-in of the registers of employers, as the newest migration leaves it; a test compares the two."""

from sqlalchemy import JSON, Boolean, Column, Date, Index, String, Table, Text

from gateway.storage.tables import metadata

# `register` is NSSO or NSSO_PPO; both give numbers of ten digits, out of different ranges.
employers = Table(
    "employers",
    metadata,
    Column("registration_number", String(10), primary_key=True),
    Column("register", String(8), nullable=False),
    Column("enterprise_number", String(10)),
    Column("name", Text, nullable=False),
    Column("natural_person", Boolean(create_constraint=False), nullable=False),
    Column("deletion_date", Date),
    # What the repertory tells: codes, addresses and categories, by the names of fixtures/employers.yaml.
    Column("document", JSON, nullable=False),
    # Of a natural person, where the register knows it: for the audit, never told.
    Column("ssin", String(11)),
    Index("ix_employers_enterprise_number", "enterprise_number"),
)
