"""A PostgreSQL that crashes while requests run: nobody is answered without a record, and nobody has to mend anything.

Of PostgreSQL alone, which is a process apart; the server of these tests is as durable as one in production.
"""

import signal
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import PostgresqlDatabases
from gateway_world import CONTEXTS, CUSTOMERS, Reply, World, opened_node, prepared_state, request_xml
from postgresql_server import PostgresServer, running_server

SSIN = "75631290176"
THREADS = 8


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with running_server(durable=True) as durable:
        yield durable


@pytest.fixture
def nodes(server: PostgresServer, tmp_path: Path) -> Iterator[list[World]]:
    with (
        prepared_state(PostgresqlDatabases(server), tmp_path) as state,
        opened_node(state.directory, state.database_url, state.databases) as one,
        opened_node(state.directory, state.database_url, state.databases) as other,
    ):
        yield [one, other]


def test_a_server_that_crashes_loses_no_record_of_a_delivered_reply(server: PostgresServer, nodes: list[World]) -> None:
    phase = ["before"]
    stop = threading.Event()
    replies: list[tuple[str, Reply]] = []
    failures: list[BaseException] = []

    def ask(world: World) -> None:
        try:
            while not stop.is_set():
                began, ticket = phase[0], str(uuid.uuid4())
                payload = request_xml("consultCareer", SSIN, CUSTOMERS["pcsa"], CONTEXTS["pcsa"], ticket=ticket)
                reply = world.post(world.sign(payload))
                # Between two phases nobody can say what must be answered.
                replies.append((began if began == phase[0] else "between", reply))
        except BaseException as failure:
            failures.append(failure)

    def pass_to(name: str, replies_wanted: int) -> None:
        phase[0] = name
        deadline = time.monotonic() + 30
        while sum(told == name for told, _ in list(replies)) < replies_wanted:
            assert time.monotonic() < deadline, Counter((told, reply.outcome) for told, reply in replies)
            time.sleep(0.01)

    threads = [threading.Thread(target=ask, args=(nodes[number % 2],)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    try:
        pass_to("before", 40)
        phase[0] = "crash"
        server.stop(signal.SIGKILL)
        pass_to("away", 40)
        phase[0] = "start"
        server.start()
        pass_to("after", 40)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []
    told = {
        name: Counter(reply.outcome for when, reply in replies if when == name) for name in ("before", "away", "after")
    }
    assert told["before"].keys() == told["after"].keys() == {("DATA_FOUND", "MSG00000")}
    assert told["away"].keys() == {("fault", "MSG00001")}
    assert {reply.outcome[1] for _, reply in replies} <= {"MSG00000", "MSG00001", "MSG00020", "MSG00002"}
    recorded = {record["ticket_cbss"] for record in nodes[0].records()}
    delivered = [
        str(reply.payload.findtext("informationCBSS/ticketCBSS")) for _, reply in replies if not reply.is_fault
    ]
    assert len(delivered) == len(set(delivered)) >= 80
    assert set(delivered) <= recorded
