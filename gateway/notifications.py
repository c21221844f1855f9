"""Notifications: who is told of a declaration without having asked, and until they acknowledge it.

They are written in the declaration's own transaction, one for each organisation in whose file the worker is and whose
annex says so, cut to that annex. A client is told at least once: what it did not acknowledge, it is told again.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import reduce
from typing import Any, Protocol

from sqlalchemy import Connection, bindparam, insert, select, update

from authz.annex import Annex, Grant, IntegrationRule
from authz.brussels import brussels_day
from authz.integration import days_that_count, is_integrated
from gateway.audit.record import AuditRecord, RecordKind
from gateway.audit.trail import AuditTrail
from gateway.inscriptions import find_facts_of_all
from gateway.stages.disclose import without
from gateway.storage.dimona_tables import dimona_declarations, dimona_notifications
from gateway.storage.group_commit import GroupCommit
from services.dimona.personnel_file import Change
from services.dimona.reply import make_periods

# The grant whose reply a notification is an item of.
SERVICE, OPERATION = "DimonaService/v1", "consultPeriods"

_N = dimona_notifications.c
_WAITING = (
    select(dimona_notifications, dimona_declarations.c.ssin)
    .join(dimona_declarations, dimona_declarations.c.number == _N.declaration_number)
    .where(
        _N.client == bindparam("of_client"),
        _N.acknowledged_at.is_(None),
        _N.organisation.in_(bindparam("organisations", expanding=True)),
    )
    .order_by(_N.id)
    .limit(bindparam("most"))
)
_OWN = select(_N.id).where(_N.client == bindparam("of_client"), _N.id.in_(bindparam("ids", expanding=True)))
_ACKNOWLEDGE = (
    update(dimona_notifications)
    .where(
        _N.client == bindparam("of_client"),
        _N.id.in_(bindparam("ids", expanding=True)),
        _N.acknowledged_at.is_(None),
    )
    .values(acknowledged_at=bindparam("now"))
)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A client that is told of a person for an organisation (its key); `dropped` are the paths that its annex drops."""

    client: str
    organisation: str
    dropped: tuple[str, ...] = ()


class Subscribers(Protocol):
    """Knows who is to be told of whom."""

    def find(self, connection: Connection, ssins: Collection[str], now: datetime) -> Mapping[str, Sequence[Subscriber]]:
        """Return the subscribers of each person at an aware moment, read on the connection of the declaration."""
        ...


class AnnexSubscribers:
    """Finds subscribers by the annexes in force and the inscriptions of the day."""

    def __init__(self, list_annexes: Callable[[datetime], Iterable[Annex]]) -> None:
        self._list_annexes = list_annexes

    def find(self, connection: Connection, ssins: Collection[str], now: datetime) -> Mapping[str, Sequence[Subscriber]]:
        """Ask the inscriptions once for each organisation that is told at all."""
        found: dict[str, list[Subscriber]] = {ssin: [] for ssin in ssins}
        for annex in self._list_annexes(now):
            for grant in _notified(annex):
                for organisation in grant.customers:
                    subscriber = Subscriber(annex.client, organisation.key, grant.dropped)
                    for ssin in _in_file(connection, ssins, organisation.key, grant.integration, brussels_day(now)):
                        if all(
                            each.organisation != organisation.key for each in found[ssin] if each.client == annex.client
                        ):
                            found[ssin].append(subscriber)
        return found


def _notified(annex: Annex) -> list[Grant]:
    return [
        grant
        for (service, operation, _), grants in annex.grants.items()
        if (service, operation) == (SERVICE, OPERATION)
        for grant in grants
        if grant.notified
    ]


def list_subscriptions(annex: Annex) -> list[Subscriber]:
    """Return for which organisations an annex has its client told, and what it leaves of each.

    Of several grants for one organisation, what any of them drops is dropped.
    """
    dropped: dict[str, list[str]] = {}
    for grant in _notified(annex):
        for organisation in grant.customers:
            dropped.setdefault(organisation.key, []).extend(grant.dropped)
    return [Subscriber(annex.client, key, tuple(dict.fromkeys(paths))) for key, paths in dropped.items()]


def _in_file(
    connection: Connection, ssins: Collection[str], organisation: str, rule: IntegrationRule | None, day: date
) -> list[str]:
    if rule is None:
        return []
    facts = find_facts_of_all(connection, tuple(ssins), organisation)
    days = days_that_count(rule, None, day)
    return [
        ssin for ssin, person in facts.items() if is_integrated(rule, organisation, person.client_inscriptions, days)
    ]


