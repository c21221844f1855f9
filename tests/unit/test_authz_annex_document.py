"""Reading an annex: what becomes of a good one, and how each mistake is refused, with its line."""

import hashlib
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from authz_shapes import ANNEXES, CONTRACTS, SERVICE, STAFF, read_demo_annex, read_demo_text
from hypothesis import given, settings
from hypothesis import strategies as st

from authz.annex import Annex, AuthenticationMethod, CertificateBinding, ClientKind, Quota, Role, RoleAnnex
from authz.annex_document import AnnexInvalid, read_annex, read_any_annex
from authz.annex_reference import render_annex_reference
from authz.annex_yaml import MAX_CHARACTERS, AnnexProblem
from authz.organisation import Organisation
from gateway import notifications
from gateway.contracts import load_contracts
from gateway.demo_world import annex_files

BASE = """\
client: example
kind: institution
identity:
  cbeNumber: "0999900150"
  name: Example
validFrom: 2024-01-01
validUntil: 2024-12-31
authentication:
  methods: [x509Token]
certificates:
  - issuer: CN=CA,O=Example,C=BE
    serial: 7
operations:
  - service: SelfEmployedService/v2
    operation: consultCareer
    legalContexts: [PCSA:SOCIAL_INQUIRY]
    deliberation: Deliberation 1
    parameters:
      criteria/period:
        required: true
        maxYearsBack: 5
    withheld:
      - career/occupation
    integration:
      contexts: [PCSA:FILE]
      daysBefore: 1
      daysAfter: 2
"""


def _problems(text: str) -> tuple[AnnexProblem, ...]:
    with pytest.raises(AnnexInvalid) as caught:
        read_annex(text, CONTRACTS)
    assert all(problem.message and problem.remedy for problem in caught.value.problems)
    return caught.value.problems


def _places(text: str) -> list[tuple[int, str]]:
    return [(problem.line, problem.path) for problem in _problems(text)]


def test_the_base_of_these_tests_is_an_annex() -> None:
    annex = read_annex(BASE, CONTRACTS)
    assert annex.certificates == (CertificateBinding(None, "CN=CA,O=Example,C=BE", 7),)
    assert annex.quota == Quota(None, None)
    (grant,) = annex.grants[(SERVICE, "consultCareer", "PCSA:SOCIAL_INQUIRY")]
    assert grant.parameters == {"criteria/ssin", "criteria/period/beginDate", "criteria/period/endDate"}
    assert grant.rules[0].bounded == "criteria/period/beginDate"


def test_a_revision_is_what_sha256sum_says_of_the_file() -> None:
    path = ANNEXES / "integrator.yaml"
    assert read_demo_annex("integrator").revision == hashlib.sha256(path.read_bytes()).hexdigest()


