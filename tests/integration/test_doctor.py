"""The doctor finds what is broken, says what to mend, and changes nothing."""

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from docs_examples import shown_commands
from gateway_world import DemoState
from typer.testing import CliRunner, Result

from gateway.cli import app
from gateway.clock import system_clock
from gateway.doctor.checks import CHECKS, examine
from gateway.doctor.deployment import Deployment
from gateway.doctor.machine import LOCK
from gateway.health.measure import Finding
from gateway.pki import load_identity
from gateway.settings import load_settings
from services.health import State
from tests.log_lines import LogLines


class Patient:
    """A copy of a demo deployment, to break."""

    def __init__(self, state: Path, database_url: str) -> None:
        self.state = state
        self.database_url = database_url

    def examine(self, later: timedelta = timedelta(0), **settings: Any) -> dict[str, Finding]:
        loaded = load_settings(**{"state": self.state, "database_url": self.database_url} | settings)
        deployment = Deployment(loaded, system_clock() + later)
        try:
            return {result.check.name: result.finding for result in examine(deployment)}
        finally:
            deployment.close()

    def run(self, *options: str) -> Result:
        environment = {"KSZ_STATE": str(self.state), "KSZ_DATABASE_URL": self.database_url, "COLUMNS": "250"}
        return CliRunner().invoke(app, ["doctor", *options], env=environment)


@pytest.fixture
def patient(demo_state: DemoState, tmp_path: Path, log_lines: LogLines) -> Iterator[Patient]:
    directory = tmp_path / "patient"
    shutil.copytree(demo_state.directory, directory, ignore=shutil.ignore_patterns("ksz.db*"))
    with demo_state.databases.copy(demo_state.database_url, directory) as url:
        yield Patient(directory, url)


def test_a_demo_deployment_is_well(patient: Patient) -> None:
    found = patient.examine()
    assert list(found) == [check.name for check in CHECKS]
    unwell = {name: finding.detail for name, finding in found.items() if finding.state is not State.OK}
    # The tests' own server need not survive a power cut.
    in_haste = {"durability": "fsync is off, full_page_writes is off"}
    assert unwell == ({} if patient.database_url.startswith("sqlite") else in_haste)


def remove(name: str) -> Callable[[Path], None]:
    return lambda state: (state / name).unlink()


