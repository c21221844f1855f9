"""Clients' certificates change while the gateway serves: two are valid at once, one is revoked under load."""

import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from lxml import etree

from fixtures.messages import envelope, moment, sign
from gateway.demo_pki import revoke
from gateway.pki import Identity, issue, load_identity
from tests.e2e.conftest import PATIENCE, RunningGateway, run_command, serving, wait_until
from tests.e2e.test_reloading import load
from tests.e2e.test_serving import SELF_EMPLOYED, career_request, identity_of

WORKERS = 3
FOUND, REFUSED = "MSG00000", "wsse:FailedAuthentication"
# In which every worker knows a revocation, as docs/operating.md says; and what a busy machine may add.
STATED, LEEWAY = 5.0, 5.0
BY_TLS = career_request(legal_context="SIGEDIS:CAREER_ACCOUNT").replace(
    "<cbeNumber>0999900150</cbeNumber>", "<sector>21</sector><institution>0</institution>"
)
SERIALS = {"pcsa": 1001, "career-account": 1003}
# Who has nobody of this number in its file: MSG00012.
INTEGRATOR, BY_INTEGRATOR, NOT_INTEGRATED = 1004, career_request("0999900447"), "MSG00012"
Ask = Callable[[], str]


@pytest.fixture
def own(state: Path, tmp_path: Path) -> Path:
    """A state of our own, to change."""
    return shutil.copytree(state, tmp_path / "own")


def code_of(reply: requests.Response) -> str:
    told = etree.fromstring(reply.content)
    return told.findtext(".//status/code") or str(told.findtext(".//faultcode"))


def signing(gateway: RunningGateway, identity: Identity, payload: str = career_request()) -> Ask:
    """Ask by a signed message."""
    return lambda: code_of(gateway.post(SELF_EMPLOYED, sign(envelope(payload), identity, moment())))


def connecting(gateway: RunningGateway, path: Path, session: requests.Session | None = None) -> Ask:
    """Ask over TLS with the certificate at the path: over a connection of the session, or each time over a new one."""
    files = (str(path.with_name(f"{path.name}.pem")), str(path.with_name(f"{path.name}.key")))
    post = session.post if session else requests.post
    return lambda: code_of(
        post(
            f"{gateway.url}{SELF_EMPLOYED}",
            envelope(BY_TLS),
            headers={"Content-Type": "text/xml"},
            cert=files,
            verify=gateway.authority,
            timeout=PATIENCE,
        )
    )


def renew(state: Path, client: str) -> Path:
    """Issue another certificate for the client, for another key; return where both lie."""
    authority = load_identity(state / "pki" / "ca")
    new = issue(authority, client, SERIALS[client] + 900_000, datetime.now(UTC))
    path = state / "pki" / "clients" / f"{client}-new"
    path.with_name(f"{path.name}.pem").write_bytes(new.certificate_pem)
    path.with_name(f"{path.name}.key").write_bytes(new.key_pem)
    return path


def bind(state: Path, which: Callable[[int], tuple[int, ...]]) -> None:
    """Put both clients' annexes in force with other certificates: what `which` makes of the first one's serial."""
    files = []
    for client, serial in SERIALS.items():
        text = (Path("fixtures/annexes") / f"{client}.yaml").read_text("utf-8")
        bound = f"  - issuer: CN=KSZ Gateway Development CA,O=KSZ Gateway,C=BE\n    serial: {serial}\n"
        assert bound in text
        files.append(state / f"{client}.yaml")
        files[-1].write_text(text.replace(bound, "".join(bound.replace(str(serial), str(n)) for n in which(serial))))
    keys = state / "pki" / "operators"
    run = run_command("annex", "import", *files, "--key", keys / "an.key", "--state", state)
    assert run.returncode == 0, run.stderr
    run = run_command("annex", "approve", *SERIALS, "--yes", "--key", keys / "bram.key", "--state", state)
    assert run.returncode == 0, run.stderr


