"""What two operators are not proved to have signed: every command tells it apart, and none takes it for in force."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command_line import read, refused, run
from gateway_world import DemoState, World, open_world
from sqlalchemy import delete, insert

from gateway.annexes.activation import Activation
from gateway.annexes.history import read_documents, read_histories
from gateway.bootstrap import list_all_annexes, open_annex_store
from gateway.demo_world import ANNEXES
from gateway.storage.tables import annex_revisions, annex_signatures
from tests.log_lines import LogLines

SSIN = "75631290176"
DOUBTED = ("economy", "inspection", "pcsa")


@pytest.fixture(scope="module")
def world(demo_state: DemoState, tmp_path_factory: pytest.TempPathFactory, log_lines: LogLines) -> Iterator[World]:
    """pcsa has consulted. Then economy's and pcsa's signatures are taken away; inspection gets a forged activation."""
    with open_world(demo_state, tmp_path_factory.mktemp("unproved")) as opened:
        assert opened.ask(SSIN).outcome == ("DATA_FOUND", "MSG00000")
        newest = {each.client: each for each in open_annex_store(opened.gateway.storage).load_after()}
        forged = {
            "revision": newest["inspection"].revision,
            "client": "inspection",
            "certificates": sorted(newest["inspection"].certificates),
            "active_from": datetime(2021, 1, 1, tzinfo=UTC),
            "recorded_at": datetime(2021, 1, 1, tzinfo=UTC),
            "document": newest["inspection"].document.replace("client: inspection", "client: inspection # more"),
        }
        gone = [newest[client].sequence for client in ("economy", "pcsa")]
        with opened.gateway.storage.database.write() as connection:
            connection.execute(delete(annex_signatures).where(annex_signatures.c.sequence.in_(gone)))
            connection.execute(insert(annex_revisions).values(forged))
        yield opened


def activations(world: World, client: str) -> list[Activation]:
    return [each for each in open_annex_store(world.gateway.storage).load_after() if each.client == client]


def test_it_is_listed_as_not_proved_with_the_reason(world: World) -> None:
    listed = {each["client"]: each for each in read(world, "annex", "list")}
    assert {client for client, each in listed.items() if each["standing"] != "in force"} == set(DOUBTED)
    assert {listed[client]["standing"] for client in DOUBTED} == {"not proved"}
    assert listed["economy"]["doubt"].endswith("is not proved: nobody signed it")
    assert listed["probe"]["doubt"] is None
    assert "nobody signed it" in run(world, "annex", "list").stdout


@pytest.mark.parametrize("client", DOUBTED)
def test_it_is_shown_only_by_its_revision_and_marked(world: World, client: str) -> None:
    (first, *later) = activations(world, client)
    assert f"{client} has no rights: activation" in refused(world, "annex", "show", client)
    shown = run(world, "annex", "show", client, "--revision", first.revision[:12]).stdout
    assert "not proved: nobody signed it" in shown
    described = read(world, "annex", "show", client, "--revision", first.revision)["activations"]
    doubts = {each["sequence"]: each["doubt"] for each in described}
    assert doubts == {first.sequence: None if later else "nobody signed it"} | {
        each.sequence: "nobody signed it" for each in later
    }


def test_of_two_with_one_revision_the_proved_one_is_meant(world: World) -> None:
    first, forged = activations(world, "inspection")
    shown = run(world, "annex", "show", "inspection", "--revision", first.revision)
    assert "# more" in forged.document
    assert "# more" not in shown.stdout


def test_a_difference_says_which_side_is_not_proved(world: World) -> None:
    file = ANNEXES / "economy.yaml"
    assert "economy has no rights" in refused(world, "annex", "diff", "economy", file)
    (stored,) = activations(world, "economy")
    changed = world.settings.state / "changed.yaml"
    changed.write_text(file.read_text("utf-8").replace("maxYearsBack: 5", "maxYearsBack: 3"))
    told = run(world, "annex", "diff", f"economy@{stored.revision[:8]}", changed).stdout
    assert f"economy@{stored.revision[:12]} (not proved)" in told


@pytest.mark.parametrize("client", DOUBTED)
def test_nothing_else_takes_it_for_in_force(world: World, client: str, tmp_path: Path) -> None:
    assert client not in {each["name"] for each in read(world, "clients")}
    assert f"no client {client}" in refused(world, "annex", "export", client, "--out", tmp_path / "out")
    asked = ("SelfEmployedService", "consultCareer", "--ssin", SSIN)
    assert f"no client {client}" in refused(world, "annex", "explain", *asked, "--client", client)


def test_histories_and_workers_find_the_same_in_force(world: World) -> None:
    store = open_annex_store(world.gateway.storage)
    histories = read_histories(store.load_after(), store.operators)
    for now in (datetime.now(UTC), datetime.now(UTC) - timedelta(days=1)):
        found = {client: history.find_at(now) for client, history in histories.items()}
        found_by_clock = {client: each.revision for client, each in found.items() if each is not None}
        by_workers = {annex.client: annex.revision for annex in list_all_annexes(world.gateway.storage, now)}
        assert found_by_clock == by_workers
        assert by_workers.keys() == histories.keys() - set(DOUBTED)


def test_a_document_that_is_not_as_it_was_hashed_is_never_read(world: World) -> None:
    store = open_annex_store(world.gateway.storage)
    documents = read_documents(read_histories(store.load_after(), store.operators).values())
    first, forged = activations(world, "inspection")
    assert documents[first.revision] == first.document != forged.document


def test_what_was_decided_under_it_is_replayed_and_explained_as_such(world: World) -> None:
    reader = ("--auditor-key", world.settings.state / "pki" / "auditor.key")
    since = (world.clock.now - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    until = (world.clock.now + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    replay = ("annex", "replay", "--since", since, "--until", until, "--client", "pcsa", *reader)
    report = read(world, *replay)
    assert (report["records"], report["verdicts"]["same"], report["underUnproved"]) == (1, 1, 1)
    assert "1 of them were decided under an annex that two operators are not proved" in run(world, *replay).stdout
    (record,) = (each for each in world.records() if each["client"] == "pcsa" and each["kind"] == "exchange")
    explained = ("annex", "explain", "--record", str(record["position"]), *reader)
    assert read(world, *explained)["annexProved"] is False
    assert "not proved to have signed" in run(world, *explained).stdout
