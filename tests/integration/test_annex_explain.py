"""`annex explain`: requests in files, of options and of records, as the gateway itself decides them."""

import json
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import test_gateway_dimona as dimona
from docs_examples import shown_commands
from dry_running import DryRunning
from gateway_world import (
    CONTEXTS,
    CUSTOMERS,
    PUBLIC_URL,
    ROOT,
    STARTED,
    DemoState,
    Reply,
    World,
    open_world,
    request_xml,
)
from sqlalchemy import select
from typer.testing import CliRunner, Result

from authz.brussels import brussels_day
from authz.explanation import Result as Outcome
from fixtures.messages import envelope
from fixtures.personas import load_personas
from gateway.bootstrap import open_approvals
from gateway.cli import app
from gateway.demo_world import ANNEXES, activate
from gateway.storage.tables import audit_records
from tests.log_lines import LogLines

SSIN = {persona.name: persona.ssin for persona in load_personas(brussels_day(STARTED))}
KNOWN = SSIN["main-occupation"]
CAREER = ("SelfEmployedService", "consultCareer")
INTEGRATION = ("integration", "operations[0].integration")
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def world(demo_state: DemoState, tmp_path_factory: pytest.TempPathFactory, log_lines: LogLines) -> Iterator[World]:
    """A world of their own: it gets another annex."""
    with open_world(demo_state, tmp_path_factory.mktemp("explained")) as opened:
        yield opened


def run(world: World, *arguments: str | Path) -> Result:
    environment = {
        "KSZ_STATE": str(world.settings.state),
        "KSZ_DATABASE_URL": world.settings.database_url,
        "KSZ_PUBLIC_URL": PUBLIC_URL,
        "COLUMNS": "200",
    }
    return CliRunner().invoke(app, ["annex", "explain", *map(str, arguments)], env=environment)


def explain(world: World, *arguments: str | Path) -> dict[str, Any]:
    done = run(world, *arguments, "--json")
    assert done.exit_code == 0, (arguments, done.exception)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def refused(world: World, *arguments: str | Path) -> str:
    done = run(world, *arguments)
    assert done.exit_code == 1, (arguments, done.stdout)
    return str(done.exception)


def decisive(document: dict[str, Any]) -> tuple[str, str] | None:
    """Return the check that refused, with its clause."""
    found = [(each["name"], each["clause"]) for each in document["checks"] if each["result"] == Outcome.REFUSED]
    return found[0] if found else None


def last_ticket(world: World) -> str:
    query = select(audit_records.c.ticket_cbss).order_by(audit_records.c.position.desc()).limit(1)
    with world.gateway.storage.database.read() as connection:
        return str(connection.execute(query).scalar_one())


def payload(ssin: str = KNOWN, **changes: str) -> str:
    return request_xml("consultCareer", ssin, CUSTOMERS["pcsa"], changes.get("context", CONTEXTS["pcsa"]))


CASES = [
    ("main-occupation", None, None),
    ("not-in-the-file", INTEGRATION, "MSG00012"),
    ("malformed", ("ssin", ""), "MSG00011"),
    ("non-existent", ("existence", ""), "MSG00005"),
    ("replaced", ("replacement", ""), "MSG00006"),
    ("cancelled", ("cancellation", ""), "MSG00007"),
    ("deceased", ("death", ""), "MSG00009"),
    ("not-at-the-supplier", ("supplier", ""), "MSG00021"),
]


@pytest.mark.parametrize(("name", "check", "code"), CASES)
def test_options_a_file_and_the_record_of_the_request_are_explained_alike(
    world: World, tmp_path: Path, name: str, check: tuple[str, str] | None, code: str | None
) -> None:
    bare, message = tmp_path / "bare.xml", tmp_path / "message.xml"
    bare.write_text(payload(SSIN[name]))
    message.write_bytes(world.sign(payload(SSIN[name])))
    reply = world.ask(SSIN[name])
    auditor = ("--auditor-key", world.settings.state / "pki" / "auditor.key")
    documents = [
        explain(world, *CAREER, "--client", "pcsa", "--ssin", SSIN[name]),
        explain(world, "--file", bare, "--client", "pcsa"),
        explain(world, "--file", message, "--client", "pcsa"),
        explain(world, "--record", last_ticket(world), *auditor),
    ]
    for document in documents:
        assert decisive(document) == check
        assert document["decision"] == ("permitted" if code is None else "refused")
        if code is not None:
            assert document["status"] == {"value": reply.outcome[0], "code": code}
            assert reply.outcome[1] == code
            told = [(each["name"], each["value"]) for each in document["information"]]
            assert told == reply.information
    assert len({json.dumps(each["checks"]) for each in documents}) == 1


