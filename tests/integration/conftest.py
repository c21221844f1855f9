"""One demo state, on each database, for all tests of the whole gateway, and the worlds opened on it."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from databases import Databases
from gateway_world import DemoState, OpenWorld, World, open_world, prepared_state
from user_world import Brewery, Office, copied_office, find_brewery, open_brewery, open_office

from gateway.users import passwords
from tests.log_lines import LogLines, captured_logs

# Eleven digits, but not those of a UUID.
_SSIN = re.compile(r"(?<![0-9a-f-])\d{11}(?![0-9a-f-])")


@pytest.fixture(scope="session")
def demo_state(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoState]:
    with prepared_state(databases, tmp_path_factory.mktemp("demo")) as state:
        yield state


@pytest.fixture(scope="session")
def log_lines() -> Iterator[LogLines]:
    """What was logged while worlds were open; at the end of the run, none of it may name a person or hold a message."""
    with captured_logs() as kept:
        yield kept
    told = [line for line in kept.lines if _SSIN.search(line) or "Envelope" in line or "<ssin" in line]
    assert told == []


@pytest.fixture(scope="session")
def world(demo_state: DemoState, tmp_path_factory: pytest.TempPathFactory, log_lines: LogLines) -> Iterator[World]:
    """The world that tests share which break nothing in it."""
    with open_world(demo_state, tmp_path_factory.mktemp("shared")) as opened:
        yield opened


@pytest.fixture
def open_own_world(demo_state: DemoState, tmp_path: Path, log_lines: LogLines) -> Iterator[OpenWorld]:
    """Open a world of the test's own, to break; arguments are those of `gateway_world.open_world`."""
    with ExitStack() as stack:

        def open_one(name: str = "world", **options: Any) -> World:
            return stack.enter_context(open_world(demo_state, tmp_path / name, **options))

        yield open_one


@pytest.fixture(scope="session")
def empty_office(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The office that tests copy: nobody is there yet."""
    with open_office(databases, tmp_path_factory.mktemp("office")) as opened:
        yield opened


@pytest.fixture(scope="session")
def first_brewery(
    databases: Databases, empty_office: Office, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    """The office that tests copy with a brewery in it."""
    with copied_office(databases, empty_office, tmp_path_factory.mktemp("brewery")) as opened:
        open_brewery(opened)
        yield opened


@pytest.fixture
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords as cheaply as can be: how dear it is has tests of its own."""
    monkeypatch.setattr(passwords, "PARAMETERS", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def office(databases: Databases, empty_office: Office, tmp_path: Path, quick_hashes: None) -> Iterator[Office]:
    """An office of the test's own for `ksz-gateway users`, with a development PKI and an empty database."""
    with copied_office(databases, empty_office, tmp_path) as opened:
        yield opened


@pytest.fixture
def brewery(databases: Databases, first_brewery: Office, tmp_path: Path, quick_hashes: None) -> Iterator[Brewery]:
    """An office of the test's own with a brewery, its chief and an operator logged in."""
    with copied_office(databases, first_brewery, tmp_path / "brewery") as opened:
        yield find_brewery(opened)
