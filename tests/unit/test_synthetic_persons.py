"""The generator: unique, well-made mock numbers, the same persons for the same seed, and fast."""

import time
from datetime import date
from itertools import islice, pairwise

import pytest

from authz.enterprise import has_valid_cbe_check_digits
from authz.ssin import has_valid_check_digits, is_synthetic
from fixtures.persons import WORLD_DATE, SyntheticInscription, generate, make_ssin
from services.self_employed import codes
from services.self_employed.operations import MAX_AFFILIATIONS, MAX_CONTRIBUTIONS, MAX_SEGMENTS


def test_numbers_are_unique_well_made_and_nobodys() -> None:
    started = time.process_time()
    ssins = [person.ssin for person in generate(264, 100_000)]
    assert time.process_time() - started < 20
    assert len(set(ssins)) == 100_000
    assert all(has_valid_check_digits(ssin) and is_synthetic(ssin) for ssin in ssins[:5000])
    assert all(int(ssin[6:9]) < 900 for ssin in ssins)


def test_the_same_seed_makes_the_same_persons_whatever_the_count() -> None:
    few, many = list(generate(7, 50)), list(islice(generate(7, 1_000_000), 50))
    assert few == many


def test_another_seed_makes_other_persons() -> None:
    assert {person.ssin for person in generate(1, 200)}.isdisjoint(person.ssin for person in generate(2, 200))


def test_check_digits_of_births_from_2000_have_a_two_in_front() -> None:
    before, after = make_ssin(date(1999, 12, 31), 7), make_ssin(date(2000, 1, 1), 7)
    assert before == f"997231007{97 - 997231007 % 97:02}"
    assert after == f"006101007{97 - 2006101007 % 97:02}"


def test_more_persons_than_there_are_numbers_is_refused() -> None:
    with pytest.raises(ValueError, match="SSIN of their own"):
        next(generate(1, 10**9))


def test_every_person_is_in_the_given_files() -> None:
    file = SyntheticInscription("cbe:0999900150", "PCSA:FILE", date(1970, 1, 1))
    assert all(person.inscriptions == (file,) for person in generate(1, 20, (file,)))


def test_what_is_made_is_what_the_contract_and_the_code_tables_allow() -> None:
    for person in generate(3, 3000):
        assert len(person.contributions) <= MAX_CONTRIBUTIONS
        for told in person.contributions:
            codes.CONTRIBUTION_SITUATION.get_element(told.contribution_situation)
            assert told.ziv is not None
            codes.ZIV.get_element(told.ziv)
        if person.career is None:
            assert person.contributions == ()
            continue
        number = person.career.self_employed_enterprise_number
        assert number is None or has_valid_cbe_check_digits(number)
        assert person.career.occupation is None or codes.OCCUPATION.get_element(person.career.occupation)
        assert 1 <= len(person.career.affiliations) <= MAX_AFFILIATIONS
        segments = [one for told in person.career.affiliations for one in told.career_segments]
        assert all(1 <= len(told.career_segments) <= MAX_SEGMENTS for told in person.career.affiliations)
        assert all(one.begin_date < WORLD_DATE for one in segments)
        for one, following in pairwise(segments):
            assert one.end_date is not None
            assert one.begin_date < one.end_date < following.begin_date


def test_generated_persons_cover_active_assimilated_and_pensioned_periods() -> None:
    kinds = {
        (one.contribution, one.equality)
        for person in generate(3, 2000)
        if person.career is not None
        for told in person.career.affiliations
        for one in told.career_segments
    }
    assert kinds >= {(100, None), (105, None), (200, None), (400, None), (510, None), (600, 100), (600, 200)}
