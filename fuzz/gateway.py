"""The gateway under test: a demo world of its own in a temporary directory, on a clock that runs when told."""

import io
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from fixtures.attacks import Request
from gateway.bootstrap import build_gateway
from gateway.demo_world import prepare_demo
from gateway.pki import Identity, load_identity
from gateway.settings import load_settings
from tests.log_lines import captured_logs

PROXY = "10.0.0.9"
# In memory where that is possible: each request is committed to disk twice.
_MEMORY = Path("/dev/shm")  # noqa: S108 - a private directory is made in it.


@dataclass
class Clock:
    """A clock that moves when told."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def advance(self, step: timedelta) -> None:
        self.now += step


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back over HTTP."""

    status: str
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True, slots=True)
class FuzzedGateway:
    """A gateway; `logged` holds every line that it has logged, as JSON."""

    app: Callable[..., Iterable[bytes]]
    clock: Callable[[], datetime]
    advance: Callable[[timedelta], None]
    identities: Mapping[str, Identity]
    logged: list[str]

    def send(self, request: Request) -> Reply:
        """Send one request; whatever the application raises comes out."""
        started: list[tuple[str, list[tuple[str, str]]]] = []
        body = b"".join(self.app(self._environ(request), lambda status, headers: started.append((status, headers))))
        ((status, headers),) = started
        return Reply(status, dict(headers), body)

    def _environ(self, request: Request) -> dict[str, Any]:
        environ = {
            "REQUEST_METHOD": request.method,
            "PATH_INFO": request.path,
            "QUERY_STRING": "",
            "CONTENT_TYPE": "text/xml; charset=utf-8",
            "CONTENT_LENGTH": str(len(request.content)),
            "REMOTE_ADDR": "192.0.2.7",
            "wsgi.input": io.BytesIO(request.content),
        }
        for name, value in request.headers.items():
            variable = name.upper().replace("-", "_")
            environ[variable if variable.startswith("CONTENT_T") else f"HTTP_{variable}"] = value
        if request.client is not None:
            der = self.identities[request.client].certificate.public_bytes(Encoding.DER)
            environ |= {"REMOTE_ADDR": PROXY, "HTTP_X_CLIENT_CERT": b64encode(der).decode()}
        return environ


@contextmanager
def open_gateway() -> Iterator[FuzzedGateway]:
    """Prepare a demo world, open a gateway on it, and remove both in the end."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as directory:
        settings = load_settings(
            state=Path(directory) / "state", trusted_proxies=(PROXY,), address_rate=0, client_rate=0
        )
        prepare_demo(settings)
        clock = Clock(datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=1))
        gateway = build_gateway(settings, clock)
        try:
            with captured_logs() as log:
                yield FuzzedGateway(gateway.app, clock, clock.advance, load_identities(settings.state), log.lines)
        finally:
            gateway.close()


def load_identities(state: Path) -> Mapping[str, Identity]:
    """Return the demo clients' identities by name."""
    return {
        path.stem: load_identity(path.with_suffix("")) for path in sorted((state / "pki" / "clients").glob("*.pem"))
    }
