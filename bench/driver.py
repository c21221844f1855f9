"""Sends a pool of messages where wrk cannot: with a client certificate, or at a given rate whatever the answers.

At a rate (open loop) a message's latency counts from the moment it was due, so that a server that falls behind cannot
hide it. Prints what `pool.lua` prints.

    python -m bench.driver PORT PATH POOL COUNT EXPECTED [--rate PER_SECOND] [--client DIRECTORY/NAME --ca FILE]
"""

import argparse
import asyncio
import json
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

CONNECTIONS = 16


class _Exchange:
    """The messages, and what became of those that were sent."""

    def __init__(self, messages: list[bytes], given: argparse.Namespace) -> None:
        self._messages = iter(enumerate(messages[: given.count]))
        self._given = given
        self._head = (
            f"POST {given.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            "Content-Type: text/xml; charset=utf-8\r\nContent-Length: "
        ).encode()
        self._started = time.perf_counter()
        self.latencies: list[float] = []
        self.failed = 0
        self.octets = 0

    async def use(self, connections: int) -> float:
        """Send all messages over so many connections; return the seconds that it took."""
        await asyncio.gather(*(self._connection() for _ in range(connections)))
        return time.perf_counter() - self._started

    async def _connection(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._given.port, ssl=_context(self._given))
        for number, message in self._messages:
            begun = await self._due(number)
            writer.write(b"%s%d\r\n\r\n%s" % (self._head, len(message), message))
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(_length(head))
            self.latencies.append(time.perf_counter() - begun)
            self.octets += len(head) + len(body)
            if not head.startswith(b"HTTP/1.1 200") or self._given.expected.encode() not in body:
                self.failed += 1
        writer.close()

    async def _due(self, number: int) -> float:
        """Wait until the message is due; return since when it counts."""
        if self._given.rate is None:
            return time.perf_counter()
        due: float = self._started + number / self._given.rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        return due


def _context(given: argparse.Namespace) -> ssl.SSLContext | None:
    if given.client is None:
        return None
    context = ssl.create_default_context(cafile=given.ca)
    context.load_cert_chain(f"{given.client}.pem", f"{given.client}.key")
    return context


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise ValueError("an answer without Content-Length")


def _read_pool(path: Path) -> Iterator[bytes]:
    yield from path.read_bytes().split(b"\0")[:-1]


def main() -> None:
    """Drive, and print one line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("pool", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("expected")
    parser.add_argument("--rate", type=float)
    parser.add_argument("--client")
    parser.add_argument("--ca")
    given = parser.parse_args()
    exchange = _Exchange(list(_read_pool(given.pool)), given)
    # At a rate there must always be a connection free, or the loop would not be open.
    seconds = asyncio.run(exchange.use(CONNECTIONS if given.rate is None else 4 * CONNECTIONS))
    latencies = sorted(exchange.latencies)
    print(
        json.dumps(
            {
                "answered": len(latencies),
                "failed": exchange.failed,
                "microseconds": round(seconds * 1e6),
                "p50": round(latencies[len(latencies) // 2] * 1e6),
                "p99": round(latencies[len(latencies) * 99 // 100] * 1e6),
                "bytes": exchange.octets,
            }
        )
    )


if __name__ == "__main__":
    main()
