"""The judges of the fault runs and of the soak: each must be able to say no."""

import re
from pathlib import Path

import pytest

from faults.load import BROKEN, STEADY, WELL, Asked, Load, Receipt
from faults.log import find_lost
from faults.promises import PROMISES
from faults.soak import Quarter, find_growth
from faults.trial import POOLS, Trial
from gateway.docs import ROOT
from gateway.storage.database import Database
from tests.e2e.conftest import RunningGateway

FLAT = Quarter(memory=200e6, descriptors=150.0, connections=4.0)


def asked(ended: float, code: str = WELL, client: str = "pcsa", receipt: Receipt | None = None) -> Asked:
    return Asked(client, "", ended - 0.1, ended, code, receipt)


def trial(*messages: Asked, directory: Path = Path()) -> Trial:
    return Trial(directory, f"sqlite:///{directory.absolute()}/ksz.db", began=10.0, ended=12.0, asked=list(messages))


def test_service_is_back_when_the_last_client_is_in_trouble_no_more() -> None:
    run = trial(asked(9), asked(13, BROKEN), asked(14), asked(12.5, client="pensions"))
    assert run.back_after() == pytest.approx(2.0)
    assert run.longest_silence() == pytest.approx(2.5)


def test_a_client_that_is_never_answered_again_is_not_back() -> None:
    assert trial(asked(9), asked(13, BROKEN)).back_after() > max(promise.within_seconds for promise in PROMISES)


def test_only_the_clients_concerned_count() -> None:
    run = trial(asked(12.5), asked(20, BROKEN, client="pensions"))
    run.concerned = frozenset({"pcsa"})
    assert run.back_after() == pytest.approx(0.5)


def test_service_is_steady_when_every_client_is_answered_time_after_time() -> None:
    def is_steady(*messages: Asked) -> bool:
        gateway = RunningGateway("", "", Path(), Path(), None)
        return Load(gateway, ("pcsa", "pensions"), asked=list(messages)).is_steady_since(12.0)

    well = [asked(13.0 + number, client=client) for number in range(STEADY) for client in ("pcsa", "pensions")]
    assert is_steady(*well)
    assert not is_steady(*well[2:])
    assert not is_steady(*well, asked(30, BROKEN))
    assert not is_steady(asked(12.05), *well[2:], asked(30, client="pensions"))


def test_a_receipt_without_its_record_is_lost(tmp_path: Path) -> None:
    run = trial(asked(13, receipt=Receipt("ticket", 0, b"leaf", "")), asked(14), directory=tmp_path)
    database = Database(run.url)
    database.migrate()
    database.close()
    assert find_lost(run.url, run.asked) == 1


@pytest.mark.parametrize(
    ("last", "found"),
    [
        (FLAT, []),
        (Quarter(212e6, 150.0, 4.0), ["the last quarter takes 6.0% more memory than the second"]),
        (Quarter(200e6, 151.0 + POOLS, 4.0), [f"descriptors grew from 150 to {151 + POOLS}"]),
        (Quarter(200e6, 150.0, 6.0), ["connections grew from 4 to 6"]),
    ],
)
def test_what_grows_is_found(last: Quarter, found: list[str]) -> None:
    assert find_growth([FLAT, FLAT, FLAT, last]) == found


def test_every_promise_stands_in_the_documentation_with_its_time() -> None:
    rows = re.findall(
        r"^\| .+? \| `([\w-]+)` \| .+? \| (\d+) s \|", (ROOT / "docs/faults.md").read_text(), re.MULTILINE
    )
    assert rows == [(promise.name, f"{promise.within_seconds:g}") for promise in PROMISES]
