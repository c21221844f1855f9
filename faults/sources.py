"""A source that hangs or answers garbage, as `ksz-gateway simulate` plays it, while other sources are well."""

import time

import requests

from faults.load import CLIENTS
from faults.questions import SELF_EMPLOYED, questions_of
from faults.trial import Trial
from tests.e2e.conftest import PATIENCE, free_port, run_command
from tests.e2e.simulated import playing

SECONDS = 8.0
CONCERNED = frozenset(
    client
    for client in CLIENTS
    if all(question.expectation.service == SELF_EMPLOYED for question in questions_of(client))
)


def hang(trial: Trial) -> None:
    """It takes questions and says nothing."""
    _play(trial, "hang")


def answer_garbage(trial: Trial) -> None:
    """It answers with something that is no XML."""
    _play(trial, "garbage")


def _play(trial: Trial, fault: str) -> None:
    trial.concerned = CONCERNED
    bind = f"127.0.0.1:{free_port()}"
    printed = run_command("simulate", "--state", trial.state, "--print-settings", "--bind", bind)
    (trial.state / "gateway.toml").write_text(printed.stdout)
    with playing("simulate", trial.state, bind), trial.serving() as gateway, trial.loaded(gateway), trial.fault():
        _put(bind, f"{SELF_EMPLOYED}:{fault}")
        time.sleep(SECONDS)
        _put(bind, "")


def _put(bind: str, rules: str) -> None:
    requests.put(f"http://{bind}/faults", rules.encode(), timeout=PATIENCE).raise_for_status()
