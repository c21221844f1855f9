"""What checks look at: the settings of a deployment, and its parts, opened when the first check needs them."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from gateway.bootstrap import Storage, build_measurer, check_month_keys, open_storage
from gateway.settings import Settings
from gateway.storage.naming import file_of
from services.health import Component


class Deployment:
    """A deployment as it is at `now` (aware); a part that cannot be opened raises at each check that needs it."""

    def __init__(self, settings: Settings, now: datetime) -> None:
        self.settings = settings
        self.now = now

    @cached_property
    def storage(self) -> Storage:
        """The database and the audit; CannotStart."""
        return open_storage(self.settings)

    @cached_property
    def measured(self) -> Mapping[str, Component]:
        """What a management process would measure, by name: the database, the audit and each source."""
        # What measures would make the keys of this month, in the place of those that are gone.
        check_month_keys(self.settings, self.storage.database)
        return {component.name: component for component in build_measurer(self.settings).measure()}

    def ask(self, question: str) -> Any:
        """Return the only value that the database answers."""
        with self.storage.database.read() as connection:
            return connection.exec_driver_sql(question).scalar()

    @property
    def database_file(self) -> Path | None:
        """The file of the database if it is SQLite, None with PostgreSQL."""
        return file_of(self.settings.database_url)

    @property
    def directories(self) -> tuple[Path, ...]:
        """Where the state lies, and the database if it is a file."""
        file = self.database_file
        return tuple(dict.fromkeys((self.settings.state, *((file.absolute().parent,) if file else ()))))

    def close(self) -> None:
        """Close what was opened."""
        if "storage" in vars(self):
            self.storage.close()
