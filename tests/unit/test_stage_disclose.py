"""Withholding drops exactly the named element, wherever it stands, and leaves the operation's values untouched."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.stages.disclose import without

CAREER: dict[str, Any] = {
    "reference": "r",
    "occupation": {"code": 1},
    "affiliations": {"affiliation": [{"fund": "1", "date": "d", "segments": [{"begin": 1}]}, {"fund": "2"}]},
}


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("occupation", {"reference": "r", "affiliations": CAREER["affiliations"]}),
        (
            "affiliations/affiliation/date",
            CAREER | {"affiliations": {"affiliation": [{"fund": "1", "segments": [{"begin": 1}]}, {"fund": "2"}]}},
        ),
        (
            "affiliations/affiliation/segments/begin",
            CAREER | {"affiliations": {"affiliation": [{"fund": "1", "date": "d", "segments": [{}]}, {"fund": "2"}]}},
        ),
        ("affiliations", {"reference": "r", "occupation": {"code": 1}}),
        ("nothing/here", CAREER),
        ("reference/below/text", CAREER),
    ],
)
def test_the_named_element_is_dropped_in_every_item(path: str, left: Any) -> None:
    before = deepcopy(CAREER)
    assert without(CAREER, path.split("/")) == left
    assert before == CAREER


def test_what_is_not_on_the_way_is_shared() -> None:
    cut = without(CAREER, ["occupation"])
    assert cut["affiliations"] is CAREER["affiliations"]


NAMES = st.sampled_from("abc")
TREES = st.recursive(
    st.integers(),
    lambda inner: st.one_of(st.dictionaries(NAMES, inner, max_size=3), st.lists(inner, max_size=3)),
    max_leaves=20,
)


def names_at(values: Any, path: list[str]) -> int:
    """Count the elements at a path, independently of the code under test."""
    if isinstance(values, list):
        return sum(names_at(item, path) for item in values)
    if not isinstance(values, dict) or path[0] not in values:
        return 0
    return 1 if len(path) == 1 else names_at(values[path[0]], path[1:])


@given(TREES, st.lists(NAMES, min_size=1, max_size=4))
def test_nothing_is_left_at_the_path(tree: Any, path: list[str]) -> None:
    assert names_at(without(tree, path), path) == 0
