"""Target: Dimona declarations of employers and of who declares for them, structured, against the whole gateway.

A gateway remembers what was declared: later inputs close, change and cancel periods that earlier ones began.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from functools import cache
from random import Random
from typing import Any

from lxml import etree

from authz.brussels import brussels_day
from fixtures.employers import load_employers
from fuzz.changes import SSINS, change_tree
from fuzz.corpus import Question, load_clients
from fuzz.gateway import FuzzedGateway, open_gateway
from fuzz.messages import trying
from fuzz.requests import Input, choose_client, send_as
from fuzz.target import Try, randomness
from gateway.contracts import OperationContract, load_contracts
from gateway.xml.binding import compile_writer
from services.dimona import DESCRIPTOR
from services.dimona.codes import WORKER_TYPES
from services.dimona.numbers import render_period_id

_OPERATION = "submitDeclarations"
_COMMITTEES = ("118", "118.03", "124", "140.01", "302", "322", "XXX")
_NAMES = ("Peeters", "PEETERS", "D'Hondt", "Łukasz", "é" * 48)
_HOURS = ("00:00", "08:00", "11:30", "23:59")
_EMPLOYERS = load_employers()[:12]


@contextmanager
def open_target() -> Iterator[Try]:
    """Open a gateway to declare to."""
    with open_gateway() as gateway:
        yield trying(gateway, make_input)


def make_input(gateway: FuzzedGateway, seed: int, number: int) -> Input:
    """Make the declarations of this number."""
    random = randomness("declarations", seed, number)
    today = brussels_day(gateway.clock())
    clients = [
        client
        for client in load_clients(today).values()
        if any(question.operation == _OPERATION for question in client.questions)
    ]
    client = choose_client(random, clients)
    question = random.choice([each for each in client.questions if each.operation == _OPERATION])
    payload = etree.fromstring(question.text)
    criteria = payload.find("criteria")
    if criteria is not None:
        _declare(random, criteria, payload, today)
    # Most are well-formed: the rules that judge declarations stand behind the schema.
    for _ in range(random.choices((0, 1, 3), (60, 30, 10))[0]):
        change_tree(random, payload)
    text = etree.tostring(payload, encoding="unicode")
    return send_as(gateway, random, client, Question(question.path, _OPERATION, text))


def _declare(random: Random, criteria: etree._Element, payload: etree._Element, today: date) -> None:
    """Put other declarations in the place of the example's, and now and then another employer."""
    ticket = payload.find("informationCustomer/ticket")
    if ticket is not None:
        # Of so few that some come again, for the same and for something else.
        ticket.text = f"T-{random.randrange(2000)}"
    written = etree.fromstring(
        _writer()({"criteria": {"employer": _employer(random), "declaration": _declarations(random, today)}})
    )
    (declared,) = written.iter("criteria")
    for old in criteria.findall("declaration"):
        criteria.remove(old)
    criteria.extend(declared.findall("declaration"))
    if random.random() < 0.15:
        criteria.replace(criteria[0], declared[0])


@cache
def _writer() -> Callable[[Mapping[str, Any]], str]:
    service = load_contracts((DESCRIPTOR,)).services[DESCRIPTOR.path]
    operation: OperationContract = next(
        each for each in service.operations.values() if each.descriptor.name == _OPERATION
    )
    return compile_writer(operation.request, service.descriptor.namespace, "v1")


def _employer(random: Random) -> dict[str, str]:
    employer = random.choice(_EMPLOYERS)
    if employer.enterprise_number and random.random() < 0.5:
        return {"enterpriseNumber": employer.enterprise_number}
    name = "nssoRegistrationNumber" if employer.register.value == "NSSO" else "nssoPpoRegistrationNumber"
    return {name: employer.registration_number}


def _declarations(random: Random, today: date) -> list[dict[str, Any]]:
    return [random.choice(_KINDS)(random, today) for _ in range(random.choice((1, 1, 2, 3, 8)))]


def _begin(random: Random, today: date) -> dict[str, Any]:
    features: dict[str, Any] = {
        "workerType": random.choice(sorted(WORKER_TYPES)),
        "jointCommittee": random.choice(_COMMITTEES),
    }
    optional: Mapping[str, Any] = {
        "subEntity": "12",
        "occupationForm": random.choice(("HOURS", "DAY", "WRITTEN_CONTRACT")),
        "usingCompany": {"name": random.choice(_NAMES), "enterpriseNumber": "0999930141", "jointCommittee": "118"},
        "studentPlaceOfWork": {"name": random.choice(_NAMES), "address": _address(random)},
    }
    features |= _some(random, optional, 0.2)
    return {
        "in": {
            "worker": _worker(random),
            "features": features,
            "startingDate": _day(random, today),
            **_rest(random, today),
        }
    }


def _end(random: Random, today: date) -> dict[str, Any]:
    hour = _some(random, {"endingHour": random.choice(_HOURS)}, 0.2)
    return {"out": {**_period(random), "endingDate": _day(random, today), **hour}}


def _change(random: Random, today: date) -> dict[str, Any]:
    starting = _some(random, {"startingDate": _day(random, today)}, 0.5)
    return {"update": {**_period(random), **starting, **_rest(random, today)}}


def _cancel(random: Random, today: date) -> dict[str, Any]:
    return {"cancel": _period(random)}


_KINDS: tuple[Callable[[Random, date], dict[str, Any]], ...] = (_begin, _begin, _begin, _end, _change, _cancel)


def _rest(random: Random, today: date) -> dict[str, Any]:
    optional = {
        "startingHour": random.choice(_HOURS),
        "endingDate": _day(random, today),
        "endingHour": random.choice(_HOURS),
        "plannedHours": random.choice((0, 1, 160, 600, 65535)),
        "plannedDays": random.choice((0, 1, 25, 99)),
    }
    return _some(random, optional, 0.3)


def _some(random: Random, values: Mapping[str, Any], share: float) -> dict[str, Any]:
    return {name: value for name, value in values.items() if random.random() < share}


def _day(random: Random, today: date) -> date:
    return today + timedelta(days=random.choice((-3000, -40, -1, 0, 0, 1, 7, 40, 400)))


def _period(random: Random) -> dict[str, Any]:
    return {"dimonaPeriodId": render_period_id(random.randrange(1, 400))} | _some(
        random, {"ssin": random.choice(SSINS)}, 0.3
    )


def _worker(random: Random) -> dict[str, Any]:
    if random.random() < 0.75:
        return {"ssin": random.choice(SSINS)}
    identity = {
        "name": random.choice(_NAMES),
        "firstName": random.choice(_NAMES),
        "birthDate": date(random.choice((1920, 1985, 2004, 2030)), 2, 28),
        "sex": random.choice("FM"),
    }
    return {"identity": identity | {"address": _address(random)}}


def _address(random: Random) -> dict[str, str]:
    optional = _some(random, {"houseNumber": "1", "box": "A"}, 0.5)
    return {"street": random.choice(_NAMES), **optional, "postalCode": "9000", "municipality": "Gent", "country": "BE"}