def test_people_are_shown_every_check_and_the_decision(world: World) -> None:
    shown = run(world, *CAREER, "--client", "economy", "--ssin", KNOWN, "--begin", "2010-01-01").stdout
    for told in ("credentials", "refused", "not reached", "NO_RESULT MSG00027", "maxYearsBack", "allowed: "):
        assert told in shown
    assert "Demonstration deliberation 24/001" in run(world, *CAREER, "--client", "pcsa", "--ssin", KNOWN).stdout


def test_what_would_be_withheld_is_told(world: World) -> None:
    begin = str(brussels_day(datetime.now(UTC)) - timedelta(days=300))
    document = explain(world, *CAREER, "--client", "economy", "--ssin", KNOWN, "--begin", begin)
    withheld = ["career/occupation", "career/affiliations/affiliation/signatureDate"]
    assert (document["withheld"], document["dropped"]) == (withheld, withheld)


def test_of_several_persons_each_is_explained(world: World) -> None:
    asked = [f"--set=worker/ssin={ssin}" for ssin in (dimona.ANNA, KNOWN)]
    employer = f"--set=employer/nssoRegistrationNumber={dimona.BREWERY.registration_number}"
    days = ("--begin", "2024-01-01", "--end", "2024-12-31")
    document = explain(world, "DimonaService", "checkEmployment", "--client", "brewery", employer, *asked, *days)
    assert decisive(document) is None
    assert [each["ssin"] for each in document["checks"] if each["name"] == "death"] == [dimona.ANNA, KNOWN]
    assert {each["result"] for each in document["checks"] if each["name"] == "death"} == {"not applicable"}


@pytest.mark.parametrize(
    ("client", "employer", "check"),
    [
        ("brewery", dimona.BREWERY, None),
        ("brewery", dimona.BAKERY, ("employer", "kind")),
        ("brewery-messages", dimona.BREWERY, None),
        ("brewery-messages", dimona.BAKERY, ("employer", "kind")),
        ("pensions", dimona.BAKERY, None),
    ],
)
def test_enterprises_and_technical_users_are_explained(world: World, client: str, employer: Any, check: Any) -> None:
    (number,) = dimona.name_employer(employer).items()
    name = f"--set=employer/{number[0]}={number[1]}"
    document = explain(world, "DimonaService", "consultPeriods", "--client", client, name)
    assert decisive(document) == check
    if client == "pensions":
        assert document["personsFound"] == "an inscription under PENSIONS:ACCOUNT_HOLDER"


def test_the_record_of_a_technical_user_is_explained_as_it_was_then(world: World) -> None:
    reply: Reply = dimona.ask(world, "consultPeriods", "brewery-messages", dimona.OWN)
    assert not reply.is_fault
    auditor = ("--auditor-key", world.settings.state / "pki" / "auditor.key")
    document = explain(world, "--record", last_ticket(world), *auditor)
    assert (document["client"], document["decision"]) == ("technical-user:100001", "permitted")


def test_a_record_is_explained_under_the_revision_that_decided(world: World, tmp_path: Path) -> None:
    world.ask(KNOWN)
    ticket, auditor = last_ticket(world), ("--auditor-key", world.settings.state / "pki" / "auditor.key")
    before = explain(world, "--record", ticket, *auditor)
    draft = tmp_path / "draft.yaml"
    text = (ANNEXES / "pcsa.yaml").read_text("utf-8")
    draft.write_text(text.replace("contexts: [PCSA:FILE]", "contexts: [PCSA:OTHER]"))
    assert decisive(explain(world, "--record", ticket, *auditor, "--draft", draft)) == INTEGRATION
    activation = activate(open_approvals(world.gateway.storage), draft.read_text())
    assert explain(world, "--record", ticket, *auditor) == before
    asked = (*CAREER, "--client", "pcsa", "--ssin", KNOWN)
    assert decisive(explain(world, *asked, "--at", activation.active_from.isoformat())) == INTEGRATION
    assert decisive(explain(world, *asked, "--at", (activation.active_from - SECOND).isoformat())) is None


