"""What a change of an annex allows and forbids is told, each time, for every key, and never wrongly left out."""

import re
from collections import Counter
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import yaml
from authz_shapes import ANNEXES, CONTRACTS, SERVICE, STAFF, demo_contracts
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from authz.annex_difference import compare_annexes
from authz.annex_document import read_annex
from authz.annex_model import GrantPart, HeaderPart, find_part, keys_of
from authz.answer import Permit
from authz.decision import decide
from authz.difference import Difference, Effect, Side
from authz.employer_access import EmployerRelation, NamedEmployer, RelationKind
from authz.integration import Inscription, Period, PersonFacts
from authz.organisation import Organisation
from authz.question import AccessFacts, AccessRequest
from authz.ssin import Environment
from fixtures.persons import make_ssin
from gateway.demo_world import annex_files

ALLOWS, FORBIDS, NEUTRAL = Effect.ALLOWS, Effect.FORBIDS, Effect.NEUTRAL
OWN, FIRST, SECOND, OTHER = "0999900150", "0999900249", "0999900348", "0999900447"
ABSENT = object()
BUS: dict[str, Any] = {
    "client": "bus",
    "kind": "integrator",
    "identity": {"cbeNumber": OWN, "name": "Bus"},
    "validFrom": date(2024, 1, 1),
    "authentication": {"methods": ["x509Token"]},
    "certificates": [{"issuer": "CN=CA", "serial": 7}],
    "represents": [{"cbeNumber": FIRST, "name": "First"}, {"sector": 11, "institution": 0, "name": "Second"}],
    "operations": [
        {
            "service": SERVICE,
            "operation": "consultCareer",
            "legalContexts": ["A:A"],
            "deliberation": "Deliberation 1",
            "parameters": {"criteria/period": None},
            "integration": {"contexts": ["F:A"], "daysBefore": 3},
        },
    ],
}
STAFFING: dict[str, Any] = {
    **{name: BUS[name] for name in ("client", "identity", "validFrom", "authentication", "certificates")},
    "kind": "institution",
    "operations": [BUS["operations"][0] | {"service": STAFF, "operation": "consultStaff"}],
}
ROLE: dict[str, Any] = {
    **{name: BUS[name] for name in ("client", "validFrom", "authentication")},
    "kind": "enterprise",
    "role": "technicalUser",
    "operations": [],
}
CONNECTED = BUS | {"authentication": {"methods": ["mutualTLS"]}}
FINGERPRINT = "ab" * 32
GRANT = "operations[0]"


class Plain(yaml.SafeDumper):
    """Writes every value out: an annex has no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def dumped(values: dict[str, Any]) -> str:
    return yaml.dump(values, Dumper=Plain, sort_keys=False)


def changed(document: dict[str, Any], edits: dict[str, Any]) -> str:
    """Return the document's text with each place (`operations.0.withheld`) set, or removed where it is ABSENT."""
    values = deepcopy(document)
    for place, value in edits.items():
        *steps, last = (int(step) if step.isdigit() else step for step in place.split("."))
        inside: Any = values
        for step in steps:
            inside = inside[step]
        if value is ABSENT:
            del inside[last]
        else:
            inside[last] = value
    return dumped(values)


