"""Whether a gateway could start with what is in its files now: asked before it serves, and before it reloads.

As a program, with the settings in its environment, it says in one line why not, and ends with 1.
"""

import ssl
import sys
from pathlib import Path

from gateway.bootstrap import CannotStart, build_gateway, open_time_stamp_authority
from gateway.key_file import KeyFileUnusable, check_private
from gateway.logs import configure_logs
from gateway.settings import Settings, load_settings


def check_start(settings: Settings) -> None:
    """Build a gateway and close it again; CannotStart says in one line what is missing."""
    keys = [settings.signing_key, settings.tls_key] if settings.tls else [settings.signing_key]
    for key in keys:
        _check_private(key)
    open_time_stamp_authority(settings)
    build_gateway(settings).close()
    _check_tls(settings)


def _check_private(key: Path) -> None:
    """Refuse a key that others may read. One that is not there is another matter: the gateway says so while it runs."""
    try:
        if key.exists():
            check_private(key)
    except KeyFileUnusable as error:
        raise CannotStart(str(error)) from None


def _check_tls(settings: Settings) -> None:
    """Refuse a TLS key that no connection could be served with."""
    if not settings.tls:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_certificate, settings.tls_key)
    except OSError as error:
        files = f"{settings.tls_certificate}, {settings.tls_key}"
        raise CannotStart(f"{files}: no key to serve TLS with ({error.strerror or type(error).__name__}).") from None


def main() -> None:
    """Check the settings of the environment."""
    configure_logs("error", "json")
    try:
        check_start(load_settings())
    except CannotStart as reason:
        sys.exit(str(reason))


if __name__ == "__main__":
    main()
