"""The registers of employers behind EmployerRepertoryService, kept in this database.

Implements `services.employer_repertory.repository`. Reads only; decides nothing.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, bindparam, select

from gateway.sources.asking import Read, asking
from gateway.storage.employer_tables import employers
from services.consultation import SourceAnswerInvalid
from services.employer import EmployerReference, Register
from services.employer_repertory.registration import Category, Registration

_COLUMNS = employers.c
_REGISTRATIONS = select(
    _COLUMNS.register,
    _COLUMNS.registration_number,
    _COLUMNS.enterprise_number,
    _COLUMNS.natural_person,
    _COLUMNS.deletion_date,
    _COLUMNS.ssin,
    _COLUMNS.document,
).order_by(_COLUMNS.register, _COLUMNS.registration_number)
_BY_REGISTRATION = _REGISTRATIONS.where(
    _COLUMNS.registration_number == bindparam("number"), _COLUMNS.register == bindparam("register")
)
_BY_ENTERPRISE = _REGISTRATIONS.where(_COLUMNS.enterprise_number == bindparam("number"))


class SqlEmployerRegister:
    """Answers from the table `employers`; `read` gives a connection for the duration of a question."""

    def __init__(self, read: Read) -> None:
        self._read = read

    def probe(self) -> None:
        """Ask for nobody: return if the register answers."""
        with asking(self._read) as connection:
            connection.execute(_BY_ENTERPRISE, {"number": ""}).first()

    def find_registrations(self, employer: EmployerReference) -> tuple[Registration, ...]:
        """Return the registrations, found by one index; SourceAnswerInvalid for a document without its fields."""
        with asking(self._read) as connection:
            if employer.register is not None:
                asked = {"number": employer.registration_number, "register": employer.register.value}
                rows = connection.execute(_BY_REGISTRATION, asked).all()
            else:
                rows = connection.execute(_BY_ENTERPRISE, {"number": employer.enterprise_number}).all()
        try:
            return tuple(_make_registration(row) for row in rows)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = "the register's document lacks what a registration has"
            raise SourceAnswerInvalid(reason, (("details", reason),)) from error


def _make_registration(row: Row[*tuple[Any, ...]]) -> Registration:
    document: Mapping[str, Any] = row.document
    return Registration(
        register=Register(row.register),
        registration_number=row.registration_number,
        enterprise_number=row.enterprise_number,
        natural_person=row.natural_person,
        deletion_date=row.deletion_date,
        legal_form=document.get("legalForm"),
        registered_office=document.get("registeredOffice"),
        employer_type=document.get("employerType"),
        categories=tuple(_make_category(category) for category in document.get("categories", ())),
        ssin=row.ssin,
    )


def _make_category(category: Mapping[str, Any]) -> Category:
    return Category(
        code=category["category"],
        nace_codes=tuple(category.get("naceCodes", ())),
        place_of_operation=category.get("placeOfOperation"),
        importance_codes=tuple(category.get("importanceCodes", ())),
    )
