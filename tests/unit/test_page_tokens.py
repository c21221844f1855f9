"""Page tokens: bound to the client and the question, unreadable, unforgeable, and the same after a restart."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.key_file import KeyFileUnusable
from gateway.page_tokens import KEY_BYTES, SealedPageTokens
from services.paging import PageScope

SCOPE = PageScope("pensions", "consult", '{"criteria":{"ssin":"80641095104"}}')
POSITION = "20251.99999999999.99999999999"


@pytest.fixture
def tokens(tmp_path: Path) -> SealedPageTokens:
    return SealedPageTokens.from_file(tmp_path / "keys" / "paging.key")


def test_a_token_leads_back_to_its_position(tokens: SealedPageTokens) -> None:
    assert tokens.find_position(SCOPE, tokens.issue(SCOPE, POSITION)) == POSITION


def test_the_longest_position_fits_the_contract(tokens: SealedPageTokens) -> None:
    assert len(tokens.issue(SCOPE, "x" * 31)) <= 64


def test_a_token_tells_nothing_of_its_position(tokens: SealedPageTokens) -> None:
    other = tokens.issue(SCOPE, POSITION.replace("2025", "2024"))
    same = sum(a == b for a, b in zip(tokens.issue(SCOPE, POSITION), other, strict=True))
    assert same < 16


@pytest.mark.parametrize(
    "scope",
    [
        replace(SCOPE, client="unemployment"),
        replace(SCOPE, operation="consultOther"),
        replace(SCOPE, question='{"criteria":{"ssin":"74702295244"}}'),
        PageScope("pensionsconsult", "", SCOPE.question),
    ],
    ids=["other client", "other operation", "other question", "shifted"],
)
def test_a_token_is_of_no_use_for_anything_else(tokens: SealedPageTokens, scope: PageScope) -> None:
    assert tokens.find_position(scope, tokens.issue(SCOPE, POSITION)) is None


def test_every_changed_character_is_found(tokens: SealedPageTokens) -> None:
    token = tokens.issue(SCOPE, POSITION)
    for place, character in enumerate(token):
        for changed in {"A", "B", "_"} - {character}:
            assert tokens.find_position(SCOPE, f"{token[:place]}{changed}{token[place + 1 :]}") is None


@pytest.mark.parametrize("token", ["", "A", "forged", "é" * 8, "=" * 8, "A" * 64, "A" * 21, " ", "A A A"])
def test_what_is_no_token_leads_nowhere(tokens: SealedPageTokens, token: str) -> None:
    assert tokens.find_position(SCOPE, token) is None


def test_a_token_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "paging.key"
    token = SealedPageTokens.from_file(path).issue(SCOPE, POSITION)
    assert SealedPageTokens.from_file(path).find_position(SCOPE, token) == POSITION


def test_another_key_reads_nothing(tmp_path: Path) -> None:
    token = SealedPageTokens.from_file(tmp_path / "one.key").issue(SCOPE, POSITION)
    assert SealedPageTokens.from_file(tmp_path / "other.key").find_position(SCOPE, token) is None


def test_the_key_is_closed_to_others_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "paging.key"
    SealedPageTokens.from_file(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert len(path.read_bytes()) == KEY_BYTES
    assert os.listdir(path.parent) == ["paging.key"]


def test_nodes_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    path = tmp_path / "paging.key"
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: SealedPageTokens.from_file(path), range(32)))
    assert len({tokens.issue(SCOPE, POSITION) for tokens in made}) == 1


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "paging.key"
    SealedPageTokens.from_file(path)
    path.chmod(0o640)
    with pytest.raises(KeyFileUnusable, match="chmod"):
        SealedPageTokens.from_file(path)


def test_a_key_of_another_length_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "paging.key"
    path.write_bytes(b"short")
    path.chmod(0o600)
    with pytest.raises(KeyFileUnusable, match="64 bytes"):
        SealedPageTokens.from_file(path)


def test_a_key_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyFileUnusable, match=r"paging\.key"):
        SealedPageTokens.from_file(tmp_path / "file" / "paging.key")
