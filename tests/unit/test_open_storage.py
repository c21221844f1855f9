"""What is opened before the audit's keys turn out to be unusable is closed again."""

from pathlib import Path

import pytest

from gateway.bootstrap import CannotStart, open_storage
from gateway.settings import load_settings
from gateway.storage.database import Database


def test_a_database_is_closed_whose_audit_keys_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[Database] = []

    class Watched(Database):
        def close(self) -> None:
            closed.append(self)
            super().close()

    monkeypatch.setattr("gateway.bootstrap.storage.Database", Watched)
    with pytest.raises(CannotStart, match="key"):
        open_storage(load_settings(state=tmp_path))
    assert len(closed) == 1
