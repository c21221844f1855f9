"""The demo world of Dimona: its workers are synthetic, and its periods follow from what was declared."""

from authz.ssin import is_synthetic
from fixtures import dmfa_personas, personas
from fixtures.dimona_world import load_world
from services.dimona.declaration import Action
from services.dimona.personnel_file import fold

WORLD = load_world()


def test_periods_are_what_the_declarations_fold_into() -> None:
    assert fold(WORLD.declarations) == {period.period_id: period for period in WORLD.periods.values()}


def test_workers_are_synthetic_and_nobody_elses() -> None:
    ssins = [worker.ssin for worker in WORLD.workers.values()]
    assert len(set(ssins)) == len(ssins)
    assert all(is_synthetic(ssin) for ssin in ssins)
    others = {person.ssin for world in (dmfa_personas, personas) for person in world.demo_rows().persons}
    assert not others & set(ssins)


def test_the_world_shows_what_a_file_can_hold() -> None:
    periods = WORLD.periods.values()
    assert {declaration.declaration.action for declaration in WORLD.declarations} == set(Action)
    assert any(period.late for period in periods)
    assert any(period.cancelled for period in periods)
    assert any(period.locked and not period.cancelled for period in periods)
    assert any(period.features.using_company for period in periods)
    assert {period.features.occupation_form for period in periods} >= {"HOURS", "DAY", "WRITTEN_CONTRACT"}
    names = [(worker.name, worker.first_name, worker.birth_date) for worker in WORLD.workers.values()]
    assert len(set(names)) < len(names)
