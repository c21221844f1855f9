"""Who is told of a declaration: whoever has the worker in its file, what its annex leaves, until it acknowledges."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
from databases import Databases
from dimona_database import prepare_registers
from sqlalchemy import Connection, insert
from storage_world import World, open_world

from authz.annex import Annex
from authz.annex_document import read_annex
from gateway.audit.record import RecordKind
from gateway.contracts import load_contracts
from gateway.demo_world import ANNEXES
from gateway.notifications import (
    AnnexSubscribers,
    Notification,
    NotificationUnknown,
    Notifier,
    Subscriber,
    acknowledge,
    list_subscriptions,
    pull,
)
from gateway.sources.dimona_sql import SqlDimonaRepository
from gateway.storage.dimona_tables import dimona_declarations, dimona_notifications
from gateway.storage.tables import inscriptions
from services.consultation import SourceUnavailable
from services.dimona.declaration import Accepted, Submission
from tests.unit.dimona_world import ANNA, BRAM, NOON, TODAY, begin, cancel, end, submission

PERIOD = "employmentPeriods/employmentPeriod"
FUND = Subscriber("fund", "sector:25/0", (f"{PERIOD}/late", f"{PERIOD}/createdAt"))
CITY = Subscriber("city", "cbe:0999900150", (f"{PERIOD}/worker", f"{PERIOD}/employer/name"))
BLIND = Subscriber("blind", "sector:9/9", ("employmentPeriods",))


class FakeSubscribers:
    """Tells of each person by a table."""

    def __init__(self, table: Mapping[str, Sequence[Subscriber]]) -> None:
        self.table = table
        self.asked: list[tuple[set[str], datetime]] = []

    def find(self, connection: Connection, ssins: Collection[str], now: datetime) -> Mapping[str, Sequence[Subscriber]]:
        self.asked.append((set(ssins), now))
        return {ssin: self.table.get(ssin, ()) for ssin in ssins}


@pytest.fixture
def world(databases: Databases, tmp_path: Path) -> Iterator[World]:
    with open_world(databases, tmp_path) as opened:
        prepare_registers(opened.url)
        yield opened


@pytest.fixture
def repository(world: World) -> SqlDimonaRepository:
    notifier = Notifier(FakeSubscribers({ANNA.ssin: (FUND, CITY, BLIND), BRAM.ssin: (FUND,)}))
    return SqlDimonaRepository(world.database.read, world.commit, notifier)


def read_waiting(world: World, subscriber: Subscriber, limit: int = 100) -> list[Notification]:
    return pull(
        world.commit,
        world.trail,
        client=subscriber.client,
        subscriptions=[subscriber],
        limit=limit,
        actor="operator",
        now=NOON,
    )


def waiting(world: World, client: str, limit: int = 100) -> list[dict[str, object]]:
    (subscriber,) = (each for each in (FUND, CITY, BLIND) if each.client == client)
    return [dict(each.content) for each in read_waiting(world, subscriber, limit)]


def test_each_subscriber_is_told_what_its_annex_leaves(world: World, repository: SqlDimonaRepository) -> None:
    (answer,) = repository.submit(submission(begin(end_date=date(2026, 3, 31))))
    assert isinstance(answer, Accepted)
    (told,) = waiting(world, "fund")
    period = told.pop("employmentPeriod")
    assert told == {"action": "IN", "declarationNumber": answer.number}
    assert isinstance(period, dict)
    assert period["worker"] == {"ssin": ANNA.ssin}
    assert (period["startingDate"], period["endingDate"]) == ("2026-03-10", "2026-03-31")
    assert period["updatedAt"] == "2026-03-10T11:00:00.000Z"
    assert not {"late", "createdAt"} & set(period)
    (told,) = waiting(world, "city")
    period = told["employmentPeriod"]
    assert isinstance(period, dict)
    assert "worker" not in period
    assert ANNA.ssin not in str(told)
    assert "name" not in period["employer"]
    assert "late" in period


def test_who_may_see_nothing_of_a_period_is_told_nothing(world: World, repository: SqlDimonaRepository) -> None:
    repository.submit(submission(begin()))
    assert waiting(world, "blind") == []


def test_only_those_who_have_the_worker_are_told(world: World, repository: SqlDimonaRepository) -> None:
    repository.submit(submission(begin(ssin=BRAM.ssin)))
    assert len(waiting(world, "fund")) == 1
    assert waiting(world, "city") == []


def test_each_declaration_is_told_with_the_period_as_it_left_it(world: World, repository: SqlDimonaRepository) -> None:
    (answer,) = repository.submit(submission(begin()))
    assert isinstance(answer, Accepted)
    repository.submit(submission(end(answer.period_id, TODAY), begin(), cancel(answer.period_id)))
    told = waiting(world, "fund")
    assert [each["action"] for each in told] == ["IN", "OUT", "CANCEL"]
    periods = [each["employmentPeriod"] for each in told]
    assert [(each.get("endingDate"), each["cancelled"]) for each in periods] == [  # type: ignore[attr-defined, index]
        (None, False),
        ("2026-03-10", False),
        ("2026-03-10", True),
    ]


def test_a_message_that_is_sent_again_is_told_once(world: World, repository: SqlDimonaRepository) -> None:
    message: Submission = submission(begin())
    repository.submit(message)
    repository.submit(message)
    assert len(waiting(world, "fund")) == 1


def test_all_are_told_or_nothing_is_declared(world: World, repository: SqlDimonaRepository) -> None:
    twice = Notifier(FakeSubscribers({ANNA.ssin: (FUND, FUND)}))
    with pytest.raises(SourceUnavailable):
        SqlDimonaRepository(world.database.read, world.commit, twice).submit(submission(begin()))
    assert world.rows(dimona_notifications) == world.rows(dimona_declarations) == []


def test_what_is_not_acknowledged_is_told_again(world: World, repository: SqlDimonaRepository) -> None:
    for month in (1, 2, 3):
        repository.submit(submission(begin(date(2026, month, 2), end_date=date(2026, month, 5))))
    first = read_waiting(world, FUND, 2)
    assert len(first) == 2
    assert [each.id for each in first] == sorted(each.id for each in first)
    assert read_waiting(world, FUND, 2) == first
    asked = {"client": "fund", "ids": {each.id for each in first}, "actor": "operator", "now": NOON}
    assert acknowledge(world.commit, world.trail, **asked) == 2  # type: ignore[arg-type]
    assert acknowledge(world.commit, world.trail, **asked) == 0  # type: ignore[arg-type]
    assert len(waiting(world, "fund")) == 1
    assert len(waiting(world, "city")) == 3


def test_who_is_no_subscriber_any_more_is_told_nothing_of_what_waits(
    world: World, repository: SqlDimonaRepository
) -> None:
    repository.submit(submission(begin()))
    assert read_waiting(world, replace(FUND, organisation="sector:9/9")) == []
    nothing = pull(world.commit, world.trail, client="fund", subscriptions=[], limit=9, actor="operator", now=NOON)
    assert nothing == []
    assert len(waiting(world, "fund")) == 1


def test_what_the_annex_withholds_by_now_is_not_told(world: World, repository: SqlDimonaRepository) -> None:
    repository.submit(submission(begin()))
    (told,) = read_waiting(world, replace(FUND, dropped=(f"{PERIOD}/features", f"{PERIOD}/worker")))
    assert not {"features", "worker", "late"} & set(told.content["employmentPeriod"])
    assert read_waiting(world, replace(FUND, dropped=("employmentPeriods",))) == []


def test_an_annex_says_for_whom_it_subscribes_and_what_it_drops() -> None:
    annex = unemployment()
    (subscription,) = list_subscriptions(annex)
    assert (subscription.client, subscription.organisation) == (annex.client, annex.identity.key)
    none = replace(
        annex, grants={key: tuple(replace(each, notified=False) for each in of) for key, of in annex.grants.items()}
    )
    assert list_subscriptions(none) == []


def test_nobody_acknowledges_what_is_anothers(world: World, repository: SqlDimonaRepository) -> None:
    repository.submit(submission(begin()))
    rows = world.rows(dimona_notifications)
    with pytest.raises(NotificationUnknown):
        acknowledge(
            world.commit, world.trail, client="fund", ids={row["id"] for row in rows}, actor="operator", now=NOON
        )
    assert len(waiting(world, "fund")) == 1


def test_pulling_and_acknowledging_are_recorded_with_whom_they_are_about(
    world: World, repository: SqlDimonaRepository
) -> None:
    repository.submit(submission(begin(), begin(ssin=BRAM.ssin)))
    found = read_waiting(world, FUND)
    ids = [each.id for each in found]
    acknowledge(world.commit, world.trail, client="fund", ids=ids, actor="operator", now=NOON)
    pulled, acknowledged = world.rows()
    assert (pulled["kind"], pulled["client"]) == (RecordKind.NOTIFICATION_PULL, "operator")
    assert acknowledged["kind"] == RecordKind.NOTIFICATION_ACKNOWLEDGEMENT
    sealed = world.unseal(pulled)
    assert (sealed["subject"], sealed["furtherSubjects"]) == (ANNA.ssin, [BRAM.ssin])
    assert sealed["request"]["notifications"] == ids
    assert world.unseal(acknowledged)["request"] == {"client": "fund", "notifications": ids}


def unemployment() -> Annex:
    return read_annex((ANNEXES / "unemployment.yaml").read_text("utf-8"), load_contracts().shapes())


def inscribe(world: World, organisation: str, context: str, begin_date: date, end_date: date | None = None) -> None:
    with world.database.write() as connection:
        row = {"ssin": ANNA.ssin, "organisation": organisation, "context": context, "begin_date": begin_date}
        connection.execute(insert(inscriptions), row | {"end_date": end_date})


def subscribers_of(world: World, annex: Annex) -> list[Subscriber]:
    with world.database.read() as connection:
        found = AnnexSubscribers(lambda now: [annex]).find(connection, {ANNA.ssin, BRAM.ssin}, NOON)
    assert found[BRAM.ssin] == []
    return list(found[ANNA.ssin])


def test_subscribers_are_the_clients_whose_annex_says_so_and_who_have_the_person_that_day(world: World) -> None:
    annex = unemployment()
    assert subscribers_of(world, annex) == []
    (customer,) = annex.represents
    inscribe(world, customer.key, "ANOTHER:FILE", date(2020, 1, 1))
    inscribe(world, "cbe:0999900150", "UNEMPLOYMENT:FILE", date(2020, 1, 1))
    inscribe(world, customer.key, "UNEMPLOYMENT:FILE", date(2020, 1, 1), date(2026, 3, 9))
    assert subscribers_of(world, annex) == []
    inscribe(world, customer.key, "UNEMPLOYMENT:FILE", date(2026, 3, 10), date(2026, 3, 10))
    (subscriber,) = subscribers_of(world, annex)
    assert (subscriber.client, subscriber.organisation) == ("unemployment", customer.key)
    assert f"{PERIOD}/late" in subscriber.dropped


def test_without_notified_in_its_annex_nobody_is_told(world: World) -> None:
    annex = unemployment()
    (customer,) = annex.represents
    inscribe(world, customer.key, "UNEMPLOYMENT:FILE", date(2020, 1, 1))
    grants = {key: tuple(replace(grant, notified=False) for grant in found) for key, found in annex.grants.items()}
    assert subscribers_of(world, annex) != []
    assert subscribers_of(world, replace(annex, grants=grants)) == []
