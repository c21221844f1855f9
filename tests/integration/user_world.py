"""User Management as people use it: the command `ksz-gateway users`, on a state with a development PKI of its own."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from databases import Databases
from typer.testing import CliRunner, Result

from authz.brussels import brussels_day
from authz.enterprise import with_check_digits
from authz.ssin import Environment
from fixtures.persons import make_ssin
from gateway.audit.keys import MonthKeys
from gateway.audit.log_key import LogKey
from gateway.audit.reading_key import load_reading_key
from gateway.audit.sealed_box import SealingKeys
from gateway.audit.trail import AuditTrail
from gateway.bootstrap import make_audit_keys
from gateway.cli import app
from gateway.demo_pki import DemoPerson, certify_persons, prepare_pki
from gateway.settings import load_settings
from gateway.storage.database import Database
from gateway.storage.group_commit import GroupCommit
from gateway.users.store import UserStore
from services.employer_numbers import complete_nsso_number

BREWERY, PROVIDER, SECRETARIAT = (with_check_digits(f"0999990{number}") for number in (1, 2, 3))
NSSO = complete_nsso_number("01990001")
ELS, JAN, LIEN, HUGO = (make_ssin(date(1980 + number, 5, 6), 971 + number) for number in range(4))
OPERATOR, PASSWORD = "nele", "Welkom2026!!"


@dataclass
class Terminal:
    """One person at a terminal: the session file is that person's own."""

    session_file: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, typed: str = "") -> Result:
        """Run `ksz-gateway users …` with these lines on standard input."""
        environment = self.environment | {"KSZ_SESSION_FILE": str(self.session_file), "COLUMNS": "200"}
        return CliRunner().invoke(app, ["users", *arguments], input=typed, env=environment)

    def do(self, *arguments: str, typed: str = "") -> Any:
        """Run a command that must succeed, and return what it prints: as JSON, if that was asked for."""
        done = self.run(*arguments, typed=typed)
        assert done.exit_code == 0, (arguments, done.exception, done.stderr)
        return json.loads(done.stdout) if "--json" in arguments else done.stdout

    def refused(self, *arguments: str, typed: str = "") -> str:
        """Run a command that must be refused, and return why."""
        done = self.run(*arguments, typed=typed)
        assert done.exit_code == 1, (arguments, done.stdout)
        assert done.exception is not None
        return str(done.exception)

    def log_in_as_operator(self, name: str = OPERATOR, password: str = PASSWORD) -> None:
        self.do("login", name, "--operator", "--password-stdin", typed=f"{password}\n")


@dataclass
class Office:
    """A state, and who sits before its terminals."""

    state: Path
    url: str

    def terminal(self, name: str) -> Terminal:
        environment = {"KSZ_STATE": str(self.state), "KSZ_DATABASE_URL": self.url}
        return Terminal(self.state / "sessions" / name, environment)

    def person(self, name: str, ssin: str, means: str = "eid", *options: str) -> Terminal:
        """Give the terminal of a person who is logged in by a certificate."""
        certify_persons(self.state, [DemoPerson(f"{name}-{means}", ssin, means)], datetime.now(UTC))
        terminal = self.terminal(name)
        terminal.do("login", "--means", means, "--identity", str(self.identity(name, means)), *options)
        return terminal

    def identity(self, name: str, means: str = "eid") -> Path:
        return self.state / "pki" / "persons" / f"{name}-{means}"

    @contextmanager
    def database(self) -> Iterator[Database]:
        database = Database(self.url)
        yield database
        database.close()

    @contextmanager
    def store(self) -> Iterator[UserStore]:
        """Give a store such as another node has."""
        with self.database() as database:
            commit = GroupCommit(database)
            reading_key = load_reading_key(self.state / "pki" / "auditor.pub")
            keys = SealingKeys(MonthKeys(self.state / "keys" / "audit"), reading_key)
            log_key = LogKey.from_file(self.state / "keys" / "audit-log.key", "ksz-gateway/audit")
            trail = AuditTrail(commit, keys, log_key, lambda: datetime.now(UTC))
            yield UserStore(database, commit, trail, Environment.TEST)
            commit.close()


