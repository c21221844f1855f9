"""Who may act for which employer, as the authorize stage asks it: an employer may act for itself."""

from datetime import date

from sqlalchemy import or_, select

from authz.employer_access import EmployerRelation, NamedEmployer, RelationKind
from authz.organisation import Organisation
from gateway.storage.database import Database
from gateway.storage.employer_tables import employers
from services.employer import Register


class OwnEmployerAccess:
    """Knows the employers' own relation, from the register of employers; connects for each question."""

    def __init__(self, database: Database) -> None:
        """Read from the database, never write."""
        self._database = database

    def find_relation(self, acting: Organisation, employer: NamedEmployer, day: date) -> EmployerRelation | None:
        """Return the relation of an enterprise with its own registration, until that was struck off.

        Every number that is named must be the employer's, and the enterprise number the one that acts.
        """
        numbers = (
            (Register.NSSO, employer.nsso_registration_number),
            (Register.NSSO_PPO, employer.nsso_ppo_registration_number),
        )
        registrations = [(register, number) for register, number in numbers if number is not None]
        if acting.cbe_number is None or employer.enterprise_number not in (None, acting.cbe_number):
            return None
        if not registrations and employer.enterprise_number is None:
            return None
        query = select(employers.c.deletion_date).where(
            employers.c.enterprise_number == acting.cbe_number,
            or_(employers.c.deletion_date.is_(None), employers.c.deletion_date >= day),
        )
        for register, number in registrations:
            query = query.where(employers.c.registration_number == number, employers.c.register == register.value)
        with self._database.read() as connection:
            row = connection.execute(query.limit(1)).first()
        return None if row is None else EmployerRelation(RelationKind.OWN, end=row.deletion_date)
