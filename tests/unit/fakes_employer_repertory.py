"""The fake of the port of EmployerRepertoryService, in memory."""

from collections.abc import Iterable

from fixtures.employers import SyntheticEmployer, load_employers
from services.employer import EmployerReference
from services.employer_repertory.registration import Category, Registration


class FakeEmployerRegister:
    """Finds synthetic employers; raises `fault` when it is set."""

    def __init__(self, employers: Iterable[SyntheticEmployer] | None = None) -> None:
        known = load_employers() if employers is None else tuple(employers)
        self.registrations = tuple(make_registration(employer) for employer in known)
        self.fault: Exception | None = None

    def find_registrations(self, employer: EmployerReference) -> tuple[Registration, ...]:
        if self.fault is not None:
            raise self.fault
        found = (each for each in self.registrations if _is_meant(each, employer))
        return tuple(sorted(found, key=lambda each: (each.register, each.registration_number)))


def make_registration(employer: SyntheticEmployer) -> Registration:
    """Return what the register tells of a synthetic employer."""
    document = employer.document
    return Registration(
        register=employer.register,
        registration_number=employer.registration_number,
        enterprise_number=employer.enterprise_number,
        natural_person=employer.natural_person,
        deletion_date=employer.deletion_date,
        legal_form=document.get("legalForm"),
        registered_office=document.get("registeredOffice"),
        employer_type=document.get("employerType"),
        categories=tuple(
            Category(
                category["category"],
                tuple(category["naceCodes"]),
                category.get("placeOfOperation"),
                tuple(category["importanceCodes"]),
            )
            for category in document.get("categories", ())
        ),
        ssin=employer.ssin,
    )


def _is_meant(registration: Registration, employer: EmployerReference) -> bool:
    if employer.register is not None:
        number = (registration.register, registration.registration_number)
        return number == (employer.register, employer.registration_number)
    return registration.enterprise_number == employer.enterprise_number
