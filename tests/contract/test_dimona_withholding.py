"""What an annex can withhold of an answer about employment: a reply without it is valid, names it, keeps the rest."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from types import SimpleNamespace
from typing import Any, cast

import pytest
from lxml import etree

from authz.answer import Permit
from authz.contract_shape import NEVER_WITHHELD, find_droppable
from gateway.contracts import OperationContract, load_contracts
from gateway.established import Screened
from gateway.stages.disclose import disclose
from services.consultation import Outcome
from services.dimona import DESCRIPTOR
from services.dimona.declaration import OccupationForm
from services.dimona.reply import make_check, make_declarations, make_periods
from services.dimona.submission import read_declaration
from tests.unit.dimona_messages import ADDRESS, ANNA, BREWERY, IDENTITY, MUNICIPALITY, make_file

SERVICE = load_contracts((DESCRIPTOR,)).services[DESCRIPTOR.path]
OPERATIONS = {each.descriptor.name: each for each in SERVICE.operations.values()}
NOW = datetime(2026, 6, 15, tzinfo=UTC)

_FILE = make_file()
_USING = next(each for each in _FILE.periods.values() if each.features.using_company)
_PERIOD = replace(
    _USING,
    begin_hour=time(8, 0),
    end_hour=time(17, 0),
    planned_days=None,
    planned_hours=160,
    features=replace(
        _USING.features,
        sub_entity="12",
        occupation_form=OccupationForm.HOURS,
        student_place_of_work={"name": "Zomerbar", "address": ADDRESS},
    ),
)
# One period with hours, one with days, of either register: between them every element.
_PERIODS = (_PERIOD, replace(_PERIOD, employer=MUNICIPALITY, planned_hours=None, planned_days=4))
_IN = read_declaration(
    {"in": {"worker": {"identity": IDENTITY}, "features": {"workerType": "OTH", "jointCommittee": "118"},
            "startingDate": date(2026, 6, 1)}}
)  # fmt: skip
_DECLARATIONS = tuple(
    replace(
        _FILE.declarations[0],
        employer=each.employer,
        declaration=replace(
            _IN,
            features=each.features,
            begin_hour=each.begin_hour,
            end_date=each.end_date,
            end_hour=each.end_hour,
            planned_hours=each.planned_hours,
            planned_days=each.planned_days,
        ),
    )
    for each in _PERIODS
)
DATA: Mapping[str, Mapping[str, Any]] = {
    "consultDeclarations": {"declarations": make_declarations(_DECLARATIONS)},
    "consultPeriods": {"employmentPeriods": make_periods(_PERIODS)},
    "checkEmployment": {
        "employmentChecks": {"employmentCheck": [make_check(ANNA.ssin, _PERIODS, throughout=True)]},
    },
}
EMPLOYER = {"nssoRegistrationNumber": BREWERY.registration_number}
CRITERIA: Mapping[str, Mapping[str, Any]] = {
    "consultDeclarations": {"employer": EMPLOYER},
    "consultPeriods": {"employer": EMPLOYER},
    "checkEmployment": {
        "worker": {"ssin": [ANNA.ssin]},
        "employer": EMPLOYER,
        "period": {"beginDate": date(2026, 6, 1), "endDate": date(2026, 6, 30)},
    },
}
BLOCKS = [
    (name, path)
    for name in DATA
    for path in OPERATIONS[name].shape().reply_paths
    if path.partition("/")[0] not in NEVER_WITHHELD and find_droppable(path, OPERATIONS[name].shape().reply_paths)
]


def write(operation: OperationContract, data: Mapping[str, Any]) -> etree._Element:
    values = {
        "informationCustomer": {"customerIdentification": {"cbeNumber": "0999910345"}},
        "informationCBSS": {
            "ticketCBSS": "5f0c6a52-8a3e-4f0b-9d1e-2b7c54f1a906",
            "timestampReceive": NOW,
            "timestampReply": NOW,
        },
        "legalContext": "PENSIONS:CAREER",
        "criteria": CRITERIA[operation.descriptor.name],
        "status": {"value": "DATA_FOUND", "code": "MSG00000"},
    }
    reply = etree.fromstring(operation.write_response(values | dict(data)).encode())
    assert SERVICE.schema.find_errors(reply) == ()
    return reply


def withhold(operation: OperationContract, path: str) -> Mapping[str, Any]:
    """Return what the disclose stage leaves of the data under an annex that withholds this path."""
    dropped = str(find_droppable(path, operation.shape().reply_paths))
    permit = Permit("revision", "clause", "", (path,), (dropped,))
    permitted = SimpleNamespace(permit=permit, previous=SimpleNamespace(previous=SimpleNamespace(operation=operation)))
    outcome = Outcome("data_found", DATA[operation.descriptor.name])
    answered = SimpleNamespace(previous=permitted, outcome=outcome)
    return disclose(cast(Screened, SimpleNamespace(previous=answered, outcome=outcome))).data


def paths(reply: etree._Element) -> set[str]:
    return set(_paths(reply, ""))


def _paths(node: etree._Element, prefix: str) -> Iterator[str]:
    for child in node:
        yield f"{prefix}{child.tag}"
        yield from _paths(child, f"{prefix}{child.tag}/")


WHOLE = {name: paths(write(OPERATIONS[name], DATA[name])) for name in DATA}


def test_the_answers_have_every_element_that_can_be_withheld() -> None:
    assert {(name, path) for name, path in BLOCKS if path not in WHOLE[name]} == set()
    assert len(BLOCKS) > 90


@pytest.mark.parametrize(("name", "path"), BLOCKS)
def test_a_reply_without_a_block_is_valid_and_names_it(name: str, path: str) -> None:
    operation = OPERATIONS[name]
    reply = write(operation, withhold(operation, path))
    assert [each.text for each in reply.iter("filteredElement")] == [path]
    dropped = str(find_droppable(path, operation.shape().reply_paths))
    left = paths(reply)
    assert path not in left
    expected = {each for each in WHOLE[name] if each != dropped and not each.startswith(f"{dropped}/")}
    assert left - {"dataFilters", "dataFilters/filteredElement"} == expected


def test_what_became_of_a_declaration_cannot_be_withheld() -> None:
    assert not OPERATIONS["submitDeclarations"].shape().has_data_filters
