"""Random sequences of commands: the history is the account, and what the rules promise always holds."""

from dataclasses import replace
from datetime import date
from functools import cache
from itertools import combinations
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from user_management_world import NSSO, FakeUserManagement, make_world, read_world, resolve

from authz.user_management import commands as c
from authz.user_management.applications import STTS
from authz.user_management.model import (
    Capacity,
    Certificate,
    CertificateKind,
    Channel,
    Contact,
    EnterpriseAccount,
    Means,
    Medium,
    Person,
    Quality,
    Signatory,
    SttsProfile,
)
from authz.user_management.providers import affiliation_days, mandate_days, overlap
from authz.user_management.rules.appointment import UNDER_DIRECT_AUTHORITY

BAKERY = resolve("$bakery")
TODAY = date(2026, 2, 10)
SECRET = "geheim-wachtwoord-0"  # noqa: S105
NUMBERS = ("60611590046", "61621590173", "62631590203", "75671591597", "74661591470")
PROVIDERS = tuple(resolve(f"${name}") for name in ("office", "rival", "secretariat"))

persons = st.builds(Person, st.just("Naam"), st.just("Voornaam"), st.sampled_from(NUMBERS))
user_ids = st.sampled_from([f"{BAKERY}-U{number}" for number in (*range(2, 9), 10, 11)])
identifications = st.integers(9, 12)
qualities = st.sampled_from((Quality.EMPLOYER, Quality.EMPLOYER, Quality.ENTERPRISE, Quality.TELECOM_OPERATOR))
capacities = st.sampled_from((Capacity.EMPLOYEE, Capacity.PARTNER, Capacity.THIRD_PARTY))
names = st.sampled_from(("anna.aerts", "bart.baert", "eva.evers", "cato.claes", "nieuw.naam"))
applications = st.sampled_from([frozenset(each) for each in ((), ("dmfa",), ("starters-declaration",), (STTS,))])
profiles = st.sampled_from((None, None, None, *SttsProfile))
quarters = st.sampled_from(("2025Q1", "2025Q2", "2026Q4", "2027Q1"))
days = st.dates(date(2025, 1, 1), date(2027, 12, 31))
groups = st.sampled_from(("declarations", "holidays"))
signatories = st.just(Signatory(Person("Baas", "Bea", "70621591059"), Capacity.DIRECTOR))
certificates = st.builds(
    Certificate, st.sampled_from(("aa", "bb")), st.just(CertificateKind.EID_SIGNATURE), st.just(date(2027, 1, 1))
)
nothing = st.none()
tickets = st.just("newest")
mandates = st.builds(f"{BAKERY}-M{{}}".format, identifications)

by_member = st.one_of(
    st.builds(c.Activate),
    st.builds(c.ChooseUserName, names),
    st.builds(c.ActivateQuality, qualities),
    st.builds(c.AppointCoChief, nothing | user_ids),
    st.builds(c.AppointAccessManager, qualities, nothing | user_ids),
    st.builds(c.AppointCoAccessManager, qualities, nothing | user_ids),
    st.builds(
        c.CreateUser,
        persons,
        qualities,
        capacities,
        user_name=nothing | names,
        password=st.sampled_from((None, SECRET)),
        applications=applications,
        stts_profile=profiles,
    ),
    st.builds(c.ChangeUser, user_ids, capacity=nothing | capacities, user_name=nothing | names),
    st.builds(c.GrantApplications, user_ids, applications, profiles),
    st.builds(c.WithdrawApplications, user_ids, applications),
    st.builds(c.BlockUser, user_ids),
    st.builds(c.UnblockUser, user_ids),
    st.builds(c.DeleteUser, user_ids, st.just(True)),
    st.builds(c.SetUserPassword, user_ids, st.just(SECRET)),
    st.builds(c.ResetOwnPassword, st.just(SECRET)),
    st.builds(c.SwitchPasswordLogin, st.booleans()),
    st.builds(
        c.ConfigureTechnicalUser,
        qualities,
        st.just("desk"),
        st.sampled_from(Channel),
        certificates,
        st.just(frozenset({"dmfa"})),
    ),
    st.builds(
        c.RegisterMandate, st.sampled_from(PROVIDERS), groups, quarters, nothing | quarters, agreement=st.just(True)
    ),
    st.builds(c.EndMandate, mandates, days),
)
by_operator = st.one_of(
    st.builds(c.ReceiveOriginal, tickets, st.sampled_from((Medium.ORIGINAL, Medium.FAX)), st.just(TODAY)),
    st.builds(c.ApproveAppointment, tickets),
    st.builds(c.ActivateMandate, mandates),
    st.builds(c.RecordAffiliation, st.sampled_from(PROVIDERS), days, nothing | days),
    st.builds(c.EndAffiliation, st.just(PROVIDERS[2]), st.just(date(2024, 3, 15)), days),
)
requests = st.builds(
    c.RequestAppointment, persons, capacities, st.just(Contact("rita@example.test")), signatories, st.booleans()
)
members = st.builds(c.Member, st.just(BAKERY), user_ids, st.sampled_from(Means))
managers = st.sampled_from([c.Member(BAKERY, f"{BAKERY}-U{number}", Means.EID) for number in (2, 2, 3, 4)])
steps = st.lists(
    st.one_of(
        st.tuples(by_member, managers),
        st.tuples(by_member, members),
        st.tuples(by_operator, st.just(NSSO)),
        st.tuples(requests, members),
    ),
    min_size=10,
    max_size=40,
)


@cache
def _world() -> FakeUserManagement:
    return make_world()


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_what_the_rules_promise_holds_after_any_commands(taken: list[tuple[Any, Any]]) -> None:
    world = _world().copy()
    given_names: dict[str, str] = {}
    seen = set(world.accounts[BAKERY].users)
    for command, actor in taken:
        before = world.accounts[BAKERY]
        if getattr(command, "ticket", None) == "newest":
            command = replace(command, ticket=list(before.appointments)[-1])
        world.give(BAKERY, command, actor, read_world()["now"])
        account = world.accounts[BAKERY]

        _assert_sound(account)
        new = set(account.users) - set(before.users)
        assert not new & seen
        seen |= new
        for user in account.users.values():
            if user.user_name is not None:
                assert given_names.setdefault(user.user_id, user.user_name) == user.user_name
        taken_names = [name.casefold() for name in given_names.values()]
        assert len(taken_names) == len(set(taken_names))
    assert SECRET not in repr(world.histories[BAKERY])
    assert world.fold(BAKERY) == world.accounts[BAKERY]


def _assert_sound(account: EnterpriseAccount) -> None:
    assert set(account.holders()) <= set(account.users)
    assert account.chief is not None
    assert account.chief != account.co_chief
    assert set(account.qualities) <= account.enterprise.qualities
    for quality, roles in account.qualities.items():
        assert roles.co_manager is None or roles.co_manager != account.manager_of(quality)
    for user in account.users.values():
        assert user.capacity in UNDER_DIRECT_AUTHORITY
        assert (STTS in user.applications) == (user.stts_profile is not None)
    for one, other in combinations(account.mandates.values(), 2):
        if one.mandatary != other.mandatary or one.application_group == other.application_group:
            assert not overlap(mandate_days(one), mandate_days(other))
    for former, latter in combinations(account.affiliations, 2):
        assert not overlap(affiliation_days(former), affiliation_days(latter))
    held = [each.certificate.fingerprint for each in account.technical_users.values()]
    assert len(held) == len(set(held))
