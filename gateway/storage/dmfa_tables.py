"""The embedded stand-in of the registers of attestations: versioned documents, with the keys to search them by.

As the newest migration leaves them; a test compares the two. A version is a row that is never changed, but for
the number of the version that followed it. The key leads with the person and then orders a person's versions, so
that a page is one range of the key however many there are.
"""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, Integer, String, Table

from gateway.storage.tables import metadata

dmfa_attestations = Table(
    "dmfa_attestations",
    metadata,
    Column("ssin", String(11), primary_key=True),
    Column("quarter", String(6), primary_key=True),
    Column("attestation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("previous_version", BigInteger),
    Column("next_version", BigInteger),
    Column("status", String(12), nullable=False),
    Column("creation_date", Date, nullable=False),
    Column("source", String(12), nullable=False),
    Column("nsso_number", String(10), nullable=False),
    Column("enterprise_number", String(10)),
    Column("sector_indicator", String(3)),
    Column("provincial_or_local", Boolean(create_constraint=False), nullable=False),
    Column("employer_class", Integer),
    Column("worker_code", Integer),
    # As the contract names things; text, and not PostgreSQL's jsonb, which would sort and check what is only handed on.
    Column("document", JSON, nullable=False),
)

# The quarters that a register has not delivered; `end_quarter` is inclusive.
dmfa_outages = Table(
    "dmfa_outages",
    metadata,
    Column("source", String(12), primary_key=True),
    Column("begin_quarter", String(6), primary_key=True),
    Column("end_quarter", String(6), nullable=False),
    sqlite_with_rowid=False,
)