@contextmanager
def asking(asks: dict[str, Ask]) -> Iterator[Counter[tuple[str, str]]]:
    """Ask on, whatever stands under each name now; the answers are counted by name."""
    answered: Counter[tuple[str, str]] = Counter()
    stop = threading.Event()

    def ask_on(name: str) -> None:
        while not stop.is_set():
            answered[name, asks[name]()] += 1
            stop.wait(0.05)

    askers = [threading.Thread(target=ask_on, args=(name,)) for name in asks]
    for asker in askers:
        asker.start()
    try:
        yield answered
    finally:
        stop.set()
        for asker in askers:
            asker.join()


def everywhere(ask: Ask, code: str) -> bool:
    """Tell whether it is answered so, often enough that every worker is asked."""
    return all(ask() == code for _ in range(6 * WORKERS))


def test_a_client_changes_its_certificate_without_a_gap(own: Path) -> None:
    """The annex binds the old one, then both, then the new one: over signed messages and over TLS."""
    new = {client: renew(own, client) for client in SERIALS}
    with serving(own, KSZ_WORKERS=str(WORKERS)) as gateway:
        former = {
            "pcsa": signing(gateway, identity_of(own, "pcsa")),
            "career-account": connecting(gateway, own / "pki" / "clients" / "career-account"),
        }
        next_one = {
            "pcsa": signing(gateway, load_identity(new["pcsa"])),
            "career-account": connecting(gateway, new["career-account"]),
        }
        current = dict(former)
        with asking(current) as answered:
            for ask in next_one.values():
                assert ask() == REFUSED
            bind(own, lambda serial: (serial, serial + 900_000))
            for client in SERIALS:
                wait_until(lambda client=client: everywhere(next_one[client], FOUND))
                assert everywhere(former[client], FOUND)
                current[client] = next_one[client]
            bind(own, lambda serial: (serial + 900_000,))
            for client in SERIALS:
                wait_until(lambda client=client: everywhere(former[client], REFUSED))
                assert everywhere(next_one[client], FOUND)
    assert set(answered) == {("pcsa", FOUND), ("career-account", FOUND)}
    assert min(answered.values()) > 20


def workers_of(arbiter: int) -> set[int]:
    children = Path(f"/proc/{arbiter}/task/{arbiter}/children").read_text().split()
    return {
        each for each in map(int, children) if b"gateway.management" not in Path(f"/proc/{each}/cmdline").read_bytes()
    }


def test_a_certificate_that_is_revoked_under_load_is_refused_by_every_worker_in_the_stated_time(own: Path) -> None:
    """Also on a TLS connection that was there before. Nobody else notices, and nothing is restarted."""
    told: list[tuple[float, str, str]] = []

    def noting(name: str, ask: Ask) -> Ask:
        def ask_and_note() -> str:
            began = time.monotonic()
            code = ask()
            told.append((began, name, code))
            return code

        return ask_and_note

    with serving(own, KSZ_WORKERS=str(WORKERS)) as gateway, requests.Session() as session:
        before = workers_of(gateway.process.pid)
        clients = own / "pki" / "clients"
        asks = {
            "signed": noting("signed", signing(gateway, identity_of(own, "integrator"), BY_INTEGRATOR)),
            "connected": noting("connected", connecting(gateway, clients / "career-account")),
            "kept": noting("kept", connecting(gateway, clients / "career-account", session)),
        }
        with load(gateway, 2) as others, asking(asks) as answered:
            wait_until(lambda: len(answered) == len(asks) and min(answered.values()) > 20 and others[FOUND] > 20)
            for serial in (SERIALS["career-account"], INTEGRATOR):
                revoke(own, serial, datetime.now(UTC))
            time.sleep(STATED + LEEWAY)
            known_at = time.monotonic()
            wait_until(lambda: sum(began > known_at for began, *_ in told) > 20 * len(asks))
            others_before = others[FOUND]
            wait_until(lambda: others[FOUND] > others_before + 20)
        assert workers_of(gateway.process.pid) == before
    assert set(others) == {FOUND}
    for name in asks:
        usual = NOT_INTEGRATED if name == "signed" else FOUND
        codes = [(began, code) for began, asked, code in told if asked == name]
        assert {code for _, code in codes} == {usual, REFUSED}
        assert {code for began, code in codes if began > known_at} == {REFUSED}