def write(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda state: void((state / name).write_bytes(content))


def void(_: object) -> None:
    """Return nothing."""


def foreign_certificate(state: Path) -> None:
    shutil.copy(state / "pki" / "clients" / "pcsa.pem", state / "pki" / "gateway.pem")


def no_operators(state: Path) -> None:
    shutil.rmtree(state / "pki" / "operators")


BROKEN: dict[str, tuple[str, Callable[[Path], None]]] = {
    "the signing key is gone": ("signing key", remove("pki/gateway.key")),
    "the certificate is another key's": ("signing key", foreign_certificate),
    "the TLS certificate is none": ("TLS certificate", write("pki/gateway.pem", b"no PEM")),
    "others may read the key": ("private files", lambda state: (state / "pki/gateway.key").chmod(0o644)),
    "others may enter the audit keys": ("private files", lambda state: (state / "keys/audit").chmod(0o755)),
    "the authorities are none": ("client authorities", write("pki/ca.pem", b"no PEM")),
    "the revocation list is gone": ("revocation lists", remove("pki/crl.pem")),
    "the auditor's public key is gone": ("auditor's key", remove("pki/auditor.pub")),
    "there are no operators": ("operators", no_operators),
    "no operator's key proves the annexes": ("annexes", no_operators),
    "the log's key is another": ("audit", remove("keys/audit-log.key")),
    "others may write in the state": ("state directory", lambda state: state.chmod(0o777)),
}


@pytest.mark.sqlite_only
@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_is_found(patient: Patient, case: str) -> None:
    name, harm = BROKEN[case]
    harm(patient.state)
    assert patient.examine()[name].state is State.NOK


def test_a_database_that_does_not_answer_is_said_by_every_check_that_needs_it(patient: Patient) -> None:
    found = patient.examine(
        database_url="postgresql://nobody:geheim@127.0.0.1:1/none?connect_timeout=1&passfile=geheim"
    )
    assert {"database", "schema", "durability", "annexes", "audit"} <= {
        name for name, finding in found.items() if finding.state is State.NOK
    }
    assert not any("geheim" in finding.detail for finding in found.values())
    told = found["database"].detail
    assert told.startswith("postgresql+psycopg://nobody:***@127.0.0.1:1/none: ")
    assert "refused" in told


@pytest.mark.sqlite_only
def test_a_broken_database_is_named_with_what_is_wrong_and_what_to_mend(patient: Patient) -> None:
    file = patient.state / "ksz.db"
    file.write_bytes(b"no database" * 1000)
    done = patient.run("--json")
    rows = {row["check"]: row for row in json.loads(done.stdout)}
    assert done.exit_code == 2
    for check in ("database", "schema", "durability", "audit", "annexes"):
        assert rows[check]["found"] == f"{file}: file is not a database"
        assert "docs/backup.md" in rows[check]["mend"]


@pytest.mark.sqlite_only
def test_the_database_is_looked_at_where_the_settings_say_that_it_is(patient: Patient, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    file = (patient.state / "ksz.db").rename(elsewhere / "own.db")
    url = f"sqlite:///{file}"
    found = patient.examine(database_url=url)
    assert {name for name, finding in found.items() if finding.state is not State.OK} == set()
    file.chmod(0o640)
    elsewhere.chmod(0o770)
    found = patient.examine(database_url=url)
    assert str(file) in found["private files"].detail
    assert found["state directory"].detail == f"others may write in {elsewhere}"


@pytest.mark.sqlite_only
def test_no_file_is_taken_for_the_database_of_a_server(patient: Patient) -> None:
    (patient.state / "ksz.db").chmod(0o644)
    assert patient.examine()["private files"].state is State.NOK
    server = "postgresql://nobody@127.0.0.1:1/none?connect_timeout=1"
    assert patient.examine(database_url=server)["private files"].state is State.OK


@pytest.mark.sqlite_only
def test_a_file_that_is_not_there_is_named(patient: Patient) -> None:
    key = patient.state / "pki" / "gateway.key"
    key.unlink()
    auditor = patient.state / "pki" / "auditor.pub"
    auditor.unlink()
    found = patient.examine()
    assert found["signing key"].detail == f"{key}: No such file or directory"
    assert found["auditor's key"].detail.startswith(f"{auditor}: No such file or directory")


@pytest.mark.sqlite_only
@pytest.mark.parametrize("name", ["audit", "audit-log.key"])
def test_keys_of_the_audit_that_are_gone_are_not_made_anew(patient: Patient, name: str) -> None:
    gone = patient.state / "keys" / name
    shutil.move(gone, patient.state / "elsewhere")
    found = patient.examine()
    assert found["audit"].state is State.NOK
    assert f"{gone}: is not there: mount or restore it" in found["audit"].detail
    assert not gone.exists()


@pytest.mark.sqlite_only
def test_keys_of_the_newest_month_that_are_gone_are_not_made_anew(patient: Patient) -> None:
    newest = max((patient.state / "keys" / "audit").glob("*.key"))
    newest.unlink()
    found = patient.examine()["audit"]
    assert found.state is State.NOK
    assert f"the keys of {newest.stem} are not there" in found.detail
    assert not newest.exists()


def test_a_state_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    state = tmp_path / "nowhere"
    found = Patient(state, f"sqlite:///{state}/ksz.db").examine()
    assert not state.exists()
    assert found["database"].detail.startswith(f"there is no state in {state}: ")
    assert found["state directory"].detail == f"{state}: No such file or directory"


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("name", "state", "settings"),
    [
        ("environment", State.DEGRADED, {"environment": "production"}),
        ("auditor's key", State.NOK, {"environment": "production"}),
        ("proxy", State.DEGRADED, {"tls": False}),
        ("proxy", State.DEGRADED, {"tls": False, "trusted_proxies": ("10.0.0.9",), "bind": "0.0.0.0:8080"}),
        ("proxy", State.OK, {"tls": False, "trusted_proxies": ("local",), "bind": "unix:/run/ksz/soap.sock"}),
        ("revocation lists", State.DEGRADED, {"client_crl": ""}),
    ],
)
def test_settings_that_do_not_fit_are_found(
    patient: Patient, name: str, state: State, settings: dict[str, Any]
) -> None:
    assert patient.examine(**settings)[name].state is state


@pytest.mark.sqlite_only
def test_an_end_that_is_near_is_told_before_it_comes(patient: Patient) -> None:
    end = load_identity(patient.state / "pki" / "gateway").certificate.not_valid_after_utc
    left = end - system_clock()
    states = [patient.examine(later=left - timedelta(days=days))["signing key"].state for days in (40, 20, 0)]
    assert states == [State.OK, State.DEGRADED, State.NOK]


@pytest.mark.sqlite_only
def test_a_dependency_that_is_not_the_pinned_one_is_named(
    patient: Patient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "requirements.lock"
    elsewhere = "no-such-thing==1 \\\nother==1 ; sys_platform == 'none' \\\n"
    lock.write_text(LOCK.read_text().replace("alembic==", "alembic==9") + elsewhere)
    monkeypatch.setattr("gateway.doctor.machine.LOCK", lock)
    found = patient.examine()["dependencies"]
    assert found.state is State.DEGRADED
    assert "alembic" in found.detail
    assert "no-such-thing nothing instead of 1" in found.detail


@pytest.mark.sqlite_only
def test_the_commands_of_the_docs_and_what_they_exit_with(patient: Patient) -> None:
    for line in shown_commands("doctor.md"):
        assert line.startswith("doctor --state var")
    well = patient.run("--json")
    assert well.exit_code == 0
    assert [row["check"] for row in json.loads(well.stdout)] == [check.name for check in CHECKS]
    (patient.state / "pki" / "crl.pem").unlink()
    table = patient.run()
    assert table.exit_code == 2
    assert "fetch the lists into client_crl" in table.output
