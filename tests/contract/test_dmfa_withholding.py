"""Whatever an annex can withhold of an attestation: a reply without it is valid, names it, and keeps all the rest."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from lxml import etree

from authz.answer import Permit
from authz.contract_shape import NEVER_WITHHELD, find_droppable
from fixtures.attestations import Employment, generate_workers, make_attestations
from gateway.contracts import load_contracts
from gateway.established import Screened
from gateway.stages.disclose import disclose
from services.consultation import Outcome
from services.dmfa import DESCRIPTOR
from services.dmfa.reply import UNSUPPORTED
from services.dmfa.reply import make_attestations as assemble

SERVICE = load_contracts((DESCRIPTOR,)).services[DESCRIPTOR.path]
(OPERATION,) = (each for each in SERVICE.operations.values() if each.descriptor.subject)
SHAPE = OPERATION.shape()
SSIN = "85680695955"
# A version in the middle, which has links to both sides, with every element that the registers have.
COMPLETE = make_attestations(SSIN, 1, (Employment(10, "2020Q1", "2020Q1", history=("CREATION",) * 3, complete=True),))[
    1
]
DATA: Mapping[str, Any] = {
    "ssin": {"#text": SSIN, "@canceled": False},
    "unsupportedData": {"unsupportedElement": list(UNSUPPORTED)},
    "dmfaAttestations": {"dmfaAttestation": assemble([COMPLETE])},
}
BLOCKS = [
    path
    for path in SHAPE.reply_paths
    if path.partition("/")[0] not in NEVER_WITHHELD and find_droppable(path, SHAPE.reply_paths)
]


def write(data: Mapping[str, Any]) -> etree._Element:
    now = datetime(2026, 6, 15, tzinfo=UTC)
    values = {
        "informationCustomer": {"customerIdentification": {"cbeNumber": "0999910345"}},
        "informationCBSS": {
            "ticketCBSS": "5f0c6a52-8a3e-4f0b-9d1e-2b7c54f1a906",
            "timestampReceive": now,
            "timestampReply": now,
        },
        "legalContext": "PENSIONS:CAREER",
        "criteria": {
            "ssin": SSIN,
            "quarterPeriod": {"beginQuarter": "2020Q1", "endQuarter": "2020Q1"},
            "resultsAction": "RESULTS_ONLINE_ONLY",
            "latestSituationOnly": False,
        },
        "status": {"value": "DATA_FOUND", "code": "MSG00000"},
    }
    reply = etree.fromstring(OPERATION.write_response(values | dict(data)).encode())
    assert SERVICE.schema.find_errors(reply) == ()
    return reply


def withhold(path: str) -> Mapping[str, Any]:
    """Return what the disclose stage leaves of the data under an annex that withholds this path."""
    permit = Permit("revision", "clause", "", (path,), (str(find_droppable(path, SHAPE.reply_paths)),))
    resolved = SimpleNamespace(operation=OPERATION)
    permitted = SimpleNamespace(permit=permit, previous=SimpleNamespace(previous=resolved))
    answered = SimpleNamespace(previous=permitted)
    return disclose(cast(Screened, SimpleNamespace(previous=answered, outcome=Outcome("data_found", DATA)))).data


def paths(reply: etree._Element) -> set[str]:
    return set(_paths(reply, ""))


def _paths(node: etree._Element, prefix: str) -> Iterator[str]:
    for child in node:
        yield f"{prefix}{child.tag}"
        yield from _paths(child, f"{prefix}{child.tag}/")


WHOLE = paths(write(DATA))


def test_the_complete_attestation_has_every_element_but_the_unsupported_ones() -> None:
    assert {path for path in BLOCKS if path not in WHOLE} == set(UNSUPPORTED)
    assert len(BLOCKS) > 190


@pytest.mark.parametrize("path", BLOCKS)
def test_a_reply_without_a_block_is_valid_and_names_it(path: str) -> None:
    reply = write(withhold(path))
    assert [each.text for each in reply.iter("filteredElement")] == [path]
    dropped = str(find_droppable(path, SHAPE.reply_paths))
    left = paths(reply)
    assert path not in left
    expected = {each for each in WHOLE if each != dropped and not each.startswith(f"{dropped}/")}
    assert left - {"dataFilters", "dataFilters/filteredElement"} == expected


def test_what_says_that_an_answer_is_not_whole_cannot_be_withheld() -> None:
    assert {"next", "unsupportedData", "dataFilters"} <= NEVER_WITHHELD


def test_unsupported_elements_are_elements_of_the_contract() -> None:
    assert set(UNSUPPORTED) <= set(SHAPE.reply_paths)
    assert 0 < len(UNSUPPORTED) <= 100


def test_what_is_generated_fits_the_contract_and_holds_nothing_unsupported() -> None:
    for worker in generate_workers(7, 60):
        reply = write({"dmfaAttestations": {"dmfaAttestation": assemble(worker.attestations)}})
        assert not paths(reply) & set(UNSUPPORTED)


def test_every_kind_of_attestation_is_generated() -> None:
    attestations = [each for worker in generate_workers(7, 300) for each in worker.attestations]
    told = [each.document["attEmployerDeclaration"] for each in attestations]
    records = [each["attNaturalPerson"]["attWorkerRecord"] for each in told]
    assert {each["sectorIndicator"] for each in told} == {"PRI", "PFR", "PLP"}
    assert {each.status for each in attestations} == {"CREATION", "MODIFICATION", "CANCELLATION", "REACTIVATION"}
    assert {len(each.get("attOccupations", {}).get("attOccupation", ())) for each in records} == {0, 1, 2}
    for block in ("attStudentContribution", "attWorkerDeductions", "attWorkerContributions"):
        assert any(block in each for each in records)
