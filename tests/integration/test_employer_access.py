"""Who may act for an employer, by the register of employers alone: the employer itself."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from databases import Databases
from sqlalchemy import insert
from storage_world import World, open_world

from authz.employer_access import EmployerRelation, NamedEmployer, RelationKind
from authz.organisation import Organisation
from gateway.employer_access import OwnEmployerAccess
from gateway.storage.employer_tables import employers

BAKERY, BREWERY = Organisation(cbe_number="0999900150"), Organisation(cbe_number="0999900249")
TOWN = Organisation(cbe_number="0999900348")
NSSO, SECOND, GONE, PPO, NOBODY = ("0000000196", "0000000295", "0000000394", "0000000493", "0000000592")
TODAY = date(2026, 3, 10)
OWN = EmployerRelation(RelationKind.OWN)


def employer(registration: str, enterprise: str | None, register: str = "NSSO", deleted: date | None = None) -> Any:
    return {
        "registration_number": registration,
        "register": register,
        "enterprise_number": enterprise,
        "name": "An employer",
        "natural_person": False,
        "deletion_date": deleted,
        "document": {},
    }


@pytest.fixture
def world(databases: Databases, tmp_path: Path) -> Iterator[World]:
    with open_world(databases, tmp_path) as opened:
        with opened.database.write() as connection:
            connection.execute(
                insert(employers),
                [
                    employer(NSSO, BAKERY.cbe_number),
                    employer(SECOND, BAKERY.cbe_number),
                    employer(GONE, BREWERY.cbe_number, deleted=date(2026, 3, 10)),
                    employer(PPO, TOWN.cbe_number, "NSSO_PPO"),
                    employer(NOBODY, None),
                ],
            )
        yield opened


def find(world: World, acting: Organisation, day: date = TODAY, **named: str) -> EmployerRelation | None:
    return OwnEmployerAccess(world.database).find_relation(acting, NamedEmployer(**named), day)


@pytest.mark.parametrize(
    ("acting", "named"),
    [
        (BAKERY, {"enterprise_number": "0999900150"}),
        (BAKERY, {"nsso_registration_number": NSSO}),
        (BAKERY, {"nsso_registration_number": SECOND, "enterprise_number": "0999900150"}),
        (TOWN, {"nsso_ppo_registration_number": PPO}),
    ],
)
def test_an_employer_acts_for_itself_by_any_of_its_numbers(
    world: World, acting: Organisation, named: dict[str, str]
) -> None:
    assert find(world, acting, **named) == OWN


@pytest.mark.parametrize(
    ("acting", "named"),
    [
        (BREWERY, {"enterprise_number": "0999900150"}),
        (BREWERY, {"nsso_registration_number": NSSO}),
        (BREWERY, {"nsso_registration_number": NSSO, "enterprise_number": "0999900249"}),
        (BAKERY, {"nsso_registration_number": NSSO, "enterprise_number": "0999900249"}),
        (BAKERY, {"nsso_registration_number": GONE, "enterprise_number": "0999900150"}),
        (BAKERY, {"nsso_registration_number": NSSO, "nsso_ppo_registration_number": PPO}),
        (TOWN, {"nsso_registration_number": PPO}),
        (BAKERY, {"nsso_ppo_registration_number": NSSO}),
        (BAKERY, {"nsso_registration_number": NOBODY}),
        (BAKERY, {"nsso_registration_number": "0000000691"}),
        (Organisation(cbe_number="0999900447"), {"enterprise_number": "0999900447"}),
        (Organisation(sector=25, institution=0), {"nsso_registration_number": NOBODY}),
        (BAKERY, {}),
    ],
)
def test_nobody_acts_for_another_or_by_numbers_that_disagree(
    world: World, acting: Organisation, named: dict[str, str]
) -> None:
    assert find(world, acting, **named) is None


def test_an_employer_that_was_struck_off_acts_until_that_day(world: World) -> None:
    relation = find(world, BREWERY, nsso_registration_number=GONE)
    assert relation == EmployerRelation(RelationKind.OWN, end=date(2026, 3, 10))
    assert relation.holds_on(TODAY)
    assert find(world, BREWERY, day=date(2026, 3, 11), nsso_registration_number=GONE) is None
