"""Employers, workers and declarations for the tests of Dimona."""

import hashlib
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from authz.enterprise import with_check_digits
from fixtures.persons import make_ssin
from services.dimona.declaration import Action, Declaration, Features, Submission, UsingCompany, WorkerIdentity
from services.dimona.worker import Person, Standing, Worker
from services.employer import Employer, EmployerReference, Register
from services.employer_numbers import complete_nsso_number

NOON = datetime(2026, 3, 10, 11, 0, tzinfo=UTC)
TODAY = date(2026, 3, 10)


def make_employer(index: int, register: Register = Register.NSSO, enterprise: int | None = None) -> Employer:
    number = complete_nsso_number(f"{1_900_201 + index:08}")
    return Employer(register, number, with_check_digits(f"{9_999_301 + (enterprise or index):08}"), f"Employer {index}")


BREWERY, BAKERY = make_employer(0), make_employer(1)
# Two registrations of one enterprise.
CITY, CITY_SCHOOLS = make_employer(2), make_employer(3, Register.NSSO_PPO, enterprise=2)
STRUCK_OFF = replace(make_employer(4), deletion_date=TODAY)
EMPLOYERS = (BREWERY, BAKERY, CITY, CITY_SCHOOLS, STRUCK_OFF)

USING = with_check_digits("09999350")

ANNA = Worker(make_ssin(date(1990, 5, 1), 950), "Peeters", "Anna", date(1990, 5, 1), "F")
BRAM = Worker(make_ssin(date(1991, 6, 2), 951), "Dubois-Étienne", "René", date(1991, 6, 2), "M")
TWIN, OTHER_TWIN = (
    Worker(make_ssin(date(1992, 7, 3), serial), "Janssens", "Kim", date(1992, 7, 3), "X") for serial in (952, 953)
)
WORKERS = (ANNA, BRAM, TWIN, OTHER_TWIN)

OLD_NUMBER = make_ssin(date(1990, 5, 1), 954)
CANCELLED = make_ssin(date(1993, 8, 4), 955)
DECEASED = make_ssin(date(1994, 9, 5), 956)
UNKNOWN = make_ssin(date(1995, 10, 6), 957)
MALFORMED = f"{UNKNOWN[:9]}{(int(UNKNOWN[9:]) + 1) % 100:02}"
DEATH = date(2026, 1, 15)

PERSONS = {
    OLD_NUMBER: Person(ANNA.ssin),
    CANCELLED: Person(CANCELLED, Standing.CANCELLED),
    DECEASED: Person(DECEASED, deceased_on=DEATH),
    MALFORMED: Person(MALFORMED, Standing.MALFORMED),
}
"""By SSIN, besides the workers; what is in none of the two is unknown."""

_tickets = count(1)


def features(worker_type: str = "OTH", **changes: Any) -> Features:
    return Features(**({"worker_type": worker_type, "joint_committee": "200"} | changes))


def begin(begin_date: date = TODAY, *, worker_type: str = "OTH", **changes: Any) -> Declaration:
    """Return an IN; what of `changes` a declaration does not have is of its features."""
    of_features = {name: changes.pop(name) for name in list(changes) if name in Features.__dataclass_fields__}
    who = {} if "identity" in changes else {"ssin": ANNA.ssin}
    told = who | {"features": features(worker_type, **of_features), "begin_date": begin_date} | changes
    return Declaration(Action.IN, **told)


def end(period_id: str, end_date: date, **changes: Any) -> Declaration:
    return Declaration(Action.OUT, period_id=period_id, end_date=end_date, **changes)


def update(period_id: str, **changes: Any) -> Declaration:
    return Declaration(Action.UPDATE, period_id=period_id, **changes)


def cancel(period_id: str, **changes: Any) -> Declaration:
    return Declaration(Action.CANCEL, period_id=period_id, **changes)


def identity(worker: Worker, **changes: Any) -> WorkerIdentity:
    told = {"name": worker.name, "first_name": worker.first_name, "birth_date": worker.birth_date, "sex": worker.sex}
    address = {"street": "Hopstraat", "houseNumber": "1", "postalCode": "9000", "municipality": "Gent", "country": "BE"}
    return WorkerIdentity(**(told | {"address": address} | changes))


def using(**changes: Any) -> UsingCompany:
    return UsingCompany(**({"name": "Drukkerij", "enterprise_number": USING, "joint_committee": "130"} | changes))


def submission(
    *declarations: Declaration,
    employer: Employer = BREWERY,
    received_at: datetime = NOON,
    client: str = "brewery",
    ticket: str | None = None,
) -> Submission:
    return Submission(
        client,
        ticket or f"ticket-{next(_tickets)}",
        hashlib.sha256(repr([asdict(each) for each in declarations]).encode()).digest(),
        EmployerReference(employer.register, employer.registration_number),
        declarations,
        received_at,
    )
