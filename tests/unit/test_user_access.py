"""User Management as services ask it: what the rules answer about its accounts, in the words of the port."""

import sqlite3
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from user_management_world import FakeUserManagement, make_world, read_world

from authz.user_management import access
from authz.user_management.model import Affiliation
from gateway.sources.user_access import ManagedUserAccess
from services.consultation import SourceUnavailable
from services.employer import EmployerReference, Register
from services.employer_repertory.natural_persons import APPLICATION, REMEDIES
from services.user_access import AccessGiven, AccessPath, AccessQuestion, AccessRefused, Mandate, NoAccessReason

DAY = date(2026, 2, 10)
NAMES = read_world()["names"]
BAKERY = EmployerReference(Register.NSSO, "0998000019", NAMES["bakery"])


@cache
def accounts() -> FakeUserManagement:
    return make_world()


def check(
    user: str, employer: EmployerReference = BAKERY, day: date = DAY, **changed: Any
) -> AccessGiven | AccessRefused:
    world = accounts()
    if changed:
        bakery = world.accounts[NAMES["bakery"]]
        world = replace(world, accounts=world.accounts | {NAMES["bakery"]: replace(bakery, **changed)})
    return ManagedUserAccess(world).check_access(AccessQuestion(user, employer, APPLICATION, day))


def test_the_manager_of_the_employer_reaches_it() -> None:
    assert check(NAMES["anna"]) == AccessGiven(AccessPath.MANAGER)


def test_the_manager_of_another_enterprise_does_not() -> None:
    """Nor does one whose enterprise has provider's users: without mandate or affiliation there is no way."""
    for user in ("hugo", "luc", "nico", "john"):
        assert isinstance(check(NAMES[user]), AccessRefused)


def test_a_user_of_the_recognised_secretariat_reaches_the_affiliated_employer_while_it_is_affiliated() -> None:
    affiliation = Affiliation(NAMES["secretariat"], date(2026, 1, 1), date(2026, 3, 31))
    assert check(NAMES["jan"], affiliations=(affiliation,)) == AccessGiven(
        AccessPath.RECOGNISED_SOCIAL_SECRETARIAT,
        Mandate(NAMES["secretariat"], date(2026, 1, 1), date(2026, 3, 31)),
    )
    assert check(NAMES["jan"], affiliations=()) == AccessRefused(NoAccessReason.NO_MANDATE)
    ended = check(NAMES["jan"], day=date(2026, 4, 1), affiliations=(affiliation,))
    assert ended == AccessRefused(NoAccessReason.MANDATE_ENDED)


def test_an_unknown_user_reaches_nobody() -> None:
    assert check("0999807011-U99") == AccessRefused(NoAccessReason.USER_UNKNOWN)


def test_every_number_must_be_that_of_the_same_employer() -> None:
    other = replace(BAKERY, enterprise_number=NAMES["shop"])
    assert isinstance(check(NAMES["anna"], other), AccessRefused)
    local = replace(BAKERY, register=Register.NSSO_PPO)
    assert isinstance(check(NAMES["anna"], local), AccessRefused)
    assert isinstance(check(NAMES["anna"], EmployerReference(enterprise_number=NAMES["bakery"])), AccessGiven)


def test_the_reasons_and_paths_are_those_of_the_rules() -> None:
    assert {each.value for each in NoAccessReason} == {each.value for each in access.NoAccessReason}
    assert {each.value for each in AccessPath} == {each.value for each in access.AccessPath}


@pytest.mark.parametrize("reason", NoAccessReason)
def test_every_reason_says_what_to_mend_in_what_a_reply_can_hold(reason: NoAccessReason) -> None:
    assert 0 < len(REMEDIES[reason]) <= 256


class AccountsAway(FakeUserManagement):
    """Accounts whose database does not answer."""

    def find_account_of(self, technical_id: str) -> Any:
        raise OperationalError("SELECT", {"of": technical_id}, sqlite3.OperationalError("gone"))


def test_accounts_that_cannot_be_read_are_a_source_that_cannot_be_asked() -> None:
    with pytest.raises(SourceUnavailable):
        ManagedUserAccess(AccountsAway()).check_access(AccessQuestion(NAMES["anna"], BAKERY, APPLICATION, DAY))
