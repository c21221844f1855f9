"""Reads an annex: from the YAML document to the compiled `Annex`, or to every problem of it at once.

The document is checked in three layers, each as far as it can be read: YAML (`authz.annex_yaml`), keys and
types (`authz.annex_model`), and what needs the contracts (`authz.annex_grants`) or two places of the document
(here). Reading is for start-up, activation and `annex check`; no request is ever decided on a document.
"""

import hashlib
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from authz.annex import (
    Annex,
    AuthenticationMethod,
    CertificateBinding,
    ClientKind,
    Grant,
    GrantKey,
    Quota,
    RepresentedOrganisation,
    RoleAnnex,
)
from authz.annex_grants import check_for_role, check_grant, check_reserved, compile_grant, find_shape, suggest
from authz.annex_model import OPERATIONS, GrantPart, HeaderPart, find_meaning, find_part, keys_of
from authz.annex_yaml import AnnexProblem, Path, YamlDocument, read_yaml
from authz.contract_shape import Contracts
from authz.mistakes import tell_mistake
from authz.organisation import Organisation

MAX_OPERATIONS = 500
_CONSULTING_KINDS = (ClientKind.INSTITUTION, ClientKind.INTEGRATOR, ClientKind.ENTERPRISE)

_Part = TypeVar("_Part", bound=BaseModel)


