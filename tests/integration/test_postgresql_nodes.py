"""Several nodes on one PostgreSQL: each gateway has connections of its own, and what one has done holds for the other.

Of PostgreSQL alone: nodes do not share a SQLite file.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from uuid import uuid4

import pytest
from databases import PostgresqlDatabases
from gateway_world import CONTEXTS, CUSTOMERS, Clock, DemoState, Reply, World, opened_node, prepared_state, request_xml
from postgresql_server import PostgresServer
from psycopg import sql
from sqlalchemy import make_url, select, text
from sqlalchemy.exc import DBAPIError
from test_gateway_dimona import ANNA, begin, results, submit, told

from fixtures.messages import ZEEP, envelope, sign
from gateway.audit.trail import STRANGER_RECORDS_PER_MINUTE
from gateway.bootstrap import open_annex_store, open_approvals
from gateway.demo_world import activate
from gateway.storage.database import Database
from gateway.storage.dimona_tables import dimona_declarations
from gateway.storage.tables import replay_keys

SSIN = "75631290176"
THREADS = 20
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def state(postgresql_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoState]:
    with prepared_state(PostgresqlDatabases(postgresql_server), tmp_path_factory.mktemp("nodes")) as prepared:
        yield prepared


@pytest.fixture
def url(state: DemoState, tmp_path: Path) -> Iterator[str]:
    with state.databases.copy(state.database_url, tmp_path) as copied:
        yield copied


@pytest.fixture
def nodes(state: DemoState, url: str) -> Iterator[tuple[World, World]]:
    clock = Clock()
    with (
        opened_node(state.directory, url, state.databases, clock=clock) as one,
        opened_node(state.directory, url, state.databases, clock=clock) as other,
    ):
        yield one, other


def question(client: str) -> str:
    return request_xml("consultCareer", SSIN, CUSTOMERS[client], CONTEXTS[client])


def test_a_message_answered_by_one_node_is_a_replay_for_the_other(nodes: tuple[World, World]) -> None:
    one, other = nodes
    message = one.sign(question("pcsa"))
    assert one.post(message).outcome == ("DATA_FOUND", "MSG00000")
    assert other.post(message).outcome == ("fault", "wsse:FailedCheck")


def test_of_many_copies_sent_to_both_nodes_at_once_one_is_answered(nodes: tuple[World, World]) -> None:
    message = nodes[0].sign(question("pcsa"))
    with ThreadPoolExecutor(THREADS) as pool:
        replies = list(pool.map(lambda pair: pair[0].post(message), zip(cycle(nodes), range(40), strict=False)))
    assert Counter(reply.outcome[1] for reply in replies) == {"MSG00000": 1, "wsse:FailedCheck": 39}
    assert len(nodes[0].rows(replay_keys)) == 1


def test_a_quota_is_exact_across_nodes(nodes: tuple[World, World]) -> None:
    one = nodes[0]
    one.clock.now = one.clock.now.replace(second=1)
    messages = [one.sign(question("inspection"), "inspection") for _ in range(50)]
    with ThreadPoolExecutor(THREADS) as pool:
        replies = list(pool.map(lambda pair: pair[0].post(pair[1]), zip(cycle(nodes), messages, strict=False)))
    assert Counter(reply.outcome[1] for reply in replies) == {"MSG00000": 30, "GTW00001": 20}
    # What was refused at the door is recorded up to a bound, which holds across nodes too.
    assert len(one.records()) == 30 + STRANGER_RECORDS_PER_MINUTE


def test_a_ticket_sent_to_both_nodes_at_once_declares_once(nodes: tuple[World, World]) -> None:
    """Each message is one of its own, but the ticket is the same: both get the answers of the one declaration."""

    def declare(node: World) -> Reply:
        return submit(node, begin(ANNA), ticket="to both nodes")

    before = len(nodes[0].rows(dimona_declarations))
    # Signed in the same moment they would be a message and its replay.
    later = replace(nodes[1], clock=Clock(nodes[0].clock.now + timedelta(seconds=1)))
    with ThreadPoolExecutor(len(nodes)) as pool:
        replies = list(pool.map(declare, (nodes[0], later)))
    (period,) = {each for reply in replies for each in told(reply)}
    assert [results(reply) for reply in replies] == [["ACCEPTED"], ["ACCEPTED"]]
    assert period
    assert len(nodes[0].rows(dimona_declarations)) == before + 1
    again = declare(nodes[1])
    assert (results(again), told(again)) == (["ACCEPTED"], [period])


def test_an_annex_approved_on_one_node_is_in_force_on_the_other_at_the_same_instant(
    nodes: tuple[World, World],
) -> None:
    one = nodes[0]
    assert {node.ask(SSIN).outcome for node in nodes} == {("DATA_FOUND", "MSG00000")}
    store = open_annex_store(one.gateway.storage)
    (current,) = [each for each in store.load_after() if each.client == "pcsa"]
    narrower = current.document.replace(CONTEXTS["pcsa"], "PCSA:ANOTHER")
    assert narrower != current.document
    added = activate(open_approvals(one.gateway.storage), narrower)
    deadline = time.monotonic() + 10
    while any(node.gateway.annexes._sequence < added.sequence for node in nodes):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    # Signing advances the clock by a millisecond, for each of the two.
    one.clock.now = added.active_from - timedelta(milliseconds=3)
    assert {node.ask(SSIN).outcome for node in nodes} == {("DATA_FOUND", "MSG00000")}
    one.clock.now = added.active_from
    assert {node.ask(SSIN).outcome[1] for node in nodes} == {"MSG00013"}


class RealClock(Clock):
    """The machine's own clock, which nobody advances."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)

    def advance(self, **amount: float) -> None:
        """Let time pass by itself."""


