"""The question that `annex explain` explains: an annex, a request and its facts, of a file, options or a record."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from lxml import etree

from authz.annex import Annex, RoleAnnex, RoleHolder
from authz.question import AccessFacts, AccessRequest
from gateway.access_request import gather_facts, read_access_request
from gateway.annexes.history import list_proved_revisions, read_documents, read_histories
from gateway.audit.reading import AuditReader
from gateway.audit.record import RecordKind
from gateway.audit.recorded import NoDecision, read_decision
from gateway.audit.sealing import SealBroken
from gateway.audit.search import Row, find_record
from gateway.bootstrap import Storage, open_annex_store, open_registers
from gateway.cli.annex.named import compile_file
from gateway.cli.asking import Asked, find_operation, make_request
from gateway.cli.output import Problem
from gateway.contracts import Contracts, OperationContract
from gateway.refusal import Fault
from gateway.xml.binding import Unreadable, compile_writer
from gateway.xml.namespaces import SOAP
from gateway.xml.parse import Unparsable, XmlLimits, parse_document, take_apart

_EXCHANGES = frozenset({RecordKind.EXCHANGE.value, RecordKind.DRY_RUN.value})


@dataclass(frozen=True, slots=True)
class Question:
    """What `authz.explanation.explain` is given; `at` is aware, and `operation` the contract of what is asked.

    `proved` is False for a recorded decision under a revision that two operators are not proved to have signed.
    """

    annex: Annex
    operation: OperationContract
    request: AccessRequest
    facts: AccessFacts
    at: datetime
    proved: bool = True

    def under(self, draft: Annex) -> "Question":
        """Return the same question under another annex."""
        return replace(self, annex=draft, proved=True)


def read_file(file: Path) -> etree._Element:
    """Return the request in a file, a SOAP message or the element in its Body alone; Problem when it has none."""
    try:
        root = parse_document(file.read_bytes(), XmlLimits())
        return take_apart(root).payload if etree.QName(root).namespace == SOAP else root
    except OSError as error:
        raise Problem(f"{file} cannot be read: {error.strerror}.") from None
    except Unparsable as unparsable:
        raise Problem(f"{file}: {unparsable.code}: {unparsable.reason}") from None


def write_request(contracts: Contracts, annex: Annex, service: str, operation: str, asked: Asked) -> etree._Element:
    """Return the request that options make, as a client would send it."""
    contract = find_operation(contracts, service, operation)
    values = make_request(contract, annex, asked)
    return etree.fromstring(compile_writer(contract.request, contract.service.namespace, "v")(values))


def ask_now(storage: Storage, contracts: Contracts, annex: Annex, payload: etree._Element, at: datetime) -> Question:
    """Return the question that a request is, with what the registers say; Problem where it is not valid.

    What changes by the day is judged on that of `at`; inscriptions and registers are as they are now.
    """
    operation, request = _read_request(contracts, payload)
    registers = open_registers(storage)
    try:
        facts = gather_facts(annex, request, operation, registers.facts, registers.employer_access, at)
    except Fault as fault:
        raise Problem(fault.told) from None
    return Question(annex, operation, request, facts, at)


def ask_again(storage: Storage, contracts: Contracts, record: str, reader: AuditReader) -> Question:
    """Return the question that a record holds: request, facts, moment and revision are those that were decided on."""
    row = _find_exchange(storage, record)
    try:
        recorded = read_decision(reader.unseal(row))
    except SealBroken as broken:
        raise Problem(f"the sealed part of record {row['position']} cannot be read: {broken}.") from None
    except NoDecision:
        raise Problem(f"record {row['position']} holds no decision: {row['code']} came before one was made.") from None
    store = open_annex_store(storage)
    histories = read_histories(store.load_after(), store.operators)
    document = read_documents(histories.values()).get(row["annex_revision"])
    if document is None:
        raise Problem(f"revision {row['annex_revision']}, which decided, is no longer stored as it was hashed.")
    return Question(
        annex=make_out(store.read_annex(document), recorded.facts.holder),
        operation=find_operation(contracts, row["service"], row["operation"]),
        request=recorded.request,
        facts=recorded.facts,
        at=recorded.decided_at,
        proved=row["annex_revision"] in list_proved_revisions(histories.values()),
    )


def _find_exchange(storage: Storage, record: str) -> Row:
    with storage.database.read() as connection:
        found = [row for row in find_record(connection, record) if row["kind"] in _EXCHANGES]
    if not found:
        raise Problem(f"there is no exchange {record}: audit search finds what there is.")
    if len(found) > 1:
        positions = ", ".join(str(row["position"]) for row in found)
        raise Problem(f"several exchanges have the ticket {record}: name one of the positions {positions}.")
    return found[0]


def read_draft(file: Path, contracts: Contracts, holder: RoleHolder | None) -> Annex:
    """Return the annex in a file, made out to `holder` if it is one for a role; Problem when it cannot be used."""
    return make_out(compile_file(file, contracts.shapes()), holder)


def make_out(annex: Annex | RoleAnnex, holder: RoleHolder | None) -> Annex:
    """Return the annex of one client; Problem for one of a role that nobody here has."""
    if isinstance(annex, Annex):
        return annex
    if holder is None:
        raise Problem(f"{annex.client} is for the role {annex.role}: name one who has it with --client.")
    return annex.make_out_to(holder)


def _read_request(contracts: Contracts, payload: etree._Element) -> tuple[OperationContract, AccessRequest]:
    for contract in contracts.services.values():
        operation = contract.operations.get(payload.tag)
        if operation is None:
            continue
        errors = contract.schema.find_errors(payload, forms=operation.forms)
        if errors:
            told = "".join(f"\n  {path}: {message}" for path, message in errors)
            raise Problem(f"the request is not valid against its XSD (MSG00004):{told}")
        try:
            return operation, read_access_request(operation, operation.read_request(payload))
        except Unreadable as unreadable:
            raise Problem(f"the request cannot be read (MSG00004): {unreadable}.") from None
    known = ", ".join(
        sorted({each.request.name for one in contracts.services.values() for each in one.operations.values()})
    )
    raise Problem(f"{etree.QName(payload).localname} in this namespace is no request; there are {known}.")
