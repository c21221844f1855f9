"""Golden cases of decisions: a request, what is known, and what must be decided, each with the rule that it shows.

A file has what its cases share, and the cases; what a case says goes before. Read like an annex: every mistake with
its line. Who runs the cases makes the request out of what is written, since that needs the contracts.
"""

from datetime import date, datetime
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, AwareDatetime, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from authz.annex import RoleHolder
from authz.annex_model import OrganisationPart, Part, Text
from authz.annex_yaml import AnnexProblem, YamlDocument, read_yaml
from authz.answer import Deny, Permit
from authz.employer_access import EmployerRelation, RelationKind
from authz.integration import Inscription, PersonFacts
from authz.mistakes import tell_mistake
from authz.organisation import Organisation
from authz.question import AccessFacts
from authz.ssin import Environment

_P = TypeVar("_P", bound=Part)


def _check_key(key: str) -> str:
    try:
        Organisation.from_key(key)
    except ValueError as error:
        raise PydanticCustomError("key", "no key of an organisation, such as cbe:0123456789") from error
    return key


class RequestPart(Part):
    """What is asked. `parameters` are leaf criteria by path; what is repeated has a list of its values."""

    service: str | None = Field(None, description="The service with its version, such as `SelfEmployedService/v2`")
    operation: str | None = Field(None, description="The operation")
    customer: OrganisationPart | None = Field(
        None, description="The organisation that the request names; the client's own if absent"
    )
    legal_context: str | None = Field(None, description="The legal context; absent where the contract has none")
    parameters: dict[str, Any] = Field(default_factory=dict, description="The criteria sent, by path")


class InscriptionPart(Part):
    """An inscription of the person; `organisation` is its key (`cbe:0123456789`, `sector:25/0`)."""

    organisation: str = Field(description="Whose file it is: `cbe:0123456789` or `sector:25/0`")
    context: str = Field(description="The inscription context")
    begin: date = Field(description="First day")
    end: date | None = Field(None, description="Last day; open if absent")

    def to_inscription(self) -> Inscription:
        """Return the inscription itself."""
        return Inscription(self.organisation, self.context, self.begin, self.end)


class PersonPart(Part):
    """What the registers say of a person."""

    known: bool = Field(True, description="Whether the number exists")
    cancelled: bool = Field(False, description="Whether the number was cancelled")
    replaced_by: str | None = Field(None, description="The number that replaced it")
    deceased_on: date | None = Field(None, description="Day of death")
    client_inscriptions: list[InscriptionPart] = Field(default_factory=list, description="In the customer's file")
    supplier_inscriptions: list[InscriptionPart] | None = Field(
        None, description="In the file of the authentic source; absent where it has none to check"
    )

    def to_facts(self) -> PersonFacts:
        """Return the facts themselves."""
        supplier = self.supplier_inscriptions
        return PersonFacts(
            known=self.known,
            cancelled=self.cancelled,
            replaced_by=self.replaced_by,
            deceased_on=self.deceased_on,
            client_inscriptions=tuple(each.to_inscription() for each in self.client_inscriptions),
            supplier_inscriptions=None if supplier is None else tuple(each.to_inscription() for each in supplier),
        )


_NOTHING = PersonPart.model_validate({})


class RelationPart(Part):
    """What lets the customer act for the employer that the request names."""

    kind: Annotated[RelationKind, Field(strict=False)] = Field(
        description="`own`, `recognised secretariat` or `mandatary`"
    )
    begin: date | None = Field(None, description="First day")
    end: date | None = Field(None, description="Last day")
    mandate: str | None = Field(None, description="The affiliation or mandate that it rests on")


class HolderPart(Part):
    """Who has the role, where the annex is for one."""

    client: str = Field(description="The client's name, such as `technical-user:` and the sender number")
    organisation: Annotated[str, AfterValidator(_check_key)] = Field(description="Its organisation, by key")
    applications: list[str] = Field(description="The applications that it was configured for")
    acts_as: list[Annotated[RelationKind, Field(strict=False)]] = Field(
        description="The relations in which it may act for an employer"
    )

    def to_holder(self) -> RoleHolder:
        """Return the holder itself."""
        organisation = Organisation.from_key(self.organisation)
        return RoleHolder(self.client, organisation, "", frozenset(self.applications), frozenset(self.acts_as))


