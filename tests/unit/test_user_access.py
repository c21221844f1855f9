"""Who may reach an employer who is a natural person: User Management's answer in the words of the repertory."""

import sqlite3
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from user_management_world import FakeUserManagement, make_world, read_world

from authz.user_management.access import NoAccessReason
from authz.user_management.model import Affiliation
from gateway.user_access import REMEDIES, ManagedUserAccess
from services.consultation import SourceUnavailable
from services.employer import EmployerReference, Register
from services.employer_repertory.natural_persons import APPLICATION

DAY = date(2026, 2, 10)
NAMES = read_world()["names"]
BAKERY = EmployerReference(Register.NSSO, "0998000019", NAMES["bakery"])


@cache
def accounts() -> FakeUserManagement:
    return make_world()


def check(user: str, employer: EmployerReference = BAKERY, day: date = DAY, **changed: Any) -> tuple[bool, str]:
    world = accounts()
    if changed:
        bakery = world.accounts[NAMES["bakery"]]
        world = replace(world, accounts=world.accounts | {NAMES["bakery"]: replace(bakery, **changed)})
    access = ManagedUserAccess(world).check_access(user, employer, APPLICATION, day)
    return access.granted, access.reason


def test_the_manager_of_the_employer_reaches_it() -> None:
    assert check(NAMES["anna"]) == (True, f"manager of {NAMES['bakery']}")


def test_the_manager_of_another_enterprise_does_not() -> None:
    """Nor does one whose enterprise has provider's users: without mandate or affiliation there is no way."""
    for user in ("hugo", "luc", "nico", "john"):
        granted, reason = check(NAMES[user])
        assert not granted
        assert reason in REMEDIES.values()


def test_a_user_of_the_recognised_secretariat_reaches_the_affiliated_employer_while_it_is_affiliated() -> None:
    affiliation = Affiliation(NAMES["secretariat"], date(2026, 1, 1), date(2026, 3, 31))
    granted, reason = check(NAMES["jan"], affiliations=(affiliation,))
    assert granted
    assert reason.startswith(f"recognised social secretariat of {NAMES['secretariat']} by ")
    assert check(NAMES["jan"], affiliations=()) == (False, REMEDIES[NoAccessReason.NO_MANDATE])
    ended = check(NAMES["jan"], day=date(2026, 4, 1), affiliations=(affiliation,))
    assert ended == (False, REMEDIES[NoAccessReason.MANDATE_ENDED])


def test_an_unknown_user_reaches_nobody() -> None:
    assert check("0999807011-U99") == (False, REMEDIES[NoAccessReason.USER_UNKNOWN])


def test_every_number_must_be_that_of_the_same_employer() -> None:
    other = replace(BAKERY, enterprise_number=NAMES["shop"])
    assert not check(NAMES["anna"], other)[0]
    local = replace(BAKERY, register=Register.NSSO_PPO)
    assert not check(NAMES["anna"], local)[0]
    assert check(NAMES["anna"], EmployerReference(enterprise_number=NAMES["bakery"]))[0]


@pytest.mark.parametrize("reason", NoAccessReason)
def test_every_reason_says_what_to_mend_in_what_a_reply_can_hold(reason: NoAccessReason) -> None:
    assert 0 < len(REMEDIES[reason]) <= 256


class AccountsAway(FakeUserManagement):
    """Accounts whose database does not answer."""

    def find_account_of(self, technical_id: str) -> Any:
        raise OperationalError("SELECT", {"of": technical_id}, sqlite3.OperationalError("gone"))


def test_accounts_that_cannot_be_read_are_a_source_that_cannot_be_asked() -> None:
    with pytest.raises(SourceUnavailable):
        ManagedUserAccess(AccountsAway()).check_access(NAMES["anna"], BAKERY, APPLICATION, DAY)
