"""What docs/users.md tells to do works, line by line and in its order, in a demo world."""

import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from docs_examples import DOCS, shown_commands
from user_world import ELS, PASSWORD, Office, Terminal

from authz.enterprise import with_check_digits
from fixtures.users import load_users
from gateway.demo_pki import DemoClient, DemoPerson, certify_persons, prepare_pki
from gateway.pki import KeyKind, load_identity
from gateway.users import credentials, passwords, sessions
from gateway.users.certificates import register
from gateway.users.demo import load_users as fill_users
from gateway.users.lines import (
    AFFILIATION_COLUMNS,
    ENTERPRISE_COLUMNS,
    MANDATE_COLUMNS,
    USER_COLUMNS,
)

PAGE = (DOCS / "users.md").read_text("utf-8")
LINES = [line.removeprefix("users ") for line in shown_commands("users.md")]
# The only one that is there to be refused.
REFUSED = "--application dimona"


@pytest.fixture
def demo(office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    world, now = load_users(), datetime.now(UTC)
    certify_persons(office.state, [DemoPerson(each.name, each.ssin) for each in world.persons], now)
    clients = [DemoClient(each.client, 3001 + index, KeyKind.EC) for index, each in enumerate(world.technical_users)]
    prepare_pki(office.state, clients, now)
    folder = office.state / "pki" / "clients"
    certificates = {each.name: register(load_identity(folder / each.name).certificate) for each in clients}
    with office.store() as store:
        fill_users(store, world, certificates, now)
    monkeypatch.chdir(office.state)
    Path("var").symlink_to(office.state)
    number = with_check_digits("09999903")
    Path("enterprises.csv").write_text(f"{','.join(ENTERPRISE_COLUMNS)}\n{number},Zaak,BV,,,,,,\n")
    chief = f"{number},chief,Zaak,Zoë,{ELS},,manager,,zoe@example.test,,,,,yes,"
    Path("users.csv").write_text(f"{','.join(USER_COLUMNS)}\n{chief}\n")
    return office


def test_every_example_does_what_the_page_says(demo: Office) -> None:
    terminal: Terminal = demo.terminal("reader")
    assert len(LINES) > 25
    for line in LINES:
        words = shlex.split(line)
        done = terminal.run(*words, typed=f"{PASSWORD}\n{PASSWORD}\n")
        if REFUSED in line:
            assert "(rule free-needs-no-grant; seed 000" in str(done.exception)
        else:
            assert done.exit_code == 0, (line, done.exception)


def test_the_headings_of_the_files_and_the_protection_are_those_of_the_code() -> None:
    for columns in (ENTERPRISE_COLUMNS, USER_COLUMNS, AFFILIATION_COLUMNS, MANDATE_COLUMNS):
        assert f"| `{','.join(columns)}` |" in PAGE
    minutes = timedelta(minutes=1)
    for told in (
        f"{credentials.ATTEMPTS} attempts, then {credentials.LOCKED_FOR // minutes} minutes",
        f"good for {credentials.PROVISIONAL_FOR.days} days",
        f"after {sessions.IDLE // minutes} minutes without a command, after {sessions.LONGEST // (60 * minutes)} hours",
    ):
        assert told in PAGE
    assert passwords.PARAMETERS.type.name == "ID"
