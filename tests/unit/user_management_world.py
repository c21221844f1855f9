"""User Management in memory: the fake of its ports, and the decision cases' world read into it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import yaml

from authz.ssin import Environment
from authz.user_management import commands
from authz.user_management.answer import Accepted, Refused
from authz.user_management.commands import Actor, Applicant, Member, Operator
from authz.user_management.decision import decide
from authz.user_management.events import Event, UserCreated, UserNameChosen
from authz.user_management.history import apply, fold
from authz.user_management.model import Contact, Enterprise, EnterpriseAccount, Means, Person, Signatory

CASES = Path(__file__).parents[2] / "fixtures" / "decisions"
NSSO = Operator("registration desk")
_SIGNATORY = {
    "person": {"name": "Baas", "first_name": "Bea", "national_number": "70621591059"},
    "capacity": "director",
}


@dataclass
class FakeUserManagement:
    """Every account in memory, with its history: implements `World` and `Accounts`."""

    environment: Environment = Environment.TEST
    accounts: dict[str, EnterpriseAccount] = field(default_factory=dict)
    histories: dict[str, list[Event]] = field(default_factory=dict)
    sender_numbers: int = 100_000

    def find_account(self, enterprise_number: str) -> EnterpriseAccount | None:
        return self.accounts.get(enterprise_number)

    def find_account_of(self, technical_id: str) -> EnterpriseAccount | None:
        held = (each for each in self.accounts.values() if technical_id in {*each.users, *each.technical_users})
        return next(held, None)

    def find_account_registered(self, nsso_number: str) -> EnterpriseAccount | None:
        for account in self.accounts.values():
            if nsso_number in (account.enterprise.nsso_number, account.enterprise.nsso_ppo_number):
                return account
        return None

    def find_enterprise(self, enterprise_number: str) -> Enterprise | None:
        account = self.accounts.get(enterprise_number)
        return account.enterprise if account else None

    def is_user_name_taken(self, user_name: str) -> bool:
        events = (event for history in self.histories.values() for event in history)
        names = {event.user.user_name for event in events if isinstance(event, UserCreated)}
        events = (event for history in self.histories.values() for event in history)
        names |= {event.user_name for event in events if isinstance(event, UserNameChosen)}
        return user_name.casefold() in {name.casefold() for name in names if name}

    def is_certificate_taken(self, fingerprint: str, sender_number: str | None) -> bool:
        return any(
            each.certificate.fingerprint == fingerprint and each.sender_number != sender_number
            for account in self.accounts.values()
            for each in account.technical_users.values()
        )

    def next_sender_number(self) -> str:
        return str(self.sender_numbers + sum(len(each.technical_users) for each in self.accounts.values()))

    def copy(self) -> "FakeUserManagement":
        """Return a world that starts from this one; accounts and events are values."""
        histories = {number: list(history) for number, history in self.histories.items()}
        return FakeUserManagement(self.environment, dict(self.accounts), histories, self.sender_numbers)

    def fold(self, enterprise_number: str) -> EnterpriseAccount | None:
        """Make the account anew from its history."""
        return fold(self.histories[enterprise_number])

    def give(self, enterprise_number: str, command: Any, actor: Actor, now: datetime) -> Accepted | Refused:
        """Decide and, if it is accepted, remember what happened."""
        answer = decide(self.accounts.get(enterprise_number), command, actor, self, now)
        if isinstance(answer, Accepted):
            for event in answer.events:
                account = apply(self.accounts.get(enterprise_number), event)
                self.accounts[enterprise_number] = account
                self.histories.setdefault(enterprise_number, []).append(event)
        return answer


@cache
def read_world() -> Mapping[str, Any]:
    """Return the document of the world."""
    document: Mapping[str, Any] = yaml.safe_load((CASES / "user_management" / "world.yaml").read_text("utf-8"))
    return document


def make_world() -> FakeUserManagement:
    """Build the world by commands, so that nothing is in it that could not come to be."""
    document, world = read_world(), FakeUserManagement()
    for given in document["accounts"]:
        _open_account(world, given, document["now"])
    for given in document["accounts"]:
        for step in given.get("given", ()):
            take_step(world, step, resolve(given["enterprise"]["number"]), document["now"])
    return world


def take_step(world: FakeUserManagement, step: Mapping[str, Any], number: str, now: datetime) -> None:
    """Give a command that must be accepted."""
    answer = world.give(number, make_command(step["do"]), make_actor(step["by"]), step.get("now", now))
    assert isinstance(answer, Accepted), (step, answer)


def _open_account(world: FakeUserManagement, given: Mapping[str, Any], now: datetime) -> None:
    enterprise = build(Enterprise, resolve(given["enterprise"]))
    steps: list[tuple[Any, Actor]] = [(commands.RegisterEnterprise(enterprise), NSSO)]
    if "chief" in given:
        ticket, chief = f"{enterprise.number}-A1", f"{enterprise.number}-U2"
        manager = build(Person, given["chief"])
        means = Means.EID if manager.national_number else Means.PASSWORD
        request = commands.RequestAppointment(
            manager,
            commands.Capacity.MANAGER,
            Contact("manager@example.test", "+32470000000"),
            build(Signatory, _SIGNATORY),
        )
        member = Member(enterprise.number, chief, means)
        steps += [
            (request, Applicant(None, Means.EID)),
            (commands.ReceiveOriginal(ticket, commands.Medium.ORIGINAL, now.date()), NSSO),
            (commands.ApproveAppointment(ticket), NSSO),
            (commands.Activate(), member),
        ]
        if means is Means.PASSWORD:
            steps.append((commands.ChangeOwnPassword("own-choice-12"), member))
        steps += [(commands.ActivateQuality(commands.Quality(each)), member) for each in given["activate"]]
    for command, actor in steps:
        answer = world.give(enterprise.number, command, actor, now)
        assert isinstance(answer, Accepted), (command, answer)


def make_actor(given: Any) -> Actor:
    """Read `operator`, `applicant`, or the user id and means of a member."""
    if given == "operator":
        return NSSO
    if given == "applicant":
        return Applicant(None, Means.EID)
    user_id, means = resolve(given)
    return Member(user_id.split("-")[0], user_id, Means(means))


def make_command(given: Mapping[str, Any]) -> Any:
    """Read `{Command: {field: value}}`."""
    ((name, values),) = given.items()
    return build(getattr(commands, name), resolve(values))


def resolve(value: Any) -> Any:
    """Put the value of its name for each `$name`."""
    if isinstance(value, str) and value.startswith("$"):
        return read_world()["names"][value[1:]]
    if isinstance(value, Mapping):
        return {key: resolve(each) for key, each in value.items()}
    return [resolve(each) for each in value] if isinstance(value, list) else value


def build(kind: Any, value: Any) -> Any:
    """Make a value of a type from what YAML gives."""
    if get_origin(kind) is UnionType:
        kinds = [each for each in get_args(kind) if each is not NoneType]
        return None if value is None else build(kinds[0], value)
    if get_origin(kind) in (frozenset, tuple):
        return get_origin(kind)(build(get_args(kind)[0], each) for each in value)
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{name: build(hints[name], each) for name, each in value.items()})  # type: ignore[operator]
    return kind(value) if isinstance(kind, type) and issubclass(kind, Enum) else value


def plain(value: Any) -> Any:
    """Return a value as YAML would give it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, frozenset):
        return sorted(plain(each) for each in value)
    return value.value if isinstance(value, Enum) else value
