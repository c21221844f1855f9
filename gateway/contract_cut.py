"""The contract of one client: the WSDLs and XSDs cut to what its annex grants.

A request that is valid against the cut contract is valid against the whole one and asks no more than the annex allows,
save how far back it reaches; every reply to it is valid against the cut contract. Values only: nothing is written here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

from authz.annex import Annex, Grant, RoleAnnex
from authz.contract_shape import CRITERIA, is_within, parent_of
from gateway.contracts import XSD_FOLDER, Contracts, OperationContract, ServiceContract
from gateway.xml.cut import Cut, Name, cut_schemas
from gateway.xml.namespaces import WSDL, WSDL_SOAP

_OPERATION = f"{{{WSDL}}}operation"


@dataclass(frozen=True, slots=True)
class Clause:
    """One entry of the annex's operations, with its contract; `legal_contexts` is empty where there are none."""

    grant: Grant
    contract: OperationContract
    legal_contexts: tuple[str, ...]


def list_clauses(annex: Annex | RoleAnnex, contracts: Contracts) -> tuple[Clause, ...]:
    """Return the clauses of the annex, in its order."""
    found: dict[str, Clause] = {}
    for (service, operation, context), grants in annex.grants.items():
        for grant in grants:
            known = found.get(grant.clause)
            contexts = (*(known.legal_contexts if known else ()), *((context,) if context else ()))
            found[grant.clause] = Clause(grant, _find_operation(contracts, service, operation), contexts)
    return tuple(found.values())


def list_open_operations(contracts: Contracts) -> tuple[OperationContract, ...]:
    """Return the operations that every client may call, whatever its annex says."""
    return tuple(operation for operation in _operations(contracts) if not operation.descriptor.needs_grant)


def cut_contract(annex: Annex | RoleAnnex, contracts: Contracts, public_url: str) -> Mapping[str, bytes]:
    """Return the files of the contract by their path in the package, `wsdl/…` and `xsd/…`, with relative imports.

    NothingLeft when the annex grants an operation without anything that its requests must have.
    """
    grants: dict[str, tuple[Grant, ...]] = {}
    for clause in list_clauses(annex, contracts):
        grants[clause.contract.payload] = (*grants.get(clause.contract.payload, ()), clause.grant)
    kept = [
        operation
        for operation in _operations(contracts)
        if operation.payload in grants or not operation.descriptor.needs_grant
    ]
    gone = {
        name: cut for operation in kept for name, cut in _gone_by_message(operation, grants.get(operation.payload, ()))
    }
    schemas = cut_schemas(sorted(XSD_FOLDER.glob("*.xsd")), gone)
    called = {operation.service.name for operation in kept}
    services = [service for service in contracts.services.values() if service.descriptor.name in called]
    wsdls = {service.descriptor.wsdl: _cut_wsdl(service, kept, public_url) for service in services}
    return {f"wsdl/{name}": _to_bytes(root) for name, root in wsdls.items()} | {
        f"xsd/{name}": _to_bytes(root) for name, root in schemas.items()
    }


def _operations(contracts: Contracts) -> Iterator[OperationContract]:
    return (operation for service in contracts.services.values() for operation in service.operations.values())


def _find_operation(contracts: Contracts, service: str, name: str) -> OperationContract:
    wanted = (service, name)
    return next(each for each in _operations(contracts) if (each.service.name, each.descriptor.name) == wanted)


def _gone_by_message(operation: OperationContract, grants: tuple[Grant, ...]) -> Iterator[tuple[Name, Cut]]:
    """Yield each message with the paths that no grant gives; an operation that needs no grant loses nothing."""
    asked = find_refused(operation, grants) if grants else frozenset()
    answered = find_dropped(grants) | (asked if CRITERIA in operation.echo else frozenset())
    namespace, name = operation.service.namespace, operation.descriptor.name
    yield (namespace, f"{name}Request"), asked
    yield (namespace, f"{name}Response"), answered
    yield (namespace, f"{name}Fault"), frozenset()


def find_refused(operation: OperationContract, grants: tuple[Grant, ...]) -> Cut:
    """Return the paths of the criteria that none of the grants allows, each without what lies within it."""
    granted = frozenset(leaf for grant in grants for leaf in grant.parameters)
    refused = frozenset(
        path
        for path, _ in operation.request.paths()
        if is_within(path, CRITERIA) and path != CRITERIA and not any(is_within(leaf, path) for leaf in granted)
    )
    return frozenset(path for path in refused if parent_of(path) not in refused)


def find_dropped(grants: tuple[Grant, ...]) -> Cut:
    """Return the paths of the reply that go under every one of the grants."""
    return frozenset(
        path
        for each in grants
        for path in each.dropped
        if all(any(is_within(path, other) for other in grant.dropped) for grant in grants)
    )


def _cut_wsdl(service: ServiceContract, kept: list[OperationContract], public_url: str) -> etree._Element:
    """Return the WSDL without the operations that are not kept, and with the address of this deployment."""
    root = etree.fromstring(service.wsdl)
    names = {operation.descriptor.name for operation in kept if operation.service is service.descriptor}
    for part in ("portType", "binding"):
        for operation in root.findall(f"{{{WSDL}}}{part}/{_OPERATION}"):
            if operation.get("name") not in names:
                _remove(operation)
    used = {str(node.get("message")).rpartition(":")[2] for node in root.iterfind(f"{{{WSDL}}}portType/{_OPERATION}/*")}
    for message in root.findall(f"{{{WSDL}}}message"):
        if message.get("name") not in used:
            _remove(message)
    for address in root.iter(f"{{{WSDL_SOAP}}}address"):
        address.set("location", public_url.rstrip("/") + service.descriptor.path)
    return root


def _remove(node: etree._Element) -> None:
    parent = node.getparent()
    if parent is not None:
        parent.remove(node)


def _to_bytes(root: etree._Element) -> bytes:
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"