@contextmanager
def open_office(databases: Databases, directory: Path) -> Iterator[Office]:
    """Give a fresh state with a development PKI."""
    state = directory / "state"
    state.mkdir(mode=0o700)
    prepare_pki(state, [], datetime.now(UTC))
    with databases.migrated(state) as url:
        database = Database(url)
        make_audit_keys(load_settings(state=state), database)
        database.close()
        yield Office(state, url)


@contextmanager
def copied_office(databases: Databases, office: Office, directory: Path) -> Iterator[Office]:
    """Give a copy of an office that nobody uses now, with everybody's sessions."""
    state = directory / "state"
    shutil.copytree(office.state, state, ignore=shutil.ignore_patterns("ksz.db*"))
    with databases.copy(office.url, state) as url:
        yield Office(state, url)


def add_operator(office: Office) -> Terminal:
    """Give the terminal of the first operator, logged in."""
    terminal = office.terminal("operator")
    terminal.do("operator", "add", OPERATOR, "--password-stdin", typed=f"{PASSWORD}\n")
    terminal.log_in_as_operator()
    return terminal


def register(
    operator: Terminal, number: str = BREWERY, *qualities: str, name: str = "Brouwerij", nsso: str = NSSO
) -> None:
    options = [option for quality in qualities for option in ("--quality", quality)]
    registration = ["--nsso", nsso] if "employer" in qualities else []
    operator.do("enterprise", "register", number, "--name", name, "--legal-form", "NV", *options, *registration)


def appoint(operator: Terminal, ssin: str, number: str = BREWERY, *options: str) -> None:
    """Have a chief access manager asked for, by itself, and approved."""
    ticket = request(operator, ssin, number, *options)
    today = brussels_day(datetime.now(UTC))
    operator.do("appointment", "receive", ticket, "--received-on", str(today), "--enterprise", number)
    operator.do("appointment", "approve", ticket, "--enterprise", number)


def request(terminal: Terminal, ssin: str, number: str = BREWERY, *options: str) -> str:
    """Ask for a chief access manager, and return the ticket."""
    (event,) = terminal.do(
        *("appointment", "request", "--enterprise", number, "--name", "Janssens", "--first-name", "Els"),
        *("--national-number", ssin, "--capacity", "director", "--email", "els@example.test"),
        *("--signatory-name", "Janssens"),
        *("--signatory-first-name", "Els", "--signatory-national-number", ssin, "--signatory-capacity", "director"),
        *options,
        "--json",
    )
    ticket = event["appointment"]["ticket"]
    assert isinstance(ticket, str)
    return ticket


def create(
    manager: Terminal,
    ssin: str,
    *options: str,
    name: str = "Peeters",
    quality: str = "employer",
    typed: str = "",
) -> str:
    """Create a user, and return its user id."""
    (event,) = manager.do(
        *("create", "--name", name, "--first-name", "Jan", "--national-number", ssin),
        *("--quality", quality, "--capacity", "employee", *options, "--json"),
        typed=typed,
    )
    user_id = event["user"]["user_id"]
    assert isinstance(user_id, str)
    return user_id


@dataclass
class Brewery:
    """An office with a brewery whose chief is logged in."""

    office: Office
    operator: Terminal
    chief: Terminal


def find_brewery(office: Office) -> Brewery:
    """Return the brewery of an office in which `open_brewery` was done."""
    return Brewery(office, office.terminal("operator"), office.terminal("els"))


def open_brewery(office: Office) -> Brewery:
    """Register the brewery, appoint its chief, log the chief in and activate the quality of employer."""
    operator = add_operator(office)
    register(operator, BREWERY, "employer")
    appoint(operator, ELS)
    chief = office.person("els", ELS)
    chief.do("role", "activate", "employer")
    return Brewery(office, operator, chief)
