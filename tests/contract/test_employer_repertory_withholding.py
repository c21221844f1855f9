"""Whatever an annex can withhold of a registration: a reply without it is valid, names it, and keeps all the rest."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from lxml import etree

from authz.contract_shape import NEVER_WITHHELD, find_droppable
from fixtures.employers import get_employer, load_employers
from gateway.contracts import load_contracts
from gateway.stages.disclose import without
from services.employer_repertory import DESCRIPTOR
from services.employer_repertory.reply import make_registrations
from tests.unit.fakes_employer_repertory import make_registration

SERVICE = load_contracts((DESCRIPTOR,)).services[DESCRIPTOR.path]
(OPERATION,) = SERVICE.operations.values()
SHAPE = OPERATION.shape()
BOX = {"street": "Kerkstraat", "houseNumber": "1", "box": "2", "postalCode": "9000", "municipality": "Gent"}
# Two registrations, the first with every element that there is.
COMPLETE = replace(
    make_registration(get_employer("brewery")),
    deletion_date=date(2024, 6, 30),
    registered_office=BOX | {"country": "BE"},
)
DATA = {"registrations": make_registrations([COMPLETE, make_registration(get_employer("start-up"))])}
BLOCKS = [
    path
    for path in SHAPE.reply_paths
    if path.partition("/")[0] not in NEVER_WITHHELD and find_droppable(path, SHAPE.reply_paths)
]
# What deliberation 07/039 lists in 2.2, by the names of the contract; a category's own code stands for the category.
LISTED = {
    "registrationNumber",
    "register",
    "enterpriseNumber",
    "deletionDate",
    "legalForm",
    "registeredOffice",
    "employerType",
    "employerCategories",
}


def write(data: Mapping[str, Any]) -> etree._Element:
    now = datetime(2026, 6, 15, tzinfo=UTC)
    values = {
        "informationCustomer": {"customerIdentification": {"cbeNumber": "0999912028"}},
        "informationCBSS": {
            "ticketCBSS": "5f0c6a52-8a3e-4f0b-9d1e-2b7c54f1a906",
            "timestampReceive": now,
            "timestampReply": now,
        },
        "legalContext": "FRONTOFFICE:EMPLOYMENT_MEASURES",
        "criteria": {"enterpriseNumber": COMPLETE.enterprise_number},
        "status": {"value": "DATA_FOUND", "code": "MSG00000"},
    }
    reply = etree.fromstring(OPERATION.write_response(values | dict(data)).encode())
    assert SERVICE.schema.find_errors(reply) == ()
    return reply


def paths(node: etree._Element, prefix: str = "") -> Iterator[str]:
    for child in node:
        yield f"{prefix}{child.tag}"
        yield from paths(child, f"{prefix}{child.tag}/")


WHOLE = set(paths(write(DATA)))


def test_the_complete_registration_has_every_element() -> None:
    assert {path for path in BLOCKS if path not in WHOLE} == set()
    assert len(BLOCKS) == 39


def test_a_registration_has_the_fields_that_the_deliberation_lists_and_no_other() -> None:
    depth = "registrations/registration/"
    told = {path.removeprefix(depth).partition("/")[0] for path in SHAPE.reply_paths if path.startswith(depth)}
    assert told == LISTED
    depth += "employerCategories/employerCategory/"
    told = {path.removeprefix(depth).partition("/")[0] for path in SHAPE.reply_paths if path.startswith(depth)}
    assert told == {"category", "naceCodes", "placeOfOperation", "importanceCodes"}


@pytest.mark.parametrize("path", BLOCKS)
def test_a_reply_without_a_block_is_valid_and_keeps_the_rest(path: str) -> None:
    dropped = str(find_droppable(path, SHAPE.reply_paths))
    left = set(paths(write(without(DATA, dropped.split("/")))))
    assert path not in left
    assert left == {each for each in WHOLE if each != dropped and not each.startswith(f"{dropped}/")}


@pytest.mark.parametrize("employer", load_employers(), ids=lambda employer: employer.key)
def test_every_synthetic_employer_fits_the_contract(employer: Any) -> None:
    reply = write({"registrations": make_registrations([make_registration(employer)])})
    assert reply.findtext("registrations/registration/registrationNumber") == employer.registration_number
