"""The generator of attestations: the same ones for the same seed, well numbered, each chain linked, nobody's."""

from itertools import islice

import pytest

from authz.enterprise import has_valid_cbe_check_digits
from authz.ssin import has_valid_check_digits, is_synthetic
from fixtures.attestations import EMPLOYERS, generate_workers, make_employer
from fixtures.dmfa_personas import SEED, demo_rows, load_personas
from fixtures.persons import NUMBERS, generate
from fixtures.world import load_all_personas
from services.employer_numbers import has_valid_nsso_check_digits

WORKERS = list(generate_workers(5, 200))


def test_workers_depend_on_nothing_but_seed_and_index() -> None:
    assert list(generate_workers(5, 50)) == WORKERS[:50]
    assert list(generate_workers(6, 50)) != WORKERS[:50]


def test_workers_have_numbers_of_their_own_that_are_nobodys() -> None:
    numbers = [worker.person.ssin for worker in WORKERS]
    assert len(set(numbers)) == len(numbers)
    assert all(has_valid_check_digits(number) and is_synthetic(number) for number in numbers)
    assert not set(numbers) & {person.ssin for person in generate(5, 2000)}


def test_every_version_has_a_place_of_its_own_and_is_linked_to_its_neighbours() -> None:
    attestations = [each for worker in WORKERS for each in worker.attestations]
    versions = {(each.position.attestation_id, each.position.version): each for each in attestations}
    assert len(versions) == len(attestations)
    for each in attestations:
        number, version = each.position.attestation_id, each.position.version
        assert each.next_version == (version + 1 if (number, version + 1) in versions else None)
        assert each.previous_version == (version - 1 if version > 1 else None)
        assert (each.status == "CREATION") == (version == 1)
    for worker in WORKERS:
        assert list(worker.attestations) == sorted(worker.attestations, key=lambda each: each.position)


def test_employers_have_valid_numbers_that_differ() -> None:
    employers = [make_employer(number) for number in range(EMPLOYERS)]
    assert all(has_valid_nsso_check_digits(each.nsso_number) for each in employers)
    assert all(has_valid_cbe_check_digits(each.enterprise_number) for each in employers)
    assert (
        len({each.nsso_number for each in employers})
        == len({each.enterprise_number for each in employers})
        == EMPLOYERS
    )


def test_any_number_of_workers_streams_and_no_more_than_there_are() -> None:
    assert len(list(islice(generate_workers(5, NUMBERS // 2), 10))) == 10
    with pytest.raises(ValueError, match="SSIN of their own"):
        next(generate_workers(5, NUMBERS))


def test_personas_of_all_services_are_different_persons() -> None:
    personas = load_all_personas()
    assert len({persona.ssin for persona in personas}) == len({persona.name for persona in personas}) == len(personas)
    malformed = [persona.name for persona in load_personas() if not has_valid_check_digits(persona.ssin)]
    assert malformed == ["worker-malformed"]
    assert all(is_synthetic(persona.ssin) for persona in personas)


def test_numbers_that_nobody_has_are_not_loaded() -> None:
    loaded = {person.ssin for person in demo_rows().persons}
    assert {persona.name for persona in load_personas() if persona.ssin not in loaded} == {
        "worker-nobody",
        "worker-malformed",
    }
    assert {each.ssin for each in demo_rows().attestations} <= loaded
    assert SEED != 264
