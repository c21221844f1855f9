"""`annex replay`: what was decided live is decided the same again, and a draft changes what it says it changes."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import command_line
import pytest
import test_gateway_dimona as dimona
import test_gateway_technical_users as technical
from gateway_world import OVER_TLS, SHAPES, STARTED, DemoState, OpenWorld, World, open_world, request_xml
from sqlalchemy import select, update
from typer.testing import Result

from authz.brussels import brussels_day
from fixtures import dimona_personas
from fixtures.personas import load_personas
from gateway.audit.walk import Stretch, walk_exchanges
from gateway.bootstrap import open_approvals
from gateway.demo_world import ANNEXES, activate
from gateway.storage.tables import audit_records
from tests.log_lines import LogLines

PERSONAS = {persona.name: persona for persona in load_personas(brussels_day(STARTED))}
KNOWN = PERSONAS["main-occupation"].ssin
UNTIL = (STARTED + timedelta(days=1)).isoformat()


@pytest.fixture(scope="module")
def world(demo_state: DemoState, tmp_path_factory: pytest.TempPathFactory, log_lines: LogLines) -> Iterator[World]:
    """A world with traffic of all sorts behind it."""
    with open_world(demo_state, tmp_path_factory.mktemp("replayed")) as opened:
        consult_as_everybody(opened)
        yield opened


def consult_as_everybody(world: World) -> None:
    """Ask all that the personas answer, as institutions, integrator, enterprises and technical users; and in vain."""
    for persona in PERSONAS.values():
        for each in persona.expectations:
            if each.client in SHAPES:
                world.clock.advance(seconds=3)  # The inspection may ask thirty times a minute.
            payload = request_xml(each.operation, persona.ssin, each.customer, each.legal_context, each.period)
            over_tls = each.client in OVER_TLS
            world.over_tls(payload, each.client) if over_tls else world.post(world.sign(payload, each.client))
    world.ask(KNOWN, "economy", period={"beginDate": "1990-01-01"})
    world.ask(KNOWN, "economy", period={"beginDate": f"{brussels_day(STARTED).year - 2}-01-01"})
    for dimona_persona in dimona_personas.load_personas():
        for each in dimona_persona.expectations:
            world.clock.advance(seconds=2)
            number = str(each.customer["cbeNumber"])
            dimona.ask(world, each.operation, each.client, each.criteria, customer=number, context=each.legal_context)
    technical.consult(world)
    technical.consult(world, criteria={"employer": dimona.name_employer(technical.BAKERY)})
    technical.consult(world, "secretariat-messages")
    dimona.ask(world, "consultPeriods", "inspection", {"employer": dimona.OWN["employer"]})
    several = {"worker": {"ssin": [dimona.ANNA, dimona.INSPECTED]}, "employer": dimona.OWN["employer"]}
    dimona.ask(world, "consultPeriods", "inspection", several)
    world.post(b"<no-envelope/>")
    world.post(world.sign(request_xml("consultCareer", "x", {"cbeNumber": "1"}, "X:Y")))


def run(world: World, *arguments: str | Path, command: str = "replay") -> Result:
    key = world.settings.state / "pki" / "auditor.key"
    options = ["--since", "2020-01-01", "--until", UNTIL, "--auditor-key", key]
    return command_line.run(world, "annex", command, *options, *arguments)


def replayed(world: World, *arguments: str | Path) -> dict[str, Any]:
    done = run(world, *arguments, "--json", "--limit", "10000")
    assert done.exit_code == 0, (done.exception, done.stdout)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def counts(document: dict[str, Any]) -> dict[str, int]:
    return {verdict: count for verdict, count in document["verdicts"].items() if count}


def draft_of(tmp_path: Path, client: str, *changes: tuple[str, str]) -> Path:
    text = (ANNEXES / f"{client}.yaml").read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "draft.yaml"
    path.write_text(text)
    return path


def rows_of(world: World, client: str) -> list[dict[str, Any]]:
    return [dict(row) for row in world.records() if row["client"] == client]


def test_everything_is_decided_again_as_it_was_live(world: World) -> None:
    rows = [row for row in world.records() if row["kind"] == "exchange"]
    decided = [row for row in rows if world.unseal(row)["facts"] is not None]
    assert len(decided) > 100
    clients = {row["client"] for row in decided}
    assert {"pcsa", "integrator", "inspection", "brewery"} < clients
    assert sum(client.startswith("technical-user:") for client in clients) == 2
    assert {row["outcome"] for row in decided} == {"reply", "refusal", "fault"} - {"fault"}
    document = replayed(world)
    assert counts(document) == {"same": len(decided), "not decided": len(rows) - len(decided)}
    assert len(rows) > len(decided)


def test_a_draft_that_says_the_same_changes_nothing(world: World, tmp_path: Path) -> None:
    draft = draft_of(tmp_path, "pcsa", ("# A public centre", "# The public centre"))
    assert counts(replayed(world, "--draft", draft)) == {"same": len(rows_of(world, "pcsa")) - 1, "not decided": 1}


def test_permits_that_would_be_denied_are_counted_by_clause_and_listed(world: World, tmp_path: Path) -> None:
    document = replayed(world, "--draft", draft_of(tmp_path, "pcsa", ("[PCSA:FILE]", "[PCSA:OTHER]")))
    permitted = [row for row in rows_of(world, "pcsa") if row["deliberation"] is not None]
    assert document["verdicts"]["permit to deny"] == len(permitted) > 5
    lost = [group for group in document["groups"] if group["verdict"] == "permit to deny"]
    assert {(group["code"], group["clauseBefore"], group["clauseAfter"]) for group in lost} == {
        ("MSG00012", f"operations[{number}]", f"operations[{number}].integration") for number in (0, 1)
    }
    listed = [each["ticket"] for each in document["listed"] if each["verdict"] == "permit to deny"]
    assert sorted(listed) == sorted(row["ticket_cbss"] for row in permitted)
    # Who was refused because of a number's fate would now be refused for want of an inscription, and not told.
    assert document["verdicts"]["denied for another reason"] > 0


def test_denials_that_would_be_permitted_and_what_would_be_withheld_are_told(world: World, tmp_path: Path) -> None:
    draft = draft_of(tmp_path, "economy", ("maxYearsBack: 5", "maxYearsBack: 90"), ("      - career/occupation\n", ""))
    document = replayed(world, "--draft", draft)
    refused = [row for row in rows_of(world, "economy") if row["code"] == "MSG00027"]
    too_far = [row for row in refused if world.unseal(row)["request"]["period"] is not None]
    assert document["verdicts"]["deny to permit"] == len(too_far) > 0
    assert document["verdicts"]["withheld differs"] > 0
    gained = next(each for each in document["listed"] if each["verdict"] == "deny to permit")
    assert (gained["before"]["code"], gained["after"]["clause"]) == ("MSG00027", "operations[0]")
    differing = next(each for each in document["listed"] if each["verdict"] == "withheld differs")
    assert set(differing["before"]["withheld"]) - set(differing["after"]["withheld"]) == {"career/occupation"}


def test_whom_a_search_tells_of_may_differ_with_the_integration_control(world: World, tmp_path: Path) -> None:
    draft = draft_of(tmp_path, "inspection", ("[PPSSI:INQUIRY]", "[PPSSI:INQUIRY, PPSSI:OTHER]"))
    verdicts = replayed(world, "--draft", draft)["verdicts"]
    assert (verdicts["other persons may be told"], verdicts["permit to deny"]) == (1, 0)


def test_a_draft_for_a_role_is_for_whoever_had_the_role(world: World, tmp_path: Path) -> None:
    draft = draft_of(tmp_path, "technical-users", ("[NSSO:EMPLOYER_DECLARATION]", "[NSSO:OTHER]"))
    rows = [row for row in world.records() if (row["client"] or "").startswith("technical-user:")]
    document = replayed(world, "--draft", draft)
    assert document["records"] == len(rows)
    assert document["verdicts"]["permit to deny"] == sum(row["deliberation"] is not None for row in rows) > 0
    one = rows[0]["client"]
    assert replayed(world, "--draft", draft, "--client", one)["records"] == len(rows_of(world, one))
    refused = run(world, "--draft", draft, "--client", "pcsa")
    assert refused.exit_code == 1
    assert "which whoever asked has not" in str(refused.exception)


def test_people_are_shown_counts_groups_and_the_first_records(world: World, tmp_path: Path) -> None:
    done = run(world, "--draft", draft_of(tmp_path, "pcsa", ("[PCSA:FILE]", "[PCSA:OTHER]")), "--limit", "1")
    for told in ("permit to deny", "MSG00012", "operations[0].integration", "Changes", "The first of them"):
        assert told in done.stdout
    assert KNOWN not in done.stdout


def test_reading_is_recorded_with_what_was_asked_for(world: World, tmp_path: Path) -> None:
    replayed(world, "--client", "pcsa")
    row = world.rows(select(audit_records).order_by(audit_records.c.position.desc()).limit(1).subquery())[0]
    assert (row["kind"], row["operation"]) == ("audit consultation", "annex replay")
    assert world.unseal(row)["request"]["client"] == "pcsa"


def test_only_the_time_asked_for_is_replayed(world: World) -> None:
    rows = [row for row in world.records() if row["kind"] == "exchange"]
    moments = sorted(row["received_at"] for row in rows)
    middle = moments[len(moments) // 2]
    first, second = (
        replayed(world, *bounds)["records"]
        for bounds in (("--until", middle.isoformat()), ("--since", middle.isoformat()))
    )
    assert first == sum(moment < middle for moment in moments)
    assert first + second == len(rows)


def test_a_decision_that_is_not_as_recorded_is_an_error(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    world.ask(KNOWN)
    world.ask(PERSONAS["not-in-the-file"].ssin)
    with world.gateway.storage.database.write() as connection:
        connection.execute(update(audit_records).where(audit_records.c.outcome == "reply").values(annex_clause="other"))
    done = run(world, "--json")
    assert done.exit_code == 1
    assert "1 decisions are not as they were recorded" in str(done.exception)
    assert counts(json.loads(done.stdout)) == {"same": 1, "not reproduced": 1}


def test_what_was_erased_is_counted_and_not_decided(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    world.ask(KNOWN)
    # Of a month that is long past, and has no keys any more.
    position, erased = world.records()[0]["position"], datetime(2020, 5, 3, tzinfo=UTC)
    with world.gateway.storage.database.write() as connection:
        of_then = update(audit_records).where(audit_records.c.position == position)
        connection.execute(of_then.values(month="2020-05", received_at=erased))
    done = run(world, "--json")
    assert counts(json.loads(done.stdout)) == {"unreadable": 1}
    assert done.exit_code == 1
    assert "none of the 1 records could be read, so nothing is known" in str(done.exception)


def test_where_nothing_is_to_be_replayed_it_says_so(world: World) -> None:
    done = run(world, "--client", "nobody")
    assert (done.exit_code, done.stdout) == (0, "No consultation was recorded then.\n")
    for bounds in (("--until", "2019-12-31"), ("--since", "0001-01-01")):
        done = run(world, *bounds)
        assert done.exit_code == 1
        assert "--since" in str(done.exception) or "is not of a year" in str(done.exception)


def test_an_annex_that_was_replaced_since_still_decides_its_own(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    world.ask(KNOWN)
    text = (ANNEXES / "pcsa.yaml").read_text("utf-8").replace("[PCSA:FILE]", "[PCSA:OTHER]")
    activate(open_approvals(world.gateway.storage), text, now=world.clock())
    world.clock.advance(seconds=3)
    world.gateway.annexes.refresh()
    world.ask(KNOWN)
    revisions = Counter(row["annex_revision"] for row in world.records())
    assert list(revisions.values()) == [1, 1]
    assert counts(replayed(world)) == {"same": 2}


def test_a_walk_gives_each_exchange_once_in_the_order_of_positions(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.audit.walk._PAGE", 7)
    stretch = Stretch(STARTED - timedelta(days=1), STARTED + timedelta(days=1))
    database = world.gateway.storage.database
    rows = [row for row in world.records() if row["kind"] == "exchange"]
    assert [row["position"] for row in walk_exchanges(database, stretch)] == [row["position"] for row in rows]
    of_pcsa = walk_exchanges(database, replace(stretch, client="pcsa"))
    assert [row["ticket_cbss"] for row in of_pcsa] == [row["ticket_cbss"] for row in rows if row["client"] == "pcsa"]
