"""Check digits of persons and enterprises, and which numbers are nobody's."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.be import bis, nn, vat

from authz import enterprise, ssin
from authz.ssin import Environment

born_before_2000 = st.dates(date(1925, 1, 1), date(1999, 12, 31))


@given(born_before_2000, st.integers(1, 997), st.integers(0, 96))
def test_check_digits_agree_with_an_independent_implementation(born: date, serial: int, wrong_by: int) -> None:
    first_nine = f"{born:%y%m%d}{serial:03d}"
    number = ssin.with_check_digits(first_nine, born_after_2000=False)
    assert nn.is_valid(number)
    assert ssin.has_valid_check_digits(number)
    other = f"{first_nine}{(int(number[-2:]) + wrong_by) % 97 + 1:02d}"
    if other != number and other != ssin.with_check_digits(first_nine, born_after_2000=True):
        assert not ssin.has_valid_check_digits(other)


@pytest.mark.parametrize(("first_nine", "born_after_2000"), [("990230001", False), ("040230001", True)])
def test_numbers_of_either_century_are_valid(first_nine: str, born_after_2000: bool) -> None:
    """Written with 30 February, so that they are nobody's though they look like the register's own."""
    number = ssin.with_check_digits(first_nine, born_after_2000)
    assert ssin.has_valid_check_digits(number)
    assert not ssin.is_synthetic(number)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "9902300012",
        "990230001288",
        "99.02.30-001.28",
        "99023000100",
        "9902300012\N{FULLWIDTH DIGIT EIGHT}",
        "99023000128\n",
    ],
)
def test_what_is_not_eleven_digits_with_their_check_is_no_ssin(text: str) -> None:
    assert not ssin.has_valid_check_digits(text)
    assert not ssin.is_acceptable(text, Environment.TEST)


@pytest.mark.parametrize(
    ("first_nine", "synthetic"),
    [
        ("806315001", True),  # mock: March + 60
        ("807215001", True),  # mock: December + 60
        ("800315001", False),
        ("802315001", False),  # bis, sex unknown
        ("804315001", False),  # bis, sex known
        ("804431001", True),  # bis, 31 April
        ("802431001", True),
        ("804230001", True),  # bis, 30 February
        ("804229001", False),
        ("804000001", False),  # bis, date of birth unknown
    ],
)
def test_mock_numbers_and_bis_numbers_of_impossible_days_are_synthetic(first_nine: str, synthetic: bool) -> None:
    number = ssin.with_check_digits(first_nine, born_after_2000=False)
    assert ssin.has_valid_check_digits(number)
    assert ssin.is_synthetic(number) is synthetic
    assert ssin.is_acceptable(number, Environment.PRODUCTION) is not synthetic
    assert ssin.is_acceptable(number, Environment.TEST)
    assert ssin.is_acceptable(number, Environment.ACCEPTANCE)


def test_a_bis_number_agrees_with_an_independent_implementation() -> None:
    assert bis.is_valid(ssin.with_check_digits("804315001", born_after_2000=False))


@given(st.integers(0, 19_999_999))
def test_enterprise_check_digits_agree_with_an_independent_implementation(first_eight: int) -> None:
    number = enterprise.with_check_digits(f"{first_eight:08d}")
    assert enterprise.has_valid_cbe_check_digits(number)
    assert first_eight == 0 or vat.is_valid(number)
    assert not enterprise.has_valid_cbe_check_digits(f"{number[:8]}{int(number[8:]) % 97 + 1:02d}")


@pytest.mark.parametrize("text", ["", "0208044708", "208044709", "2208044709", "0208.044.709", "BE0208044709"])
def test_what_is_not_ten_digits_with_their_check_is_no_enterprise_number(text: str) -> None:
    assert not enterprise.has_valid_cbe_check_digits(text)