def test_an_annex_holds_from_its_first_to_its_last_day_in_brussels() -> None:
    annex = read_annex(BASE, CONTRACTS)
    assert not annex.is_active(datetime(2023, 12, 31, 22, 59, tzinfo=UTC))
    assert annex.is_active(datetime(2023, 12, 31, 23, 0, tzinfo=UTC))
    assert annex.is_active(datetime(2024, 12, 31, 22, 59, tzinfo=UTC))
    assert not annex.is_active(datetime(2024, 12, 31, 23, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("name", "kind", "grants", "methods"),
    [
        ("pcsa", "institution", 2, {"x509Token"}),
        ("economy", "institution", 1, {"x509Token"}),
        ("career-account", "institution", 2, {"mutualTLS"}),
        ("integrator", "integrator", 3, {"x509Token", "mutualTLS"}),
        ("support", "supportApplication", 2, {"x509Token", "mutualTLS"}),
        ("probe", "monitoringProbe", 2, {"x509Token", "mutualTLS"}),
        ("inspection", "institution", 5, {"x509Token"}),
    ],
)
def test_every_demo_annex_is_what_its_comment_says(name: str, kind: str, grants: int, methods: set[str]) -> None:
    annex = read_demo_annex(name)
    assert (annex.client, annex.kind, len(annex.grants)) == (name, ClientKind(kind), grants)
    assert annex.methods == {AuthenticationMethod(method) for method in methods}
    assert annex.sign_token is (name == "inspection")
    assert annex.identity in annex.represents


def test_the_demo_annexes_bind_different_certificates() -> None:
    shapes = load_contracts().shapes()
    documents = [read_any_annex(path.read_text("utf-8"), shapes) for path in annex_files()]
    annexes = [each for each in documents if isinstance(each, Annex)]
    assert [each.role for each in documents if isinstance(each, RoleAnnex)] == [Role.TECHNICAL_USER]
    bindings = [binding for annex in annexes for binding in annex.certificates]
    serials = [binding.serial for binding in bindings]
    assert len(set(serials)) == len(serials) == len(annexes)
    assert {binding.issuer for binding in bindings} == {"CN=KSZ Gateway Development CA,O=KSZ Gateway,C=BE"}


def test_the_reference_in_the_docs_is_the_one_that_the_model_renders() -> None:
    committed = Path(__file__).parents[2] / "docs" / "annex.md"
    assert committed.read_text("utf-8") == render_annex_reference()


@pytest.mark.parametrize(
    ("old", "new", "line", "path"),
    [
        # keys and types
        ("client: example\n", "", 1, "client"),
        ("client: example", "client: Example Client", 1, "client"),
        ("kind: institution", "kind: ministry", 2, "kind"),
        ('cbeNumber: "0999900150"', 'cbeNumber: "0999900151"', 4, "identity.cbeNumber"),
        ('cbeNumber: "0999900150"', "cbeNumber: 1999900150", 4, "identity.cbeNumber"),
        ('cbeNumber: "0999900150"', "sector: 25", 3, "identity"),
        ('cbeNumber: "0999900150"', "sector: 25\n  institution: 1000", 5, "identity.institution"),
        ("validFrom: 2024-01-01", 'validFrom: "2024-01-01"', 6, "validFrom"),
        ("validFrom: 2024-01-01", "validFrom: 2024-02-30", 6, "validFrom"),
        ("validFrom: 2024-01-01", "validFrom: 20240101", 6, "validFrom"),
        ("validFrom: 2024-01-01", "validFrom: 1024-01-01", 6, "validFrom"),
        ("validUntil: 2024-12-31", "validUntil: 2023-12-31", 7, "validUntil"),
        ("methods: [x509Token]", "methods: []", 9, "authentication.methods"),
        ("methods: [x509Token]", "methods: [password]", 9, "authentication.methods[0]"),
        ("methods: [x509Token]", "methods: [x509Token, x509Token]", 9, "authentication.methods"),
        ("methods: [x509Token]", "methods: [x509Token]\n  signToken: yes", 10, "authentication.signToken"),
        ("methods: [x509Token]", "methods: [x509Token]\n  unsignedReplies: true", 10, "authentication.unsignedReplies"),
        ("    serial: 7\n", "", 11, "certificates[0]"),
        ("    serial: 7\n", f"    serial: 7\n    sha256: {'a' * 64}\n", 11, "certificates[0]"),
        ("    serial: 7\n", "    serial: 0x7\n", 12, "certificates[0].serial"),
        ("    serial: 7\n", f"    serial: {'9' * 60}\n", 12, "certificates[0].serial"),
        ("operations:", "operatons:", 1, "operations"),
        ("operations:\n  - ", "operations:\n    ", 13, "operations"),
        ("    deliberation: Deliberation 1\n", "", 14, "operations[0].deliberation"),
        (
            "required: true",
            "required: true\n        minYears: 1",
            21,
            "operations[0].parameters.criteria/period.minYears",
        ),
        ("maxYearsBack: 5", "maxYearsBack: 2.5", 21, "operations[0].parameters.criteria/period.maxYearsBack"),
        ("maxYearsBack: 5", "maxYearsBack: 0", 21, "operations[0].parameters.criteria/period.maxYearsBack"),
        ("maxYearsBack: 5", "maxYearsBack: 101", 21, "operations[0].parameters.criteria/period.maxYearsBack"),
        (
            "maxYearsBack: 5",
            "maxYearsBack: true",
            21,
            "operations[0].parameters.criteria/period.maxYearsBack",
        ),
        ("daysBefore: 1", "daysBefore: -1", 26, "operations[0].integration.daysBefore"),
        ("daysAfter: 2", "daysAfter: 1e9", 27, "operations[0].integration.daysAfter"),
        # two places against each other
        ("kind: institution", "kind: supportApplication", 15, "operations[0].operation"),
        ("kind: institution", "kind: monitoringProbe", 15, "operations[0].operation"),
        ("kind: institution", "kind: integrator", 1, "represents"),
        ("validFrom", "representsItself: false\nvalidFrom", 6, "representsItself"),
        ("validFrom", 'represents: [{cbeNumber: "0999900249", name: B}]\nvalidFrom', 6, "represents"),
        (
            "    parameters",
            '    onBehalfOf: [{cbeNumber: "0999900249"}]\n    parameters',
            18,
            "operations[0].onBehalfOf[0]",
        ),
        # against the contract
        ("SelfEmployedService/v2", "SelfEmployedService/v1", 14, "operations[0].service"),
        ("consultCareer", "consultCarreer", 15, "operations[0].operation"),
        ("    legalContexts: [PCSA:SOCIAL_INQUIRY]\n", "", 14, "operations[0].legalContexts"),
        ("criteria/period", "criteria/periode", 19, "operations[0].parameters.criteria/periode"),
        ("criteria/period", "legalContext", 19, "operations[0].parameters.legalContext"),
        ("career/occupation", "career/ocupation", 23, "operations[0].withheld[0]"),
        ("career/occupation", "ssin", 23, "operations[0].withheld[0]"),
        ("career/occupation", "status", 23, "operations[0].withheld[0]"),
        ("career/occupation", "dataFilters/filteredElement", 23, "operations[0].withheld[0]"),
        ("career/occupation", "criteria/ssin", 23, "operations[0].withheld[0]"),
        ("consultCareer", "consultContributions", 22, "operations[0].withheld"),
        ("      - career/occupation", "      - career\n      - career", 22, "operations[0].withheld"),
        (
            "    integration:",
            "    integrationExemption: Point 4\n    integration:",
            24,
            "operations[0].integrationExemption",
        ),
        # what YAML offers beyond values
        ("client: example", "client: &name example", 1, "client"),
        ("client: example", "client: !!str example", 1, "client"),
        ("client: example", "client: !!python/object/apply:os.system [id]", 1, "client"),
        ("validUntil: 2024-12-31", "client: again", 7, "client"),
        ("maxYearsBack: 5", "required: true", 21, "operations[0].parameters.criteria/period.required"),
        ("name: Example", "name: " + "x" * 2000, 5, "identity.name"),
        ("name: Example", "name: " + "[" * 20 + "]" * 20, 5, "identity.name" + "[0]" * 11),
        ("validFrom: 2024-01-01", "? [a]\n: 1", 6, "(document)"),
        ("validFrom: 2024-01-01", "---\nvalidFrom: 2024-01-01", 6, "(document)"),
        ("validFrom: 2024-01-01", "validFrom: 2024-01-01\n  x: 1", 7, "(document)"),
        ("validFrom: 2024-01-01", "validFrom: \x07", 1, "(document)"),
    ],
)
def test_one_mistake_is_one_problem_with_its_line(old: str, new: str, line: int, path: str) -> None:
    assert old in BASE
    assert (line, path) in _places(BASE.replace(old, new))
    # A misspelt key is missed and is one too many; every other mistake is told once.
    assert len(_problems(BASE.replace(old, new))) == (2 if "operatons" in new else 1)


def test_every_problem_of_every_layer_is_reported_at_once_in_the_order_of_lines() -> None:
    text = (
        BASE.replace("client: example", "client: Example")
        .replace("validUntil: 2024-12-31", "validUntil: 2023-12-31")
        .replace("serial: 7", "serial: seven")
        .replace("consultCareer", "consultNothing")
        .replace("daysAfter: 2", "daysBefore: 2")
    )
    text += "  - service: SelfEmployedService/v9\n    operation: 7\n"
    assert _places(text) == [
        (1, "client"),
        (7, "validUntil"),
        (12, "certificates[0].serial"),
        (15, "operations[0].operation"),
        (27, "operations[0].integration.daysBefore"),
        (28, "operations[1].deliberation"),
        (29, "operations[1].operation"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("client: ", "client: Ltd. ", "a client's name is up to 64 small letters"),
        ("kind: institution", "kind: ministry", "not 'institution', 'supportApplication'"),
        ("  methods: [", "  signToken: 1\n  methods: [", "true or false is wanted here"),
        ("  methods: [", "  methods: [x509, ", "not 'x509Token' or 'mutualTLS'"),
        ("  methods: [x509Token]", "  methods: []", "has 0 entries, and needs 1 or more"),
        ("daysBefore: 1", "daysBefore: -1", "less than 0, the least that it may be"),
        ("maxYearsBack: 5", "maxYearsBack: 500", "more than 100, the most that it may be"),
        ("maxYearsBack: 5", "maxYearsBack: 1.5", "a whole number is wanted here"),
        ("[PCSA:FILE]", '["PCSA/FILE"]', "a context is letters, digits and _ : + -"),
        ("issuer: CN=CA", "issuer: CA", "an issuer begins with an attribute, such as CN="),
        ("deliberation: Deliberation 1", 'deliberation: ""', "the text is empty"),
        ("validFrom: ", "validFrom: then ", "a day is wanted here"),
    ],
)
def test_a_mistake_is_told_in_the_words_of_who_writes_annexes(old: str, new: str, told: str) -> None:
    assert old in BASE
    (problem,) = _problems(BASE.replace(old, new, 1))
    assert problem.message.startswith(told)


def test_a_problem_reads_as_a_sentence_with_its_remedy() -> None:
    (problem,) = _problems(BASE.replace("career/occupation", "career/ocupation"))
    assert str(problem) == (
        "line 23: operations[0].withheld[0]: the reply has no element career/ocupation. "
        "Write career/occupation, if that is meant."
    )


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "- a\n", "text", "null", "{", "\ud800", "%YAML 9.9\n---\na: 1", "a: *b"]
)
def test_a_text_that_is_no_mapping_is_refused(text: str) -> None:
    assert _problems(text)


