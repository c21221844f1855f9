"""One grant of an annex against the contract of its operation: what is wrong with it, and its compiled form.

`check_grant` notes every problem; `compile_grant` may be called only for a grant in which there are none.
"""

from collections.abc import Iterable
from difflib import get_close_matches

from authz.annex import EXEMPT, Grant, ParameterRule
from authz.annex_model import GrantPart
from authz.annex_yaml import Path, YamlDocument, show_path
from authz.contract_shape import (
    CRITERIA,
    LEGAL_CONTEXT,
    NEVER_WITHHELD,
    Contracts,
    ContractShape,
    criteria_leaves,
    find_droppable,
    is_mandatory,
    is_within,
)
from authz.organisation import Organisation


def suggest(wrong: str, known: Iterable[str]) -> str:
    """Say what may have been meant, or what there is."""
    names = list(known)
    close = get_close_matches(wrong, names, n=1)
    if close:
        return f"Write {close[0]}, if that is meant"
    return f"Known here: {', '.join(names[:30])}" if names else "There is none here; remove it"


def find_shape(grant: GrantPart, contracts: Contracts) -> ContractShape | None:
    """Return the contract of the grant's operation."""
    return contracts.get(grant.service, {}).get(grant.operation)


def check_grant(grant: GrantPart, place: Path, contracts: Contracts, document: YamlDocument) -> None:
    """Note in the document every problem that the grant has with its contract."""
    shape = find_shape(grant, contracts)
    if grant.service not in contracts:
        document.add_problem((*place, "service"), f"unknown service {grant.service}", suggest(grant.service, contracts))
    elif shape is None:
        remedy = suggest(grant.operation, contracts[grant.service])
        document.add_problem((*place, "operation"), f"{grant.service} has no operation {grant.operation}", remedy)
    if shape is None:
        return
    _check_legal_contexts(grant, place, shape, document)
    _check_parameters(grant, place, shape, document)
    _check_withheld(grant, place, shape, document)
    _check_integration(grant, place, shape, document)
    _check_notified(grant, place, shape, contracts, document)


def _check_legal_contexts(grant: GrantPart, place: Path, shape: ContractShape, document: YamlDocument) -> None:
    wanted = LEGAL_CONTEXT in shape.request_paths
    if wanted and not grant.legal_contexts:
        message, remedy = "names no legal context", "Name those under which the operation may be called"
        document.add_problem((*place, "legalContexts"), message, remedy)
    if grant.legal_contexts and not wanted:
        document.add_problem((*place, "legalContexts"), "the operation has no legal context", "Remove legalContexts")


def _check_parameters(grant: GrantPart, place: Path, shape: ContractShape, document: YamlDocument) -> None:
    criteria = [path for path in shape.request_paths if path.startswith(f"{CRITERIA}/")]
    for path, demands in grant.parameters.items():
        where = (*place, "parameters", path)
        if path not in criteria:
            document.add_problem(where, "no search parameter of the operation", suggest(path, criteria))
        elif demands is not None and (around := _find_repeated_around(path, shape)) is not None:
            message = f"stands in {around}, which is repeated, so that one of them would do for all"
            document.add_problem(where, message, f"Remove its demands, or give them to {around} itself")
        elif demands is not None and demands.max_years_back is not None:
            first = _first_leaf(path, shape)
            if not is_mandatory(first, shape, within=path):
                message = f"{first}, where it begins, is optional, so nothing would be bounded without it"
                document.add_problem((*where, "maxYearsBack"), message, f"Give maxYearsBack to {first} itself")


def _find_repeated_around(path: str, shape: ContractShape) -> str | None:
    return next((around for around in shape.repeated if path != around and is_within(path, around)), None)


def _check_withheld(grant: GrantPart, place: Path, shape: ContractShape, document: YamlDocument) -> None:
    if grant.withheld and not shape.has_data_filters:
        message = "the reply of this operation has no dataFilters, so that nothing can be withheld from it"
        document.add_problem((*place, "withheld"), message, "Grant the operation whole, or not at all")
        return
    for position, path in enumerate(grant.withheld):
        where = (*place, "withheld", position)
        if path.partition("/")[0] in NEVER_WITHHELD:
            document.add_problem(where, f"{path} answers the request itself", "Withhold elements of the data only")
        elif path not in shape.reply_paths:
            known = [path for path in shape.reply_paths if path.partition("/")[0] not in NEVER_WITHHELD]
            document.add_problem(where, f"the reply has no element {path}", suggest(path, known))
        elif find_droppable(path, shape.reply_paths) is None:
            message = f"{path} is mandatory, and so is everything around it"
            document.add_problem(where, message, "Withhold an optional element, or do not grant the operation")


