"""Addresses to listen at: `HOST:PORT`, `[IPv6]:PORT`, or `unix:/path` for a proxy on the same machine."""

import errno
import re
import socket
import stat
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

_TCP = re.compile(r"(?:[^\s:]+|\[[0-9a-fA-F:]+\]):(\d{1,5})")
_UNIX = "unix:/"


class AddressUnusable(Exception):
    """Nobody can listen there now; the message says why."""


def check_form(text: str) -> str:
    """Return the text if it has the form of an address; ValueError otherwise."""
    tcp = _TCP.fullmatch(text)
    if not text.startswith(_UNIX) and (tcp is None or int(tcp[1]) > 65535):
        raise ValueError("write HOST:PORT, such as 127.0.0.1:8443 or [::1]:8443, or unix:/path")
    return text


NOWHERE = "nowhere"
"""Said to a management process in place of an address: it does its work without a port."""

Address = Annotated[str, AfterValidator(check_form)]


def split_tcp(address: str) -> tuple[str, int]:
    """Return host and port of an address that is not a unix socket's."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def connect(address: str, seconds: float) -> socket.socket:
    """Connect to who listens there; OSError when nobody does."""
    if not address.startswith(_UNIX):
        return socket.create_connection(split_tcp(address), seconds)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(seconds)
    try:
        connection.connect(address.removeprefix("unix:"))
    except OSError:
        connection.close()
        raise
    return connection


def check_free(address: str) -> None:
    """Raise AddressUnusable when somebody listens there already, or nobody may."""
    if address.startswith(_UNIX):
        _check_path(Path(address.removeprefix("unix:")), address)
        return
    host, port = split_tcp(address)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
            raise AddressUnusable(f"{address} {reason}") from None


def _check_path(path: Path, address: str) -> None:
    if not path.parent.is_dir():
        raise AddressUnusable(f"{address} cannot be used (there is no directory {path.parent})")
    if path.exists() and not stat.S_ISSOCK(path.stat().st_mode):
        raise AddressUnusable(f"{address} cannot be used (there is a file that is no socket)")
    try:
        connect(address, 1).close()
    except OSError:
        return
    raise AddressUnusable(f"{address} is in use")
