"""Migrating makes the audit's keys for a new log, and never other ones for a log that has begun."""

import shutil
import stat
from pathlib import Path

import pytest
from gateway_world import DemoState

from gateway.audit.log_key import LogKey
from gateway.bootstrap import CannotStart, build_gateway, migrate, open_storage
from gateway.settings import Settings, load_settings
from gateway.storage.database import Database


def test_a_new_state_is_given_keys_and_keeps_them(tmp_path: Path) -> None:
    settings = load_settings(state=tmp_path)
    migrate(settings)
    made = settings.audit_log_key.read_bytes()
    migrate(settings)
    assert settings.audit_log_key.read_bytes() == made
    for directory in (settings.audit_keys, settings.audit_keys.parent):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_a_state_that_was_not_migrated_has_no_keys_to_start_with(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="prepare a new state with ksz-gateway migrate"):
        open_storage(load_settings(state=tmp_path))
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize("name", ["audit", "audit-log.key"])
def test_a_log_that_has_begun_goes_on_with_its_own_keys_alone(demo_state: DemoState, tmp_path: Path, name: str) -> None:
    settings = copied(demo_state, tmp_path / "own")
    gone = settings.state / "keys" / name
    shutil.move(gone, tmp_path / "elsewhere")
    for attempt in (migrate, open_storage):
        with pytest.raises(CannotStart, match=f"{name}: is not there: mount or restore it"):
            attempt(settings)
        assert not gone.exists()
    shutil.move(tmp_path / "elsewhere", gone)
    migrate(settings)
    open_storage(settings).close()


def test_the_newest_months_keys_are_not_made_anew(demo_state: DemoState, tmp_path: Path) -> None:
    settings = copied(demo_state, tmp_path / "own")
    newest = max(settings.audit_keys.glob("*.key"))
    newest.unlink()
    for attempt in (migrate, build_gateway):
        with pytest.raises(CannotStart, match=f"the keys of {newest.stem} are not there; restore their file"):
            attempt(settings)
        assert not newest.exists()


def test_a_log_that_has_begun_does_not_go_on_with_another_key(demo_state: DemoState, tmp_path: Path) -> None:
    settings = copied(demo_state, tmp_path / "own")
    public = settings.audit_log_key.with_suffix(".pub")
    for path in (settings.audit_log_key, public):
        path.unlink()
    LogKey.make(settings.audit_log_key, settings.audit_log_origin)
    public.unlink()
    with pytest.raises(CannotStart, match="not the key of this log"):
        migrate(settings)
    assert not public.exists()


def test_a_version_without_a_log_keeps_its_monthly_keys(demo_state: DemoState, tmp_path: Path) -> None:
    settings = copied(demo_state, tmp_path / "own")
    with demo_state.databases.copy(demo_state.database_url, tmp_path / "own") as url:
        former = settings.model_copy(update={"database_url": url})
        database = Database(url)
        database.downgrade("0009")
        database.close()
        shutil.rmtree(settings.audit_keys)
        with pytest.raises(CannotStart, match="audit: is not there"):
            migrate(former)


def test_migrating_publishes_the_keys_public_half_again(demo_state: DemoState, tmp_path: Path) -> None:
    settings = copied(demo_state, tmp_path / "own")
    published = settings.audit_log_key.with_suffix(".pub")
    before = published.read_text("utf-8")
    published.unlink()
    migrate(settings)
    assert published.read_text("utf-8") == before


def copied(demo_state: DemoState, directory: Path) -> Settings:
    """Return the settings of a copy of the files, over the same database."""
    shutil.copytree(demo_state.directory, directory, ignore=shutil.ignore_patterns("ksz.db*"))
    return load_settings(state=directory, database_url=demo_state.database_url)
