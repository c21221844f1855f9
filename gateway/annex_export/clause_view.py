"""What the document says of one clause: what may be asked, what is answered and withheld, and what to expect."""

from collections.abc import Iterator
from dataclasses import dataclass

from authz.annex import EXEMPT, Annex, ClientKind, Grant, ParameterRule, RoleAnnex
from authz.contract_shape import (
    CRITERIA,
    ContractShape,
    criteria_leaves,
    find_droppable,
    is_mandatory,
    is_within,
    parent_of,
)
from gateway.annex_export.texts import Texts
from gateway.catalogue import Catalogue
from gateway.contract_cut import Clause, find_dropped, find_refused
from gateway.contracts import OperationContract
from gateway.xml.model import ComplexType, Element

# Deeper than this, search parameters are told with the element around them.
_DEPTH = 3


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """A search parameter that may be sent, or an element of them with its `fields`."""

    path: str
    meaning: str
    demand: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BlockRow:
    """An element of the reply with those of its own `fields` that carry a value."""

    path: str
    meaning: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WithheldRow:
    """An element of the reply that is withheld; `dropped` is what goes with it, empty if nothing else does."""

    path: str
    meaning: str
    dropped: str


@dataclass(frozen=True, slots=True)
class StatusRow:
    """A status that a reply can have, with what its code means."""

    value: str
    code: str
    meaning: str
    remedy: str
    information: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClauseView:
    """A clause in words. `refused` are the search parameters that may not be sent."""

    clause: Clause
    title: str
    deliberation: str
    on_behalf_of: tuple[str, ...]
    reserved: tuple[str, ...]
    integration: tuple[str, ...]
    parameters: tuple[ParameterRow, ...]
    refused: tuple[str, ...]
    blocks: tuple[BlockRow, ...]
    withheld: tuple[WithheldRow, ...]
    statuses: tuple[StatusRow, ...]


def view_clause(annex: Annex | RoleAnnex, clause: Clause, catalogue: Catalogue, texts: Texts) -> ClauseView:
    """Put a clause of the annex into words."""
    grant, contract = clause.grant, clause.contract
    named = annex.represents if isinstance(annex, Annex) and len(annex.represents) > 1 else {}
    return ClauseView(
        clause=clause,
        title=title_of(contract, texts),
        deliberation=grant.deliberation.partition(EXEMPT)[0],
        on_behalf_of=tuple(one.name for organisation, one in named.items() if organisation in grant.customers),
        reserved=tuple(
            texts.say("reserved", context=each.legal_context, deliberation=each.deliberation)
            for each in contract.descriptor.reserved
            if each.legal_context in clause.legal_contexts
        ),
        integration=tuple(_integration(annex, clause, texts)),
        parameters=tuple(_parameters(grant, contract, texts)),
        refused=tuple(sorted(path.removeprefix(f"{CRITERIA}/") for path in find_refused(contract, (grant,)))),
        blocks=tuple(_blocks(grant, contract, texts)),
        withheld=tuple(_withheld(grant, contract, texts)),
        statuses=list_statuses(contract, catalogue, texts),
    )


def title_of(contract: OperationContract, texts: Texts) -> str:
    """Return what the operation is for, in a few words."""
    return texts.say("titles", f"{contract.service.name} {contract.descriptor.name}")


def list_statuses(contract: OperationContract, catalogue: Catalogue, texts: Texts) -> tuple[StatusRow, ...]:
    """Return what a reply of the operation can say, in the order of the checks; none where it has no status."""
    if not contract.has_status:
        return ()
    information: dict[tuple[str, str], dict[str, None]] = {}
    for status in contract.service.statuses.rows[contract.descriptor.name].values():
        information.setdefault((status.value, status.code), {}).update(dict.fromkeys(status.information))
    told = {code: catalogue.get(code).texts[texts.language] for _, code in information}
    return tuple(
        StatusRow(value, code, told[code].meaning, told[code].remedy, tuple(fields))
        for (value, code), fields in information.items()
    )