class Notifier:
    """Writes the notifications of declarations; what `SqlDimonaRepository` calls in its transaction."""

    def __init__(self, subscribers: Subscribers) -> None:
        self._subscribers = subscribers

    def __call__(self, connection: Connection, changes: Sequence[Change]) -> None:
        """Write one for each change and subscriber of its worker, with the period as the change left it."""
        received_at = changes[0].declaration.received_at
        subscribers = self._subscribers.find(connection, {change.declaration.ssin for change in changes}, received_at)
        rows = [
            {
                "client": subscriber.client,
                "organisation": subscriber.organisation,
                "declaration_number": change.declaration.number,
                "created_at": received_at,
                "content": content,
            }
            for change in changes
            for subscriber in subscribers[change.declaration.ssin]
            if (content := _make_content(change, subscriber)) is not None
        ]
        if rows:
            connection.execute(insert(dimona_notifications), rows)


def _make_content(change: Change, subscriber: Subscriber) -> dict[str, Any] | None:
    """Return what is told, by the names of the contract; None when the annex leaves nothing of the period."""
    (period,) = make_periods([change.period])["employmentPeriod"]
    left = _cut(period, subscriber)
    if left is None:
        return None
    return {
        "action": change.declaration.declaration.action.value,
        "declarationNumber": change.declaration.number,
        "employmentPeriod": _to_plain(left),
    }


def _cut(period: Any, subscriber: Subscriber) -> Any:
    """Return what the annex leaves of an `employmentPeriod`, None when that is nothing."""
    reply: Any = {"employmentPeriods": {"employmentPeriod": [period]}}
    left = reduce(without, (path.split("/") for path in subscriber.dropped), reply)
    return next(iter(left.get("employmentPeriods", {}).get("employmentPeriod", ())), None)


def _to_plain(values: Any) -> Any:
    """Return values as JSON has them: dates and times as messages write them."""
    if isinstance(values, Mapping):
        return {name: _to_plain(value) for name, value in values.items()}
    if isinstance(values, list | tuple):
        return [_to_plain(value) for value in values]
    if isinstance(values, datetime):
        return values.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return values.isoformat() if isinstance(values, date) else values


class NotificationUnknown(Exception):
    """The client has no notifications with these ids; none was acknowledged."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One that waits. `content` has `action`, `declarationNumber` and what the annex leaves of `employmentPeriod`."""

    id: int
    organisation: str
    created_at: datetime
    content: Mapping[str, Any] = field(repr=False)


def pull(
    commit: GroupCommit,
    trail: AuditTrail,
    *,
    client: str,
    subscriptions: Sequence[Subscriber],
    limit: int,
    actor: str,
    now: datetime,
) -> list[Notification]:
    """Return the client's notifications that wait, oldest first, once it is recorded that `actor` read them.

    They wait until they are acknowledged. `subscriptions` are those of the annex that is in force now: it says for
    which organisations the client may still be told, and what of a period, whatever was so when they were written.
    AuditUnavailable and CommitError when the record could not be made.
    """
    allowed = {each.organisation: each for each in subscriptions}

    def work(connection: Connection) -> list[Notification]:
        names = {"of_client": client, "most": limit, "organisations": list(allowed)}
        rows = [
            (row, row.content | {"employmentPeriod": left})
            for row in connection.execute(_WAITING, names).all()
            if (left := _cut(row.content["employmentPeriod"], allowed[row.organisation])) is not None
        ]
        subjects = list(dict.fromkeys(row.ssin for row, _ in rows))
        asked = {"client": client, "limit": limit, "notifications": [row.id for row, _ in rows]}
        record = _record(RecordKind.NOTIFICATION_PULL, "notifications pull", asked, subjects, actor, now)
        trail.append(connection, trail.seal(record))
        return [Notification(row.id, row.organisation, row.created_at, content) for row, content in rows]

    return commit.run(work)


def acknowledge(
    commit: GroupCommit, trail: AuditTrail, *, client: str, ids: Collection[int], actor: str, now: datetime
) -> int:
    """Tell these notifications never again, and record that `actor` said so; return how many still waited.

    NotificationUnknown when one is not the client's; AuditUnavailable and CommitError when it could not be done.
    """
    asked = {"client": client, "notifications": sorted(ids)}
    record = _record(RecordKind.NOTIFICATION_ACKNOWLEDGEMENT, "notifications acknowledge", asked, [], actor, now)
    row = trail.seal(record)

    def work(connection: Connection) -> int:
        names = {"of_client": client, "ids": sorted(ids)}
        unknown = set(ids) - set(connection.execute(_OWN, names).scalars())
        if unknown:
            raise NotificationUnknown(", ".join(map(str, sorted(unknown))))
        acknowledged = connection.execute(_ACKNOWLEDGE, names | {"now": now}).rowcount
        trail.append(connection, row)
        return acknowledged

    return commit.run(work)


def _record(
    kind: RecordKind, operation: str, asked: Mapping[str, Any], subjects: Sequence[str], actor: str, now: datetime
) -> AuditRecord:
    return replace(
        AuditRecord.of_deed(kind, operation, actor, asked, now),
        service=SERVICE,
        subject=subjects[0] if subjects else None,
        further_subjects=tuple(subjects[1:]),
    )