# For each key of an annex: a document, what to set in it before and after, and the differences that this must make.
CHANGES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], list[tuple[Effect, str, str]]]] = [
    ("client", BUS, {}, {"client": "tram"}, [(NEUTRAL, "client", "is the annex of tram instead of bus")]),
    (
        "kind",
        STAFFING,
        {},
        {"kind": "enterprise"},
        [
            (NEUTRAL, "kind", "is of the kind enterprise instead of institution"),
            (FORBIDS, "kind", "may now ask only about employers for which it may act"),
            (
                ALLOWS,
                "kind",
                "is no longer refused, nor told, where a number was replaced or cancelled or its holder died",
            ),
        ],
    ),
    (
        "kind",
        STAFFING,
        {"kind": "enterprise"},
        {},
        [
            (NEUTRAL, "kind", "is of the kind institution instead of enterprise"),
            (ALLOWS, "kind", "may now ask about employers for which it may not act"),
            (FORBIDS, "kind", "is now refused, and told, where a number was replaced or cancelled or its holder died"),
        ],
    ),
    (
        "role",
        ROLE,
        {},
        {"role": ABSENT, "identity": BUS["identity"], "certificates": BUS["certificates"]},
        [
            (FORBIDS, "role", "is no longer for everybody who has the role technicalUser"),
            (ALLOWS, "identity", f"is now cbe:{OWN}"),
            (ALLOWS, "certificates[0]", "may now prove itself with certificate 7 of CN=CA"),
        ],
    ),
    (
        "identity.cbeNumber",
        BUS,
        {},
        {"identity.cbeNumber": OTHER},
        [
            (FORBIDS, "identity", f"is no longer cbe:{OWN}"),
            (ALLOWS, "identity", f"is now cbe:{OTHER}"),
            (FORBIDS, GRANT, "may no longer be called"),
            (ALLOWS, GRANT, "may now be called"),
        ],
    ),
    (
        "identity.sector",
        STAFFING,
        {"operations": []},
        {"operations": [], "identity": {"sector": 1, "institution": 2, "name": "Bus"}},
        [(FORBIDS, "identity", f"is no longer cbe:{OWN}"), (ALLOWS, "identity", "is now sector:1/2")],
    ),
    (
        "identity.institution",
        STAFFING,
        {"operations": [], "identity": {"sector": 1, "institution": 2, "name": "Bus"}},
        {"operations": [], "identity": {"sector": 1, "institution": 3, "name": "Bus"}},
        [(FORBIDS, "identity", "is no longer sector:1/2"), (ALLOWS, "identity", "is now sector:1/3")],
    ),
    (
        "identity.name",
        BUS,
        {},
        {"identity.name": "Tram"},
        [(NEUTRAL, "identity.name", "is called Tram instead of Bus")],
    ),
    (
        "validFrom",
        BUS,
        {},
        {"validFrom": date(2024, 2, 1)},
        [(FORBIDS, "validFrom", "holds from 2024-02-01 instead of 2024-01-01")],
    ),
    (
        "validFrom",
        BUS,
        {},
        {"validFrom": date(2023, 2, 1)},
        [(ALLOWS, "validFrom", "holds from 2023-02-01 instead of 2024-01-01")],
    ),
    (
        "validUntil",
        BUS,
        {},
        {"validUntil": date(2025, 1, 1)},
        [(FORBIDS, "validUntil", "holds until 2025-01-01 instead of without an end")],
    ),
    (
        "validUntil",
        BUS,
        {"validUntil": date(2025, 1, 1)},
        {},
        [(ALLOWS, "validUntil", "holds without an end instead of until 2025-01-01")],
    ),
    (
        "authentication.methods",
        BUS,
        {},
        {"authentication.methods": ["mutualTLS"]},
        [
            (FORBIDS, "authentication.methods", "may no longer prove itself by x509Token"),
            (ALLOWS, "authentication.methods", "may now prove itself by mutualTLS"),
        ],
    ),
    (
        "authentication.signToken",
        BUS,
        {},
        {"authentication.signToken": True},
        [(FORBIDS, "authentication.signToken", "must now sign the BinarySecurityToken too")],
    ),
    (
        "authentication.signToken",
        BUS,
        {"authentication.signToken": True},
        {},
        [(ALLOWS, "authentication.signToken", "need no longer sign the BinarySecurityToken too")],
    ),
    (
        "authentication.unsignedReplies",
        CONNECTED,
        {},
        {"authentication.unsignedReplies": True},
        [(NEUTRAL, "authentication.unsignedReplies", "is no longer sent signed replies over mutual TLS")],
    ),
    (
        "authentication.unsignedReplies",
        CONNECTED,
        {"authentication.unsignedReplies": True},
        {},
        [(NEUTRAL, "authentication.unsignedReplies", "is now sent signed replies over mutual TLS")],
    ),
    (
        "certificates[].sha256",
        BUS,
        {},
        {"certificates": [*BUS["certificates"], {"sha256": FINGERPRINT}]},
        [(ALLOWS, "certificates[1]", f"may now prove itself with the certificate with SHA-256 {FINGERPRINT}")],
    ),
    (
        "certificates[].serial",
        BUS,
        {},
        {"certificates.0.serial": 8},
        [
            (FORBIDS, "certificates[0]", "may no longer prove itself with certificate 7 of CN=CA"),
            (ALLOWS, "certificates[0]", "may now prove itself with certificate 8 of CN=CA"),
        ],
    ),
    (
        "certificates[].issuer",
        BUS,
        {},
        {"certificates.0.issuer": "CN=CB"},
        [
            (FORBIDS, "certificates[0]", "may no longer prove itself with certificate 7 of CN=CA"),
            (ALLOWS, "certificates[0]", "may now prove itself with certificate 7 of CN=CB"),
        ],
    ),
    (
        "representsItself",
        BUS,
        {},
        {"representsItself": False},
        [
            (FORBIDS, "representsItself", f"may no longer speak for Bus (cbe:{OWN})"),
            (FORBIDS, GRANT, "may no longer be called"),
        ],
    ),
    (
        "represents[].cbeNumber",
        BUS,
        {},
        {"represents.0.cbeNumber": OTHER},
        [
            (FORBIDS, "represents[0]", f"may no longer speak for First (cbe:{FIRST})"),
            (ALLOWS, "represents[0]", f"may now speak for First (cbe:{OTHER})"),
            (FORBIDS, GRANT, "may no longer be called"),
            (ALLOWS, GRANT, "may now be called"),
        ],
    ),
    (
        "represents[].sector",
        BUS,
        {},
        {"represents": BUS["represents"][:1]},
        [
            (FORBIDS, "represents[1]", "may no longer speak for Second (sector:11/0)"),
            (FORBIDS, GRANT, "may no longer be called"),
        ],
    ),
    (
        "represents[].institution",
        BUS,
        {"represents": BUS["represents"][:1]},
        {},
        [
            (ALLOWS, "represents[1]", "may now speak for Second (sector:11/0)"),
            (ALLOWS, GRANT, "may now be called"),
        ],
    ),
    (
        "represents[].name",
        BUS,
        {},
        {"represents.0.name": "Premier"},
        [(NEUTRAL, "represents[0]", f"cbe:{FIRST} is called Premier instead of First")],
    ),
    (
        "quota.perMinute",
        BUS,
        {},
        {"quota": {"perMinute": 60}},
        [(FORBIDS, "quota.perMinute", "may send at most 60 requests a minute instead of without limit")],
    ),
    (
        "quota.perDay",
        BUS,
        {"quota": {"perDay": 60}},
        {"quota": {"perDay": 90}},
        [(ALLOWS, "quota.perDay", "may send at most 90 requests a day instead of at most 60 requests a day")],
    ),
    (
        "operations[].service",
        STAFFING,
        {"operations.0.parameters": {}},
        {"operations.0.parameters": {}, "operations.0.service": SERVICE, "operations.0.operation": "consultCareer"},
        [(FORBIDS, GRANT, "may no longer be called"), (ALLOWS, GRANT, "may now be called")],
    ),
    (
        "operations[].operation",
        STAFFING,
        {},
        {"operations.0.operation": "consultFormerStaff"},
        [(FORBIDS, GRANT, "may no longer be called"), (ALLOWS, GRANT, "may now be called")],
    ),
    (
        "operations[].legalContexts",
        BUS,
        {},
        {"operations.0.legalContexts": ["A:A", "B:B"]},
        [(ALLOWS, GRANT, "may now be called")],
    ),
    (
        "operations[].deliberation",
        BUS,
        {},
        {"operations.0.deliberation": "Deliberation 2"},
        [(NEUTRAL, f"{GRANT}.deliberation", "rests on Deliberation 2 instead of Deliberation 1")],
    ),
    (
        "operations[].onBehalfOf[].cbeNumber",
        BUS,
        {"operations.0.onBehalfOf": [{"cbeNumber": FIRST}]},
        {"operations.0.onBehalfOf": [{"cbeNumber": OWN}]},
        [(FORBIDS, GRANT, "may no longer be called"), (ALLOWS, GRANT, "may now be called")],
    ),
    (
        "operations[].onBehalfOf[].sector",
        BUS,
        {},
        {"operations.0.onBehalfOf": [{"cbeNumber": OWN}, {"cbeNumber": FIRST}]},
        [(FORBIDS, GRANT, "may no longer be called")],
    ),
    (
        "operations[].onBehalfOf[].institution",
        BUS,
        {"operations.0.onBehalfOf": [{"cbeNumber": OWN}, {"cbeNumber": FIRST}]},
        {},
        [(ALLOWS, GRANT, "may now be called")],
    ),
    (
        "operations[].parameters",
        STAFFING,
        {},
        {"operations.0.parameters": {"criteria/worker": None}},
        [
            (FORBIDS, f"{GRANT}.parameters.criteria/period", "may no longer be asked with criteria/period"),
            (ALLOWS, f"{GRANT}.parameters.criteria/worker", "may now be asked with criteria/worker"),
        ],
    ),
    (
        "operations[].parameters",
        STAFFING,
        {"operations.0.parameters": {"criteria/period/beginDate": None}},
        {},
        [(ALLOWS, f"{GRANT}.parameters.criteria/period", "may now be asked with criteria/period/endDate")],
    ),
    (
        "operations[].parameters.PATH.required",
        BUS,
        {},
        {"operations.0.parameters.criteria/period": {"required": True}},
        [(FORBIDS, f"{GRANT}.parameters.criteria/period.required", "must now be asked with criteria/period")],
    ),
    (
        "operations[].parameters.PATH.required",
        BUS,
        {"operations.0.parameters.criteria/period": {"required": True}},
        {},
        [(ALLOWS, f"{GRANT}.parameters.criteria/period.required", "need no longer be asked with criteria/period")],
    ),
    (
        "operations[].parameters.PATH.required",
        BUS,
        {"operations.0.parameters.criteria/period": {"required": True}},
        {"operations.0.parameters.criteria/period": {"maxYearsBack": 5}},
        [
            (
                FORBIDS,
                f"{GRANT}.parameters.criteria/period.maxYearsBack",
                "may reach back 5 years instead of without bound with criteria/period",
            ),
            (NEUTRAL, f"{GRANT}.parameters.criteria/period.required", "need no longer be asked with criteria/period"),
        ],
    ),
    (
        "operations[].parameters.PATH.maxYearsBack",
        BUS,
        {"operations.0.parameters.criteria/period": {"maxYearsBack": 5}},
        {"operations.0.parameters.criteria/period": {"maxYearsBack": 7}},
        [
            (
                ALLOWS,
                f"{GRANT}.parameters.criteria/period.maxYearsBack",
                "may reach back 7 years instead of 5 years with criteria/period",
            )
        ],
    ),
    (
        "operations[].withheld",
        BUS,
        {"operations.0.withheld": ["career/occupation", "career/nisseReference"]},
        {"operations.0.withheld": ["career/occupation", "career/occupation/code"]},
        [
            (
                NEUTRAL,
                f"{GRANT}.withheld[1]",
                "now names as withheld career/occupation/code, which was not told before",
            ),
            (ALLOWS, f"{GRANT}.withheld[1]", "now tells career/nisseReference, and with it career"),
        ],
    ),
    (
        "operations[].withheld",
        BUS,
        {},
        {"operations.0.withheld": ["career/occupation"]},
        [(FORBIDS, f"{GRANT}.withheld[0]", "no longer tells career/occupation")],
    ),
    (
        "operations[].integration",
        BUS,
        {"operations.0.integration": ABSENT, "operations.0.integrationExemption": "Clause 1"},
        {},
        [(FORBIDS, f"{GRANT}.integration", "is now only for persons in the file, under F:A")],
    ),
    (
        "operations[].integration.contexts",
        BUS,
        {},
        {"operations.0.integration.contexts": ["F:B"]},
        [
            (FORBIDS, f"{GRANT}.integration.contexts", "is no longer for persons in the file under F:A"),
            (ALLOWS, f"{GRANT}.integration.contexts", "is now for persons in the file under F:B"),
        ],
    ),
    (
        "operations[].integration.daysBefore",
        BUS,
        {},
        {"operations.0.integration.daysBefore": ABSENT},
        [
            (
                FORBIDS,
                f"{GRANT}.integration.daysBefore",
                "counts an inscription that ended 0 days before the period instead of 3",
            )
        ],
    ),
    (
        "operations[].integration.daysAfter",
        BUS,
        {},
        {"operations.0.integration.daysAfter": 9},
        [
            (
                ALLOWS,
                f"{GRANT}.integration.daysAfter",
                "counts an inscription that begins 9 days after the period instead of 0",
            )
        ],
    ),
    (
        "operations[].integrationExemption",
        BUS,
        {},
        {"operations.0.integration": ABSENT, "operations.0.integrationExemption": "Clause 1"},
        [(ALLOWS, f"{GRANT}.integrationExemption", "is now for persons who are in no file")],
    ),
    (
        "operations[].integrationExemption",
        BUS,
        {"operations.0.integration": ABSENT, "operations.0.integrationExemption": "Clause 1"},
        {"operations.0.integration": ABSENT, "operations.0.integrationExemption": "Clause 2"},
        [
            (
                NEUTRAL,
                f"{GRANT}.integrationExemption",
                "is exempt from integration control by Clause 2 instead of Clause 1",
            )
        ],
    ),
    (
        "operations[].notified",
        STAFFING,
        {},
        {"operations.0.notified": True},
        [(ALLOWS, f"{GRANT}.notified", "now notifies of each declaration about a person in the file")],
    ),
    (
        "operations[].notified",
        STAFFING,
        {"operations.0.notified": True},
        {},
        [(FORBIDS, f"{GRANT}.notified", "no longer notifies of each declaration about a person in the file")],
    ),
]


