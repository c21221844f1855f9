"""`annex list`, `show` and `diff`: what is in force, what was, what comes, and what a change does."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command_line import read, refused, run
from gateway_world import DemoState, World, open_world

from gateway.annexes.activation import Activation
from gateway.bootstrap import open_approvals
from gateway.demo_world import ANNEXES, activate, annex_files
from tests.log_lines import LogLines

ECONOMY = (ANNEXES / "economy.yaml").read_text("utf-8")
# As a draft would: three years, another legal context beside, and a last day.
CHANGED = ECONOMY.replace("maxYearsBack: 5", "maxYearsBack: 3").replace(
    "validFrom: 2024-01-01", "validFrom: 2024-01-01\nvalidUntil: 2199-12-31"
)
AHEAD = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)


@pytest.fixture(scope="module")
def world(demo_state: DemoState, tmp_path_factory: pytest.TempPathFactory, log_lines: LogLines) -> Iterator[World]:
    with open_world(demo_state, tmp_path_factory.mktemp("commands")) as opened:
        yield opened


@pytest.fixture(scope="module")
def coming(world: World) -> Activation:
    """Another revision of economy's annex, three days ahead."""
    return activate(open_approvals(world.gateway.storage), CHANGED, active_from=AHEAD)


def test_every_client_is_listed_with_its_revision_and_what_comes(world: World, coming: Activation) -> None:
    listed = {each["client"]: each for each in read(world, "annex", "list")}
    assert list(listed) == [path.stem for path in annex_files()]
    economy = listed["economy"]
    assert (economy["standing"], economy["operations"], economy["kind"]) == ("in force", 1, "institution")
    assert economy["next"] == {
        "revision": coming.revision,
        "activeFrom": AHEAD.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "doubt": None,
    }
    assert listed["pcsa"]["next"] is None
    assert listed["technical-users"]["kind"] == "role technicalUser"
    shown = run(world, "annex", "list").stdout
    assert coming.revision[:12] in shown
    assert "role technicalUser" in shown


@pytest.mark.parametrize(
    ("validity", "standing"),
    [
        ("validFrom: 2199-01-01", "not valid yet"),
        ("validFrom: 2020-01-01\nvalidUntil: 2020-12-31", "expired"),
    ],
)
def test_an_annex_that_does_not_hold_today_is_listed_as_such(world: World, validity: str, standing: str) -> None:
    name = standing.replace(" ", "-")
    text = ECONOMY.replace("client: economy", f"client: {name}").replace("validFrom: 2024-01-01", validity)
    text = text.replace("serial: 1002", f"serial: {9000 + len(name)}")
    past = datetime(2020, 1, 1, tzinfo=UTC)
    activate(open_approvals(world.gateway.storage), text, active_from=past)
    (found,) = (each for each in read(world, "annex", "list") if each["client"] == name)
    assert found["standing"] == standing


def test_a_first_annex_ahead_is_coming(world: World) -> None:
    text = ECONOMY.replace("client: economy", "client: newcomer").replace("serial: 1002", "serial: 9999")
    activate(open_approvals(world.gateway.storage), text, active_from=AHEAD)
    (found,) = (each for each in read(world, "annex", "list") if each["client"] == "newcomer")
    assert (found["standing"], found["next"]) == ("coming", None)
    assert "no annex in force" in refused(world, "annex", "show", "newcomer")
    assert read(world, "annex", "show", "newcomer", "--at", AHEAD.isoformat())["client"] == "newcomer"


def test_the_text_is_shown_with_the_history_of_its_activations(world: World, coming: Activation) -> None:
    shown = run(world, "annex", "show", "economy").stdout
    for line in ECONOMY.splitlines():
        assert line in shown
    assert coming.revision[:12] in shown
    later = run(world, "annex", "show", "economy", "--revision", coming.revision[:8]).stdout
    assert "maxYearsBack: 3" in later
    document = read(world, "annex", "show", "economy", "--at", (AHEAD + timedelta(seconds=1)).isoformat())
    assert document["revision"] == coming.revision
    assert [each["until"] is None for each in document["activations"]] == [False, True]
    (grant,) = document["grants"]
    assert grant["customers"] == ["cbe:0999900249"]
    assert grant["demands"][0]["maxYearsBack"] == 3
    assert grant["integration"] == {"contexts": ["FPSECO:APPLICANT"], "daysBefore": 0, "daysAfter": 0}


def test_the_annex_of_a_role_is_shown_compiled_too(world: World) -> None:
    document = read(world, "annex", "show", "technical-users")
    assert (document["kind"], document["role"]) == ("enterprise", "technicalUser")
    assert {grant["application"] for grant in document["grants"]} == {"dimona"}


def test_a_difference_is_between_files_clients_and_revisions(world: World, coming: Activation, tmp_path: Path) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text(CHANGED)
    found = read(world, "annex", "diff", "economy", draft)
    assert [(each["effect"], each["clause"], each["side"]) for each in found] == [
        ("forbids", "validUntil", "after"),
        ("forbids", "operations[0].parameters.criteria/period.maxYearsBack", "after"),
    ]
    assert found == read(world, "annex", "diff", ANNEXES / "economy.yaml", f"economy@{coming.revision[:10]}")
    shown = run(world, "annex", "diff", draft, "economy").stdout
    assert "allows  may reach back 5 years instead of 3 years with criteria/period" in shown
    assert "allows 2, forbids 0, neutral 0" in shown
    assert run(world, "annex", "diff", draft, draft).stdout == "They say the same.\n"


def test_what_there_is_not_is_told_with_what_there_is(world: World, tmp_path: Path) -> None:
    assert "economy" in refused(world, "annex", "show", "nobody")
    assert "no revision begins with ffff" in refused(world, "annex", "diff", "economy@ffff", "pcsa")
    assert "has no time zone" in refused(world, "annex", "show", "economy", "--at", "2026-01-01T12:00:00")
    assert "is no time such as" in refused(world, "annex", "show", "economy", "--at", "soon")
    broken = tmp_path / "broken.yaml"
    broken.write_text("client: x")


@pytest.mark.parametrize("command", ["diff economy {broken}", "diff {broken} economy", "export {broken} --out {out}"])
def test_a_draft_that_cannot_be_used_is_named_with_its_problems_beside_the_output(
    world: World, tmp_path: Path, command: str
) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("client: x")
    done = run(world, "annex", *command.format(broken=broken, out=tmp_path / "out").split(), "--json")
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"{broken}:1: kind: is missing" in done.stderr
    assert str(done.exception).startswith(f"{broken} cannot be used; problems found: ")
