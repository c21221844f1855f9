"""TLS as we serve it: 1.2 and 1.3, forward secrecy and authenticated encryption only, as deploy/haproxy.cfg has it."""

import ssl
from collections.abc import Callable
from typing import Any

# Of TLS 1.2; those of 1.3 are all good.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"

_contexts: list[ssl.SSLContext] = []


def make_tls_context(config: Any, make_default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """Return this process's context: gunicorn asks at every connection. A race makes two, and no harm.

    A worker makes it when it begins, so workers that a reload starts read the certificate anew.
    """
    if not _contexts:
        context = make_default()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(CIPHERS)
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE
        _contexts.append(context)
    return _contexts[0]
