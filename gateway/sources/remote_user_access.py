"""User Management behind EmployerMandateConsultationService as another institution's service.

Implements `services.user_access`. To that institution the gateway is a support application; the contract has no legal
context.
"""

from collections.abc import Iterator
from datetime import date

from gateway.sources.remote import RemoteSource
from gateway.sources.remote_statuses import FOUND, expect
from services.consultation import SourceAnswerInvalid, Values
from services.employer import REGISTRATION_NUMBERS, EmployerReference
from services.employer_numbers import has_valid_enterprise_check_digits
from services.user_access import AccessGiven, AccessPath, AccessQuestion, AccessRefused, Mandate, NoAccessReason

_THROUGH_ANOTHER = frozenset({AccessPath.RECOGNISED_SOCIAL_SECRETARIAT, AccessPath.SERVICE_PROVIDER})


class RemoteUserAccess:
    """Asks the source."""

    def __init__(self, source: RemoteSource) -> None:
        self._source = source

    def probe(self) -> None:
        """Ask for nobody: return if the source answers."""
        self._source.probe()

    def check_access(self, question: AccessQuestion) -> AccessGiven | AccessRefused:
        """Ask by each number of the entity, since a message holds one, within one deadline.

        Access is given when it is the same by all of them: otherwise they are not the numbers of one entity.
        """
        until = self._source.begin()
        first, *others = _write_entities(question.entity)
        answer = self._ask(question, first, until)
        if isinstance(answer, AccessGiven) and any(self._ask(question, other, until) != answer for other in others):
            return AccessRefused(NoAccessReason.ENTITY_UNKNOWN)
        return answer

    def close(self) -> None:
        """Take no more questions."""
        self._source.close()

    def _ask(self, question: AccessQuestion, entity: Values, until: float) -> AccessGiven | AccessRefused:
        criteria = {
            "technicalUserId": question.technical_user_id,
            "entity": entity,
            "application": question.application,
            "referenceDate": question.day,
        }
        operation = "CheckUnauthenticatedUserAccess"
        answer = self._source.ask(operation, criteria, lambda values: values["criteria"] == criteria, until)
        expect(answer, FOUND, person=False)
        return _read_access(answer.values.get("userAccess", {}), question.day)


def _write_entities(entity: EmployerReference) -> Iterator[Values]:
    """Yield the element `entity` for each number of it."""
    if entity.register is not None:
        yield {REGISTRATION_NUMBERS[entity.register]: entity.registration_number}
    if entity.enterprise_number is not None:
        yield {"enterpriseNumber": entity.enterprise_number}


def _read_access(values: Values, day: date) -> AccessGiven | AccessRefused:
    """Return the answer; SourceAnswerInvalid for one that is not whole or contradicts itself, as the contract may."""
    match values:
        case {"access": False, "reason": reason} if len(values) == 2:
            return AccessRefused(NoAccessReason(reason["code"]))
        case {"access": True, "path": path} if len(values) == 2 and path not in _THROUGH_ANOTHER:
            return AccessGiven(AccessPath(path))
        case {"access": True, "path": path, "mandate": mandate} if len(values) == 3 and path in _THROUGH_ANOTHER:
            return AccessGiven(AccessPath(path), _read_mandate(mandate, day))
    raise SourceAnswerInvalid.giving("neither access with what gives it nor a reason why there is none")


def _read_mandate(values: Values, day: date) -> Mandate:
    validity = values.get("validity", {})
    begin, end = validity.get("beginDate"), validity.get("endDate")
    if begin is None or not begin <= day <= (end or date.max):
        raise SourceAnswerInvalid.giving("access by a mandate that does not hold on that day")
    if not has_valid_enterprise_check_digits(values["provider"]):
        raise SourceAnswerInvalid.giving("access by the mandate of a number that no enterprise has")
    return Mandate(values["provider"], begin, end)
