"""Puts the synthetic register of employers into the database.

For demo and test worlds only. Inserts; who loads a registration twice gets the database's IntegrityError.
"""

from collections.abc import Iterable

from sqlalchemy import Connection

from fixtures.employers import SyntheticEmployer
from gateway.storage.employer_tables import employers as employers_table


def load_employers(connection: Connection, employers: Iterable[SyntheticEmployer]) -> None:
    """Insert registrations."""
    rows = [
        {
            "registration_number": employer.registration_number,
            "register": employer.register.value,
            "enterprise_number": employer.enterprise_number,
            "name": employer.name,
            "natural_person": employer.natural_person,
            "deletion_date": employer.deletion_date,
            "document": employer.document,
            "ssin": employer.ssin,
        }
        for employer in employers
    ]
    if rows:
        connection.execute(employers_table.insert(), rows)
