"""User Management beside its rules: the catalogue of applications, the history, the search, working days."""

from datetime import date, datetime
from functools import cache

import pytest
from user_management_world import NSSO, FakeUserManagement, make_actor, make_world, read_world, resolve

from authz.user_management import commands
from authz.user_management.answer import Refused
from authz.user_management.applications import AccessClass, Audience, load_applications, load_stts_profiles
from authz.user_management.commands import Member
from authz.user_management.decision import CHECKS, decide
from authz.user_management.effects import EFFECTS
from authz.user_management.events import EnterpriseRegistered, UserBlocked
from authz.user_management.history import EVENTS, BrokenHistory, apply, fold
from authz.user_management.model import Means, PasswordState, Quality, SttsProfile, User
from authz.user_management.search import UserSearch, find_users
from authz.user_management.working_days import add_working_days

BAKERY = resolve("$bakery")


@cache
def _world() -> FakeUserManagement:
    return make_world()


def _found(search: UserSearch, by: tuple[str, str] = ("$cato", "eid")) -> list[str] | str:
    actor = make_actor(list(by))
    assert isinstance(actor, Member)
    found = find_users(_world().accounts[BAKERY], search, actor, _world(), read_world()["now"])
    return found.rule.rule_id if isinstance(found, Refused) else [user.person.first_name for user in found]


# Seed 000, Inleiding: the three lists, and what is for enterprises too.
@pytest.mark.parametrize(
    ("access", "audience", "names"),
    [
        (
            AccessClass.FREE,
            Audience.EMPLOYERS,
            {"dimona", "posting-requests", "work-reports", "withholding-30bis", "employer-repertory"},
        ),
        (
            AccessClass.PASSWORD,
            Audience.EMPLOYERS,
            {
                "personnel-file",
                "dmfa",
                "change-proposals",
                "social-risks",
                "work-reports-consultation",
                "temporary-unemployment",
                "holiday-file",
                "employer-repertory-secured",
            },
        ),
        (AccessClass.CERTIFICATE, Audience.EMPLOYERS, {"direct-change", "file-transfer"}),
        (AccessClass.PASSWORD, Audience.ENTERPRISES, {"starters-declaration", "cbe-private-data", "e-box"}),
        (AccessClass.PASSWORD, Audience.OPERATORS, {"stts"}),
    ],
)
def test_the_lists_of_seed_000_are_the_catalogue(access: AccessClass, audience: Audience, names: set[str]) -> None:
    found = {name for name, each in load_applications().items() if (each.access, each.audience) == (access, audience)}
    assert found == names


def test_every_user_has_the_e_box_and_nothing_else_without_a_grant() -> None:
    e_box = load_applications()["e-box"]
    assert [name for name, each in load_applications().items() if each.everyone] == ["e-box"]
    assert e_box.qualities == frozenset(Quality)


# Seed 001, Gebruikersprofielen voor de STTS-toepassingen.
def test_each_stts_profile_adds_to_the_one_before() -> None:
    profiles = load_stts_profiles()
    first, second, third = (profiles[each].functions for each in SttsProfile)
    assert first == {"request", "transfer", "change", "look_up"}
    assert second - first == {"stop"}
    assert third - second == {"cancel_action", "handle_operator_tasks"}
    assert first < second < third


def test_every_command_has_its_checks_and_its_effect() -> None:
    kinds = set(commands.Command.__args__)
    assert set(CHECKS) == set(EFFECTS) == kinds


# Seed 001, Gebruikers opzoeken.
def test_users_are_found_by_name_number_blocked_state_and_application() -> None:
    assert _found(UserSearch(name="EVER")) == ["Eva"]
    assert _found(UserSearch(name="greet")) == ["Greet"]
    assert _found(UserSearch(national_number="62631590203")) == ["Cato"]
    assert _found(UserSearch(blocked=True)) == ["Filip"]
    assert _found(UserSearch(application="dmfa")) == ["Eva", "Filip", "Greet"]
    assert _found(UserSearch(application="dmfa", blocked=False)) == ["Eva", "Greet"]


@pytest.mark.parametrize(
    "search", [{"name": "ever"}, {"national_number": "62631590203"}, {"blocked": True}, {"application": "dmfa"}]
)
def test_the_complement_is_everybody_who_does_not_answer_the_criterion(search: dict[str, object]) -> None:
    everybody = set(_found(UserSearch()))
    found = set(_found(UserSearch(**search)))  # type: ignore[arg-type]
    others = set(_found(UserSearch(**search, complement=True)))  # type: ignore[arg-type]
    assert found
    assert others
    assert found | others == everybody
    assert not found & others


