"""The registers of employers behind EmployerRepertoryService as another institution's service.

Implements `services.employer_repertory.repository`. The contract does not tell whether an employer is a natural
person, but a source keeps to deliberation 07/039 and refuses to tell us of one: so whoever is told of is none.
"""

from gateway.sources.remote import RemoteSource
from gateway.sources.remote_statuses import FOUND, expect
from services.consultation import SourceAnswerInvalid, Values
from services.employer import REGISTRATION_NUMBERS, EmployerReference, Register
from services.employer_repertory.registration import Category, Registration
from services.employer_repertory.repository import NaturalPersonReserved

_NO_DATA, _REFUSED, _REFUSED_TO_USER = "MSG00100", "MSG00015", "MSG00016"


class RemoteEmployerRegister:
    """Asks the source."""

    def __init__(self, source: RemoteSource) -> None:
        self._source = source

    def probe(self) -> None:
        """Ask for nobody: return if the source answers."""
        self._source.probe()

    def find_registrations(self, employer: EmployerReference) -> tuple[Registration, ...]:
        """Ask by the one number that the reference has; NaturalPersonReserved when the source tells us nothing."""
        if employer.register is not None:
            criteria = {REGISTRATION_NUMBERS[employer.register]: employer.registration_number}
        else:
            criteria = {"enterpriseNumber": employer.enterprise_number}
        answer = self._source.ask("consultEmployer", criteria, lambda values: values["criteria"] == criteria)
        expect(answer, FOUND | {_NO_DATA, _REFUSED, _REFUSED_TO_USER}, person=False)
        if answer.code in (_REFUSED, _REFUSED_TO_USER):
            if not any(name == "field" for name, _ in answer.information):
                raise SourceAnswerInvalid.giving("a refusal that is not about the employer")
            raise NaturalPersonReserved
        found = answer.values.get("registrations", {}).get("registration", ())
        return tuple(_read_registration(each) for each in found)

    def close(self) -> None:
        """Take no more questions."""
        self._source.close()


def _read_registration(values: Values) -> Registration:
    """Return a registration; SourceAnswerInvalid for one without number or register, which the contract lets away."""
    try:
        register, number = Register(values["register"]), values["registrationNumber"]
    except (KeyError, ValueError):
        raise SourceAnswerInvalid.giving("a registration without its number or register") from None
    categories = values.get("employerCategories", {}).get("employerCategory", ())
    return Registration(
        register=register,
        registration_number=number,
        enterprise_number=values.get("enterpriseNumber"),
        deletion_date=values.get("deletionDate"),
        legal_form=_read_code(values.get("legalForm")),
        registered_office=values.get("registeredOffice"),
        employer_type=_read_code(values.get("employerType")),
        categories=tuple(_read_category(each) for each in categories),
    )


def _read_category(values: Values) -> Category:
    return Category(
        code=values["category"]["code"],
        nace_codes=tuple(each["code"] for each in values.get("naceCodes", {}).get("naceCode", ())),
        place_of_operation=values.get("placeOfOperation"),
        importance_codes=tuple(each["code"] for each in values.get("importanceCodes", {}).get("importanceCode", ())),
    )


def _read_code(values: Values | None) -> str | None:
    return None if values is None else values["code"]