def test_a_bomb_of_aliases_is_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    begin = time.perf_counter()
    problems = _problems("\n".join(lines))
    assert time.perf_counter() - begin < 5
    assert any("alias" in problem.message for problem in problems)


@pytest.mark.parametrize("text", ["[" * 100_000, "a: " * 1 + "{a: " * 50_000, "- " * 50_000])
def test_a_document_nested_beyond_reason_is_refused(text: str) -> None:
    assert _problems(text)


def test_a_document_of_too_many_values_is_refused() -> None:
    (problem,) = _problems("a: [" + "1," * 30_000 + "]")
    assert "values" in problem.message


def test_a_document_that_is_too_long_is_refused_unread() -> None:
    (problem,) = _problems(BASE + "#" * MAX_CHARACTERS)
    assert "longer" in problem.message


def test_more_operations_than_there_can_be_are_refused() -> None:
    assert (13, "operations") in _places(BASE.partition("  - service")[0] + "  - {}\n" * 501)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
@settings(max_examples=200)
def test_no_text_whatever_makes_the_reader_fail_otherwise(text: str) -> None:
    assert _problems(text)
    assert _problems(f"{BASE}\nextra: {text!r}")


INTEGRATOR = read_demo_text("integrator")


def test_an_organisation_is_represented_once() -> None:
    text = INTEGRATOR.replace('cbeNumber: "0999900546"\n    name', 'cbeNumber: "0999900447"\n    name', 1)
    assert (17, "represents[1]") in _places(text)


