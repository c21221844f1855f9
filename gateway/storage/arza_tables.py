"""The embedded stand-in of the RSVZ's register: careers (ARZA), contribution accounts, known PCSAs.

As the newest migration leaves them; a test compares the two. Every key leads with the SSIN, so a person is
found in the key itself however many there are, and SQLite keeps the rows of a person together (WITHOUT
ROWID). Codes carry no constraint: a register may hold what its users do not expect, and the operations have
to notice.
"""

from sqlalchemy import Column, Date, ForeignKeyConstraint, Integer, String, Table

from gateway.storage.tables import metadata

arza_careers = Table(
    "arza_careers",
    metadata,
    Column("ssin", String(11), primary_key=True),
    Column("nisse_reference", String(15), nullable=False),
    Column("enterprise_number", String(10)),
    Column("occupation", String(6)),
    sqlite_with_rowid=False,
)

arza_affiliations = Table(
    "arza_affiliations",
    metadata,
    Column("ssin", String(11), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("fund", String(3), nullable=False),
    Column("signature_date", Date),
    ForeignKeyConstraint(["ssin"], ["arza_careers.ssin"]),
    sqlite_with_rowid=False,
)

arza_segments = Table(
    "arza_segments",
    metadata,
    Column("ssin", String(11), primary_key=True),
    Column("affiliation", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("begin_date", Date, nullable=False),
    Column("end_date", Date),
    Column("quality", Integer, nullable=False),
    Column("contribution", Integer, nullable=False),
    Column("equality", Integer),
    ForeignKeyConstraint(["ssin", "affiliation"], ["arza_affiliations.ssin", "arza_affiliations.number"]),
    sqlite_with_rowid=False,
)

# One row per person, quarter and fund concerned, whether or not that fund can be asked now.
arza_contributions = Table(
    "arza_contributions",
    metadata,
    Column("ssin", String(11), primary_key=True),
    Column("quarter", String(6), primary_key=True),
    Column("fund", String(3), primary_key=True),
    Column("situation", String(2), nullable=False),
    Column("ziv", Integer),
    sqlite_with_rowid=False,
)

# The quarters that a fund has not delivered; `end_quarter` is inclusive.
arza_fund_outages = Table(
    "arza_fund_outages",
    metadata,
    Column("fund", String(3), primary_key=True),
    Column("begin_quarter", String(6), primary_key=True),
    Column("end_quarter", String(6), nullable=False),
    sqlite_with_rowid=False,
)

arza_pcsas = Table(
    "arza_pcsas",
    metadata,
    Column("cbe_number", String(10), primary_key=True),
    sqlite_with_rowid=False,
)