def test_a_draft_needs_no_client_in_force(world: World, tmp_path: Path) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text((ANNEXES / "economy.yaml").read_text("utf-8").replace("client: economy", "client: newcomer"))
    document = explain(world, *CAREER, "--draft", draft, "--ssin", KNOWN, "--begin", "2010-01-01")
    assert (document["client"], decisive(document)) == (
        "newcomer",
        ("parameters", "operations[0].parameters.criteria/period.maxYearsBack"),
    )
    assert "not of pcsa" in refused(world, *CAREER, "--client", "pcsa", "--draft", draft, "--ssin", KNOWN)


def test_a_draft_for_a_role_is_made_out_to_who_has_it(world: World) -> None:
    draft = ANNEXES / "technical-users.yaml"
    number = f"--set=employer/nssoRegistrationNumber={dimona.BREWERY.registration_number}"
    asked = ("DimonaService", "consultPeriods", number, "--draft", draft)
    assert explain(world, *asked, "--client", "brewery-messages")["client"] == "technical-user:100001"
    assert "name one who has it with --client" in refused(world, *asked)


def test_a_dry_run_is_explained_from_its_record(world: World) -> None:
    world.post(DryRunning(world).sign(payload(context="PCSA:NOTHING")))
    auditor = ("--auditor-key", world.settings.state / "pki" / "auditor.key")
    assert decisive(explain(world, "--record", last_ticket(world), *auditor)) == ("operation", "operations")


def test_what_cannot_be_explained_is_said_with_what_to_do(world: World, tmp_path: Path) -> None:
    invalid, broken, other = tmp_path / "invalid.xml", tmp_path / "broken.xml", tmp_path / "other.xml"
    invalid.write_bytes(envelope(payload("no number")))
    broken.write_text("<a>")
    other.write_text('<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>')
    draft = tmp_path / "draft.yaml"
    draft.write_text("client: x\n")
    auditor = ("--auditor-key", world.settings.state / "pki" / "auditor.key")
    world.post(world.sign("<a/>"))
    told = {
        ("--client", "pcsa"): "name one thing to explain",
        ("SelfEmployedService", "--client", "pcsa"): "name one thing to explain",
        (*CAREER, "--record", "1"): "name one thing to explain",
        (*CAREER, "--ssin", KNOWN): "name who asks, with --client",
        (*CAREER, "--client", "nobody"): "there is no client nobody",
        ("Nothing", "at-all", "--client", "pcsa"): "there is no service Nothing",
        ("SelfEmployedService", "none", "--client", "pcsa"): "has no operation none",
        (*CAREER, "--client", "pcsa"): "not valid against its XSD (MSG00004):\n  consultCareerRequest: ",
        (*CAREER, "--client", "pcsa", "--ssin", KNOWN, "--at", "yesterday"): "is no time such as",
        (*CAREER, "--client", "pcsa", "--ssin", KNOWN, "--at", "2026-01-01T12:00:00"): "has no time zone",
        (*CAREER, "--client", "pcsa", "--draft", draft): "cannot be used; problems found",
        ("--file", invalid, "--client", "pcsa"): "its XSD (MSG00004):\n  criteria/ssin: The value is not in",
        ("--file", broken, "--client", "pcsa"): "GTW00013: The message is not well-formed XML",
        ("--file", other, "--client", "pcsa"): "GTW00013: A document type declaration is not allowed",
        ("--file", tmp_path / "none.xml", "--client", "pcsa"): "cannot be read: No such file",
        ("--file", invalid, "--client", "pcsa", "--ssin", KNOWN): "leave out the other options",
        ("--file", ROOT / "fixtures/samples/DryRunV1.dryRun.xml", "--client", "pcsa"): "is no request; there are",
        ("--record", "1"): "give the auditor's private key",
        ("--record", "none", *auditor): "there is no exchange none",
        ("--record", last_ticket(world), *auditor): "holds no decision: GTW00016",
        ("--record", "1", "--client", "pcsa", *auditor): "leave out --client and --at",
    }
    for arguments, words in told.items():
        assert words in refused(world, *arguments), arguments


def test_the_page_shows_what_works(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    (tmp_path / "draft.yaml").write_text((ANNEXES / "pcsa.yaml").read_text("utf-8"))
    world.ask(KNOWN)
    places = {"var/": f"{world.settings.state}/", "draft.yaml": f"{tmp_path}/draft.yaml", "TICKET": last_ticket(world)}
    lines = [line.removeprefix("annex explain ") for line in shown_commands("annex-explain.md")]
    assert len(lines) >= 5
    for line in lines:
        for name, place in places.items():
            line = line.replace(name, place)
        done = run(world, *shlex.split(line))
        assert done.exit_code == 0, (line, done.exception)