def test_under_load_both_nodes_switch_at_the_announced_instant(state: DemoState, url: str) -> None:
    clock = RealClock()
    with (
        opened_node(state.directory, url, state.databases, clock=clock) as one,
        opened_node(state.directory, url, state.databases, clock=clock) as other,
    ):
        over = threading.Event()

        def ask_on(node: World) -> None:
            while not over.is_set():
                # Each with a ticket of its own: two of the same millisecond would be one message, sent twice.
                payload = request_xml("consultCareer", SSIN, CUSTOMERS["pcsa"], CONTEXTS["pcsa"], ticket=str(uuid4()))
                node.post(sign(envelope(payload), node.identity("pcsa"), clock(), ZEEP))

        with ThreadPoolExecutor(4) as pool:
            asking = [pool.submit(ask_on, node) for node in (one, other, one, other)]
            try:
                approvals = open_approvals(one.gateway.storage)
                (current,) = [each for each in approvals.store.load_after() if each.client == "pcsa"]
                added = activate(approvals, current.document.replace(CONTEXTS["pcsa"], "PCSA:ANOTHER"))
                time.sleep(max(0.0, (added.active_from - clock()).total_seconds()) + 1)
            finally:
                over.set()
            for each in asking:
                each.result()
        decided = [(one.unseal(row)["decidedAt"], row["code"]) for row in one.records()]
    before = [code for at, code in decided if at < added.active_from]
    after = [code for at, code in decided if at >= added.active_from]
    assert (set(before), set(after)) == ({"MSG00000"}, {"MSG00013"})
    assert min(len(before), len(after)) > 20


def test_isolation_and_durability_are_demanded_whatever_the_servers_settings(
    postgresql_server: PostgresServer, url: str
) -> None:
    name = sql.Identifier(make_url(url).database or "")
    for setting in (
        "default_transaction_isolation = serializable",
        "synchronous_commit = off",
        "statement_timeout = '1min'",
        "timezone = 'Pacific/Kiritimati'",
    ):
        postgresql_server.execute(sql.SQL("ALTER DATABASE {} SET " + setting).format(name))
    shown = ("transaction_isolation", "synchronous_commit", "statement_timeout", "idle_in_transaction_session_timeout")
    database = Database(url)
    with database.write() as connection:
        found = [connection.execute(text(f"SHOW {each}")).scalar_one() for each in shown]
        assert found == ["read committed", "on", "0", "10s"]
        connection.execute(replay_keys.insert(), {"replay_key": b"k" * 32, "forget_at": NOON})
    with database.read() as connection:
        assert connection.execute(text("SHOW transaction_isolation")).scalar_one() == "repeatable read"
        assert connection.execute(text("SHOW transaction_read_only")).scalar_one() == "on"
        assert connection.scalar(select(replay_keys.c.forget_at)) == NOON
    database.close()


def test_a_node_that_falls_silent_inside_its_transaction_does_not_stop_the_others(url: str) -> None:
    """Its machine lost power, say: the server ends its transaction, and with it the lock that all wait for."""
    silent, other = Database(url, longest_silence="200ms"), Database(url)
    with pytest.raises(DBAPIError, match="idle-in-transaction"):
        _write_during_silence(silent, other)
    with silent.read() as connection:
        assert connection.scalars(select(replay_keys.c.replay_key)).all() == [b"k" * 32]
    silent.close()
    other.close()


def _write_during_silence(silent: Database, other: Database) -> None:
    with silent.write() as lost:
        with other.write() as connection:
            connection.execute(replay_keys.insert(), {"replay_key": b"k" * 32, "forget_at": NOON})
        lost.execute(replay_keys.insert(), {"replay_key": b"l" * 32, "forget_at": NOON})
