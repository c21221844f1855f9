"""`ksz-gateway audit`: what was done is found, shown to who may see it, verified, proved, exported and erased."""

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from audit_world import Auditor
from docs_examples import DOCS
from dry_running import DryRunning
from gateway_world import CONTEXTS, CUSTOMERS, DemoState, OpenWorld, World, open_world, request_xml
from sqlalchemy import select, update

from fixtures.messages import envelope
from gateway.audit.keys import MonthKeys
from gateway.audit.reading_key import make_pair
from gateway.audit.record import AuditRecord, RecordOutcome
from gateway.storage.tables import audit_head, audit_records
from tests.log_lines import LogLines

SSIN = "75631290176"
LONG_AGO = datetime(2012, 5, 6, 12, tzinfo=UTC)


def consult(world: World) -> None:
    """Do a little of everything: two replies, two refusals, two faults."""
    world.ask(SSIN, period={"beginDate": f"{world.clock().year - 1}-01-01"}, ticket="mine")
    world.ask(SSIN, "inspection")
    world.ask(SSIN, "economy", period={"beginDate": "1990-01-01"})
    world.ask(SSIN, legal_context="PPSSI:SOCIAL_FRAUD")
    world.send("<nonsense/>")
    world.post(envelope("<nonsense/>"))


@pytest.fixture(scope="module")
def asked(demo_state: DemoState, tmp_path_factory: pytest.TempPathFactory, log_lines: LogLines) -> Iterator[World]:
    """A world in which something was done, for tests that only read."""
    with open_world(demo_state, tmp_path_factory.mktemp("asked")) as world:
        consult(world)
        yield world


@pytest.fixture
def auditor(asked: World) -> Auditor:
    return Auditor.of(asked)


def exchanges(world: World) -> list[Any]:
    return [row for row in world.records() if row["kind"] == "exchange"]


@pytest.mark.parametrize(
    ("options", "outcomes"),
    [
        (["--client", "inspection"], [("inspection", "reply")]),
        (["--outcome", "refusal"], [("pcsa", "refusal"), ("economy", "refusal")]),
        (["--outcome", "fault"], [(None, "fault"), ("pcsa", "fault")]),
        (["--code", "MSG00027"], [("economy", "refusal")]),
        (["--customer-ticket", "mine"], [("pcsa", "reply")]),
        (["--organisation", "0999900645"], [("inspection", "reply")]),
        (["--kind", "exchange", "--operation", "consultCareer", "--client", "economy"], [("economy", "refusal")]),
        (["--kind", "exchange", "--until", "2020-01-01"], []),
        (["--kind", "exchange", "--since", "2020-01-01", "--limit", "1"], [(None, "fault")]),
    ],
)
def test_records_are_found_by_what_stands_in_the_open(
    auditor: Auditor, options: list[str], outcomes: list[tuple[str | None, str]]
) -> None:
    found = auditor.do("search", *options, "--json")
    assert [(record["client"], record["outcome"]) for record in found] == outcomes
    assert all("sealed" not in record for record in found)
    assert SSIN not in auditor.do("search", *options)


def test_pages_follow_each_other(auditor: Auditor) -> None:
    everything = auditor.do("search", "--kind", "exchange", "--json")
    first = auditor.do("search", "--kind", "exchange", "--limit", "2", "--json")
    rest = auditor.do("search", "--kind", "exchange", "--before", str(first[-1]["position"]), "--json")
    assert [*first, *rest] == everything
    assert len(everything) == 6
    assert f"--before {first[-1]['position']}" in auditor.do("search", "--kind", "exchange", "--limit", "2")


def test_a_person_is_found_only_with_the_auditors_key(auditor: Auditor) -> None:
    assert "--auditor-key" in auditor.refused("search", "--person", SSIN)
    found = auditor.do("search", "--person", SSIN, "--kind", "exchange", *auditor.key, "--json")
    assert {record["client"] for record in found} == {"pcsa", "inspection", "economy"}


def test_another_auditors_key_opens_nothing(auditor: Auditor, asked: World, tmp_path: Path) -> None:
    make_pair(tmp_path / "other.key", tmp_path / "other.pub")
    position = str(exchanges(asked)[0]["position"])
    told = auditor.refused("show", position, "--auditor-key", str(tmp_path / "other.key"))
    assert "sealed for another auditor's key" in told


