"""Passwords: only their Argon2id hashes are kept, and a guess costs the same whoever is guessed at."""

import pytest
from argon2 import PasswordHasher, Type, extract_parameters

from gateway.users import passwords
from gateway.users.passwords import (
    LONGEST,
    PARAMETERS,
    PasswordTooLong,
    hash_password,
    is_outdated,
    is_password,
)

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def test_hash_is_argon2id_with_the_parameters_of_rfc_9106() -> None:
    parameters = extract_parameters(hash_password("Zonder naam 12"))
    assert parameters.type is Type.ID
    assert (parameters.time_cost, parameters.memory_cost, parameters.parallelism) == (3, 64 * 1024, 4)


def test_password_is_recognised_and_nothing_else() -> None:
    stored = hash_password("brouwerij 2026!", QUICK)
    assert is_password(stored, "brouwerij 2026!", QUICK)
    assert not is_password(stored, "brouwerij 2026", QUICK)
    assert stored != hash_password("brouwerij 2026!", QUICK)


def test_password_is_the_same_however_a_keyboard_composes_its_accents() -> None:
    assert is_password(hash_password("caf\u00e9 12345", QUICK), "cafe\u0301 12345", QUICK)


def test_password_that_is_no_text_is_wrong_rather_than_an_error() -> None:
    assert not is_password(hash_password("0123456789", QUICK), "\udcff", QUICK)


def test_password_beyond_reason_is_refused_before_it_is_hashed() -> None:
    with pytest.raises(PasswordTooLong):
        hash_password("x" * (LONGEST + 1), QUICK)
    assert not is_password(hash_password("x" * LONGEST, QUICK), "x" * (LONGEST + 1), QUICK)


def test_stored_hash_that_is_damaged_lets_nobody_in() -> None:
    assert not is_password("$argon2id$damaged", "0123456789", QUICK)


def test_guess_at_a_user_who_does_not_exist_costs_a_whole_verification(monkeypatch: pytest.MonkeyPatch) -> None:
    verified = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]
            verified.append(extract_parameters(str(hash)).memory_cost)
            return super().verify(hash, password)  # type: ignore[return-value]

    counting = Counting(time_cost=1, memory_cost=16, parallelism=1)
    stored = hash_password("0123456789", counting)
    assert not is_password(stored, "guess", counting)
    assert not is_password(None, "guess", counting)
    assert not is_password(None, "nobody", counting), "what is hashed for nobody is nobody's password"
    assert verified == [16, 16, 16]


def test_hash_of_former_parameters_is_still_good_and_told_to_be_outdated() -> None:
    stored = hash_password("0123456789", QUICK)
    assert is_outdated(stored, PARAMETERS)
    assert not is_outdated(stored, QUICK)
    assert is_password(stored, "0123456789", PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    assert passwords.PARAMETERS is PARAMETERS
