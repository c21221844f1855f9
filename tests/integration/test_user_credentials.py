"""Logging in with a password: lock-out after repeated failures, provisional passwords, new parameters."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from databases import Databases
from storage_world import NOON, World, open_world

from gateway.storage.user_tables import login_failures, user_credentials
from gateway.users.credentials import (
    ATTEMPTS,
    FORGOTTEN_AFTER,
    LOCKED_FOR,
    PROVISIONAL_FOR,
    Credentials,
    LockedOut,
    forget_failures,
    has_password,
    keep_password,
    must_change_password,
    prepare_password,
    remove_password,
)

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
NAME, ACCOUNT = "els.janssens", "0999900150-u1"
PASSWORD, WRONG = "brouwerij 2026!", "guess 0000"


@pytest.fixture
def world(databases: Databases, tmp_path: Path) -> Iterator[World]:
    with open_world(databases, tmp_path) as opened:
        keep(opened)
        yield opened


def keep(world: World, *, chosen_by_holder: bool = True) -> None:
    new = prepare_password(PASSWORD, chosen_by_holder=chosen_by_holder, now=world.clock(), hasher=QUICK)
    world.commit.run(lambda connection: keep_password(connection, ACCOUNT, new, world.clock()))


def attempt(world: World, password: str, name: str = NAME, hasher: PasswordHasher = QUICK) -> bool:
    return Credentials(world.database, world.commit, hasher).verify(
        name, ACCOUNT if name.lower() == NAME else None, password, world.clock()
    )


def lock(world: World, name: str = NAME) -> None:
    for _ in range(ATTEMPTS):
        assert not attempt(world, WRONG, name)


def test_right_password_is_verified_and_the_mistakes_before_it_are_forgotten(world: World) -> None:
    for _ in range(ATTEMPTS - 1):
        assert not attempt(world, WRONG)
    assert attempt(world, PASSWORD)
    assert world.rows(login_failures) == []


@pytest.mark.parametrize("name", [NAME, "nobody.at.all"])
def test_name_is_locked_after_repeated_failures_whether_or_not_somebody_has_it(world: World, name: str) -> None:
    lock(world, name)
    with pytest.raises(LockedOut, match="too many attempts") as refused:
        attempt(world, PASSWORD, name)
    assert refused.value.until == world.clock() + LOCKED_FOR


def test_lock_ends_by_itself_and_attempts_during_it_do_not_prolong_it(world: World) -> None:
    lock(world)
    world.clock.advance(seconds=LOCKED_FOR.total_seconds() - 1)
    with pytest.raises(LockedOut):
        attempt(world, PASSWORD)
    world.clock.advance(seconds=1)
    assert not attempt(world, WRONG)
    assert attempt(world, PASSWORD)


def test_attempts_side_by_side_try_no_more_passwords_than_are_allowed(world: World) -> None:
    answers: list[object] = []

    def guess() -> None:
        try:
            answers.append(attempt(world, WRONG))
        except LockedOut as locked:
            answers.append(locked)

    guesses = [threading.Thread(target=guess) for _ in range(4 * ATTEMPTS)]
    for each in guesses:
        each.start()
    for each in guesses:
        each.join()
    assert answers.count(False) == ATTEMPTS


def test_lock_is_not_evaded_by_writing_the_name_in_another_way(world: World) -> None:
    lock(world)
    with pytest.raises(LockedOut):
        attempt(world, PASSWORD, NAME.upper())


def test_lock_is_ended_for_who_was_given_a_new_password(world: World) -> None:
    lock(world)
    world.commit.run(lambda connection: forget_failures(connection, NAME))
    assert attempt(world, PASSWORD)


def test_names_that_nobody_tries_any_more_are_forgotten(world: World) -> None:
    attempt(world, WRONG, "nobody.at.all")
    world.clock.now += FORGOTTEN_AFTER + timedelta(seconds=1)
    attempt(world, WRONG)
    assert [row["user_name"] for row in world.rows(login_failures)] == [NAME]


def test_password_that_another_chose_must_be_changed(world: World) -> None:
    keep(world, chosen_by_holder=False)
    assert attempt(world, PASSWORD)
    with world.database.read() as connection:
        assert must_change_password(connection, ACCOUNT)
        assert not must_change_password(connection, "nobody.at.all")


def test_provisional_password_expires(world: World) -> None:
    keep(world, chosen_by_holder=False)
    world.clock.now += PROVISIONAL_FOR - timedelta(seconds=1)
    assert attempt(world, PASSWORD)
    world.clock.advance(seconds=1)
    assert not attempt(world, PASSWORD)


def test_removed_password_lets_nobody_in(world: World) -> None:
    with world.database.read() as connection:
        assert has_password(connection, ACCOUNT)
    world.commit.run(lambda connection: remove_password(connection, ACCOUNT))
    assert not attempt(world, PASSWORD)


def test_hash_is_made_again_when_the_parameters_changed(world: World) -> None:
    (before,) = world.rows(user_credentials)
    stronger = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    assert not attempt(world, WRONG, hasher=stronger)
    assert world.rows(user_credentials) == [before]
    assert attempt(world, PASSWORD, hasher=stronger)
    (after,) = world.rows(user_credentials)
    assert not stronger.check_needs_rehash(after["password_hash"])
    assert attempt(world, PASSWORD, hasher=stronger)


def test_neither_password_nor_hash_stands_in_any_text() -> None:
    new = prepare_password(PASSWORD, chosen_by_holder=True, now=NOON, hasher=QUICK)
    assert PASSWORD not in repr(new)
    assert new.hashed not in repr(new)
