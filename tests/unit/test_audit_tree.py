"""The Merkle tree against pymerkle, which is another's, and against what its paths must not prove."""

import hashlib

import pymerkle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.audit.tree import (
    Frontier,
    PathBroken,
    consistency_path,
    inclusion_path,
    leaf_hash,
    root_from_path,
    root_of,
    roots_from_consistency,
)

ENTRIES = [f"entry {number}".encode() for number in range(70)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
SIZES = range(len(LEAVES) + 1)


@pytest.fixture(scope="module")
def oracle() -> pymerkle.InmemoryTree:
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for entry in ENTRIES:
        tree.append_entry(entry)
    return tree


def test_empty_root_is_that_of_the_rfc() -> None:
    assert Frontier().root == hashlib.sha256(b"").digest()


def test_frontier_grows_to_the_roots_of_pymerkle(oracle: pymerkle.InmemoryTree) -> None:
    frontier = Frontier()
    for size, leaf in enumerate(LEAVES, start=1):
        frontier = frontier.append(leaf)
        assert (frontier.size, frontier.root) == (size, oracle.get_root(size))
        assert frontier.root == root_of(LEAVES[:size])


@pytest.mark.parametrize("size", SIZES)
def test_frontier_comes_back_from_its_octets_and_from_no_others(size: int) -> None:
    frontier = Frontier.of(LEAVES[:size])
    assert Frontier.from_octets(size, frontier.octets) == frontier
    for octets in (frontier.octets + b"\0", frontier.octets[:-1] or b"\0" * 32):
        with pytest.raises(ValueError, match="leaves have peaks"):
            Frontier.from_octets(size, octets)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 33, 64, 70])
def test_inclusion_paths_are_those_of_pymerkle(oracle: pymerkle.InmemoryTree, size: int) -> None:
    for index in range(size):
        path = inclusion_path(LEAVES[:size], index)
        assert path == oracle.prove_inclusion(index + 1, size).path[1:]
        assert root_from_path(LEAVES[index], index, size, path) == oracle.get_root(size)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 33, 64, 70])
def test_consistency_paths_lead_to_the_roots_of_pymerkle(oracle: pymerkle.InmemoryTree, size: int) -> None:
    """To its roots alone: it cuts its own paths otherwise than the RFC."""
    for former in range(1, size + 1):
        roots = oracle.get_root(former), oracle.get_root(size)
        assert roots_from_consistency(former, roots[0], size, consistency_path(LEAVES[:size], former)) == roots


def test_consistency_paths_are_those_of_the_rfc() -> None:
    """RFC 9162 §2.1.5: of seven leaves, what begins with three, four and six."""
    a, b, c, d, *_ = LEAVES
    assert consistency_path(LEAVES[:7], 3) == [c, d, root_of([a, b]), root_of(LEAVES[4:7])]
    assert consistency_path(LEAVES[:7], 4) == [root_of(LEAVES[4:7])]
    assert consistency_path(LEAVES[:7], 6) == [root_of(LEAVES[4:6]), LEAVES[6], root_of(LEAVES[:4])]


@given(size=st.integers(1, 70), data=st.data())
@settings(max_examples=300, deadline=None)
def test_inclusion_is_proved_of_no_other_leaf_place_or_path(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(LEAVES[:size], index)
    root = root_of(LEAVES[:size])
    bit = data.draw(st.integers(0, 255))
    assert root_from_path(_flip(LEAVES[index], bit), index, size, path) != root
    for place in range(len(path)):
        assert root_from_path(LEAVES[index], index, size, _with(path, place, bit)) != root
    other = data.draw(st.integers(0, size - 1).filter(lambda at: at != index) if size > 1 else st.just(1))
    assert not _leads_to(root, LEAVES[index], other, size, path)
    for wrong in (path[:-1], [*path, LEAVES[0]]):
        assert wrong == path or not _leads_to(root, LEAVES[index], index, size, wrong)


@given(size=st.integers(2, 70), data=st.data())
@settings(max_examples=300, deadline=None)
def test_consistency_is_proved_of_no_other_tree(size: int, data: st.DataObject) -> None:
    former = data.draw(st.integers(1, size - 1))
    path = consistency_path(LEAVES[:size], former)
    roots = root_of(LEAVES[:former]), root_of(LEAVES[:size])
    assert roots_from_consistency(former, roots[0], size, path) == roots
    bit = data.draw(st.integers(0, 255))
    for place in range(len(path)):
        assert roots_from_consistency(former, roots[0], size, _with(path, place, bit)) != roots
    forged = _flip(roots[0], bit)
    assert roots_from_consistency(former, forged, size, path) != (forged, roots[1])
    for wrong in (path[:-1], [*path, LEAVES[0]]):
        with pytest.raises(PathBroken):
            roots_from_consistency(former, roots[0], size, wrong)


@pytest.mark.parametrize(("former", "size"), [(0, 3), (4, 3), (-1, 3)])
def test_no_tree_began_with_none_or_with_more(former: int, size: int) -> None:
    with pytest.raises(PathBroken):
        roots_from_consistency(former, LEAVES[0], size, [])
    with pytest.raises(IndexError):
        consistency_path(LEAVES[:size], former)


@pytest.mark.parametrize("index", [-1, 3])
def test_no_path_leads_from_outside_the_tree(index: int) -> None:
    with pytest.raises(PathBroken):
        root_from_path(LEAVES[0], index, 3, [])
    with pytest.raises(IndexError):
        inclusion_path(LEAVES[:3], index)


def _leads_to(root: bytes, leaf: bytes, index: int, size: int, path: list[bytes]) -> bool:
    try:
        return root_from_path(leaf, index, size, path) == root
    except PathBroken:
        return False


def _with(path: list[bytes], place: int, bit: int) -> list[bytes]:
    return [*path[:place], _flip(path[place], bit), *path[place + 1 :]]


def _flip(digest: bytes, bit: int) -> bytes:
    return (int.from_bytes(digest, "big") ^ (1 << bit)).to_bytes(len(digest), "big")
