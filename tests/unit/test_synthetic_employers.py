"""The synthetic register of employers: enough of them, of every kind, with numbers that are nobody's."""

from collections import Counter

import pytest

from authz.enterprise import has_valid_cbe_check_digits
from authz.ssin import has_valid_check_digits, is_synthetic
from fixtures.attestations import EMPLOYERS, make_employer
from fixtures.employers import get_employer, load_employers
from fixtures.world import load_all_personas
from services.employer import Register
from services.employer_numbers import has_valid_nsso_check_digits

NAMED = (
    "brewery",
    "bakery",
    "municipality",
    "temp-agency",
    "shop",
    "university",
    "secretariat",
    "accountant",
    "telecom",
    "architect",
)


def test_there_are_employers_of_every_kind() -> None:
    employers = load_employers()
    assert len(employers) >= 30
    assert sum(employer.natural_person for employer in employers) >= 5
    assert {employer.register for employer in employers} == set(Register)
    assert {employer.document["employerType"] for employer in employers} == {"1", "2", "3"}
    assert any(employer.deletion_date for employer in employers)
    assert {employer.key for employer in employers} >= set(NAMED)


def test_one_enterprise_is_in_both_registers() -> None:
    numbers = Counter(employer.enterprise_number for employer in load_employers() if employer.enterprise_number)
    assert [number for number, times in numbers.items() if times > 1] == [get_employer("hospital").enterprise_number]
    assert get_employer("hospital-local").register is Register.NSSO_PPO


def test_numbers_are_valid_and_out_of_ranges_that_are_not_given_out() -> None:
    employers = load_employers()
    assert len({employer.registration_number for employer in employers}) == len(employers)
    for employer in employers:
        assert has_valid_nsso_check_digits(employer.registration_number)
        first = "50990" if employer.register is Register.NSSO_PPO else "01920"
        assert employer.registration_number.startswith(first)
        if employer.enterprise_number is not None:
            assert has_valid_cbe_check_digits(employer.enterprise_number)
            assert employer.enterprise_number.startswith("09999")


def test_numbers_are_none_of_the_employers_of_attestations() -> None:
    others = [make_employer(number) for number in range(EMPLOYERS)]
    assert not {employer.registration_number for employer in load_employers()} & {other.nsso_number for other in others}
    assert not {employer.enterprise_number for employer in load_employers()} & {
        other.enterprise_number for other in others
    }


def test_natural_persons_have_a_synthetic_number_of_their_own() -> None:
    numbers = [employer.ssin for employer in load_employers() if employer.natural_person]
    assert len(set(numbers)) == len(numbers)
    assert all(number and has_valid_check_digits(number) and is_synthetic(number) for number in numbers)
    assert not set(numbers) & {persona.ssin for persona in load_all_personas()}


def test_legal_persons_have_no_ssin_and_no_repr_shows_one() -> None:
    assert all(employer.ssin is None for employer in load_employers() if not employer.natural_person)
    bakery = get_employer("bakery")
    assert bakery.ssin is not None
    assert bakery.ssin not in repr(bakery)


def test_an_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        get_employer("nobody")
