"""The clock of the gateway's machine jumps by an hour, as somebody who sets it makes it; monotonic time goes on.

All processes of the gateway, management and workers, see the same false time (`false_clock.c`), and the clients see the
true one. For a while their clocks jump too, as where one time server has misled everybody.
"""

import shutil
import struct
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import requests

from faults.load import WELL, Asked, Load, ask
from faults.questions import questions_of
from faults.trial import Trial
from fixtures.messages import NSSO, envelope, sign
from gateway.pki import load_identity
from tests.e2e.conftest import wait_until

HOUR = timedelta(hours=1)
SECONDS = 4.0
LIMITED = "inspection"
PER_MINUTE = 30


def jump_ahead(trial: Trial) -> None:
    """The clock goes an hour ahead, and comes back."""
    _jump(trial, HOUR)


def jump_back(trial: Trial) -> None:
    """The clock goes an hour back, and comes back."""
    _jump(trial, -HOUR)


def _jump(trial: Trial, by: timedelta) -> None:
    clock = trial.state / "clock"
    clock.write_bytes(bytes(8))
    false_time = {"LD_PRELOAD": str(_compile(trial.state)), "FALSE_CLOCK": str(clock)}
    with trial.serving(**false_time) as gateway, trial.loaded(gateway) as load:
        replayed = _Replayed(load)
        replayed.expect(trial, WELL)
        limited = _Limited(load)
        _begin_in_first_half_of_minute()
        used_up_at = limited.use_up(trial, timedelta())
        with trial.fault():
            _set(clock, by)
            # The clients are right, the gateway is not.
            time.sleep(SECONDS)
            replayed.expect(trial, "wsu:MessageExpired")
            # Everybody is wrong, and so served.
            load.ahead, agreed = by, time.monotonic()
            wait_until(lambda: load.well_since(agreed) >= 100)
            limited.use_up(trial, by)
            load.ahead = timedelta()
            _set(clock, timedelta())
        replayed.expect(trial, "wsse:FailedCheck")
        limited.expect_still_used_up(trial, used_up_at)


def _compile(directory: Path) -> Path:
    library = directory / "false_clock.so"
    source = Path(__file__).with_name("false_clock.c")
    subprocess.run([shutil.which("cc") or "cc", "-O2", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


def _set(clock: Path, ahead: timedelta) -> None:
    with clock.open("r+b") as file:
        file.write(struct.pack("=q", int(ahead.total_seconds())))


class _Replayed:
    """A message that is sent again and again, as it was signed."""

    def __init__(self, load: Load) -> None:
        question, self._load = questions_of("pcsa")[0], load
        identity = load_identity(load.gateway.state / "pki" / "clients" / "pcsa")
        self._message = load.sign(question.payload(uuid4().hex), identity)
        self._url = load.gateway.url + question.path

    def expect(self, trial: Trial, code: str) -> None:
        """Send it, and note a finding if anything else comes back."""
        with requests.Session() as session:
            session.verify, session.trust_env = self._load.gateway.authority, False
            got = ask(session, self._url, self._message, "pcsa", "", self._load.wait_seconds)
        if got.code != code:
            trial.findings.append(f"a message sent again was told {got.code}, not {code}")


class _Limited:
    """A client with a quota of 30 a minute, which it uses up."""

    def __init__(self, load: Load) -> None:
        self._load = load

    def use_up(self, trial: Trial, ahead: timedelta) -> datetime:
        """Ask until it is told that it has; return when that was. A finding if that is later than its quota says."""
        begun, well = datetime.now(UTC), 0
        while (asked := self._ask(ahead)).code == WELL:
            well += 1
        ended = datetime.now(UTC)
        minutes = 1 + (_minute(ended) != _minute(begun))
        if asked.code != "GTW00001" or well > minutes * PER_MINUTE:
            trial.findings.append(f"a client with {PER_MINUTE} a minute got {well}, then {asked.code}")
        return ended

    def expect_still_used_up(self, trial: Trial, since: datetime) -> None:
        """Ask once: within the minute in which it was used up by the right clock, the quota still is."""
        asked = self._ask(timedelta())
        if _minute(datetime.now(UTC)) != _minute(since):
            trial.findings.append("the minute was over before the quota could be asked about again")
        elif asked.code != "GTW00001":
            trial.findings.append(f"the clock came back, and a quota that was used up gave {asked.code}")

    def _ask(self, ahead: timedelta) -> Asked:
        ticket, question = uuid4().hex, questions_of(LIMITED)[0]
        identity = load_identity(self._load.gateway.state / "pki" / "clients" / LIMITED)
        message = sign(envelope(question.payload(ticket)), identity, datetime.now(UTC) + ahead, NSSO)
        with requests.Session() as session:
            session.verify, session.trust_env = self._load.gateway.authority, False
            return ask(session, self._load.gateway.url + question.path, message, LIMITED, ticket, 15.0)


def _begin_in_first_half_of_minute() -> None:
    """Wait until enough is left of a minute for all that a quota is asked in it."""
    second = datetime.now(UTC).second
    if second >= 30:
        time.sleep(60 - second)


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
