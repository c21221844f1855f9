"""The golden cases beside an annex: decided as the gateway decides, with the clauses that none of them exercises."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from authz.annex import Annex, RoleAnnex
from authz.annex_grants import suggest
from authz.annex_yaml import YamlDocument, show_path
from authz.answer import Deny
from authz.case_coverage import Exercise, exercised, list_clauses
from authz.contract_shape import CRITERIA
from authz.decision import decide
from authz.decision_cases import CasePart, CasesPart, RequestPart, raise_problems, read_cases
from authz.organisation import Organisation
from authz.question import AccessRequest
from gateway.access_request import read_access_request
from gateway.annexes.case_values import find_mistake
from gateway.contracts import Contracts, OperationContract

SUFFIX = ".cases.yaml"


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that was not decided as expected: its rule, its line, and what differs."""

    rule: str
    line: int
    differences: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Unexercised:
    """A clause of the annex that no case exercises, with its line in the annex."""

    clause: str
    line: int


@dataclass(frozen=True, slots=True)
class CasesReport:
    """How the cases of one annex went."""

    cases: int
    failures: tuple[Failure, ...]
    clauses: int
    unexercised: tuple[Unexercised, ...]

    @property
    def coverage(self) -> float:
        """The percentage of the clauses that a case exercises."""
        return 100 * (self.clauses - len(self.unexercised)) / self.clauses


def is_cases(path: Path) -> bool:
    """Tell whether a file holds the cases of an annex and not an annex."""
    return path.name.endswith(SUFFIX)


def cases_beside(annex: Path) -> Path:
    """Return where the cases of an annex stand: `economy.cases.yaml` beside `economy.yaml`."""
    return annex.with_name(annex.stem + SUFFIX)


def run_cases(text: str, annex: Annex | RoleAnnex, annex_document: YamlDocument, contracts: Contracts) -> CasesReport:
    """Decide every case; CasesInvalid when the text holds none, or asks what no contract has."""
    family, document = read_cases(text, CasesPart)
    operations = _operations(contracts)
    _check(family, document, operations, annex)
    failures: list[Failure] = []
    covered: set[str] = set()
    for number, case in enumerate(family.cases):
        exercise, code = _decide(family, case, annex, operations)
        differences = case.expected.find_differences(exercise.decision, code)
        if differences:
            failures.append(Failure(case.rule, document.line_of(("cases", number)), tuple(differences)))
        else:
            covered |= exercised(annex_document.values, exercise)
    clauses = list_clauses(annex_document.values)
    missing = (place for place in clauses if show_path(place) not in covered)
    unexercised = tuple(Unexercised(show_path(place), annex_document.line_of(place)) for place in missing)
    return CasesReport(len(family.cases), tuple(failures), len(clauses), unexercised)


_Operations = Mapping[tuple[str, str], OperationContract]


def _operations(contracts: Contracts) -> _Operations:
    return {
        (service.descriptor.name, operation.descriptor.name): operation
        for service in contracts.services.values()
        for operation in service.operations.values()
    }


def _check(family: CasesPart, document: YamlDocument, operations: _Operations, annex: Annex | RoleAnnex) -> None:
    """Note what no contract has, and a role that nobody has."""
    for number, case in enumerate(family.cases):
        request, place = family.request_of(case), ("cases", number, "request")
        operation = operations.get((request.service or "", request.operation or ""))
        if operation is None:
            known = [f"{service} {name}" for service, name in operations]
            message = f"no operation {request.operation} of {request.service}"
            document.add_problem(place, message, suggest(f"{request.service} {request.operation}", known))
            continue
        paths = [path for path in operation.shape().request_paths if path.startswith(f"{CRITERIA}/")]
        for path in (path for path in request.parameters if path not in paths):
            message = f"{path} is no search parameter of the operation"
            where = place if path in case.request.parameters else ("request",)
            document.add_problem((*where, "parameters", path), message, suggest(path, paths))
        elements = dict(operation.request.paths())
        for path in (path for path in request.parameters if path in paths):
            wanted = find_mistake(elements[path], request.parameters[path])
            if wanted:
                where = place if path in case.request.parameters else ("request",)
                document.add_problem((*where, "parameters", path), f"{path} must be {wanted}", "")
        if isinstance(annex, RoleAnnex) and family.facts_of(case, ()).holder is None:
            document.add_problem(("cases", number), "nobody has the role", "Add holder, here or for all cases")
    raise_problems(document)


def _decide(
    family: CasesPart, case: CasePart, annex: Annex | RoleAnnex, operations: _Operations
) -> tuple[Exercise, str]:
    asked = family.request_of(case)
    operation = operations[asked.service or "", asked.operation or ""]
    holder = family.facts_of(case, ()).holder
    if isinstance(annex, RoleAnnex):
        if holder is None:
            raise ValueError("cases of an annex for a role have who has it; what was checked does")
        annex = annex.make_out_to(holder)
    request = _request(asked, operation, annex.identity)
    facts, now = family.facts_of(case, request.subjects), family.moment_of(case)
    decision = decide(annex, request, facts, now, case.environment)
    code = ""
    if isinstance(decision, Deny):
        status = operation.service.statuses.rows.get(operation.descriptor.name, {}).get(decision.case)
        code = status.code if status else ""
    return Exercise(annex, request, facts, now, decision, case.expected.withheld is not None), code


def _request(asked: RequestPart, operation: OperationContract, identity: Organisation) -> AccessRequest:
    """Make the request as the gateway would read it from a message with these elements."""
    values: dict[str, Any] = {}
    for path, value in asked.parameters.items():
        *around, last = path.split("/")
        inside = values
        for name in around:
            inside = inside.setdefault(name, {})
        inside[last] = {} if value is None else value
    if "informationCustomer" in operation.shape().request_paths:
        customer = asked.customer.to_organisation() if asked.customer else identity
        values["informationCustomer"] = {"customerIdentification": customer.to_values()}
    if asked.legal_context is not None:
        values["legalContext"] = asked.legal_context
    return read_access_request(operation, values)
