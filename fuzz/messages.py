"""Target: messages of every client to every service, against the whole gateway."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from fuzz.gateway import FuzzedGateway, open_gateway
from fuzz.judge import judge
from fuzz.requests import Input, make_input
from fuzz.target import Tried, Try, describe_error

# A client with a quota of thirty a minute, and one input in a hundred, stays within it.
_STEP = timedelta(milliseconds=50)


@contextmanager
def open_target() -> Iterator[Try]:
    """Open a gateway to send messages to."""
    with open_gateway() as gateway:
        yield trying(gateway, make_input)


def trying(gateway: FuzzedGateway, make: Callable[[FuzzedGateway, int, int], Input]) -> Try:
    """Return what makes an input, sends it and has its answer judged."""

    def attempt(seed: int, number: int) -> Tried:
        tried = send(gateway, make(gateway, seed, number))
        gateway.advance(_STEP)
        return tried

    return attempt


def send(gateway: FuzzedGateway, asked: Input) -> Tried:
    """Send one input and judge its answer; whatever the gateway raises is a finding."""
    logged = len(gateway.logged)
    started = time.process_time()
    try:
        reply = gateway.send(asked.request)
    except Exception as error:
        return Tried(asked.request.content, "none", False, (describe_error(error),))
    seconds = time.process_time() - started
    lines = gateway.logged[logged:]
    del gateway.logged[:]
    return judge(asked, reply, lines, seconds)
