"""Assembles the registrations of a reply: the fields that deliberation 07/039 lists (2.2), and no other."""

from collections.abc import Iterable

from services.consultation import Values, present
from services.employer_repertory.codes import CATEGORY, EMPLOYER_TYPE, IMPORTANCE, LEGAL_FORM, NACE, CodeTable
from services.employer_repertory.registration import Category, Registration


def make_registrations(registrations: Iterable[Registration]) -> Values:
    """Return the `registrations` element; SourceAnswerInvalid for a code that no table has."""
    return {"registration": [_make_registration(registration) for registration in registrations]}


def _make_registration(registration: Registration) -> Values:
    categories = [_make_category(category) for category in registration.categories]
    return present(
        registrationNumber=registration.registration_number,
        register=registration.register.value,
        enterpriseNumber=registration.enterprise_number,
        deletionDate=registration.deletion_date,
        legalForm=_describe(LEGAL_FORM, registration.legal_form),
        registeredOffice=_copy(registration.registered_office),
        employerType=_describe(EMPLOYER_TYPE, registration.employer_type),
        employerCategories={"employerCategory": categories} if categories else None,
    )


def _make_category(category: Category) -> Values:
    activities = [NACE.get_element(code) for code in category.nace_codes]
    importance = [IMPORTANCE.get_element(code) for code in category.importance_codes]
    return present(
        category=CATEGORY.get_element(category.code),
        naceCodes={"naceCode": activities} if activities else None,
        placeOfOperation=_copy(category.place_of_operation),
        importanceCodes={"importanceCode": importance} if importance else None,
    )


def _describe(table: CodeTable, code: str | None) -> Values | None:
    return None if code is None else table.get_element(code)


def _copy(address: Values | None) -> Values | None:
    return None if address is None else dict(address)