def keys_beneath(part: type[BaseModel], place: str = "") -> set[str]:
    """Return the keys that hold a value of an annex, as the reference of the annex walks them."""
    found: set[str] = set()
    for key, field in keys_of(part).items():
        inside, kind = find_part(field.annotation), str(field.annotation)
        mark = "[]" if "list[" in kind else ".PATH" if "dict[" in kind else ""
        found |= keys_beneath(inside, f"{place}{key}{mark}.") if inside else {f"{place}{key}"}
    return found


def test_every_key_of_an_annex_has_a_difference_of_its_own() -> None:
    keys = keys_beneath(HeaderPart) | keys_beneath(GrantPart, "operations[].")
    assert len(keys) > 30
    assert keys - {key for key, *_ in CHANGES} == set()


@pytest.mark.parametrize(("key", "document", "before", "after", "expected"), CHANGES)
def test_a_change_is_told_in_words_with_its_effect_and_its_place(
    key: str,
    document: dict[str, Any],
    before: dict[str, Any],
    after: dict[str, Any],
    expected: list[tuple[Effect, str, str]],
) -> None:
    texts = {Side.BEFORE: changed(document, before), Side.AFTER: changed(document, after)}
    found = compare_annexes(texts[Side.BEFORE], texts[Side.AFTER], CONTRACTS)
    assert [(each.effect, each.clause) for each in found] == [(effect, clause) for effect, clause, _ in expected]
    assert all(each.text.startswith(words) for each, (_, _, words) in zip(found, expected, strict=True))
    for each in found:
        last = re.split(r"[.\[]", each.clause.removesuffix("]"))[-1]
        line = texts[each.side].splitlines()[each.line - 1]
        assert last in line or (last.isdigit() and line.lstrip().startswith("-")), (each, line)
        assert each.about == "" or each.clause.startswith("operations[")


