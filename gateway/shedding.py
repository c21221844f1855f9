"""What is refused before anything is done for it: beside the stages, since it establishes nothing."""

from gateway.established import Arrived, Authenticated
from gateway.peer import source_of
from gateway.rate_limit import RateLimit
from gateway.refusal import Shed


def limit_address(arrived: Arrived, limit: RateLimit) -> None:
    """Raise GTW00005 for an address beyond its rate, whoever is behind it: nothing was read of the message."""
    wait = limit.take(source_of(arrived.address))
    if wait:
        raise Shed(
            "GTW00005",
            f"Too many requests come from your address; try again in {_seconds(wait)}.",
            http_status=429,
            retry_after_seconds=wait,
        )


def limit_client(authenticated: Authenticated, limit: RateLimit) -> None:
    """Raise GTW00001 for a client beyond its rate: it has proved who it is, so nobody else can use its rate up."""
    wait = limit.take(authenticated.annex.client)
    if wait:
        raise Shed(
            "GTW00001",
            f"You send more requests a second than the gateway takes of one client; try again in {_seconds(wait)}.",
            retry_after_seconds=wait,
        )


def _seconds(number: int) -> str:
    return "a second" if number == 1 else f"{number} seconds"
