"""Where the time of one signed consultation goes, stage by stage: `python -m bench.stages`, or as part of a full run.

One request at a time, through the whole application in this process: medians of the CPU of the request's own thread,
and what the writer's thread adds.
"""

import io
import os
import shutil
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from statistics import median
from typing import Any

from bench.contestants import CONSULT
from bench.messages import signed_contributions
from bench.world import ROOT, World, copy, prepare
from gateway import app as gateway_app
from gateway import pipeline
from gateway.app import GatewayApp
from gateway.bootstrap import build_gateway
from gateway.logs import configure_logs
from gateway.recorder import ExchangeRecorder
from gateway.replies import Replies
from gateway.settings import load_settings
from gateway.wss.sign import Signer

_REQUESTS = 1000
_STAGES: tuple[tuple[Any, str, str], ...] = (
    (pipeline, "receive", "receive"),
    (pipeline, "parse", "parse"),
    (pipeline, "authenticate", "authenticate"),
    (pipeline, "admit", "admit (waits for a commit)"),
    (pipeline, "resolve", "resolve"),
    (pipeline, "validate", "validate"),
    (pipeline, "authorize", "authorize"),
    (pipeline, "dispatch", "dispatch"),
    (pipeline, "screen", "screen"),
    (pipeline, "disclose", "disclose"),
    (Replies, "answer", "respond: write and validate"),
    (ExchangeRecorder, "record", "respond: record (waits for a commit)"),
    (Signer, "sign", "respond: sign"),
    (gateway_app.log, "info", "log the line"),
)


def measure(world: World) -> list[tuple[str, float]]:
    """Return (stage, median microseconds) in order; changes the gateway's functions in this process for good."""
    settings = load_settings(state=world.state, address_rate=0, client_rate=0)
    # Lines are made and written as always, and go nowhere.
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - to the end of the process
    configure_logs(settings.log_level, settings.log_format)
    gateway = build_gateway(settings)
    spent: dict[str, list[float]] = {}
    whole: list[float] = []
    for owner, name, title in _STAGES:
        setattr(owner, name, _timed(getattr(owner, name), spent.setdefault(title, [])))
    random = Random(1)  # noqa: S311 - whom a benchmark asks about is no secret
    messages = [signed_contributions(world, number, datetime.now(UTC), random) for number in range(_REQUESTS)]
    every = time.process_time()
    for message in messages:
        begun = time.thread_time()
        _call(gateway.app, message)
        whole.append(time.thread_time() - begun)
    every = time.process_time() - every
    gateway.close()
    stages = [(title, median(times) * 1e6) for title, times in spent.items()]
    rest = median(whole) * 1e6 - sum(cost for _, cost in stages)
    return [
        *stages,
        ("the rest of the thread", rest),
        ("the writer's thread, mean", (every - sum(whole)) / _REQUESTS * 1e6),
    ]


def _timed(call: Callable[..., Any], times: list[float]) -> Callable[..., Any]:
    def timed(*given: Any, **named: Any) -> Any:
        begun = time.thread_time()
        try:
            return call(*given, **named)
        finally:
            times.append(time.thread_time() - begun)

    return timed


def _call(app: GatewayApp, message: bytes) -> None:
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": CONSULT,
        "CONTENT_TYPE": "text/xml; charset=utf-8",
        "CONTENT_LENGTH": str(len(message)),
        "wsgi.input": io.BytesIO(message),
        "REMOTE_ADDR": "127.0.0.1",
    }
    reply = b"".join(app(environ, lambda status, headers, info=None: lambda octets: None))
    if b"DATA_FOUND" not in reply:
        raise RuntimeError("the reply is not what it must be")


if __name__ == "__main__":
    folder = ROOT / "stages"
    shutil.rmtree(folder, ignore_errors=True)
    for title, cost in measure(copy(prepare(100_000, 10), folder)):
        print(f"{cost:6.0f}  {title}")
