"""The request for a first manager: who may be it, who signs, what must come in, and when it is decided."""

from authz.ssin import is_acceptable
from authz.user_management.answer import Rule
from authz.user_management.commands import RequestAppointment
from authz.user_management.model import Appointment, AppointmentStatus, Capacity, Medium, Person
from authz.user_management.question import Question

UNDER_DIRECT_AUTHORITY = frozenset({Capacity.EMPLOYEE, Capacity.DIRECTOR, Capacity.MANAGER, Capacity.PARTNER})
HEADS = UNDER_DIRECT_AUTHORITY - {Capacity.EMPLOYEE}
_OPEN = (AppointmentStatus.REQUESTED, AppointmentStatus.ORIGINAL_RECEIVED)


def _ticket(question: Question) -> Appointment | None:
    return question.account.appointments.get(question.command.ticket)


def _persons(question: Question) -> tuple[Person, ...]:
    if isinstance(question.command, RequestAppointment):
        return question.command.manager, question.command.signatory.person
    return (question.command.person,)


def _numbers_are_valid(question: Question) -> bool:
    numbers = (person.national_number for person in _persons(question))
    return all(number is None or is_acceptable(number, question.world.environment) for number in numbers)


def _is_replacement_confirmed(question: Question) -> bool:
    request = question.command if isinstance(question.command, RequestAppointment) else _ticket(question)
    return question.account.chief is None or (request is not None and request.replace)


def _can_be_reached(question: Question) -> bool:
    contact = question.command.contact
    return question.command.manager.national_number is not None or bool(contact.email and contact.phone)


def _is_possible_day(question: Question) -> bool:
    appointment = _ticket(question)
    return appointment is not None and appointment.requested_on <= question.command.received_on <= question.day


def _is_in_time(question: Question) -> bool:
    appointment = _ticket(question)
    if appointment is None or appointment.due is None:
        return False
    return question.day <= appointment.due or bool(question.command.delay_explained)


def _has_status(question: Question, *wanted: AppointmentStatus) -> bool:
    appointment = _ticket(question)
    return appointment is not None and appointment.status in wanted


def _heads_it(question: Question) -> bool:
    command = question.command
    if question.enterprise.has_staff or command.capacity is None:
        return True
    of_manager = isinstance(command, RequestAppointment) or command.user_id == question.account.chief
    return not of_manager or command.capacity in HEADS


DIRECT_AUTHORITY = Rule(
    "direct-authority",
    "Managers and users stand under the direct authority of the enterprise: employee, director, manager or partner;"
    " never a self-employed collaborator, a third party, a provider or an intermediary.",
    "seed 000, points 1 and 2, Let op! and De onderneming en de lokale beheerder; seed 001, Inleiding",
    lambda question: question.command.capacity is None or question.command.capacity in UNDER_DIRECT_AUTHORITY,
)
MANAGER_WITHOUT_STAFF = Rule(
    "manager-without-staff",
    "In an enterprise without staff, the manager is a manager, partner or director of it.",
    "seed 000, De mogelijkheden als onderneming, Let op!",
    _heads_it,
)
SIGNATORY_CAPACITY = Rule(
    "signatory-capacity",
    "A director, manager or partner signs, never a mere employee.",
    "seed 001, Hoe duidt u een lokale beheerder aan?",
    lambda question: question.command.signatory.capacity in HEADS,
)
SIGNATORY_PROOF = Rule(
    "signatory-proof",
    "A signatory who does not work in the enterprise adds a document that shows its capacity.",
    "seed 001, Hoe duidt u een lokale beheerder aan?",
    lambda question: question.command.signatory.works_here or bool(question.command.signatory.proof),
)
SIGNATORY_IDENTIFIED = Rule(
    "signatory-identified",
    "The request names the signatory's national number.",
    "seed 001, Hoe duidt u een lokale beheerder aan?",
    lambda question: question.command.signatory.person.national_number is not None,
)
MANAGER_CONTACT = Rule(
    "manager-contact",
    "The request says where the manager can be reached.",
    "seed 001, Hoe duidt u een lokale beheerder aan?",
    lambda question: bool(question.command.contact.email or question.command.contact.phone),
)
CREDENTIALS_CONTACT = Rule(
    "credentials-contact",
    "A manager without Belgian national number has an e-mail address and a telephone for the user name and password.",
    "seed 002, U bent Hoofdtoegangsbeheerder, maar u hebt geen Belgisch rijksregisternummer",
    _can_be_reached,
)
NATIONAL_NUMBER_VALID = Rule(
    "national-number-valid",
    "A national number has eleven digits whose check digits agree; production knows no synthetic ones.",
    "seed 001, Ter informatie",
    _numbers_are_valid,
)
REPLACEMENT_CONFIRMED = Rule(
    "replacement-confirmed",
    "Who asks for a manager where there is one says yes to replacing it.",
    "seed 001, Hoe verandert u van lokale beheerder?",
    _is_replacement_confirmed,
)
TICKET_KNOWN = Rule(
    "ticket-known",
    "A request is known by the ticket number that was given for it.",
    "seed 001, Hoe duidt u een lokale beheerder aan?",
    lambda question: _ticket(question) is not None,
)
REQUEST_OPEN = Rule(
    "request-open",
    "A request that was approved or refused is closed.",
    "ours",
    lambda question: _has_status(question, *_OPEN),
)
ORIGINAL_ONLY = Rule(
    "original-only",
    "Only the signed original is accepted: no fax, no copy, no e-mail.",
    "seed 001, Hoe duidt u een lokale beheerder aan?",
    lambda question: question.command.medium is Medium.ORIGINAL,
)
RECEIVED_ON_POSSIBLE = Rule(
    "received-on-possible",
    "An original comes in after it was requested, and not in the future.",
    "ours",
    _is_possible_day,
)
ORIGINAL_BEFORE_APPROVAL = Rule(
    "original-before-approval",
    "A request is approved once its original came in.",
    "seed 001, Hoe duidt u een lokale beheerder aan?",
    lambda question: _has_status(question, AppointmentStatus.ORIGINAL_RECEIVED),
)
APPROVED_IN_TIME = Rule(
    "approved-in-time",
    "A request is approved within five working days of its original; who approves later explains the delay.",
    "seed 001, Hoe duidt u een lokale beheerder aan?",
    _is_in_time,
)
RULES = (
    DIRECT_AUTHORITY,
    MANAGER_WITHOUT_STAFF,
    SIGNATORY_CAPACITY,
    SIGNATORY_PROOF,
    SIGNATORY_IDENTIFIED,
    MANAGER_CONTACT,
    CREDENTIALS_CONTACT,
    NATIONAL_NUMBER_VALID,
    REPLACEMENT_CONFIRMED,
    TICKET_KNOWN,
    REQUEST_OPEN,
    ORIGINAL_ONLY,
    RECEIVED_ON_POSSIBLE,
    ORIGINAL_BEFORE_APPROVAL,
    APPROVED_IN_TIME,
)