def test_a_difference_of_a_grant_names_operation_contexts_and_whom_it_is_for() -> None:
    after = changed(
        BUS, {"operations.0.onBehalfOf": [{"cbeNumber": FIRST}], "operations.0.legalContexts": ["A:A", "B:B"]}
    )
    told = {each.about: each.effect for each in compare_annexes(changed(BUS, {}), after, CONTRACTS)}
    assert told == {
        f"{SERVICE} consultCareer under A:A for Bus, Second": FORBIDS,
        f"{SERVICE} consultCareer under B:B for First": ALLOWS,
    }


def test_between_an_annex_of_a_role_and_one_of_a_client_it_is_told_for_whom() -> None:
    role, client = ((ANNEXES / f"{name}.yaml").read_text("utf-8") for name in ("technical-users", "accountant"))
    abouts = {each.about.partition(" for ")[2] for each in compare_annexes(role, client, demo_contracts())}
    assert abouts == {"", "whoever has the role", "Boekhoudkantoor Debet en Credit bv"}
    assert {each.effect for each in compare_annexes(role, client, demo_contracts()) if each.about} == {ALLOWS, FORBIDS}


@pytest.mark.parametrize("name", [path.stem for path in annex_files()])
def test_the_same_written_otherwise_is_no_difference(name: str) -> None:
    text = (ANNEXES / f"{name}.yaml").read_text("utf-8")
    values = yaml.safe_load(text)
    values["operations"].reverse()
    values["certificates"] = values["certificates"][::-1] if "certificates" in values else []
    values = {key: value for key, value in values.items() if value != []}
    assert compare_annexes(text, dumped(values), demo_contracts()) == ()