def test_a_record_is_shown_in_the_open_and_with_the_key_in_full(auditor: Auditor, asked: World) -> None:
    record = exchanges(asked)[2]
    in_the_open = auditor.do("show", record["ticket_cbss"])
    assert "MSG00027" in in_the_open
    assert SSIN not in in_the_open
    (shown,) = auditor.do("show", str(record["position"]), *auditor.key, "--json")
    assert shown["sealed"]["subject"] == SSIN
    assert "<ssin>" in shown["sealed"]["message"]
    assert "parameters_not_granted" in shown["sealed"]["reason"]
    assert SSIN in auditor.do("show", str(record["position"]), *auditor.key)
    assert "audit search finds" in auditor.refused("show", "nobody's")


def test_whoever_reads_about_a_person_is_recorded(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    consult(world)
    auditor = Auditor.of(world)
    auditor.do("person", SSIN, *auditor.key)
    auditor.do("search", "--person", SSIN, *auditor.key)
    auditor.do("show", str(exchanges(world)[0]["position"]), *auditor.key)
    read = auditor.do("search", "--kind", "audit consultation", "--json")
    assert [record["operation"] for record in read] == ["audit show", "audit search", "audit person"]
    assert [record["subject"] is not None for record in read] == [True, True, True]
    told = auditor.do("person", SSIN, *auditor.key, "--json")["consultations"]
    assert [each["operation"] for each in told if each["kind"] == "audit consultation"] == [
        "audit person",
        "audit search",
        "audit show",
    ]


def test_a_person_learns_who_asked_when_why_and_with_what_result(auditor: Auditor, asked: World) -> None:
    told = auditor.do("person", SSIN, *auditor.key, "--json")
    assert told["person"] == SSIN
    asked_about = [each for each in told["consultations"] if each["kind"] == "exchange"]
    assert [(each["client"], each["outcome"], each["code"]) for each in asked_about] == [
        ("pcsa", "reply", "MSG00000"),
        ("inspection", "reply", "MSG00000"),
        ("economy", "refusal", "MSG00027"),
        ("pcsa", "refusal", "MSG00013"),
    ]
    first = asked_about[0]
    assert first["organisation"] == "cbe:0999900150"
    assert (first["legal_context"], first["operation"]) == ("PCSA:SOCIAL_INQUIRY", "consultCareer")
    assert first["deliberation"] == "Demonstration deliberation 24/001"
    assert first["received_at"] == exchanges(asked)[0]["received_at"].isoformat(timespec="milliseconds").replace(
        "+00:00", "Z"
    )
    assert f"Who consulted {SSIN}" in auditor.do("person", SSIN, *auditor.key)
    assert "SSIN" in auditor.refused("person", "75631290177", *auditor.key)


def test_a_person_and_the_report_tell_of_dry_runs(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    world.post(DryRunning(world).sign(request_xml("consultCareer", SSIN, CUSTOMERS["pcsa"], CONTEXTS["pcsa"], None)))
    auditor = Auditor.of(world)
    (told,) = auditor.do("person", SSIN, *auditor.key, "--json")["consultations"]
    assert (told["kind"], told["client"]) == ("dry run", "pcsa")
    (counted,) = auditor.do("report", "--json")["clients"]
    assert (counted["client"], counted["exchanges"], counted["refused"]) == ("pcsa", 1, 0)


def test_a_pseudonym_put_on_anothers_record_is_told(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    consult(world)
    about = exchanges(world)[0]["subject"]
    with world.gateway.storage.database.write() as connection:
        stranger = audit_records.c.position == exchanges(world)[-1]["position"]
        connection.execute(update(audit_records).where(stranger).values(subject=about))
    auditor = Auditor.of(world)
    (told,) = [each for each in auditor.do("person", SSIN, *auditor.key, "--json")["consultations"] if each["trouble"]]
    assert "names another person" in told["trouble"]


def test_the_log_verifies_and_a_cut_is_known_only_from_outside(open_own_world: OpenWorld, tmp_path: Path) -> None:
    world = open_own_world()
    consult(world)
    auditor = Auditor.of(world)
    with world.gateway.storage.database.read() as connection:
        before = connection.execute(select(audit_head)).mappings().one()
    reply = world.ask(SSIN)
    (tmp_path / "reply.xml").write_bytes(reply.content)
    last = exchanges(world)[-1]["position"]
    (tmp_path / "checkpoint").write_text(auditor_checkpoint(world), "utf-8")
    auditor.do("prove", str(last), "--out", str(tmp_path / "proof"))
    kept = [option for name in ("reply.xml", "proof", "checkpoint") for option in ("--root", str(tmp_path / name))]
    told = auditor.do("verify", *kept, "--json")
    assert (told["verified"], told["size"], told["first"]) == (True, last + 1, 0)
    assert "cannot be known" in auditor.do("verify")
    assert "cannot be known" not in auditor.do("verify", *kept)

    with world.gateway.storage.database.write() as connection:
        connection.execute(audit_records.delete().where(audit_records.c.position == last))
        connection.execute(update(audit_head).values(dict(before)))
    assert auditor.do("verify", "--json")["size"] == last
    for name in ("reply.xml", "proof", "checkpoint"):
        assert "the newest records are missing" in auditor.refused("verify", "--root", str(tmp_path / name))
    assert '"verified": false' in auditor.run("verify", "--root", str(tmp_path / "proof"), "--json").stdout


def auditor_checkpoint(world: World) -> str:
    with world.gateway.storage.database.read() as connection:
        return str(connection.execute(select(audit_head.c.checkpoint)).scalar_one())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("search", "--since", "0001-01-01"), "0001-01-01 is not of a year from 1900 to 2999"),
        (("search", "--until", "9999-12-31"), "9999-12-31 is not of a year from 1900 to 2999"),
        (("search", "--since", "2026-02-30"), "2026-02-30 is no date"),
        (("search", "--since", "2026-02-02", "--until", "2026-02-01"), "lies before --since 2026-02-02"),
        (("report", "--since", "0001-01-01"), "is not of a year"),
        (("report", "--since", "2026-02-02", "--until", "2026-02-01"), "lies before --since 2026-02-02"),
        (("export", "--out", "none", "--until", "9999-12-31"), "is not of a year"),
        (("search", "--person", "75631290175"), "this is no SSIN"),
        (("person", "75631290175"), "this is no SSIN"),
    ],
)
def test_what_cannot_be_looked_for_is_told_before_anything_is_read(
    auditor: Auditor, arguments: tuple[str, ...], told: str
) -> None:
    refused = auditor.refused(*arguments)
    assert told in refused
    assert "75631290175" not in refused