class AnnexInvalid(Exception):
    """The document is no annex. `problems` are all that is wrong with it, in the order of its lines."""

    def __init__(self, problems: tuple[AnnexProblem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def revision_of(text: str) -> str:
    """Return the revision of a document: the SHA-256, in hex, of its exact text in UTF-8.

    The exact text, comments included, and no canonical form of it: what an adviser approved is a file, and
    anybody can recompute its revision with `sha256sum` alone, years later and without the program that once
    read it.
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read_annex(text: str, contracts: Contracts) -> Annex:
    """Read the annex of one client. AnnexInvalid with every problem if it is none."""
    annex = read_any_annex(text, contracts)
    if isinstance(annex, RoleAnnex):
        raise AnnexInvalid((AnnexProblem(1, "role", "the annex is for a role", "Name the annex of one client"),))
    return annex


def read_any_annex(text: str, contracts: Contracts) -> Annex | RoleAnnex:
    """Read an annex, of one client or of a role. AnnexInvalid with every problem if it is none."""
    document = read_yaml(text)
    values = document.values if isinstance(document.values, dict) else {}
    if document.complete and not isinstance(document.values, dict):
        document.add_problem((), "not a mapping of keys to values", "Write the annex as its reference says")
        document.complete = False
    header: HeaderPart | None = None
    grants: dict[int, GrantPart] = {}
    if document.complete:
        top = {key: value for key, value in values.items() if key != "operations"}
        header = _validate(HeaderPart, top, (), document)
        if header is not None:
            _check_replies(header, document)
        grants = _validate_grants(values.get("operations"), document)
        _check_places_together(values, grants, contracts, document)
    customers = _customers(header, grants, document) if header is not None else {}
    if document.problems or header is None:
        problems = (problem for each in document.problems.values() for problem in each)
        raise AnnexInvalid(tuple(sorted(problems, key=lambda problem: problem.line)))
    compiled = {
        number: compile_grant(grant, ("operations", number), shape, customers[number])
        for number, grant in grants.items()
        if (shape := find_shape(grant, contracts)) is not None
    }
    return _compile(header, MappingProxyType(_by_key(grants, compiled)), revision_of(text))


def _compile(header: HeaderPart, grants: Mapping[GrantKey, tuple[Grant, ...]], revision: str) -> Annex | RoleAnnex:
    proof = header.authentication
    methods, unsigned = frozenset(proof.methods), proof.unsigned_replies
    quota = Quota(header.quota.per_minute, header.quota.per_day) if header.quota else Quota()
    if header.role is not None:
        days = header.valid_from, header.valid_until
        who = revision, header.client, header.role
        return RoleAnnex(*who, methods, proof.sign_token, *days, quota, grants, unsigned)
    if header.identity is None:
        raise ValueError("an annex of one client says who that is; what was checked has it")
    return Annex(
        revision=revision,
        client=header.client,
        kind=header.kind,
        identity=header.identity.to_organisation(),
        certificates=tuple(CertificateBinding(c.sha256, c.issuer, c.serial) for c in header.certificates or ()),
        methods=methods,
        sign_token=proof.sign_token,
        represents=MappingProxyType(_represented(header)),
        valid_from=header.valid_from,
        valid_until=header.valid_until,
        quota=quota,
        grants=grants,
        name=header.identity.name,
        unsigned_replies=unsigned,
    )


def _validate(part: type[_Part], values: Any, place: Path, document: YamlDocument) -> _Part | None:
    """Read one part; note its problems, save those that YAML already explains, and return None."""
    try:
        return part.model_validate(values)
    except ValidationError as invalid:
        for error in invalid.errors(include_url=False):
            where = (*place, *error["loc"])
            if not any(where[:length] in document.problems for length in range(len(place), len(where) + 1)):
                message, remedy = _explain(part, error)
                document.add_problem(where, message, remedy)
    return None


def _explain(part: type[BaseModel], error: ErrorDetails) -> tuple[str, str]:
    meaning = find_meaning(part, error["loc"])
    told = tell_mistake(error)
    if error["type"] == "missing":
        return told, f"Add it: {meaning}"
    if error["type"] == "extra_forbidden":
        inside = part
        for step in error["loc"][:-1]:
            key = keys_of(inside).get(str(step))
            inside = (find_part(key.annotation) if key else None) or inside
        known = [*keys_of(inside), *(["operations"] if inside is HeaderPart else [])]
        return "no key of an annex here", suggest(str(error["loc"][-1]), known)
    if error["type"] == "string_type" and isinstance(error["input"], int | date):
        return told, "Write it between quotes"
    if error["type"] == "date_type" and isinstance(error["input"], str):
        return told, "Write year-month-day without quotes, such as 2024-01-01"
    return told, meaning or "See the reference of the annex"


def _validate_grants(values: Any, document: YamlDocument) -> dict[int, GrantPart]:
    """Return the operations that are well-formed, by their place in the list."""
    place: Path = ("operations",)
    if not isinstance(values, list) or len(values) > MAX_OPERATIONS:
        if place not in document.problems:
            message = "is missing" if values is None else f"not a list of at most {MAX_OPERATIONS} operations"
            document.add_problem(place, message, OPERATIONS)
        return {}
    parts = ((number, _validate(GrantPart, value, (*place, number), document)) for number, value in enumerate(values))
    return {number: part for number, part in parts if part is not None}


def _check_places_together(
    values: Mapping[str, Any], grants: Mapping[int, GrantPart], contracts: Contracts, document: YamlDocument
) -> None:
    """Note what two places of the document, or the document and the contracts, say against each other."""
    begin, end, kind = values.get("validFrom"), values.get("validUntil"), values.get("kind")
    if isinstance(begin, date) and isinstance(end, date) and end < begin:
        document.add_problem(("validUntil",), f"{end} lies before validFrom, {begin}", "Write a later day or remove it")
    if kind == ClientKind.INTEGRATOR and not values.get("represents"):
        document.add_problem(("represents",), "an integrator represents nobody", "Name the organisations it speaks for")
    if kind in tuple(ClientKind) and kind != ClientKind.INTEGRATOR:
        for key in (key for key in ("represents", "representsItself") if key in values):
            if (values[key] and key == "represents") or values[key] is False:
                message = "only an integrator speaks for others"
                document.add_problem((key,), message, f"Remove {key}, or change the kind")
    _check_who(values, document)
    for number, grant in grants.items():
        place: Path = ("operations", number)
        check_grant(grant, place, contracts, document)
        shape = find_shape(grant, contracts)
        consults = shape is not None and (shape.consults_persons or shape.reserved)
        if consults and kind in tuple(ClientKind) and kind not in _CONSULTING_KINDS:
            message = f"consults persons, which no {kind} may"
            document.add_problem((*place, "operation"), message, "Remove the operation, or the kind is wrong")
        elif shape and shape.kinds is not None and kind in tuple(ClientKind) and kind not in shape.kinds:
            message = f"is not for a {kind}; it is for {', '.join(sorted(shape.kinds))}"
            document.add_problem((*place, "operation"), message, "Remove the operation, or the kind is wrong")
        elif shape and shape.consults_persons and not shape.names_employer and kind == ClientKind.ENTERPRISE:
            message = "consults persons without naming an employer, which no enterprise may"
            document.add_problem((*place, "operation"), message, "Remove the operation, or the kind is wrong")
        if shape is not None:
            check_reserved(grant, place, shape, str(values.get("client")), document)
        if shape is not None and values.get("role") is not None:
            check_for_role(grant, place, shape, document)


def _check_replies(header: HeaderPart, document: YamlDocument) -> None:
    proof = header.authentication
    if proof.unsigned_replies and AuthenticationMethod.MUTUAL_TLS not in proof.methods:
        message = "every message must be signed, and then its answer is"
        remedy = f"Add {AuthenticationMethod.MUTUAL_TLS} to the methods, or remove unsignedReplies"
        document.add_problem(("authentication", "unsignedReplies"), message, remedy)


def _check_who(values: Mapping[str, Any], document: YamlDocument) -> None:
    """Note an annex that is for nobody, or both for one client and for a role."""
    if values.get("role") is None:
        for key in (key for key in ("identity", "certificates") if values.get(key) is None):
            meaning = find_meaning(HeaderPart, (key,))
            document.add_problem((key,), "is missing", f"Add it: {meaning}")
        return
    for key in ("identity", "certificates", "represents", "representsItself"):
        if key in values:
            message = "says who one client is, and the annex is for a role"
            document.add_problem((key,), message, f"Remove {key}, or remove role")
    if values.get("kind") in tuple(ClientKind) and values["kind"] != ClientKind.ENTERPRISE:
        message = f"an annex for a role is of the kind {ClientKind.ENTERPRISE}"
        document.add_problem(("kind",), message, f"Write {ClientKind.ENTERPRISE}, or remove role")


def _represented(header: HeaderPart) -> dict[Organisation, RepresentedOrganisation]:
    itself = [header.identity] if header.represents_itself and header.identity is not None else []
    parts = itself + header.represents
    return {part.to_organisation(): RepresentedOrganisation(part.name) for part in parts}


def _customers(
    header: HeaderPart, grants: Mapping[int, GrantPart], document: YamlDocument
) -> dict[int, frozenset[Organisation]]:
    """Return for which organisations each grant holds; note who is named twice, or not represented."""
    everybody = frozenset(_represented(header))
    seen = {header.identity.to_organisation()} if header.identity is not None else set()
    for position, part in enumerate(header.represents):
        if part.to_organisation() in seen:
            message, remedy = "named a second time, or the client itself", "Remove it; see representsItself"
            document.add_problem(("represents", position), message, remedy)
        seen.add(part.to_organisation())
    customers: dict[int, frozenset[Organisation]] = {}
    for number, grant in grants.items():
        named = [part.to_organisation() for part in grant.on_behalf_of or ()]
        for position, organisation in enumerate(named):
            if organisation not in everybody and header.role is None:
                where = ("operations", number, "onBehalfOf", position)
                document.add_problem(where, f"{organisation.key} is not represented", "Add it to represents")
        customers[number] = frozenset(named) or everybody
    _check_overlaps(grants, customers, document)
    return customers


def _check_overlaps(
    grants: Mapping[int, GrantPart],
    customers: Mapping[int, frozenset[Organisation]],
    document: YamlDocument,
) -> None:
    """Note each grant that gives an organisation what an earlier one gives it: which of them would decide?"""
    earlier: dict[GrantKey, list[int]] = {}
    for number, grant in grants.items():
        others = [other for key in _keys(grant) for other in earlier.setdefault(key, [])]
        # The grants of a role annex are for nobody yet: all for the same.
        mine = customers[number]
        double = next((o for o in others if customers[o] == mine or not mine.isdisjoint(customers[o])), None)
        if double is not None:
            message = f"grants again, for the same organisation, what operations[{double}] grants"
            document.add_problem(("operations", number), message, "Merge the two, or part them by onBehalfOf")
        for key in _keys(grant):
            earlier[key].append(number)


def _keys(grant: GrantPart) -> tuple[GrantKey, ...]:
    contexts: tuple[str | None, ...] = tuple(grant.legal_contexts) or (None,)
    return tuple((grant.service, grant.operation, context) for context in contexts)


def _by_key(grants: Mapping[int, GrantPart], compiled: Mapping[int, Grant]) -> dict[GrantKey, tuple[Grant, ...]]:
    found: dict[GrantKey, tuple[Grant, ...]] = {}
    for number, grant in compiled.items():
        for key in _keys(grants[number]):
            found[key] = (*found.get(key, ()), grant)
    return found