SSINS = [make_ssin(date(1980, 3, 15), serial) for serial in (1, 2)]
ORGANISATIONS = [OWN, FIRST, SECOND, OTHER]
CONTEXTS = ["A:A", "B:B"]
INSCRIBED = ["F:A", "F:B"]
TODAY = date(2024, 6, 1)
PERIOD = ("criteria/period", "criteria/period/beginDate", "criteria/period/endDate")
PARAMETERS = {"consultCareer": PERIOD, "consultStaff": (*PERIOD, "criteria/worker", "criteria/employer")}
WITHHELD = {
    "consultCareer": ["career/occupation", "career/occupation/code", "career/nisseReference"],
    "consultStaff": ["periods", "periods/period/worker", "periods/period/worker/ssin"],
}
SERVICES = {"consultCareer": SERVICE, "consultStaff": STAFF}
DATES = ["criteria/period/beginDate", "criteria/period/endDate"]
LEAVES = {
    "consultCareer": DATES,
    "consultStaff": [*DATES, "criteria/worker/name", "criteria/employer/enterpriseNumber"],
}
MIRROR = {ALLOWS: FORBIDS, FORBIDS: ALLOWS, NEUTRAL: NEUTRAL}


@st.composite
def grants(draw: st.DrawFn, operation: str, context: str, customers: list[str]) -> dict[str, Any]:
    demands = st.fixed_dictionaries({"required": st.booleans()})
    bounds = demands.flatmap(lambda each: st.integers(1, 3).map(lambda years: {**each, "maxYearsBack": years}))
    parameters = draw(st.dictionaries(st.sampled_from(PARAMETERS[operation]), st.none() | demands, max_size=3))
    if "criteria/period/beginDate" in parameters or "criteria/period" in parameters:
        bounded = "criteria/period" if "criteria/period" in parameters else "criteria/period/beginDate"
        parameters[bounded] = draw(st.none() | demands | bounds)
    parameters = {path: demand for path, demand in parameters.items() if path != "criteria/worker" or not demand}
    grant = {
        "service": SERVICES[operation],
        "operation": operation,
        "legalContexts": [context],
        "deliberation": "Deliberation 1",
        "parameters": parameters,
        "withheld": draw(st.lists(st.sampled_from(WITHHELD[operation]), unique=True)),
        "onBehalfOf": [{"cbeNumber": each} for each in customers],
    }
    rule = st.fixed_dictionaries(
        {
            "contexts": st.lists(st.sampled_from(INSCRIBED), min_size=1, unique=True),
            "daysBefore": st.sampled_from([0, 40]),
            "daysAfter": st.sampled_from([0, 40]),
        }
    )
    return grant | draw(rule.map(lambda each: {"integration": each}) | st.just({"integrationExemption": "Clause 1"}))


