"""What docs/annex-activation.md tells to do works, line by line and in its order, in a demo world."""

import json
import re
import shlex
import textwrap
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from docs_examples import DOCS, shown_commands
from gateway_world import OpenWorld, World
from sqlalchemy import delete, insert, update
from typer.testing import CliRunner

from authz.annex_document import revision_of
from gateway.annexes.activation import Activation, Signatures, list_proved
from gateway.annexes.history import list_unsigned
from gateway.bootstrap import open_annex_store, open_approvals
from gateway.cli import app
from gateway.cli.output import to_text
from gateway.demo_world import activate
from gateway.storage.tables import annex_revisions, annex_signatures

README = (DOCS.parent / "README.md").read_text("utf-8")
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
SIGNED = Signatures("", "", None, "an", NOON, b"", "bram", b"")
LINES = shown_commands("annex-activation.md")
TYPED_TWICE = 2 * "a long passphrase\n"


@pytest.fixture
def world(open_own_world: OpenWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    opened = open_own_world()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KSZ_DATABASE_URL", opened.settings.database_url)
    Path("var").symlink_to(opened.settings.state)
    (newcomer,) = re.findall(r"```yaml\n( +client: newcomer\n.*?) +```", README, re.DOTALL)
    Path("newcomer.yaml").write_text(textwrap.dedent(newcomer), "utf-8")
    return opened


def test_every_example_does_what_the_page_says(world: World) -> None:
    text = Path("newcomer.yaml").read_text("utf-8")
    store = open_annex_store(world.gateway.storage)
    assert len(LINES) > 10
    for line in LINES:
        if "reinstate" in line:
            activate(open_approvals(world.gateway.storage), f"{text}# another\n")
        if "--unsigned" in line:
            assert newest(world, "newcomer").document == text
            time.sleep(max(0.0, (newest(world, "newcomer").active_from - datetime.now(UTC)).total_seconds()))
            with world.gateway.storage.database.write() as connection:
                connection.execute(delete(annex_signatures))
            migrated = CliRunner().invoke(app, ["migrate"])
            assert "annexes give no rights before two operators have signed them" in migrated.output
        words = shlex.split(line.replace("REVISION", revision_of(text)[:12]))
        done = CliRunner().invoke(app, words, input=TYPED_TWICE)
        assert done.exit_code == 0, (line, done.output, done.exception)
        if line == "annex proposals":
            assert "newcomer" in done.output
    proved = list(list_proved(store.load_after(), store.operators))
    assert {newest(world, each.client) for each in store.load_after()} <= set(proved)
    assert "annexes give no rights" not in CliRunner().invoke(app, ["migrate"]).output


def newest(world: World, client: str) -> Activation:
    """Return the activation that was added last."""
    store = open_annex_store(world.gateway.storage)
    store.operators.look()
    return [each for each in store.load_after() if each.client == client][-1]


def test_what_nobody_signed_is_what_is_in_force_and_then_what_is_planned() -> None:
    def activation(sequence: int, day: int, signed: bool = False) -> Activation:
        start = NOON + timedelta(days=day)
        return Activation(sequence, "r", "pcsa", frozenset(), start, start, "", SIGNED if signed else None)

    past, current, planned = activation(1, -2), activation(2, -1), activation(3, 1)
    assert list_unsigned([past, current, planned], NOON) == [current]
    assert list_unsigned([past, current, planned, activation(4, -1, signed=True)], NOON) == [planned]
    signed = [activation(4, -1, signed=True), activation(5, 1, signed=True)]
    assert list_unsigned([past, current, planned, *signed], NOON) == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("annex import --key var/pki/operators/an.key", "name the annexes"),
        ("annex import newcomer.yaml --key var/pki/operators/an.key --at tomorrow", "no time such as"),
        ("annex import newcomer.yaml --key var/pki/operators/an.key --at 2030-01-01T00:00", "has no time zone"),
        ("annex import newcomer.yaml --key newcomer.yaml", "no Ed25519 key"),
        ("annex import newcomer.yaml --key nothing.key", "No such file"),
        ("annex import newcomer.yaml --key stranger.key", "no operator"),
        ("annex approve pcsa --key var/pki/operators/an.key", "nothing is proposed for pcsa"),
        ("annex approve --key var/pki/operators/an.key", "name the clients"),
        ("annex withdraw pcsa --key var/pki/operators/an.key", "nothing is proposed for pcsa"),
        ("annex reinstate pcsa abc --key var/pki/operators/an.key", "0 revisions of pcsa begin with abc"),
        ("migrate --state /dev/null/x", "choose a place you may write to with --state"),
        ("annex operator list --state nowhere", "there is no .*nowhere/.*: name the state with --state"),
        ("annex operator add an", "operator already"),
        ("annex operator add An", "small letters"),
        ("annex operator retire nobody", "No such file"),
    ],
)
def test_what_cannot_be_done_says_what_to_do(world: World, line: str, told: str) -> None:
    CliRunner().invoke(app, shlex.split("annex operator add stranger --key stranger.key --unprotected"))
    Path("var/pki/operators/stranger.pub").unlink()
    done = CliRunner().invoke(app, shlex.split(line))
    assert done.exit_code == 1
    assert re.search(told, str(done.exception)), done.exception


