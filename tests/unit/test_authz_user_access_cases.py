"""Access of users to entities by cases: fixtures/decisions/user_access/*.yaml, in the world of User Management."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any

import pytest
import yaml

from authz.employer_access import NamedEmployer, RelationKind
from authz.user_management.access import Access, AccessPath, NoAccess, NoAccessReason, check_access
from authz.user_management.relation import may_act
from tests.unit.user_management_world import (
    CASES,
    FakeUserManagement,
    build,
    make_world,
    plain,
    read_world,
    resolve,
    take_step,
)

TODAY = date(2026, 2, 10)


def _cases() -> Iterator[Any]:
    for path in sorted((CASES / "user_access").glob("*.yaml")):
        family = yaml.safe_load(path.read_text("utf-8"))
        defaults = {key: value for key, value in family.items() if key != "cases"}
        for case in family["cases"]:
            yield pytest.param(defaults | case, id=f"{path.stem}: {case['case']}")


ALL = list(_cases())


@cache
def _world() -> FakeUserManagement:
    return make_world()


def make_case_world(case: Mapping[str, Any]) -> FakeUserManagement:
    """Return the world of a case: the common one, after what the case says happened."""
    world = _world().copy()
    for step in case.get("given", ()):
        take_step(world, step, resolve(step["account"]), read_world()["now"])
    return world


@pytest.mark.parametrize("case", ALL)
def test_the_first_reason_or_the_path_is_told(case: Mapping[str, Any]) -> None:
    world = make_case_world(case)
    entity, day = build(NamedEmployer, resolve(case["entity"])), case.get("day", TODAY)

    answer = check_access(resolve(case["user"]), entity, case["application"], day, world)

    if "reason" in case:
        assert answer == NoAccess(NoAccessReason(case["reason"]))
        return
    assert isinstance(answer, Access), answer
    assert answer.path is AccessPath(case["access"])
    assert answer.relation.holds_on(day)
    relation = plain(answer.relation)
    assert {key: relation[key] for key in case.get("relation", {})} == case.get("relation", {})


def test_every_reason_and_every_path_has_a_case() -> None:
    cases = [case.values[0] for case in ALL]
    assert {case["reason"] for case in cases if "reason" in case} == set(NoAccessReason)
    assert {case["access"] for case in cases if "access" in case} == set(AccessPath)


@pytest.mark.parametrize(
    ("acting", "application", "day", "kind"),
    [
        ("bakery", "dimona", TODAY, RelationKind.OWN),
        ("secretariat", "dimona", TODAY, RelationKind.RECOGNISED_SECRETARIAT),
        ("secretariat", "dimona", date(2024, 3, 14), None),
        ("office", "dmfa", TODAY, RelationKind.MANDATARY),
        ("office", "dmfa", date(2027, 1, 1), None),
        ("office", "dimona", TODAY, None),
        ("rival", "dmfa", TODAY, None),
    ],
)
def test_an_enterprise_may_act_for_an_employer_as_itself_its_secretariat_or_its_mandatary(
    acting: str, application: str, day: date, kind: RelationKind | None
) -> None:
    relation = may_act(resolve(f"${acting}"), NamedEmployer("0998000019"), application, day, _world())
    assert (relation and relation.kind) == kind


def test_nobody_may_act_for_an_employer_that_was_struck_off_or_that_nobody_knows() -> None:
    gone = NamedEmployer(enterprise_number=resolve("$gone"))
    assert may_act(resolve("$gone"), gone, "dimona", date(2025, 12, 31), _world()) is not None
    assert may_act(resolve("$gone"), gone, "dimona", date(2026, 1, 1), _world()) is None
    assert may_act(resolve("$bakery"), NamedEmployer(), "dimona", TODAY, _world()) is None
    assert may_act("0999808001", gone, "dimona", date(2025, 12, 31), _world()) is None
