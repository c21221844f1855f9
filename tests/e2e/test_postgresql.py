"""A gateway as an operator runs it on PostgreSQL: the schema made by command, forked workers, readiness, a restart."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from postgresql_server import PostgresServer, running_server

from tests.e2e.conftest import PATIENCE, RunningGateway, run_command, serving, wait_until

SSIN = "75631290176"


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """One that can be stopped without stopping the other tests'."""
    with running_server() as server:
        yield server


def consult(gateway: RunningGateway, url: str) -> str:
    asked = run_command(
        *("call", "SelfEmployedService", "consultCareer", "--client", "pcsa", "--ssin", SSIN),
        *("--state", gateway.state, "--url", gateway.url),
        KSZ_DATABASE_URL=url,
    )
    return asked.stdout + asked.stderr


def test_a_gateway_on_postgresql_serves_and_outlives_a_restart_of_the_database(
    server: PostgresServer, tmp_path: Path
) -> None:
    # As the documentation writes it, without the driver.
    url = server.url(server.create_database()).replace("+psycopg", "")
    for command in ("migrate", "demo"):
        done = run_command(command, "--state", tmp_path, KSZ_DATABASE_URL=url)
        assert done.returncode == 0, done.stderr
    assert not (tmp_path / "ksz.db").exists()
    with serving(tmp_path, KSZ_DATABASE_URL=url) as gateway:
        assert "MSG00000" in consult(gateway, url)
        server.stop()
        away = requests.get(f"{gateway.management_url}/ready", timeout=PATIENCE)
        assert (away.status_code, away.json()["components"]["database"]) == (503, "NOK: OperationalError")
        assert requests.get(f"{gateway.management_url}/live", timeout=PATIENCE).ok
        server.start()
        wait_until(lambda: requests.get(f"{gateway.management_url}/ready", timeout=PATIENCE).ok)
        assert "MSG00000" in consult(gateway, url)
    assert "Traceback" not in gateway.log.read_text()


def test_a_database_that_does_not_answer_is_one_clear_line(server: PostgresServer, tmp_path: Path) -> None:
    url = server.url(server.create_database())
    assert run_command("demo", "--state", tmp_path, KSZ_DATABASE_URL=url).returncode == 0
    server.stop()
    for command in ("migrate", "demo", "serve"):
        done = run_command(command, "--state", tmp_path, KSZ_DATABASE_URL=url)
        assert done.returncode == 1
        assert done.stderr.startswith("ksz-gateway: the database does not answer (")
        assert "Traceback" not in done.stderr
