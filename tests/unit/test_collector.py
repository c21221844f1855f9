"""The garbage collector while something is loaded that stays."""

import gc

import pytest

from gateway.collector import loading_what_stays


def test_it_rests_while_loading_and_never_looks_at_what_was_loaded() -> None:
    before = gc.get_freeze_count()
    try:
        with loading_what_stays():
            assert not gc.isenabled()
            loaded = [[] for _ in range(1000)]
        assert gc.isenabled()
        assert gc.get_freeze_count() >= before + len(loaded)
    finally:
        gc.unfreeze()


def test_it_works_again_when_loading_fails() -> None:
    with pytest.raises(ImportError), loading_what_stays():
        raise ImportError
    gc.unfreeze()
    assert gc.isenabled()