def test_an_integrator_need_not_speak_for_itself() -> None:
    annex = read_annex(f"{INTEGRATOR}\nrepresentsItself: false\n", CONTRACTS)
    assert set(annex.represents) == {Organisation("0999900447"), Organisation("0999900546")}


def test_two_grants_of_the_same_thing_to_the_same_organisation_are_refused() -> None:
    text = INTEGRATOR.replace("DGO6:PROFESIONAL_CARD", "PCSA:SOCIAL_INQUIRY")
    (problem,) = _problems(text)
    assert problem.path == "operations[2]"
    assert "operations[0]" in problem.message


def test_two_organisations_may_hold_the_same_operation_on_different_terms() -> None:
    text = INTEGRATOR.replace("DGO6:PROFESIONAL_CARD", "PCSA:SOCIAL_INQUIRY")
    first, rest = text.split('      - cbeNumber: "0999900546"\n', 1)
    annex = read_annex(first + rest, CONTRACTS)
    grants = annex.grants[(SERVICE, "consultCareer", "PCSA:SOCIAL_INQUIRY")]
    assert [grant.clause for grant in grants] == ["operations[0]", "operations[2]"]


MANDATES = """\
client: support
kind: supportApplication
identity: { sector: 25, institution: 0, name: Support }
validFrom: 2024-01-01
authentication: { methods: [x509Token] }
certificates: [{ sha256: "%s" }]
operations:
  - service: EmployerMandateConsultationService/v2
    operation: CheckUnauthenticatedUserAccess
    deliberation: Agreement 1
    parameters:
      criteria/period:
""" % ("0f" * 32)