def _check_integration(grant: GrantPart, place: Path, shape: ContractShape, document: YamlDocument) -> None:
    stated = [
        name
        for name, value in (
            ("integration", grant.integration),
            ("integrationExemption", grant.integration_exemption),
        )
        if value is not None
    ]
    if shape.consults_persons and not stated:
        message = "the operation consults persons, and no integration control is stated"
        remedy = "Add integration with its contexts, or integrationExemption with the clause that exempts it"
        document.add_problem((*place, "integration"), message, remedy)
    for name in stated:
        if not shape.consults_persons:
            document.add_problem((*place, name), "the operation consults no person", f"Remove {name}")
        elif len(stated) > 1 and name == "integrationExemption":
            document.add_problem((*place, name), "stands beside integration", "Keep one of the two")


def check_for_role(grant: GrantPart, place: Path, shape: ContractShape, document: YamlDocument) -> None:
    """Note what a grant cannot be for everybody who has a role."""
    if not shape.application:
        message = "no technical user can be configured for it in User Management"
        document.add_problem((*place, "operation"), message, "Remove the operation")
    if grant.on_behalf_of is not None:
        message = "whoever has the role acts for its own organisation alone"
        document.add_problem((*place, "onBehalfOf"), message, "Remove onBehalfOf")
    if grant.notified:
        message = "nobody is notified by a role annex"
        document.add_problem((*place, "notified"), message, "Remove notified, or give it to an annex of one client")


def check_reserved(grant: GrantPart, place: Path, shape: ContractShape, client: str, document: YamlDocument) -> None:
    """Note each legal context that is another client's own, or that is granted on another deliberation than its own."""
    for position, context in enumerate(grant.legal_contexts):
        reserved = shape.reserved.get(context)
        if reserved is None:
            continue
        if client != reserved.client:
            message = f"{context} is reserved to the client {reserved.client}"
            document.add_problem((*place, "legalContexts", position), message, "Grant another legal context")
        if grant.deliberation != reserved.deliberation:
            message = f"{context} rests on {reserved.deliberation} and on nothing else"
            document.add_problem((*place, "deliberation"), message, f"Write {reserved.deliberation}")


def _check_notified(
    grant: GrantPart, place: Path, shape: ContractShape, contracts: Contracts, document: YamlDocument
) -> None:
    where = (*place, "notified")
    if grant.notified and not shape.notifies:
        message = "the operation notifies nobody"
        notifying = (
            f"give it to {operation} of {service}"
            for service, operations in contracts.items()
            for operation, other in operations.items()
            if other.notifies
        )
        document.add_problem(where, message, " or ".join(("Remove notified", *notifying)))
    elif grant.notified and grant.integration is None:
        message = "without integration nothing says which persons the client is notified of"
        document.add_problem(where, message, "Add integration with its contexts, or remove notified")


def compile_grant(grant: GrantPart, place: Path, shape: ContractShape, customers: frozenset[Organisation]) -> Grant:
    """Compile a grant without problems; `customers` are the organisations for which it holds."""
    clause = show_path(place)
    integration = grant.integration
    return Grant(
        clause=clause,
        customers=customers,
        parameters=frozenset(_granted_leaves(grant, shape)),
        rules=tuple(_compile_rules(grant, clause, shape)),
        withheld=tuple(grant.withheld),
        dropped=_dropped(grant.withheld, shape),
        integration=integration.to_rule() if integration else None,
        deliberation=_deliberation(grant),
        notified=grant.notified,
        application=shape.application,
    )


def _deliberation(grant: GrantPart) -> str:
    if grant.integration_exemption is None:
        return grant.deliberation
    return f"{grant.deliberation}{EXEMPT}{grant.integration_exemption}"


def _granted_leaves(grant: GrantPart, shape: ContractShape) -> Iterable[str]:
    for leaf in criteria_leaves(shape):
        if is_mandatory(leaf, shape) or any(is_within(leaf, path) for path in grant.parameters):
            yield leaf


def _compile_rules(grant: GrantPart, clause: str, shape: ContractShape) -> Iterable[ParameterRule]:
    for path, demands in grant.parameters.items():
        if demands is not None and (demands.required or demands.max_years_back is not None):
            yield ParameterRule(
                clause=f"{clause}.parameters.{path}",
                path=path,
                required=demands.required,
                max_years_back=demands.max_years_back,
                bounded=_first_leaf(path, shape),
            )


def _first_leaf(path: str, shape: ContractShape) -> str:
    return next(leaf for leaf in criteria_leaves(shape) if is_within(leaf, path))


def _dropped(withheld: list[str], shape: ContractShape) -> tuple[str, ...]:
    """Return what goes, each once, and nothing that goes with another."""
    found = [find_droppable(path, shape.reply_paths) for path in withheld]
    paths = list(dict.fromkeys(path for path in found if path is not None))
    return tuple(path for path in paths if not any(path != other and is_within(path, other) for other in paths))
