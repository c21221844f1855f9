"""What docs/sources.md tells to do works: played sources, a gateway that asks them, a consultation, a fault put in."""

import re
import shlex
import shutil
import time
from functools import partial
from pathlib import Path

import requests

from tests.e2e.conftest import PATIENCE, RunningGateway, free_port, run_command, serving, wait_until
from tests.e2e.simulated import playing
from tests.integration.docs_examples import DOCS, shown_commands

LINES = shown_commands("sources.md")
LATE = 'ksz_source_calls_total{outcome="late",source="SelfEmployedService/v2 fund 003"}'


def test_every_example_does_what_the_page_says(state: Path, tmp_path: Path) -> None:
    demo, settings, simulate, serve, call, call_users, faults = LINES
    assert (demo, serve) == ("demo", "serve")
    own = tmp_path / "state"
    shutil.copytree(state, own)
    bind = f"127.0.0.1:{free_port()}"
    command, _, file = settings.partition(" >> ")
    assert file == "var/gateway.toml"
    printed = run_command(*shlex.split(command), "--state", own, "--bind", bind)
    assert printed.returncode == 0, printed.stderr
    (own / "gateway.toml").write_text(printed.stdout)
    with playing(simulate, own, bind), serving(own) as gateway:
        told = ask(call, own, gateway.url)
        assert "DATA_FOUND" in told
        assert re.search(r"path\W+USER\b", ask(call_users, own, gateway.url))
        (rule,) = [
            line.split("'")[1] for line in (DOCS / "sources.md").read_text().splitlines() if line.startswith("curl")
        ]
        put = requests.put(f"http://{bind}/faults", rule, timeout=PATIENCE)
        assert put.text == f"{rule}=100%\n"
        started = time.monotonic()
        told = ask(call, own, gateway.url)
        assert "MSG00020" in told
        assert "003" in told
        assert time.monotonic() - started < PATIENCE
        # A worker counts within a second of the call.
        wait_until(partial(tells_of, gateway, LATE), told=partial(read_metrics, gateway))
        assert requests.put(f"http://{bind}/faults", b"", timeout=PATIENCE).text == ""
    listed = run_command(*shlex.split(faults))
    assert "wrong-person" in listed.stdout


def read_metrics(gateway: RunningGateway) -> str:
    return requests.get(f"{gateway.management_url}/metrics", timeout=PATIENCE).text


def tells_of(gateway: RunningGateway, sample: str) -> bool:
    return sample in read_metrics(gateway)


def ask(call: str, state: Path, url: str) -> str:
    done = run_command(*shlex.split(call), "--state", state, "--url", url)
    return done.stdout + done.stderr


def test_a_rule_that_is_none_and_an_address_of_another_machine_are_refused(state: Path) -> None:
    wrong = run_command("simulate", "--state", state, "--fault", "sleep")
    assert wrong.returncode == 1
    assert "sleep: write [SERVICE:]FAULT[=PERCENT%], FAULT one of slow, refuse" in wrong.stderr
    open_to_all = run_command("simulate", "--state", state, "--bind", "0.0.0.0:8543")
    assert open_to_all.returncode == 1
    assert "on this machine alone" in open_to_all.stderr
