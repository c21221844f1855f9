"""Requests of DimonaService as values, and a personnel file in which every criterion makes a difference."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from fixtures.employers import get_employer
from fixtures.persons import make_ssin
from services.consultation import Consultation, Outcome
from services.dimona.numbers import render_period_id
from services.dimona.operations import submit_declarations
from services.dimona.worker import Worker
from services.employer import Employer
from tests.unit.fakes_dimona import FakeDimonaRepository

NOW = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)
EARLIER = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)


def make_employer(key: str) -> Employer:
    known = get_employer(key)
    return Employer(
        known.register, known.registration_number, known.enterprise_number, known.name, known.natural_person
    )


BREWERY, MUNICIPALITY, AGENCY = (make_employer(key) for key in ("brewery", "municipality", "temp-agency"))
HOSPITAL, HOSPITAL_LOCAL = make_employer("hospital"), make_employer("hospital-local")
ANNA = Worker(make_ssin(date(1985, 3, 14), 941), "Peeters", "Anna", date(1985, 3, 14), "F")
BRAM = Worker(make_ssin(date(1992, 8, 20), 942), "Mertens", "Bram", date(1992, 8, 20), "M")
LOTTE = Worker(make_ssin(date(2004, 3, 2), 943), "Peeters", "Lotte", date(2004, 3, 2), "F")

ADDRESS = {
    "street": "Hopstraat",
    "houseNumber": "1",
    "box": "A",
    "postalCode": "9000",
    "municipality": "Gent",
    "country": "BE",
}
IDENTITY = {"name": "PEETERS", "firstName": "Lotte", "birthDate": date(2004, 3, 2), "sex": "F", "address": ADDRESS}


def consultation(
    operation: str,
    criteria: Mapping[str, Any],
    now: datetime = NOW,
    ticket: str | None = "T-1",
    client: str = "brewery",
) -> Consultation:
    customer: dict[str, Any] = {"customerIdentification": {"cbeNumber": str(BREWERY.enterprise_number)}}
    values = {
        "informationCustomer": customer | ({} if ticket is None else {"ticket": ticket}),
        "legalContext": "NSSO:EMPLOYER_DECLARATION",
        "criteria": criteria,
    }
    return Consultation(operation, values, now, "", client)


def name_employer(employer: Employer) -> dict[str, str]:
    name = "nssoRegistrationNumber" if employer.register.value == "NSSO" else "nssoPpoRegistrationNumber"
    return {name: employer.registration_number}


def begin(worker: str | Mapping[str, Any], day: date, worker_type: str = "OTH", **changes: Any) -> dict[str, Any]:
    """Return an `in`; what of `changes` is an element of features goes there."""
    inner = ("jointCommittee", "subEntity", "occupationForm", "usingCompany", "studentPlaceOfWork")
    features = {"workerType": worker_type, "jointCommittee": "118"}
    features |= {name: changes.pop(name) for name in inner if name in changes}
    who = {"ssin": worker} if isinstance(worker, str) else {"identity": worker}
    return {"in": {"worker": who, "features": features, "startingDate": day, **changes}}


def submit(
    repository: FakeDimonaRepository,
    *declarations: Mapping[str, Any],
    employer: Employer = BREWERY,
    now: datetime = NOW,
    ticket: str | None = "T-1",
    client: str = "brewery",
) -> Outcome:
    criteria = {"employer": name_employer(employer), "declaration": list(declarations)}
    return submit_declarations(consultation("submitDeclarations", criteria, now, ticket, client), repository)


def make_file() -> FakeDimonaRepository:
    """Return a personnel file of seven periods, made by nine declarations."""
    repository = FakeDimonaRepository(
        (BREWERY, MUNICIPALITY, AGENCY, HOSPITAL, HOSPITAL_LOCAL), workers=(ANNA, BRAM, LOTTE)
    )
    using = {"name": "Brouwerij", "enterpriseNumber": str(BREWERY.enterprise_number), "jointCommittee": "118"}
    for number, (employer, now, declarations) in enumerate(
        (
            (BREWERY, EARLIER, [begin(ANNA.ssin, date(2026, 1, 5)), begin(BRAM.ssin, date(2026, 2, 2))]),
            (
                BREWERY,
                NOW,
                [
                    begin(IDENTITY, date(2026, 7, 1), "STU", endingDate=date(2026, 7, 31), plannedHours=160,
                          studentPlaceOfWork={"name": "Zomerbar", "address": ADDRESS}),
                    begin(BRAM.ssin, date(2026, 6, 20), "FLX", occupationForm="HOURS", jointCommittee="302",
                          startingHour="11:00", endingDate=date(2026, 6, 20), endingHour="15:30"),
                    {"out": {"dimonaPeriodId": render_period_id(2), "ssin": BRAM.ssin,
                             "endingDate": date(2026, 6, 12)}},
                ],
            ),
            (MUNICIPALITY, NOW, [begin(ANNA.ssin, date(2026, 9, 1), subEntity="12", jointCommittee="XXX")]),
            (
                AGENCY,
                NOW,
                [
                    begin(ANNA.ssin, date(2026, 6, 16), "TRI", jointCommittee="322", usingCompany=using,
                          endingDate=date(2026, 6, 19), plannedDays=4),
                ],
            ),
            (HOSPITAL, NOW, [begin(LOTTE.ssin, date(2026, 6, 16)),
                             {"cancel": {"dimonaPeriodId": render_period_id(7)}}]),
        ),
        1,
    ):  # fmt: skip
        outcome = submit(repository, *declarations, employer=employer, now=now, ticket=f"FILE-{number}", client="file")
        refused = [each for each in outcome.data["declarationResults"]["declarationResult"] if "anomalies" in each]
        assert not refused, refused
    return repository