def test_a_search_shows_a_manager_the_users_that_it_manages_and_a_user_nobody() -> None:
    assert _found(UserSearch(), ("$cato", "eid")) == ["Cato", "Dirk", "Eva", "Filip", "Greet"]
    assert _found(UserSearch(), ("$anna", "eid")) == ["Anna", "Bart", "Cato", "Dirk", "Eva", "Filip", "Greet"]
    assert _found(UserSearch(), ("$eva", "eid")) == "manages-quality"
    assert _found(UserSearch(), ("$hugo", "eid")) == "own-enterprise"
    assert _found(UserSearch(), ("$filip", "eid")) == "blocked-cannot-log-in"


# Seed 002, Een nieuw wachtwoord aanmaken: given passwords and own ones.
def test_a_password_that_was_given_becomes_its_users_own_by_the_change() -> None:
    world = _world().copy()
    eva = resolve("$eva")
    assert world.accounts[BAKERY].users[eva].password is PasswordState.GIVEN
    world.give(
        BAKERY,
        commands.ChangeOwnPassword("eigen-keuze-7"),
        Member(BAKERY, eva, Means.PASSWORD),
        read_world()["now"],
    )
    assert world.accounts[BAKERY].users[eva].password is PasswordState.OWN


# Seed 001, Hoe verandert u van lokale beheerder?
def test_a_new_manager_takes_the_place_of_the_former_and_its_helpers_stay() -> None:
    world = _world().copy()
    former = world.accounts[BAKERY]
    ticket = f"{BAKERY}-A{former.given + 1}"
    now = read_world()["now"]
    appointment = former.appointments[f"{BAKERY}-A1"]
    for command in (
        commands.RequestAppointment(
            appointment.manager, appointment.capacity, appointment.contact, appointment.signatory, replace=True
        ),
        commands.ReceiveOriginal(ticket, commands.Medium.ORIGINAL, now.date()),
        commands.ApproveAppointment(ticket),
    ):
        world.give(BAKERY, command, NSSO, now)
    account = world.accounts[BAKERY]
    assert account.chief not in (None, former.chief)
    assert former.chief not in account.users
    assert (account.co_chief, account.qualities) == (former.co_chief, former.qualities)
    assert account.activated
    assert not account.users[str(account.chief)].activated


def test_a_history_begins_with_the_opening_of_its_account_and_opens_it_once() -> None:
    opened = EnterpriseRegistered(_world().accounts[BAKERY].enterprise)
    assert fold(()) is None
    with pytest.raises(BrokenHistory):
        fold([UserBlocked("0999807011-U2")])
    with pytest.raises(BrokenHistory):
        fold([opened, opened])


def test_every_kind_of_event_has_a_name_and_is_applied() -> None:
    happened = {type(event).__name__ for history in _world().histories.values() for event in history}
    assert happened <= set(EVENTS)
    assert all(EVENTS[name].__name__ == name for name in EVENTS)


def test_applying_an_event_leaves_the_account_before_it_as_it_was() -> None:
    before = _world().accounts[BAKERY]
    eva = resolve("$eva")
    after = apply(before, UserBlocked(eva))
    assert after.users[eva].blocked
    assert not before.users[eva].blocked
    with pytest.raises(TypeError):
        after.users[eva] = before.users[eva]  # type: ignore[index]


def test_no_national_number_password_or_name_stands_in_a_repr() -> None:
    shown = repr(_world().accounts) + repr(_world().histories)
    for user in (user for account in _world().accounts.values() for user in account.users.values()):
        assert isinstance(user, User)
        assert user.person.national_number is None or user.person.national_number not in shown
        assert user.person.first_name not in shown
    assert "broodje-01" not in repr(commands.SetUserPassword("0999807011-U6", "broodje-01"))


def test_a_time_without_zone_decides_nothing() -> None:
    world = _world()
    with pytest.raises(ValueError, match="time zone"):
        decide(
            world.accounts[BAKERY],
            commands.Activate(),
            make_actor(["$eva", "eid"]),
            world,
            datetime(2026, 2, 10),  # noqa: DTZ001
        )


# Seed 001, Hoe duidt u een lokale beheerder aan?: within five working days.
@pytest.mark.parametrize(
    ("received", "due"),
    [
        (date(2026, 2, 10), date(2026, 2, 17)),
        (date(2026, 2, 13), date(2026, 2, 20)),
        (date(2026, 2, 14), date(2026, 2, 20)),
        (date(2026, 4, 1), date(2026, 4, 9)),
        (date(2026, 12, 28), date(2027, 1, 5)),
    ],
)
def test_five_working_days_leave_out_weekends_and_public_holidays(received: date, due: date) -> None:
    assert add_working_days(received, 5) == due