Document = dict[str, Any]
Question = tuple[AccessRequest, AccessFacts, datetime]


@st.composite
def documents(draw: st.DrawFn) -> Document:
    kind = draw(st.sampled_from(["institution", "enterprise", "integrator"]))
    document: Document = {
        "client": "random",
        "kind": kind,
        "identity": {"cbeNumber": OWN, "name": "Random"},
        "validFrom": date(2024, 1, 1),
        "authentication": {"methods": ["x509Token"]},
        "certificates": [{"sha256": FINGERPRINT}],
        "operations": [],
    }
    everybody = [OWN]
    if kind == "integrator":
        document["representsItself"] = True
        document["represents"] = [{"cbeNumber": each, "name": each} for each in (FIRST, SECOND)]
        everybody = [OWN, FIRST, SECOND]
    for operation in ("consultStaff",) if kind == "enterprise" else tuple(SERVICES):
        for context in CONTEXTS:
            cut = draw(st.integers(0, len(everybody)))
            for part in filter(None, (everybody[:cut], everybody[cut:])):
                document["operations"].append(draw(grants(operation, context, part)))
    return document


@st.composite
def changes(draw: st.DrawFn, document: Document) -> Document:
    """Draw the document with one thing in it changed."""
    operations = document["operations"]
    place = draw(st.integers(0, len(operations) - 1))
    grant = operations[place]
    one = draw(
        st.sampled_from(["grant", "grant", "grant", "removal", "validFrom", "validUntil", "kind", "whom", "who"])
    )
    if one == "validFrom":
        return document | {"validFrom": draw(st.sampled_from([TODAY, date(2024, 7, 1)]))}
    if one == "validUntil":
        return document | {"validUntil": TODAY}
    if one == "kind" and "represents" not in document and all(each["service"] == STAFF for each in operations):
        return document | {"kind": "institution" if document["kind"] == "enterprise" else "enterprise"}
    if one == "who":
        gone = [
            {**each, "onBehalfOf": [other for other in each["onBehalfOf"] if other["cbeNumber"] != OWN]}
            for each in operations
        ]
        return document | {
            "identity": {"cbeNumber": OTHER, "name": "Random"},
            "operations": [each for each in gone if each["onBehalfOf"]],
        }
    if one == "whom":
        changed = [] if len(grant["onBehalfOf"]) == 1 else [{**grant, "onBehalfOf": grant["onBehalfOf"][1:]}]
    elif one == "removal":
        changed = []
    else:
        customers = [each["cbeNumber"] for each in grant["onBehalfOf"]]
        other = draw(grants(grant["operation"], grant["legalContexts"][0], customers))
        keys = draw(st.sampled_from([("parameters",), ("withheld",), ("integration", "integrationExemption")]))
        kept = {key: value for key, value in grant.items() if key not in keys}
        changed = [kept | {key: other[key] for key in keys if key in other}]
    return document | {"operations": [*operations[:place], *changed, *operations[place + 1 :]]}


