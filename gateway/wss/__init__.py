"""WS-Security, X.509 token profile: `verify_envelope` for what comes in, `Signer` for what goes out.

The package knows envelopes, certificates and signatures. It does not know annexes, replays or quota: it says
who signed what, when, and under which key a replay would be recognised.
"""