def test_the_second_operator_is_shown_the_change_and_asked(world: World) -> None:
    assert (
        CliRunner().invoke(app, shlex.split("annex import newcomer.yaml --key var/pki/operators/an.key")).exit_code == 0
    )
    approve = shlex.split("annex approve newcomer --key var/pki/operators/bram.key")
    declined = CliRunner().invoke(app, approve, input="n\n")
    assert "+client: newcomer" in declined.output
    unanswered = CliRunner().invoke(app, approve)
    assert (unanswered.exit_code, "--yes" in str(unanswered.exception)) == (1, True)
    assert "stays as it is" in str(declined.exception)
    assert not [each for each in open_annex_store(world.gateway.storage).load_after() if each.client == "newcomer"]
    own = CliRunner().invoke(app, shlex.split("annex approve newcomer --yes --key var/pki/operators/an.key"))
    assert "an proposed it: another operator must approve it" in str(own.exception)
    assert CliRunner().invoke(app, approve, input="y\n").exit_code == 0
    assert newest(world, "newcomer").signatures is not None


def test_programs_propose_approve_withdraw_and_reinstate(world: World) -> None:
    """What is printed is JSON and nothing else, also where the second of two is refused."""

    def told(line: str, ends_with: int = 0) -> Any:
        done = CliRunner().invoke(app, shlex.split(f"{line} --json"))
        assert done.exit_code == ends_with, (line, done.output, done.exception)
        return json.loads(done.stdout)

    an, bram = ("--key var/pki/operators/an.key", "--key var/pki/operators/bram.key")
    text = Path("newcomer.yaml").read_text("utf-8")
    Path("broken.yaml").write_text("client: broken\n", "utf-8")
    (proposed,) = told(f"annex import newcomer.yaml broken.yaml {an}", ends_with=1)
    assert (proposed["client"], proposed["revision"]) == ("newcomer", revision_of(text))
    assert (proposed["proposedBy"], proposed["activeFrom"]) == ("an", None)
    (waiting,) = told("annex proposals")
    assert waiting == proposed | {"replaces": None, "lapsed": False}
    assert told(f"annex withdraw newcomer {bram}") == {"client": "newcomer", "withdrawnBy": "bram"}
    told(f"annex import newcomer.yaml {an}")
    asking = CliRunner().invoke(app, shlex.split(f"annex approve newcomer {bram} --json"))
    assert "say --yes too" in str(asking.exception)
    (approved,) = told(f"annex approve newcomer pcsa {bram} --yes", ends_with=1)
    assert approved.pop("activeFrom") == to_text(newest(world, "newcomer").active_from)
    assert approved == {
        "client": "newcomer",
        "revision": revision_of(text),
        "proposedBy": "an",
        "approvedBy": "bram",
    }
    assert told(f"annex approve --all {bram} --yes") == []
    activate(open_approvals(world.gateway.storage), f"{text}# another\n")
    again = told(f"annex reinstate newcomer {revision_of(text)} {bram}")
    assert (again["revision"], again["proposedBy"]) == (revision_of(text), "bram")
    assert [each["client"] for each in told(f"annex approve --all {an} --yes")] == ["newcomer"]


def test_a_proposal_is_shown_beside_nothing_that_was_changed_in_the_database(world: World) -> None:
    store = open_annex_store(world.gateway.storage)
    (present,) = (each for each in store.load_after() if each.client == "pcsa")
    widened = f"{present.document}# and everything else\n"
    Path("pcsa.yaml").write_text(widened, "utf-8")
    run = CliRunner().invoke
    assert run(app, shlex.split("annex import pcsa.yaml --key var/pki/operators/an.key")).exit_code == 0
    approve = shlex.split("annex approve pcsa --key var/pki/operators/bram.key")
    shown = run(app, approve, input="n\n").output
    assert "pcsa: proposed by an, in force from the approval" in shown
    assert "+# and everything else" in shown
    assert "+client: pcsa" not in shown
    with world.gateway.storage.database.write() as connection:
        connection.execute(
            update(annex_revisions).where(annex_revisions.c.sequence == present.sequence).values(document=widened)
        )
    shown = run(app, approve, input="n\n").output
    assert "+# and everything else" in shown
    assert "+client: pcsa" in shown


def test_a_row_that_nobody_signed_keeps_no_retired_key_good(world: World) -> None:
    newest = max(each.sequence for each in open_annex_store(world.gateway.storage).load_after())
    row = {
        "sequence": newest + 1000,
        "revision": "0" * 64,
        "client": "nobody",
        "certificates": [],
        "active_from": NOON,
        "recorded_at": NOON,
        "document": "",
    }
    with world.gateway.storage.database.write() as connection:
        connection.execute(insert(annex_revisions).values(**row))
    assert CliRunner().invoke(app, ["annex", "operator", "retire", "an"]).exit_code == 0
    assert [path.name for path in Path("var/pki/operators/retired").iterdir()] == [f"an.{newest}.pub"]