persons = st.builds(
    PersonFacts,
    known=st.just(True) | st.booleans(),
    cancelled=st.sampled_from([False, False, True]),
    replaced_by=st.sampled_from([None, None, SSINS[1]]),
    client_inscriptions=st.lists(
        st.builds(
            Inscription,
            st.sampled_from([f"cbe:{each}" for each in ORGANISATIONS]),
            st.sampled_from(INSCRIBED),
            st.sampled_from([date(2010, 1, 1), TODAY + timedelta(days=20)]),
            st.sampled_from([None, TODAY - timedelta(days=20)]),
        ).filter(lambda each: each.end is None or each.begin <= each.end),
        max_size=4,
    ).map(tuple),
)


@st.composite
def questions(draw: st.DrawFn, document: Document) -> Question:
    """Draw a question near to what one of the document's grants allows."""
    grant = draw(st.sampled_from(document["operations"]))
    operation, customers = grant["operation"], [each["cbeNumber"] for each in grant["onBehalfOf"]]
    granted = [leaf for path in grant["parameters"] for leaf in LEAVES[operation] if f"{leaf}/".startswith(f"{path}/")]
    days = st.sampled_from([TODAY - timedelta(days=each) for each in (0, 300, 700, 1000, 2000)])
    leaves = st.sampled_from(granted or LEAVES[operation]) | st.sampled_from(LEAVES[operation])
    parameters = draw(st.dictionaries(leaves, days | days | st.none(), max_size=3))
    subjects = tuple(draw(st.lists(st.sampled_from(SSINS), max_size=2, unique=True)))
    if operation == "consultCareer":
        subjects = subjects[:1] or (SSINS[0],)
        parameters["criteria/ssin"] = SSINS[0]
    begin = parameters.get("criteria/period/beginDate")
    customer = draw(st.sampled_from([*customers, *customers, None, OTHER]))
    request = AccessRequest(
        service=SERVICES[operation],
        operation=operation,
        customer=Organisation(customer) if customer else None,
        legal_context=grant["legalContexts"][0],
        parameters=parameters,
        subjects=subjects,
        period=Period(begin) if begin else None,
        employer=NamedEmployer(enterprise_number=OWN),
        needs_relation=operation == "consultStaff",
    )
    relation = draw(st.sampled_from([None, EmployerRelation(RelationKind.OWN), EmployerRelation(RelationKind.OWN)]))
    facts = AccessFacts({ssin: draw(persons) for ssin in subjects}, relation)
    return request, facts, datetime(2024, 6, draw(st.integers(1, 2)), 12, tzinfo=UTC)


