"""What one worker learns of a remote source in its calls, HealthCheck tells at whichever worker it is asked."""

import shutil
from collections import Counter
from pathlib import Path

import requests
from lxml import etree

from fixtures.messages import envelope, moment, sign
from tests.e2e.conftest import PATIENCE, RunningGateway, free_port, run_command, serving, wait_until
from tests.e2e.simulated import playing
from tests.e2e.test_monitoring import HEALTH
from tests.e2e.test_serving import SELF_EMPLOYED, SSIN, identity_of

WORKERS = 3
FUND = "SelfEmployedService/v2 fund 003"
CONTRIBUTIONS = (
    '<v2:consultContributionsRequest xmlns:v2="http://kszbcss.fgov.be/intf/SelfEmployedService/v2">'
    "<informationCustomer><customerIdentification><cbeNumber>0999900150</cbeNumber></customerIdentification>"
    "</informationCustomer><legalContext>PCSA:SOCIAL_INQUIRY</legalContext>"
    f"<criteria><ssin>{SSIN}</ssin><period><beginQuarter>2020Q1</beginQuarter><endQuarter>2020Q4</endQuarter></period>"
    "</criteria></v2:consultContributionsRequest>"
)
DEEP = f'<h:HealthCheckRequest xmlns:h="{HEALTH}"><criteria><level>DEEP</level></criteria></h:HealthCheckRequest>'


def ask(gateway: RunningGateway, session: requests.Session) -> str:
    """Ask for contributions: over a connection that stays, and so of one worker."""
    message = sign(envelope(CONTRIBUTIONS), identity_of(gateway.state, "pcsa"), moment())
    reply = session.post(
        f"{gateway.url}{SELF_EMPLOYED}", message, headers={"Content-Type": "text/xml"}, timeout=PATIENCE
    )
    return str(etree.fromstring(reply.content).findtext(".//status/code"))


def told_of_the_fund(gateway: RunningGateway, times: int = 8 * WORKERS) -> Counter[tuple[str, str]]:
    """Ask for the health many times, each time over a connection of its own: what is told of the fund."""
    told: Counter[tuple[str, str]] = Counter()
    for _ in range(times):
        message = sign(envelope(DEEP), identity_of(gateway.state, "probe"), moment())
        reply = etree.fromstring(gateway.post("/HealthCheckService/v1/consult", message).content)
        (fund,) = [each for each in reply.iter("component") if each.findtext("name") == FUND]
        told[str(fund.findtext("state")), str(fund.findtext("detail"))] += 1
    return told


def is_told_everywhere(gateway: RunningGateway, trouble: str) -> bool:
    told = told_of_the_fund(gateway)
    return all(state == "DEGRADED" and trouble in detail for state, detail in told)


def component_health(gateway: RunningGateway) -> str:
    metrics = requests.get(f"{gateway.management_url}/metrics", timeout=PATIENCE).text
    (line,) = [each for each in metrics.splitlines() if each.startswith(f'ksz_component_health{{component="{FUND}"}}')]
    return line.rpartition(" ")[2]


def test_what_one_worker_knows_of_a_source_every_worker_tells(state: Path, tmp_path: Path) -> None:
    own = shutil.copytree(state, tmp_path / "own")
    bind = f"127.0.0.1:{free_port()}"
    printed = run_command("simulate", "--print-settings", "--state", own, "--bind", bind)
    (own / "gateway.toml").write_text(printed.stdout)

    def play(rule: str) -> None:
        assert requests.put(f"http://{bind}/faults", rule, timeout=PATIENCE).ok

    with (
        playing("simulate", own, bind),
        serving(own, "--no-tls", scheme="http", KSZ_WORKERS=str(WORKERS)) as gateway,
        requests.Session() as session,
    ):
        wait_until(lambda: {state for state, _ in told_of_the_fund(gateway, 1)} == {"OK"})
        play("funds/003/:wrong-person")
        assert ask(gateway, session) == "MSG00023"
        play("")
        assert ask(gateway, session) == "MSG00000"
        wait_until(lambda: is_told_everywhere(gateway, "another person"))
        assert component_health(gateway) == "0.5"
        play("funds/003/:refuse")
        for _ in range(5):
            assert ask(gateway, session) == "MSG00020"
        wait_until(lambda: is_told_everywhere(gateway, "1 of the workers"))
        wait_until(lambda: is_told_everywhere(gateway, "not tried by 1 of the workers since too many calls failed"))