def test_a_position_beyond_all_positions_is_refused(auditor: Auditor) -> None:
    assert auditor.run("search", "--before", str(2**63)).exit_code == 2
    assert auditor.do("search", "--before", str(2**63 - 1), "--limit", "1", "--json")


def test_what_another_auditors_key_does_not_open_is_told(asked: World, auditor: Auditor, tmp_path: Path) -> None:
    other = tmp_path / "other.key"
    make_pair(other, tmp_path / "other.pub", None)
    about = [str(row["position"]) for row in exchanges(asked) if row["subject"]]
    for command in (("person", SSIN), ("search", "--person", SSIN, "--kind", "exchange")):
        done = auditor.run(*command, "--auditor-key", str(other))
        told = " ".join(line for line in done.stderr.splitlines() if line.startswith("Not opened: "))
        assert done.exit_code == 0
        assert "sealed for another auditor's key" in told
        assert about[0] in re.findall("[0-9]+", told)


def test_what_is_no_root_is_refused(auditor: Auditor, tmp_path: Path) -> None:
    for name, content, told in (
        ("none", None, "No such file"),
        ("soap.xml", "<Envelope/>", "holds no receipt"),
        ("proof", "c2sp.org/tlog-proof@v1\nindex 1\n\n", "lines of a proof"),
        ("text", "hello\n", "give a reply with its receipt, a proof, or the text of a checkpoint"),
        ("binary", b"\xff\x00", "give a reply with its receipt, a proof, or the text of a checkpoint"),
        ("strange", "another/log\n7\nAAAA\ntime never\n\n", "no checkpoint of this log"),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        assert told in auditor.refused("verify", "--root", str(tmp_path / name))


def prove(auditor: Auditor, record: Any, file: Path) -> Path:
    auditor.do("prove", str(record["position"]), "--out", str(file))
    return file


def verify_alone(proof: Path, key: Path) -> subprocess.CompletedProcess[str]:
    """Run the script as a third party does, who has nothing of the gateway."""
    return subprocess.run(
        [sys.executable, "-I", str(DOCS / "verify_proof.py"), str(proof), str(key)],
        capture_output=True,
        text=True,
        check=False,
        cwd=proof.parent,
    )


def test_a_proof_is_verified_by_a_script_that_has_nothing_of_the_gateway(
    auditor: Auditor, asked: World, tmp_path: Path
) -> None:
    script = (DOCS / "verify_proof.py").read_text("utf-8")
    assert len(script.splitlines()) < 100
    assert set(re.findall(r"^(?:import|from) (\w+)", script, re.MULTILINE)) == {
        "base64",
        "hashlib",
        "sys",
        "cryptography",
    }
    key = auditor.state / "keys" / "audit-log.pub"
    for record in exchanges(asked):
        done = verify_alone(prove(auditor, record, tmp_path / f"{record['position']}.tlog-proof"), key)
        assert done.returncode == 0, done.stderr
        assert f"this is record {record['position']} of the log" in done.stdout
        assert record["ticket_cbss"] in done.stdout


def test_a_changed_proof_is_refused_by_the_script(auditor: Auditor, asked: World, tmp_path: Path) -> None:
    first, other = exchanges(asked)[:2]
    key = auditor.state / "keys" / "audit-log.pub"
    text = prove(auditor, first, tmp_path / "proof").read_text("utf-8")
    entry = prove(auditor, other, tmp_path / "other").read_text("utf-8").splitlines()[1]
    lines = text.splitlines()
    for number, changed in (
        (1, entry),
        (2, f"index {other['position']}"),
        (3, lines[4]),
        (-4, lines[3]),
        (-3, "time 2020-01-01T00:00:00.000000Z"),
        (-1, lines[-1][:-9] + "AAAAAAA=="),
    ):
        broken = [*lines]
        broken[number] = changed
        (tmp_path / "broken").write_text("\n".join(broken) + "\n", "utf-8")
        done = verify_alone(tmp_path / "broken", key)
        assert done.returncode == 1, (number, done.stdout)
        assert "NOT PROVED" in done.stderr
    (tmp_path / "another.pub").write_text("ksz-gateway/audit+00000000+AQ==\n")
    assert verify_alone(tmp_path / "proof", tmp_path / "another.pub").returncode == 1


def test_a_client_finds_its_record_by_its_own_ticket_and_has_it_proved(auditor: Auditor, tmp_path: Path) -> None:
    assert "proves record" in auditor.do("prove", "mine", "--out", str(tmp_path / "proof"))
    assert "there is no record" in auditor.refused("prove", "nobody's", "--out", str(tmp_path / "other"))


def test_a_proof_replaces_no_file(auditor: Auditor, tmp_path: Path) -> None:
    (tmp_path / "proof").write_text("of another record")
    assert "replaces nothing" in auditor.refused("prove", "mine", "--out", str(tmp_path / "proof"))
    assert (tmp_path / "proof").read_text() == "of another record"


def test_an_export_is_verified_far_from_the_database(auditor: Auditor, tmp_path: Path) -> None:
    auditor.do("export", "--out", str(tmp_path / "log.jsonl"))
    key = ("--log-key", str(auditor.state / "keys" / "audit-log.pub"))
    elsewhere = Auditor(tmp_path / "nowhere", "")
    told = elsewhere.do("verify", "--export", str(tmp_path / "log.jsonl"), *key, "--json")
    here = auditor.do("verify", "--json")
    assert (told["size"], told["root"]) == (here["size"], here["root"])
    assert SSIN not in (tmp_path / "log.jsonl").read_text()
    assert "replaces nothing" in auditor.refused("export", "--out", str(tmp_path / "log.jsonl"))
    assert "--log-key" in elsewhere.refused("verify", "--export", str(tmp_path / "log.jsonl"))
    assert "No such file" in elsewhere.refused("verify", "--export", str(tmp_path / "none"), *key)


def test_a_part_is_exported_and_verified_by_itself(open_own_world: OpenWorld, tmp_path: Path) -> None:
    world = open_own_world()
    consult(world)
    world.clock.advance(days=40)
    begin = len(world.rows(audit_records))
    consult(world)
    auditor = Auditor.of(world)
    since = (world.clock() - timedelta(days=2)).date()
    auditor.do("export", "--out", str(tmp_path / "part"), "--since", str(since))
    auditor.do("export", "--out", str(tmp_path / "month"), "--month", world.clock().strftime("%Y-%m"))
    for name in ("part", "month"):
        told = auditor.do("verify", "--export", str(tmp_path / name), "--json")
        assert (told["first"], told["size"]) == (begin, begin + 6)
    assert "nothing was recorded then" in auditor.refused(
        "export", "--out", str(tmp_path / "none"), "--month", "2001-01"
    )


def record_long_ago(world: World) -> None:
    world.gateway.storage.trail.record(
        AuditRecord(
            ticket_cbss="5a1a0c1e-0000-4000-8000-000000000001",
            received_at=LONG_AGO,
            outcome=RecordOutcome.REPLY,
            client="pcsa",
            subject=SSIN,
        )
    )


def exchanges_about(auditor: Auditor) -> int:
    told = auditor.do("person", SSIN, *auditor.key, "--json")["consultations"]
    return sum(each["kind"] == "exchange" for each in told)


def test_a_month_past_its_retention_is_erased_and_the_log_still_verifies(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    record_long_ago(world)
    consult(world)
    auditor = Auditor.of(world)
    assert exchanges_about(auditor) == 5
    (old,) = auditor.do("search", "--until", "2012-12-31", "--json")
    assert "2012-05 stays as it is" in auditor.refused("erase", "2012-05", typed="n\n")
    assert "--yes does it without asking" in auditor.refused("erase", "2012-05")
    assert MonthKeys(world.settings.audit_keys).find("2012-05") is not None
    assert "backup" in auditor.do("erase", "2012-05", "--yes")
    assert MonthKeys(world.settings.audit_keys).find("2012-05") is None
    assert exchanges_about(auditor) == 4
    assert "the keys of 2012-05 are not there" in auditor.refused("show", str(old["position"]), *auditor.key)
    (erased,) = auditor.do("search", "--kind", "audit erasure", "--json")
    assert (erased["operation"], erased["criteria"]) == ("audit erase", ["2012-05"])
    assert auditor.do("verify", "--json")["verified"]
    assert "no keys" in auditor.refused("erase", "2012-05", "--yes")


def test_a_month_within_its_retention_is_not_erased(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    record_long_ago(world)
    consult(world)
    this_month = datetime.now(UTC).strftime("%Y-%m")
    assert "audit_retention_years" in Auditor.of(world).refused("erase", this_month, "--yes")
    longer = Auditor.of(world, KSZ_AUDIT_RETENTION_YEARS="50")
    assert "to the end of 2062-05" in longer.refused("erase", "2012-05", "--yes")
    assert "no month such as" in longer.refused("erase", "2012-13", "--yes")
    assert len(MonthKeys(world.settings.audit_keys).list_months()) == 2


def test_the_report_counts_per_client_and_shows_no_person(auditor: Auditor) -> None:
    told = auditor.do("report", "--json")
    counted = {each["client"]: (each["exchanges"], each["refused"]) for each in told["clients"]}
    assert counted == {"pcsa": (3, 2), "inspection": (1, 0), "economy": (1, 1)}
    (sign,) = told["signs"]
    assert (sign["sign"], sign["client"]) == ("many clients", "economy, inspection, pcsa")
    assert SSIN not in auditor.do("report")


def test_a_passphrase_is_asked_for(asked: World, tmp_path: Path) -> None:
    auditor = Auditor.of(asked)
    make_pair(tmp_path / "a.key", tmp_path / "a.pub", "vier ogen")
    position = str(exchanges(asked)[0]["position"])
    key = ("--auditor-key", str(tmp_path / "a.key"), "--password-stdin")
    assert "not under this passphrase" in auditor.refused("show", position, *key, typed="twee ogen\n")
    assert "sealed for another" in auditor.refused("show", position, *key, typed="vier ogen\n")
