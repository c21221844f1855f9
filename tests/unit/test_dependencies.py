"""The checks of what the gateway is built on find what they are for, and the requirements pass them."""

from pathlib import Path

from dependencies.__main__ import find_foreign, find_unreasoned, group_by_licence, list_held_back, list_wanted, main


def test_a_licence_must_be_allowed_or_the_package_excepted() -> None:
    licences = {"a": "MIT", "b": "MIT OR Evil", "c": "MIT AND Evil", "d": "Evil", "e": "UNKNOWN"}
    found = list(find_foreign(licences, ["MIT"], ["e"]))
    assert [problem.partition(":")[0] for problem in found] == ["c", "d"]


def test_the_licences_are_listed_with_their_packages() -> None:
    assert list(group_by_licence({"b": "MIT", "c": "BSD", "a": "MIT"})) == ["BSD: c", "MIT: a, b"]


def test_a_version_that_is_held_back_has_its_reason() -> None:
    text = "# What the gateway runs on.\na==1\nb>=2,<3  # the next has another API\n# c 2 does not start.\nc<2\nd\n"
    assert [problem[:8] for problem in find_unreasoned("r.in", text)] == ["r.in:2: "]
    assert list(list_held_back(text)) == ["a", "b", "c"]
    assert list(list_wanted(text)) == ["a", "b", "c", "d"]


def test_every_version_of_ours_that_is_held_back_has_its_reason() -> None:
    assert main(["reasons"]) == 0
    assert "==" in (Path(__file__).parents[2] / "requirements.in").read_text("utf-8")
