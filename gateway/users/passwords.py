"""Passwords, kept as Argon2id hashes; knows neither accounts nor rules.

The work is the same whether a user exists or not: who measures time learns no names. `PARAMETERS` are used where no
other hasher is given.
"""

import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

# RFC 9106 §4, the second recommended option (64 MiB, 3 passes, 4 lanes): some 50 ms and 64 MiB for each guess, which a
# gateway can spare for the few logins it sees, and a thief of the table cannot for millions. Hashes made with other
# parameters are still verified, and replaced at the next login.
PARAMETERS = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4, hash_len=32, salt_len=16, type=Type.ID)

# More is never a password somebody types; hashing megabytes would be work for nothing.
LONGEST = 1024


class PasswordTooLong(ValueError):
    """More characters than a password can have."""


def hash_password(password: str, hasher: PasswordHasher | None = None) -> str:
    """Return the hash to keep; PasswordTooLong beyond `LONGEST` characters."""
    if len(password) > LONGEST:
        raise PasswordTooLong(f"a password has at most {LONGEST} characters")
    return (hasher or PARAMETERS).hash(_normal(password))


def is_password(stored: str | None, password: str, hasher: PasswordHasher | None = None) -> bool:
    """Tell whether this is the password of the hash; the same work, and False, where there is no hash (None)."""
    hasher = hasher or PARAMETERS
    candidate, of_nobody = _normal(password[:LONGEST]), _hash_of_nobody(hasher)
    try:
        matches = hasher.verify(of_nobody if stored is None else stored, candidate)
    except (VerificationError, InvalidHashError):
        return False
    return matches and stored is not None and len(password) <= LONGEST


def are_same(one: str, other: str) -> bool:
    """Tell whether two typed passwords are the same, however their accents were composed."""
    return _normal(one) == _normal(other)


def is_outdated(stored: str, hasher: PasswordHasher | None = None) -> bool:
    """Tell whether the hash was made with parameters that are no longer ours."""
    return (hasher or PARAMETERS).check_needs_rehash(stored)


def _normal(password: str) -> bytes:
    # Keyboards differ in how they compose accents; lone surrogates come from a terminal that is not UTF-8.
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


@cache
def _hash_of_nobody(hasher: PasswordHasher) -> str:
    return hasher.hash(b"nobody")