def test_a_support_application_may_hold_an_operation_that_consults_nobody() -> None:
    annex = read_annex(MANDATES, CONTRACTS)
    (key,) = annex.grants
    assert key[2] is None
    assert annex.grants[key][0].integration is None
    assert annex.valid_from == date(2024, 1, 1)


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("    legalContexts: [A:B]", "operations[0].legalContexts"),
        ("    integration: { contexts: [A:B] }", "operations[0].integration"),
        ("    integrationExemption: Point 4", "operations[0].integrationExemption"),
        ("    withheld: [access]", "operations[0].withheld[0]"),
    ],
)
def test_what_the_contract_has_no_place_for_is_refused(line: str, path: str) -> None:
    assert [place for _, place in _places(MANDATES.replace("    parameters:", f"{line}\n    parameters:"))] == [path]


@pytest.mark.parametrize("kind", ["monitoringProbe", "institution"])
def test_an_operation_for_one_kind_of_client_is_granted_to_no_other(kind: str) -> None:
    (problem,) = _problems(MANDATES.replace("supportApplication", kind))
    assert problem.path == "operations[0].operation"
    assert problem.message == f"is not for a {kind}; it is for supportApplication"


def test_a_probe_holds_nothing_but_what_is_for_probes() -> None:
    text = MANDATES.replace("supportApplication", "monitoringProbe").replace(
        "CheckUnauthenticatedUserAccess", "HealthCheck"
    )
    assert read_annex(text.replace("criteria/period:", "criteria/service:"), CONTRACTS).grants
    contracts = load_contracts().shapes()
    for service, operations in contracts.items():
        for operation, shape in operations.items():
            assert shape.kinds is not None
            assert ("monitoringProbe" in shape.kinds) == (operation == "HealthCheck"), service


def test_a_bound_on_a_group_whose_begin_may_be_absent_is_refused() -> None:
    text = MANDATES.replace("criteria/period:", "criteria/period: { maxYearsBack: 5 }")
    (problem,) = _problems(text)
    assert problem.remedy == "Give maxYearsBack to criteria/period/beginDate itself"
    assert read_annex(text.replace("criteria/period:", "criteria/period/beginDate:"), CONTRACTS).grants


STAFFING = """\
client: staffing
kind: institution
identity: { cbeNumber: "0999900150", name: Staffing }
validFrom: 2024-01-01
authentication: { methods: [x509Token] }
certificates: [{ sha256: "%s" }]
operations:
  - service: StaffService/v1
    operation: consultStaff
    legalContexts: [STAFF:INQUIRY]
    deliberation: Deliberation 1
    parameters:
      criteria/place: { required: true }
    notified: true
    integration: { contexts: [STAFF:FILE] }
""" % ("0f" * 32)


def test_a_client_may_be_notified_of_the_persons_in_its_file() -> None:
    annex = read_annex(STAFFING, CONTRACTS)
    (grant,) = annex.grants[(STAFF, "consultStaff", "STAFF:INQUIRY")]
    assert grant.notified
    (silent,) = read_annex(STAFFING.replace("    notified: true\n", ""), CONTRACTS).grants.values()
    assert not silent[0].notified


@pytest.mark.parametrize(
    ("text", "line", "path"),
    [
        (STAFFING.replace("integration: {", "integrationExemption: Clause 1 # {"), 14, "operations[0].notified"),
        (BASE.replace("    parameters:", "    notified: true\n    parameters:"), 18, "operations[0].notified"),
        (STAFFING.replace("consultStaff", "consultFormerStaff"), 14, "operations[0].notified"),
    ],
    ids=[
        "nothing says which persons are in the file",
        "the operation lists no persons",
        "the operation notifies nobody",
    ],
)
def test_nobody_is_notified_of_just_anybody(text: str, line: int, path: str) -> None:
    assert _places(text) == [(line, path)]


def test_what_notifies_is_told_where_something_else_is_notified() -> None:
    (problem,) = _problems(STAFFING.replace("consultStaff", "consultFormerStaff"))
    assert problem.message == "the operation notifies nobody"
    assert problem.remedy == "Remove notified or give it to consultStaff of StaffService/v1"


