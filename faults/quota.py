"""10,000 requests of a client that has used up its quota, 300 a second, while another client asks as always."""

import ssl
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPSConnection
from multiprocessing import get_context
from pathlib import Path
from uuid import uuid4

from faults.load import WELL, Load, read_reply
from faults.questions import questions_of
from faults.trial import Trial
from fixtures.messages import NSSO, envelope, sign
from gateway.pki import load_identity

FLOOD = 10_000
PER_SECOND = 300
"""600 times its quota. Were each sent when the last was answered, a cheaper refusal would only make a faster flood."""
CONNECTIONS = 8
LIMITED, PER_MINUTE = "inspection", 30
OTHER = "pcsa"
MOST_TIMES_QUIET = 2.0


def exceed(trial: Trial) -> None:
    """Compare the other client's 99th percentile before and during the flood; it is to stay within twice."""
    trial.concerned = frozenset({OTHER})
    context = get_context("spawn")
    with (
        trial.serving(KSZ_CLIENT_RATE="300") as gateway,
        ProcessPoolExecutor(1, mp_context=context) as apart,
        trial.loaded(gateway, clients=(OTHER,), pause_seconds=0.01) as load,
    ):
        messages = apart.submit(sign_flood, gateway.state, FLOOD).result()
        quiet_since = time.monotonic()
        # As long as the flood will take.
        time.sleep(FLOOD / PER_SECOND)
        with trial.fault():
            codes = apart.submit(send_flood, gateway.url, gateway.authority, messages).result()
    quiet = percentile(load, quiet_since, trial.began)
    loud = percentile(load, trial.began, trial.ended)
    seconds = trial.ended - trial.began
    trial.notes.append(
        f"p99 of the other client {quiet * 1000:.0f} ms, during the flood {loud * 1000:.0f} ms"
        f" (of {FLOOD / seconds:.0f}/s: {dict(codes.most_common())})"
    )
    if loud > MOST_TIMES_QUIET * quiet:
        trial.findings.append(f"p99 of the other client is {loud / quiet:.1f} times its quiet value")
    if FLOOD / seconds < PER_SECOND * 0.8:
        trial.findings.append(f"the flood came at {FLOOD / seconds:.0f}/s instead of {PER_SECOND}")
    if codes[WELL] > PER_MINUTE * (2 + int(seconds // 60)) or codes.total() != FLOOD:
        trial.findings.append(f"{PER_MINUTE} a minute let {codes[WELL]} of {codes.total()} pass in {seconds:.0f} s")


def percentile(load: Load, since: float, until: float, share: float = 0.99) -> float:
    """Return within how many seconds so many of the messages sent meanwhile were answered."""
    took = sorted(each.ended - each.begun for each in load.asked if since <= each.begun < until)
    return took[int(share * len(took))]


def sign_flood(state: Path, count: int) -> list[tuple[str, bytes]]:
    """Return so many messages of the limited client, each with the path that it is for."""
    identity = load_identity(state / "pki" / "clients" / LIMITED)
    question = questions_of(LIMITED)[0]
    return [
        (question.path, sign(envelope(question.payload(uuid4().hex)), identity, datetime.now(UTC), NSSO))
        for _ in range(count)
    ]


def send_flood(url: str, authority: str, messages: list[tuple[str, bytes]]) -> Counter[str]:
    """Send so many a second over a few connections; return how many got which code.

    Without more ado than HTTP needs: whoever floods takes none of the gateway's processors.
    """
    address, context = url.removeprefix("https://"), ssl.create_default_context(cafile=authority)
    begun = time.monotonic()

    def send(first: int) -> Counter[str]:
        codes: Counter[str] = Counter()
        with closing(HTTPSConnection(address, timeout=15, context=context)) as connection:
            for number in range(first, len(messages), CONNECTIONS):
                time.sleep(max(0.0, begun + number / PER_SECOND - time.monotonic()))
                path, message = messages[number]
                connection.request("POST", path, message, {"Content-Type": "text/xml; charset=utf-8"})
                codes[read_reply(connection.getresponse().read())[0]] += 1
        return codes

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return sum(pool.map(send, range(CONNECTIONS)), Counter())
