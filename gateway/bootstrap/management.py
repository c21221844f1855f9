"""Builds the parts of the management process, which has connections of its own."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from gateway.annexes.operators import OperatorKeys
from gateway.audit.keeping import LogKeeper
from gateway.audit.keys import MonthKeys
from gateway.bootstrap.audit import open_time_stamp_authority, open_trail
from gateway.bootstrap.remote_sources import as_part
from gateway.bootstrap.sources import REPOSITORIES, make_source_watches, open_sources
from gateway.bootstrap.storage import Storage, open_storage
from gateway.clock import Clock, system_clock
from gateway.health.checks import check_database, check_part, check_source, make_audit_check
from gateway.health.measure import DEADLINE_SECONDS, Check, Finding, Measurer
from gateway.maintenance import MaintenanceWatch
from gateway.settings import Settings
from gateway.signing import SigningKey
from gateway.storage.database import Database
from gateway.storage.group_commit import GroupCommit
from services.health import Kind


def build_measurer(
    settings: Settings,
    clock: Clock = system_clock,
    repositories: Mapping[str, object] | None = None,
    look_at_workers: Callable[[], Mapping[str, Finding]] = dict,
) -> Measurer:
    """Build what measures the parts that can be away, with connections of its own, made anew for each measurement.

    `look_at_workers` tells what the workers' own calls say of remote sources.
    AuditKeysUnusable, KeyFileUnusable and ReadingKeyUnusable when there are no audit keys to measure with.
    """
    database = Database(settings.database_url, connections=4 + len(REPOSITORIES))
    commit = GroupCommit(database, wait_seconds=DEADLINE_SECONDS)
    keys = MonthKeys(settings.audit_keys)
    storage = Storage(
        database, commit, open_trail(settings, commit, keys, clock), OperatorKeys(settings.annex_operators)
    )
    checks: dict[tuple[str, Kind], Check] = {
        ("database", Kind.GATEWAY): partial(check_database, database),
        ("audit", Kind.GATEWAY): make_audit_check(
            commit, storage.trail, keys, clock, time_stamps=bool(settings.audit_time_stamp_url)
        ),
    }
    # What is measured declares nothing, so it notifies nobody.
    signer = SigningKey(settings.signing_key, settings.signing_certificate)
    sources = open_sources(storage, lambda now: [], settings, signer, clock)
    for name, repository in (dict(sources.repositories) | dict(repositories or {})).items():
        checks[name, Kind.SOURCE] = partial(check_source, repository)
    for name, fund in sources.funds.items():
        checks[name, Kind.SOURCE] = partial(check_part, fund)
    watches = make_source_watches(sources)

    def rest() -> None:
        database.close()
        for watch in watches:
            watch.look()

    def known() -> Mapping[str, Finding]:
        told = look_at_workers() if sources.endpoints else {}
        return {name: as_part(finding) if name in sources.funds else finding for name, finding in told.items()}

    return Measurer(checks, clock, rest=rest, known=known)


def build_maintenance_watch(settings: Settings) -> MaintenanceWatch:
    """Build what looks for maintenance, with a connection of its own."""
    return MaintenanceWatch(Database(settings.database_url, connections=1))


@contextmanager
def opened_log_keeper(settings: Settings, clock: Clock = system_clock) -> Iterator[LogKeeper]:
    """Open what keeps the log of this gateway, with connections of its own; CannotStart."""
    authority = open_time_stamp_authority(settings)
    storage = open_storage(settings, clock)
    try:
        yield LogKeeper(storage.commit, storage.trail, authority, clock)
    finally:
        storage.close()