def test_nothing_may_be_notified_but_what_is() -> None:
    shapes = load_contracts().shapes()
    notifying = [(service, name) for service in shapes for name, shape in shapes[service].items() if shape.notifies]
    assert notifying == [(notifications.SERVICE, notifications.OPERATION)]


def test_an_enterprise_consults_persons_through_an_employer_only() -> None:
    assert read_annex(STAFFING.replace("institution", "enterprise"), CONTRACTS).kind is ClientKind.ENTERPRISE
    (problem,) = _problems(BASE.replace("kind: institution", "kind: enterprise"))
    assert (problem.line, problem.path) == (15, "operations[0].operation")
    assert "without naming an employer" in problem.message


@pytest.mark.parametrize("demand", ["required: true", "maxYearsBack: 1"])
def test_what_stands_in_a_repeated_element_cannot_be_demanded_of_each(demand: str) -> None:
    (problem,) = _problems(
        STAFFING.replace("criteria/place: { required: true }", f"criteria/place/since: {{{demand}}}")
    )
    assert (problem.line, problem.path) == (13, "operations[0].parameters.criteria/place/since")
    assert "criteria/place" in problem.message


ROLE = """\
client: senders
kind: enterprise
role: technicalUser
validFrom: 2024-01-01
authentication: { methods: [x509Token] }
quota: { perMinute: 10 }
operations:
  - service: StaffService/v1
    operation: consultStaff
    legalContexts: [STAFF:INQUIRY]
    deliberation: Deliberation 1
    integrationExemption: Employers know their staff
"""


def test_an_annex_may_be_for_a_role_instead_of_one_client() -> None:
    annex = read_any_annex(ROLE, CONTRACTS)
    assert isinstance(annex, RoleAnnex)
    assert (annex.client, annex.role, annex.quota) == ("senders", Role.TECHNICAL_USER, Quota(10, None))
    (grant,) = annex.grants[(STAFF, "consultStaff", "STAFF:INQUIRY")]
    assert (grant.application, grant.customers) == ("staffing", frozenset())


def test_an_annex_for_a_role_is_that_of_no_client() -> None:
    (problem,) = _problems(ROLE)
    assert problem.path == "role"


CERTIFICATES = 'certificates: [{ sha256: "%s" }]\n' % ("0f" * 32)
IDENTITY = 'identity: { cbeNumber: "0999900150", name: Staffing }\n'


@pytest.mark.parametrize(
    ("text", "line", "path", "remedy"),
    [
        (ROLE.replace("operations", f"{IDENTITY}operations"), 7, "identity", "Remove identity, or remove role"),
        (ROLE.replace("operations", f"{CERTIFICATES}operations"), 7, "certificates", "Remove certificates"),
        (ROLE.replace("operations", "representsItself: true\noperations"), 7, "representsItself", "Remove represents"),
        (ROLE.replace("enterprise", "institution"), 2, "kind", "Write enterprise, or remove role"),
        (ROLE.replace("technicalUser", "anybody"), 3, "role", "For whom the annex is"),
        (ROLE.replace("role: technicalUser\n", IDENTITY), 1, "certificates", "Add it: The client's certificates"),
        (ROLE.replace("role: technicalUser\n", CERTIFICATES), 1, "identity", "Add it: The client itself"),
        (
            ROLE.replace("    deliberation", '    onBehalfOf: [{ cbeNumber: "0999900150" }]\n    deliberation'),
            *(11, "operations[0].onBehalfOf", "Remove onBehalfOf"),
        ),
        (
            ROLE.replace("integrationExemption: E", "notified: true\n    integration: { contexts: [AB] } # E"),
            *(12, "operations[0].notified", "Remove notified"),
        ),
        (
            ROLE[: ROLE.index("  - service")] + MANDATES[MANDATES.index("  - service") :],
            *(9, "operations[0].operation", "Remove the operation"),
        ),
        (ROLE + ROLE[ROLE.index("  - service") :], 13, "operations[1]", "Merge the two"),
    ],
)
def test_what_cannot_be_for_a_role_is_told_with_its_remedy(text: str, line: int, path: str, remedy: str) -> None:
    with pytest.raises(AnnexInvalid) as caught:
        read_any_annex(text, CONTRACTS)
    found = next(each for each in caught.value.problems if each.path == path)
    assert found.line == line
    assert remedy in found.remedy
