"""Monthly audit keys: made once, private, and gone when they are destroyed."""

import multiprocessing
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gateway.audit.keys import AuditKeysUnusable, MonthKeys


def test_keys_of_a_month_stay_the_same_and_differ_from_those_of_others(tmp_path: Path) -> None:
    first = MonthKeys.make(tmp_path / "keys").get_for_sealing("2026-03")
    again = MonthKeys.make(tmp_path / "keys").get_for_sealing("2026-03")
    other = MonthKeys.make(tmp_path / "keys").get_for_sealing("2026-04")
    assert first.pseudonym == again.pseudonym != other.pseudonym
    assert first.secret == again.secret != other.secret


def test_files_and_directory_are_private(tmp_path: Path) -> None:
    MonthKeys.make(tmp_path / "keys").get_for_sealing("2026-03")
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").iterdir()} == {
        "2026-03.key": 0o600
    }


def test_directory_open_to_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir(mode=0o755)
    with pytest.raises(AuditKeysUnusable, match="chmod go-rwx"):
        MonthKeys.make(tmp_path / "keys")


def test_key_file_open_to_others_is_refused(tmp_path: Path) -> None:
    keys = MonthKeys.make(tmp_path / "keys")
    keys.get_for_sealing("2026-03")
    (tmp_path / "keys" / "2026-03.key").chmod(0o640)
    with pytest.raises(AuditKeysUnusable, match="chmod go-rwx"):
        MonthKeys.make(tmp_path / "keys").get_for_sealing("2026-03")


def test_damaged_key_file_is_refused_and_not_replaced(tmp_path: Path) -> None:
    MonthKeys.make(tmp_path / "keys")
    path = tmp_path / "keys" / "2026-03.key"
    path.write_bytes(b"half")
    path.chmod(0o600)
    with pytest.raises(AuditKeysUnusable, match="restore"):
        MonthKeys.make(tmp_path / "keys").get_for_sealing("2026-03")
    assert path.read_bytes() == b"half"


def test_directory_that_cannot_be_made_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(AuditKeysUnusable, match="file/keys"):
        MonthKeys.make(tmp_path / "file" / "keys")


def test_a_directory_that_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    with pytest.raises(AuditKeysUnusable, match="keys: is not there: mount or restore it"):
        MonthKeys(tmp_path / "keys")
    assert not (tmp_path / "keys").exists()


def test_reading_makes_no_keys(tmp_path: Path) -> None:
    assert MonthKeys.make(tmp_path / "keys").find("2026-03") is None
    assert list((tmp_path / "keys").iterdir()) == []


def test_destroyed_keys_are_not_found_even_by_a_process_that_used_them(tmp_path: Path) -> None:
    keys = MonthKeys.make(tmp_path / "keys")
    keys.get_for_sealing("2026-03")
    (tmp_path / "keys" / "2026-03.key").unlink()
    assert keys.find("2026-03") is None


def test_keys_are_in_no_repr(tmp_path: Path) -> None:
    key = MonthKeys.make(tmp_path / "keys").get_for_sealing("2026-03")
    assert repr(key) == "MonthKey(month='2026-03')"


def test_threads_that_race_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        made = pool.map(lambda _: MonthKeys.make(tmp_path / "keys").get_for_sealing("2026-03").pseudonym, range(64))
        assert len(set(made)) == 1


def _make(directory: Path, barrier: Any, made: Any) -> None:
    keys = MonthKeys.make(directory)
    barrier.wait()
    made.put([keys.get_for_sealing(f"2026-{month:02}").pseudonym for month in range(1, 13)])


def test_processes_that_race_agree(tmp_path: Path) -> None:
    spawning = multiprocessing.get_context("spawn")
    barrier, made = spawning.Barrier(2), spawning.Queue()
    processes = [spawning.Process(target=_make, args=(tmp_path / "keys", barrier, made)) for _ in range(2)]
    for process in processes:
        process.start()
    assert made.get(timeout=60) == made.get(timeout=60)
    for process in processes:
        process.join()
    assert len(list((tmp_path / "keys").iterdir())) == 12