def _integration(annex: Annex | RoleAnnex, clause: Clause, texts: Texts) -> Iterator[str]:
    grant, descriptor = clause.grant, clause.contract.descriptor
    rule, (_, _, exemption) = grant.integration, grant.deliberation.partition(EXEMPT)
    if rule is not None:
        contexts = f" {texts.say('or')} ".join(sorted(rule.contexts))
        yield texts.say("integration_of", contexts=contexts)
        if rule.days_before:
            yield texts.say("days_before", days=rule.days_before)
        if rule.days_after:
            yield texts.say("days_after", days=rule.days_after)
    else:
        yield texts.say("exempt", reason=exemption) if exemption else texts.say("no_person")
    if (isinstance(annex, RoleAnnex) or annex.kind is ClientKind.ENTERPRISE) and descriptor.employer is not None:
        yield texts.say("enterprise_only")
    if grant.notified:
        yield texts.say("notified")


def _parameters(grant: Grant, contract: OperationContract, texts: Texts) -> Iterator[ParameterRow]:
    """Yield the parameters in the contract's order, those that lie deep together as one."""
    elements, shape = dict(contract.request.paths()), contract.shape()
    together: dict[str, list[str]] = {}
    for leaf in criteria_leaves(shape):
        if leaf in grant.parameters:
            together.setdefault("/".join(leaf.split("/")[:_DEPTH]), []).append(leaf)
    for path, leaves in together.items():
        yield ParameterRow(
            path=path.removeprefix(f"{CRITERIA}/"),
            meaning=_meaning(elements[path], texts),
            demand=_demand(path, grant, shape, texts),
            fields=tuple(leaf.removeprefix(f"{path}/") for leaf in leaves if leaf != path),
        )


def _demand(path: str, grant: Grant, shape: ContractShape, texts: Texts) -> str:
    rule = _find_rule(path, grant)
    if rule is not None and rule.max_years_back is not None and is_within(rule.bounded, path):
        return texts.say("demands", "years", years=rule.max_years_back)
    if is_mandatory(path, shape):
        return texts.say("demands", "mandatory")
    if rule is not None and rule.required and path == rule.path:
        return texts.say("demands", "required")
    if not shape.request_paths[path]:
        return texts.say("demands", "within", parent=parent_of(path).rpartition("/")[2])
    return texts.say("demands", "allowed")


def _find_rule(path: str, grant: Grant) -> ParameterRule | None:
    return next((rule for rule in grant.rules if is_within(path, rule.path) or is_within(rule.path, path)), None)


def _blocks(grant: Grant, contract: OperationContract, texts: Texts) -> Iterator[BlockRow]:
    """Yield the elements of the reply's data that have elements of their own, and those of its root that have none."""
    dropped = find_dropped((grant,))
    for path, element in contract.response.paths():
        if path.partition("/")[0] not in contract.data_elements or any(is_within(path, each) for each in dropped):
            continue
        children = element.type.elements if isinstance(element.type, ComplexType) else ()
        fields = tuple(
            child.name for child in children if f"{path}/{child.name}" not in dropped and not _has_elements(child)
        )
        if fields or (not parent_of(path) and not children):
            yield BlockRow(path, _meaning(element, texts), fields)


def _has_elements(element: Element) -> bool:
    return isinstance(element.type, ComplexType) and bool(element.type.elements)


def _withheld(grant: Grant, contract: OperationContract, texts: Texts) -> Iterator[WithheldRow]:
    elements, reply_paths = dict(contract.response.paths()), contract.shape().reply_paths
    for path in grant.withheld:
        dropped = find_droppable(path, reply_paths)
        yield WithheldRow(path, _meaning(elements[path], texts), dropped if dropped and dropped != path else "")


def _meaning(element: Element, texts: Texts) -> str:
    """Return what the contract says of the element, empty where it says nothing in this language."""
    return element.meaning.get(texts.language, "")
