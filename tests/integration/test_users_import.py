"""Bulk import: each line through the rules, every refused one reported, a dry run that keeps nothing."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from user_world import BREWERY, ELS, JAN, LIEN, NSSO, PROVIDER, Brewery, Office, Terminal, add_operator

from fixtures.users import load_users
from gateway.pki import KeyKind, create_authority, create_key, issue
from gateway.storage.user_tables import user_enterprises, user_history
from gateway.users import bulk
from gateway.users.bulk import import_file
from gateway.users.certificates import register
from gateway.users.demo import SyntheticWorldRefused
from gateway.users.demo import load_users as fill_users
from gateway.users.history import Author
from gateway.users.lines import ENTERPRISE_COLUMNS, LONGEST_LINE, USER_COLUMNS, read_rows
from gateway.users.verification import verify_history

ENTERPRISES = (
    ",".join(ENTERPRISE_COLUMNS),
    f"{BREWERY},Brouwerij,NV,employer,{NSSO},,,,",
    f"{PROVIDER},Boekhouder,BV,service_provider,,,,,",
)
USERS = (
    ",".join(USER_COLUMNS),
    f"{BREWERY},chief,Janssens,Els,{ELS},,director,els.janssens,els@example.test,,nl,,,yes,",
    f"{BREWERY},access_manager,Peeters,Jan,{JAN},employer,employee,,,,fr,dmfa personnel-file,,yes,",
    f"{BREWERY},user,Maes,Lien,{LIEN},employer,employee,,,,,,,,yes",
)
AUTHOR = Author("nele", "session")


def write(directory: Path, name: str, *lines: str, encoding: str = "utf-8") -> str:
    path = directory / name
    path.write_text("".join(f"{line}\n" for line in lines), encoding)
    return str(path)


@pytest.fixture
def operator(office: Office) -> Terminal:
    return add_operator(office)


def history(office: Office) -> int:
    with office.database() as database, database.read() as connection:
        verify_history(connection)
        return len(connection.execute(select(user_history.c.sequence).where(user_history.c.enterprise != "")).all())


def test_files_are_imported_through_the_rules_and_again_change_nothing(office: Office, operator: Terminal) -> None:
    mandates = (
        "mandator,mandatary,application_group,begin_quarter,end_quarter,agreement,definitive,ended_on",
        f"{BREWERY},{PROVIDER},declarations,2026Q1,,yes,yes,2026-12-31",
    )
    arguments = (
        *("import", "--json", "--enterprises", write(office.state, "e.csv", *ENTERPRISES, encoding="utf-8-sig")),
        *("--users", write(office.state, "u.csv", *USERS), "--mandates", write(office.state, "m.csv", *mandates)),
    )
    first = operator.do(*arguments)
    assert {kind: counts["changed"] for kind, counts in first["files"].items()} == {
        "enterprises": 2,
        "users": 3,
        "mandates": 1,
    }
    users = operator.do("search", "--enterprise", BREWERY, "--json")
    assert [(each["role"], each["activated"], each["blocked"]) for each in users] == [
        ("chief access manager", True, False),
        ("access manager employer", True, False),
        ("user", False, True),
    ]
    assert operator.do("mandate", "list", "--enterprise", BREWERY, "--json")[0]["ended_on"] == "2026-12-31"
    *_, last = operator.do("history", "show", "--enterprise", BREWERY, "--json")
    assert last["actor"] == "nele"
    events = history(office)
    again = operator.do(*arguments)
    assert {kind: counts["changed"] for kind, counts in again["files"].items()} == dict.fromkeys(first["files"], 0)
    assert history(office) == events


def test_dry_run_tells_what_would_happen_and_keeps_nothing(office: Office, operator: Terminal) -> None:
    arguments = (
        *("import", "--dry-run", "--json", "--enterprises", write(office.state, "e.csv", *ENTERPRISES)),
        *("--users", write(office.state, "u.csv", *USERS)),
    )
    told = operator.do(*arguments)
    assert (told["dryRun"], told["files"]["users"]["changed"]) == (True, 3)
    assert history(office) == 0


def test_every_refused_line_is_reported_with_its_rule_and_stops_no_other(office: Office, operator: Terminal) -> None:
    bad = (
        f"{BREWERY},user,Gast,Guy,{JAN},employer,third_party,,,,,,,,",
        f"{BREWERY},user,Fout,Fien,12345678901,employer,employee,,,,,,,,",
        f"{BREWERY},emperor,Fout,Fien,{JAN},employer,employee,,,,,,,,",
        f"{PROVIDER},user,Fout,Fien,{JAN},service_provider,employee,,,,,,,,",
        "0999999999,user,Fout,Fien,,employer,employee,,,,,,,,",
        f"{BREWERY},user,Fout,Fien",
        f"{BREWERY},user,Fout,Fien,{JAN},employer,employee,,,,,stts,7,,",
        f"{BREWERY},user,Fout,Fien,{JAN},employer,employee,,,,,,,maybe,",
        f"{BREWERY},user,Fout,Fien,{JAN},telecom_operator,employee,,,,,,,,",
    )
    report = office.state / "refused.csv"
    done = operator.run(
        *("import", "--enterprises", write(office.state, "e.csv", *ENTERPRISES)),
        *("--users", write(office.state, "u.csv", USERS[0], USERS[1], *bad, USERS[2]), "--report", str(report)),
    )
    assert done.exit_code == 1
    assert "9 lines were refused" in str(done.exception)
    assert "users: 2 lines changed something, 0 were so already, 9 refused" in done.stdout
    refused = list(csv.DictReader(io.StringIO(report.read_text("utf-8"))))
    assert [(each["file"], each["line"], each["rule"]) for each in refused] == [
        ("users", "3", "direct-authority"),
        ("users", "4", "national-number-valid"),
        ("users", "5", "role"),
        ("users", "6", "chief"),
        ("users", "7", "enterprise-known"),
        ("users", "8", "columns"),
        ("users", "9", "stts_profile"),
        ("users", "10", "activated"),
        ("users", "11", "quality-of-enterprise"),
    ]
    assert JAN not in report.read_text("utf-8")
    assert len(operator.do("search", "--enterprise", BREWERY, "--json")) == 2


def test_line_whose_last_step_is_refused_does_not_happen_half(office: Office, operator: Terminal) -> None:
    operator.do("import", "--enterprises", write(office.state, "e.csv", *ENTERPRISES))
    before = history(office)
    chief = USERS[1].replace("els.janssens", "a name with spaces")
    assert operator.run("import", "--users", write(office.state, "u.csv", USERS[0], chief)).exit_code == 1
    assert history(office) == before


def test_only_an_operator_imports(brewery: Brewery, office: Office, operator: Terminal) -> None:
    assert "name at least one file" in operator.refused("import")
    assert "cannot be read" in operator.refused("import", "--users", "/nowhere.csv")
    assert "only an operator" in brewery.chief.refused("import", "--users", write(office.state, "u.csv", *USERS))


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
def test_lines_are_written_in_short_transactions(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "_CHUNK", 1)
    told: list[int] = []
    with office.store() as store:
        content = "\n".join(ENTERPRISES).encode()
        counts = import_file(
            "enterprises", io.BytesIO(content), store, AUTHOR, datetime.now(UTC), refuse=print, progress=told.append
        )
    assert (counts.changed, told) == (2, [1, 2])


# --- Hostile files ---------------------------------------------------------------------------------------------------


def read(content: bytes) -> list[tuple[int, str]]:
    """Return, of every line, its number and its first value or the rule that refuses it."""
    return [
        (number, row["number"] if isinstance(row, dict) else str(row.rule))  # type: ignore[union-attr]
        for number, row in read_rows(io.BytesIO(content), ENTERPRISE_COLUMNS)
    ]


HEADING = ",".join(ENTERPRISE_COLUMNS).encode() + b"\n"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (b"number,name\n1,x\n", [(1, "columns")]),
        (b"\xff\xfe" + HEADING, [(1, "encoding")]),
        (b"\xef\xbb\xbf" + HEADING + b"1,x,x,,,,,,\n", [(2, "1")]),
        (HEADING + b"1,caf\xe9,x,,,,,,\n2,x,x,,,,,,\n", [(2, "encoding"), (3, "2")]),
        (HEADING + b"1,a\x00b,x,,,,,,\n2,x,x,,,,,,\n", [(2, "characters"), (3, "2")]),
        (HEADING + b'1,"open,x,,,,,,\n2,x,x,,,,,,\n', [(2, "line"), (3, "2")]),
        (HEADING + b'1,"a, ""b""",x,,,,,,\r\n\r\n2,x,x,,,,,,', [(2, "1"), (4, "2")]),
        (HEADING + b'1,"a"b,x,,,,,,\n', [(2, "line")]),
    ],
)
def test_bad_line_spoils_itself_alone(content: bytes, expected: list[tuple[int, str]]) -> None:
    assert read(content) == expected