@st.composite
def examples(draw: st.DrawFn) -> tuple[str, str, list[Question]]:
    """Draw two annexes, of which either may be the one that was changed, and questions."""
    document = draw(documents())
    pair = document, draw(changes(document))
    before, after = pair if draw(st.booleans()) else pair[::-1]
    return dumped(before), dumped(after), draw(st.lists(questions(document), min_size=5, max_size=5))


@settings(max_examples=200, deadline=None)
@given(examples())
def test_no_changed_decision_is_without_its_difference(
    example: tuple[str, str, list[Question]],
) -> None:
    before, after, asked = example
    differences = compare_annexes(before, after, CONTRACTS)
    effects = {each.effect for each in differences}
    compiled = [read_annex(text, CONTRACTS) for text in (before, after)]
    for question in asked:
        old, new = (decide(annex, *question, Environment.TEST) for annex in compiled)
        if isinstance(old, Permit) and isinstance(new, Permit):
            told = {each.effect for each in differences if ".withheld[" in each.clause}
            assert covers(old.dropped, new.dropped) or FORBIDS in told
            assert covers(new.dropped, old.dropped) or ALLOWS in told
            assert set(old.withheld) == set(new.withheld) or told
            assert old.integration == new.integration or any(".integration" in each.clause for each in differences)
        elif isinstance(new, Permit):
            assert ALLOWS in effects
        elif isinstance(old, Permit):
            assert FORBIDS in effects


def covers(dropped: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Tell whether what is dropped of `others` goes already."""
    return all(any(f"{path}/".startswith(f"{around}/") for around in dropped) for path in others)


@settings(max_examples=50, deadline=None)
@given(examples())
def test_what_a_change_allows_its_undoing_forbids(example: tuple[str, str, object]) -> None:
    def told(differences: tuple[Difference, ...], mirror: dict[Effect, Effect]) -> Counter[tuple[Effect, str]]:
        return Counter((mirror[each.effect], each.about) for each in differences)

    there, back = (compare_annexes(*texts, CONTRACTS) for texts in (example[:2], example[1::-1]))
    assert told(there, {each: each for each in Effect}) == told(back, MIRROR)
