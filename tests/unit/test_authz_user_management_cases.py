"""User Management by cases: fixtures/decisions/user_management/*.yaml, each with the rule of the seeds that it shows.

A case has the world (`world.yaml` and what is `given`), who gives which command, and the events that follow or the rule
that refuses. Every rule has a case that it allows and one that it refuses.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
import yaml
from user_management_world import (
    CASES,
    FakeUserManagement,
    make_actor,
    make_command,
    make_world,
    plain,
    read_world,
    resolve,
    take_step,
)

from authz.ssin import Environment
from authz.user_management.answer import Accepted, Refused
from authz.user_management.decision import CHECKS, RULES


def _cases() -> Iterator[Any]:
    for path in sorted((CASES / "user_management").glob("*.yaml")):
        family = yaml.safe_load(path.read_text("utf-8"))
        defaults = {key: value for key, value in family.items() if key != "cases"}
        for case in family.get("cases", ()):
            yield pytest.param(defaults | case, id=f"{path.stem}: {case['rule']}: {case['case']}")


ALL = list(_cases())


@cache
def _world() -> FakeUserManagement:
    return make_world()


def _event(given: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(given, str):
        return given, {}
    ((name, values),) = given.items()
    return name, resolve(values)


def _assert_agrees(values: Any, expected: Any) -> None:
    """Compare what the case names, and nothing else."""
    if isinstance(expected, Mapping):
        for key, each in expected.items():
            _assert_agrees(values[key], each)
    else:
        assert values == expected


@pytest.mark.parametrize("case", ALL)
def test_the_command_is_answered_as_its_rule_says(case: Mapping[str, Any]) -> None:
    world = _world().copy()
    number, now = resolve(case["account"]), case.get("now", read_world()["now"])
    for step in case.get("given", ()):
        take_step(world, step, resolve(step.get("account", number)), read_world()["now"])
    world.environment = Environment(case.get("environment", "test"))
    history = list(world.histories.get(number, ()))

    answer = world.give(number, make_command(case["do"]), make_actor(case["by"]), now)

    if "refused" in case:
        assert isinstance(answer, Refused), answer
        assert answer.rule.rule_id == case["refused"]
        assert world.histories.get(number, []) == history
        return
    assert isinstance(answer, Accepted), answer
    assert world.histories[number] == [*history, *answer.events]
    expected = [_event(each) for each in case["events"]]
    assert [type(event).__name__ for event in answer.events] == [name for name, _ in expected]
    for event, (_, values) in zip(answer.events, expected, strict=True):
        _assert_agrees(plain(event), values)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.rule_id)
def test_every_rule_has_a_case_that_it_allows_and_one_that_it_refuses(rule: Any) -> None:
    cases = [case.values[0] for case in ALL if case.values[0]["rule"] == rule.rule_id]
    assert any("events" in case for case in cases)
    assert any(case.get("refused") == rule.rule_id for case in cases)


def test_every_rule_is_asked_of_some_command_and_stands_in_the_table_once() -> None:
    ids = [rule.rule_id for rule in RULES]
    assert len(ids) == len(set(ids))
    asked = {rule.rule_id for rules in CHECKS.values() for rule in rules}
    assert asked | {"enterprise-known"} == set(ids)


def test_every_source_is_a_seed_or_says_that_it_is_ours() -> None:
    for rule in RULES:
        assert rule.source == "ours" or rule.source.startswith(("seed 000, ", "seed 001, ", "seed 002, "))
        assert rule.says.endswith((".", "-"))
