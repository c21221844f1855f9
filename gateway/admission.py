"""Admission: a message is let in once, and within its client's quota, whichever worker or node gets it.

The replay key and the counters are stored in one transaction, which is durable before the message goes on.
The rules:

- the database decides: of two messages with the same key, the insert of exactly one has an effect;
- a replay is refused as a replay whatever the quota, and does not use up the quota of the client it imitates;
- a message over the quota is forgotten again, key and count, so that its sender may send it once more later;
- a process that has found a quota used up refuses by itself until the period is over: what exceeds costs little.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Integer, Text, bindparam, delete, text

from authz.annex import Annex, Quota
from gateway.storage.conflicts import for_each_dialect
from gateway.storage.group_commit import GroupCommit
from gateway.storage.hot_statement import HotStatement
from gateway.storage.tables import UtcDateTime, quota_counters, replay_keys

_PURGE_EVERY = timedelta(seconds=10)

# Clocks of nodes differ, and one that ran ahead is set back: then what seemed of no more use has to be recognised.
_CLOCK_TOLERANCE = timedelta(hours=2)

# What is returned tells whether a row was stored: the count of rows is not known on every database.
_STORE_KEY = HotStatement(
    for_each_dialect(replay_keys, lambda insert: insert.on_conflict_do_nothing().returning(replay_keys.c.replay_key))
)
# Both periods in one statement, for each costs as much again: what has no limit is counted, and never too much.
# Spelt out, since SQLAlchemy builds an insert of several rows anew each time.
_COUNT = HotStatement(
    text(
        "INSERT INTO quota_counters (client, period, period_start, used, forget_at) "
        "VALUES (:client, 'minute', :minute, 1, :minute_end), (:client, 'day', :day, 1, :day_end) "
        "ON CONFLICT (client, period, period_start) DO UPDATE SET used = quota_counters.used + 1 RETURNING period, used"
    )
    .bindparams(*(bindparam(name, type_=UtcDateTime()) for name in ("minute", "minute_end", "day", "day_end")))
    .columns(period=Text, used=Integer)
)
_PURGES = tuple(delete(table).where(table.c.forget_at < bindparam("before")) for table in (replay_keys, quota_counters))


class Replayed(Exception):
    """This very message was admitted before."""


class QuotaExceeded(Exception):
    """The client has made all the requests that its annex allows: `limit` per `period` (minute or day).

    The next request can be admitted in `retry_after_seconds`, when the period is over. `was_known` when the database
    was not asked, because it had said so before.
    """

    def __init__(self, period: str, limit: int, retry_after_seconds: int, was_known: bool = False) -> None:
        super().__init__(f"more than {limit} requests per {period}")
        self.period = period
        self.limit = limit
        self.retry_after_seconds = retry_after_seconds
        self.was_known = was_known


@dataclass(frozen=True, slots=True)
class _Period:
    """A minute or a day of a client, in which it may make `limit` requests; `begin` and `end` are aware, UTC."""

    name: str
    limit: int | None
    begin: datetime
    end: datetime


class _Exceeded(Exception):
    """A period's requests are all made."""

    def __init__(self, period: _Period) -> None:
        super().__init__(period.name)
        self.period = period


def _refuse(period: _Period, now: datetime, *, was_known: bool) -> QuotaExceeded:
    wait = max(1, round((period.end - now).total_seconds()))
    return QuotaExceeded(period.name, period.limit or 0, wait, was_known)


class Admission:
    """The doorkeeper; thread-safe, and exact across processes and nodes because the database decides."""

    def __init__(self, commit: GroupCommit) -> None:
        """Keep the memory of admitted messages where `commit` writes."""
        self._commit = commit
        self._purged_at: datetime | None = None
        # By client: with another quota of its annex, what was found no longer counts.
        self._used_up: dict[str, tuple[Quota, _Period]] = {}

    def admit(self, annex: Annex, replay_key: bytes | None, forget_at: datetime | None, now: datetime) -> None:
        """Let a message in, durably; Replayed, QuotaExceeded, or CommitError when that cannot be told.

        `replay_key` is None for a message without a signature; `forget_at` (aware) is when the message
        would be too old to be accepted, so that its key is needed no longer. After a CommitError the
        message counts as refused, even if its key may have been stored.
        """
        if replay_key is None and annex.quota == Quota():
            return
        if replay_key is not None and (forget_at is None or len(replay_key) != 32):
            raise ValueError("a replay key has 32 bytes, and a time after which it may be forgotten")
        self._refuse_if_used_up(annex, now)
        periods = _periods(annex.quota, now)

        def work(connection: Connection) -> None:
            if replay_key is not None:
                _store_key(connection, replay_key, forget_at)
            if annex.quota == Quota():
                return
            used = _count(connection, annex.client, *periods)
            for period in periods:
                if period.limit is not None and used[period.name] > period.limit:
                    raise _Exceeded(period)

        try:
            self._commit.run(self._with_purge(work, now), repeatable=True)
        except _Exceeded as exceeded:
            self._used_up[annex.client] = annex.quota, exceeded.period
            raise _refuse(exceeded.period, now, was_known=False) from None

    def _refuse_if_used_up(self, annex: Annex, now: datetime) -> None:
        quota, period = self._used_up.get(annex.client, (None, None))
        if period is None:
            return
        if quota == annex.quota and period.begin <= now < period.end:
            raise _refuse(period, now, was_known=True)
        self._used_up.pop(annex.client, None)

    def _with_purge(self, work: Callable[[Connection], None], now: datetime) -> Callable[[Connection], None]:
        if self._purged_at is not None and now - self._purged_at < _PURGE_EVERY:
            return work
        self._purged_at = now

        def purge_and_work(connection: Connection) -> None:
            for purge in _PURGES:
                connection.execute(purge, {"before": now - _CLOCK_TOLERANCE})
            # A refusal undoes the purge too: the next one finds the same and more.
            work(connection)

        return purge_and_work


def _store_key(connection: Connection, replay_key: bytes, forget_at: datetime | None) -> None:
    if not _STORE_KEY.run(connection, {"replay_key": replay_key, "forget_at": forget_at}):
        raise Replayed("this message was admitted before")


def _periods(quota: Quota, now: datetime) -> tuple[_Period, _Period]:
    """Return the minute and the day of `now`."""
    minute = now.astimezone(UTC).replace(second=0, microsecond=0)
    day = minute.replace(hour=0, minute=0)
    return (
        _Period("minute", quota.per_minute, minute, minute + timedelta(minutes=1)),
        _Period("day", quota.per_day, day, day + timedelta(days=1)),
    )


def _count(connection: Connection, client: str, minute: _Period, day: _Period) -> Mapping[str, int]:
    """Count a request; return how many there are by now in each period."""
    row = {"client": client, "minute": minute.begin, "minute_end": minute.end, "day": day.begin, "day_end": day.end}
    return {counted.period: counted.used for counted in _COUNT.run(connection, row)}