def test_file_without_line_ends_is_read_in_pieces_that_are_refused() -> None:
    class Counting(io.BytesIO):
        longest = 0

        def readline(self, size: int | None = -1, /) -> bytes:
            line = super().readline(size)
            Counting.longest = max(Counting.longest, len(line))
            return line

    rows = list(read_rows(Counting(HEADING + b"x" * (10 * LONGEST_LINE)), ENTERPRISE_COLUMNS))
    assert {getattr(row, "rule", "") for _, row in rows} == {"line"}
    assert Counting.longest == LONGEST_LINE


# --- The synthetic world ---------------------------------------------------------------------------------------------


def test_synthetic_world_has_every_role_and_relation(office: Office) -> None:
    world, now = load_users(), datetime.now(UTC)
    authority = create_authority(now)
    certificates = {
        each.client: register(issue(authority, each.client, 3001 + index, now, key=create_key(KeyKind.EC)).certificate)
        for index, each in enumerate(world.technical_users)
    }
    with office.store() as store:
        assert fill_users(store, world, certificates, now) >= 30
    with office.database() as database, database.read() as connection:
        verify_history(connection)
        documents = connection.execute(select(user_enterprises.c.document)).scalars().all()
    users = [user for each in documents for user in each["users"].values()]
    technical = [one for each in documents for one in each["technical_users"].values()]
    mandates = [mandate for each in documents for mandate in each["mandates"].values()]
    affiliations = [one for each in documents for one in each["affiliations"]]
    assert any(each["co_chief"] for each in documents)
    assert any(roles["manager"] and roles["co_manager"] for each in documents for roles in each["qualities"].values())
    assert {user["stts_profile"] for user in users} >= {1, 2, 3}
    assert {(user["blocked"], user["activated"]) for user in users} >= {(True, True), (False, True), (False, False)}
    assert {one["channel"] for one in technical} == {"sftp", "ftp", "web_service"}
    assert {one["network"] for one in technical} >= {"publilink", "irisnet", None}
    assert {(one["definitive"], one["ended_on"] is not None) for one in mandates} >= {
        (False, False),
        (True, False),
        (True, True),
    }
    assert {one["end"] is not None for one in affiliations} == {True, False}
    enterprises = [each["enterprise"] for each in documents]
    assert any(each["struck_off_on"] for each in enterprises)
    assert any(each["administration"] == "municipality" for each in enterprises)
    assert any(each["qualities"] == ["enterprise"] for each in enterprises)
    assert {quality for each in enterprises for quality in each["qualities"]} >= {
        "employer",
        "telecom_operator",
        "recognised_social_secretariat",
        "service_provider",
    }
    assert {each["password_login"] for each in documents} == {True, False}
    assert any(each["chief"] is None for each in documents)


def test_synthetic_world_that_breaks_a_rule_is_not_loaded_in_silence(
    office: Office,
) -> None:
    world = load_users()
    broken = type(world)(
        (("enterprises", "\n".join([ENTERPRISES[0], "123,x,BV,,,,,,"])),), (), (), (), world.enterprises
    )
    with office.store() as store, pytest.raises(SyntheticWorldRefused, match="enterprises, line 2"):
        fill_users(store, broken, {}, datetime.now(UTC))
