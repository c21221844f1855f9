"""Opens the database with what writes to it, and brings it to the schema of this version."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from gateway.annexes.operators import OperatorKeys
from gateway.audit.keys import AuditKeysUnusable, MonthKeys
from gateway.audit.log import Log
from gateway.audit.reading_key import ReadingKeyUnusable
from gateway.audit.trail import AuditTrail
from gateway.bootstrap.audit import check_month_keys, make_audit_keys, open_trail
from gateway.bootstrap.cannot_start import PREPARE, CannotStart, database_answering
from gateway.clock import Clock, system_clock
from gateway.key_file import KeyFileUnusable
from gateway.settings import Settings
from gateway.storage.database import IDLE_SHARE, Database, WrongEncoding
from gateway.storage.group_commit import REQUEST_WAIT_SECONDS, GroupCommit

# Nobody's answer waits for what a command writes, and a gateway that is busy need not make it fail.
COMMAND_WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Storage:
    """The database with what writes to it, and the operators who may have annexes written."""

    database: Database
    commit: GroupCommit
    trail: AuditTrail
    annex_operators: OperatorKeys

    def close(self) -> None:
        """Write what was accepted, then close the connections."""
        self.commit.close()
        self.database.close()


def open_storage(
    settings: Settings, clock: Clock = system_clock, wait_seconds: float = REQUEST_WAIT_SECONDS
) -> Storage:
    """Open the database and the audit; CannotStart without a state, or when the audit's keys cannot be used.

    What is written waits at most `wait_seconds` to be durable.
    """
    if not settings.state.is_dir():
        raise CannotStart(f"there is no state in {settings.state}: {PREPARE}.")
    with ExitStack() as opened:
        database = Database(settings.database_url, connections=count_connections(settings))
        opened.callback(database.close)
        commit = GroupCommit(database, wait_seconds=wait_seconds)
        opened.callback(commit.close)
        try:
            trail = open_trail(settings, commit, MonthKeys(settings.audit_keys), clock)
        except (AuditKeysUnusable, KeyFileUnusable) as error:
            raise CannotStart(f"the audit keys cannot be used: {error}") from None
        except ReadingKeyUnusable as error:
            raise CannotStart(
                f"the auditor's public key cannot be used: {error}, see audit_reading_key; or {PREPARE}."
            ) from None
        storage = Storage(database, commit, trail, OperatorKeys(settings.annex_operators))
        opened.pop_all()
    return storage


def count_connections(settings: Settings) -> int:
    """Return how many connections a worker has at the most."""
    # A thread uses one at a time; so do the writer and those that look for annexes and for maintenance. What is kept
    # idle is none of these.
    used = settings.threads + 3
    return used + used // (IDLE_SHARE - 1) + 1


@contextmanager
def opened_storage(settings: Settings) -> Iterator[Storage]:
    """Open the storage for a command, and close it with all that was accepted written."""
    storage = open_storage(settings, wait_seconds=COMMAND_WAIT_SECONDS)
    try:
        check_stored(storage, settings)
        yield storage
    finally:
        storage.close()


def migrate(settings: Settings) -> None:
    """Bring the database to the schema of this version; CannotStart when it does not answer or cannot be used.

    Makes the audit's keys too, where nothing was recorded yet; of what was, the keys must be there.
    """
    database = Database(settings.database_url)
    try:
        with database_answering():
            log_key = make_audit_keys(settings, database)
            database.migrate(sign_head=Log(log_key, system_clock).sign)
    except WrongEncoding as error:
        raise CannotStart(f"{error}: create another one.") from None
    except (AuditKeysUnusable, KeyFileUnusable) as error:
        raise CannotStart(f"the audit keys cannot be used: {error}") from None
    finally:
        database.close()


def check_stored(storage: Storage, settings: Settings) -> None:
    """Raise CannotStart unless the schema is of this version, and the keys are there of what was sealed last."""
    with database_answering():
        if not storage.database.is_current():
            raise CannotStart(f"the database is not at the schema of this version: {PREPARE}.")
        try:
            check_month_keys(settings, storage.database)
        except AuditKeysUnusable as error:
            raise CannotStart(f"the audit keys cannot be used: {error}") from None