class ExpectedPart(Part):
    """What must be decided: `permit` with its clause, or `deny` with the case or its code; what is absent is free."""

    permit: str | None = Field(None, description="The clause that permits it, empty where none need")
    deny: str | None = Field(None, description="The case of the refusal, such as `not_integrated`, or its code")
    clause: str = Field("", description="The clause that refuses it")
    withheld: list[str] | None = Field(None, description="The paths that are withheld, all of them in their order")
    dropped: list[str] | None = Field(None, description="The paths that go because of it")
    deliberation: str | None = Field(None, description="The deliberation that the audit names")
    allowed: str | None = Field(None, description="What would have been allowed")
    information: list[list[str]] | None = Field(None, description="The information fields that the client is told")

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if (self.permit is None) == (self.deny is None):
            raise PydanticCustomError("expected", "neither permit nor deny alone")
        return self

    def find_differences(self, decision: Permit | Deny, code: str = "") -> list[tuple[str, str, str]]:
        """Return what is otherwise than expected: name, what was expected, what was decided."""
        expected: dict[str, Any] = {}
        if self.permit is not None:
            expected["permit"] = self.permit
        else:
            expected |= {"deny": self.deny, "clause": self.clause}
        for name in ("withheld", "dropped", "deliberation", "allowed", "information"):
            value = getattr(self, name)
            if value is not None:
                expected[name] = value
        decided = _describe(decision)
        if isinstance(decision, Deny) and self.deny == code:
            decided["deny"] = code
        return [
            (name, _tell(value), _tell(decided.get(name)))
            for name, value in expected.items()
            if decided.get(name) != value
        ]


class CasePart(Part):
    """One case: what of the file's own request and facts it has otherwise, and what must be decided."""

    rule: Text = Field(description="The rule that the case shows, in words")
    request: RequestPart = Field(
        default_factory=lambda: RequestPart.model_validate({}), description="What it asks otherwise"
    )
    facts: PersonPart | None = Field(None, description="What is known otherwise of each person asked about")
    facts_of: dict[str, PersonPart] = Field(default_factory=dict, description="The same of one person, by SSIN")
    relation: RelationPart | None = Field(None, description="What lets the customer act for the employer")
    holder: HolderPart | None = Field(None, description="Who has the role")
    now: Annotated[AwareDatetime, Field(strict=False)] | None = Field(None, description="When it is asked")
    environment: Annotated[Environment, Field(strict=False)] = Field(
        Environment.TEST, description="Which environment it is asked in"
    )
    expected: ExpectedPart = Field(description="What must be decided")


class CasesPart(Part):
    """A file of cases."""

    now: Annotated[AwareDatetime, Field(strict=False)] = Field(
        description="When everything is asked, with its zone: 2024-06-01T12:00:00Z"
    )
    request: RequestPart = Field(
        default_factory=lambda: RequestPart.model_validate({}), description="What every case asks"
    )
    facts: PersonPart | None = Field(None, description="What is known of each person asked about")
    relation: RelationPart | None = Field(None, description="What lets the customer act for the employer")
    holder: HolderPart | None = Field(None, description="Who has the role")
    cases: list[CasePart] = Field(min_length=1, description="The cases")

    def request_of(self, case: CasePart) -> RequestPart:
        """Return what the case asks."""
        return _over(self.request, case.request)

    def facts_of(self, case: CasePart, subjects: tuple[str, ...]) -> AccessFacts:
        """Return what is known in the case of these persons."""
        shared = _over(self.facts or _NOTHING, case.facts or _NOTHING)
        persons = {ssin: _over(shared, case.facts_of.get(ssin, _NOTHING)).to_facts() for ssin in subjects}
        relation, holder = self._of(case, "relation"), self._of(case, "holder")
        return AccessFacts(
            persons,
            EmployerRelation(relation.kind, relation.begin, relation.end, relation.mandate) if relation else None,
            holder.to_holder() if holder else None,
        )

    def moment_of(self, case: CasePart) -> datetime:
        """Return when the case is asked."""
        return case.now or self.now

    def _of(self, case: CasePart, name: str) -> Any:
        return getattr(case if name in case.model_fields_set else self, name)


class CasesInvalid(Exception):
    """The text holds no cases; `problems` are all that is wrong with it, in the order of its lines."""

    def __init__(self, problems: tuple[AnnexProblem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def read_cases(text: str, kind: type[_P]) -> tuple[_P, YamlDocument]:
    """Read the cases, with the document that has their lines; CasesInvalid."""
    document = read_yaml(text)
    found: _P | None = None
    if document.complete:
        try:
            found = kind.model_validate(document.values)
        except ValidationError as invalid:
            for error in invalid.errors(include_url=False):
                document.add_problem(error["loc"], tell_mistake(error), "See docs/annex-tools.md")
    raise_problems(document)
    if found is None:
        raise ValueError("cases without problems were read")
    return found, document


def raise_problems(document: YamlDocument) -> None:
    """Raise CasesInvalid if anything is wrong."""
    problems = [problem for each in document.problems.values() for problem in each]
    if problems:
        raise CasesInvalid(tuple(sorted(problems, key=lambda problem: problem.line)))


def _over(part: _P, other: _P) -> _P:
    """Return the part with all that the other says."""
    return part.model_copy(update={name: getattr(other, name) for name in other.model_fields_set})


def _describe(decision: Permit | Deny) -> dict[str, Any]:
    if isinstance(decision, Permit):
        return {
            "permit": decision.clause,
            "withheld": list(decision.withheld),
            "dropped": list(decision.dropped),
            "deliberation": decision.deliberation,
        }
    return {
        "deny": decision.case,
        "clause": decision.clause,
        "allowed": decision.allowed,
        "information": [list(pair) for pair in decision.information],
    }


def _tell(value: Any) -> str:
    return "nothing" if value is None else repr(value)
