"""Submissions that come in great numbers, at once, from several nodes, and while a node dies."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from itertools import combinations
from pathlib import Path

import pytest
from databases import Databases
from dimona_database import add_employers, opened, prepare_registers

from gateway.sources.dimona_rows import PERIODS, make_period
from gateway.sources.dimona_sql import SqlDimonaRepository
from gateway.storage.dimona_tables import dimona_periods
from services.dimona.declaration import Accepted, Submission
from services.dimona.period import DeclarationSearch, EmploymentPeriod, PeriodSearch
from services.dimona.personnel_file import fold
from services.dimona.rules import overlap
from services.employer import Employer
from tests.unit.dimona_model import LARGEST, Model, Step, moment, read_row, read_step
from tests.unit.dimona_world import ANNA, BAKERY, BREWERY, TODAY, begin, cancel, end, make_employer, submission

SEQUENCES = 10_000
DECLARATIONS = 3
TRIES = 8
SEED = 20260310
THREADS = 48
NODES = 2


@pytest.fixture
def url(databases: Databases, tmp_path: Path) -> Iterator[str]:
    with databases.migrated(tmp_path) as migrated:
        prepare_registers(migrated)
        yield migrated


def draw_step(chooser: random.Random, model: Model, hour: int, known: int) -> Step:
    """Return any declaration, or, four times out of five, one that the model would take, if it is soon drawn."""
    step = read_step(chooser.randrange(LARGEST))
    for _ in range(TRIES if chooser.randrange(5) else 0):
        if Model(list(model.rows)).take(step, hour, known):
            break
        step = read_step(chooser.randrange(LARGEST))
    return step


def play(index: int, employer: Employer, repository: SqlDimonaRepository) -> Model:
    """Send one sequence of messages and let the model take it too; their answers must be the same."""
    chooser, model, ids = random.Random(SEED + index), Model(), list[str]()  # noqa: S311 - chance, not secrets
    hour, rest = 0, DECLARATIONS
    while rest:
        size = min(rest, chooser.randint(1, 3))
        hour, rest, steps, expected = hour + chooser.randrange(90), rest - size, list[Step](), list[bool]()
        for _ in range(size):
            steps.append(draw_step(chooser, model, hour, len(ids)))
            expected.append(model.take(steps[-1], hour, len(ids)))
        message = submission(*(step.to_declaration(ids) for step in steps), employer=employer, received_at=moment(hour))
        answers = repository.submit(message)
        assert [isinstance(answer, Accepted) for answer in answers] == expected
        ids = list(dict.fromkeys([*ids, *(each.period_id for each in answers if isinstance(each, Accepted))]))
    return model


def test_ten_thousand_sequences_leave_the_file_that_the_model_has(url: str) -> None:
    crowd = [make_employer(1000 + index) for index in range(SEQUENCES)]
    with opened(url) as (database, repository):
        with database.write() as connection:
            add_employers(connection, crowd)
        with ThreadPoolExecutor(THREADS) as pool:
            models = list(pool.map(lambda each: play(*each, repository), enumerate(crowd)))
        files: dict[str, list[EmploymentPeriod]] = {each.registration_number: [] for each in crowd}
        with database.read() as connection:
            for row in connection.execute(PERIODS.order_by(dimona_periods.c.period_id)):
                files[row.employer_number].append(make_period(row))
        declarations = repository.find_declarations(DeclarationSearch(), 10 * SEQUENCES).declarations
    for employer, model in zip(crowd, models, strict=True):
        assert [read_row(period) for period in files[employer.registration_number]] == model.rows
    assert fold(declarations) == {period.period_id: period for file in files.values() for period in file}
    # Most are about something that is accepted, and many are not.
    assert 1 / 2 < len(declarations) / (SEQUENCES * DECLARATIONS) < 4 / 5


@pytest.fixture
def nodes(url: str) -> Iterator[list[SqlDimonaRepository]]:
    """Two nodes on one database, each with connections and a writer of its own."""
    with ExitStack() as stack:
        yield [stack.enter_context(opened(url))[1] for _ in range(NODES)]


def send(nodes: list[SqlDimonaRepository], messages: list[Submission]) -> list[tuple[object, ...]]:
    """Send all messages at once, each to the next node."""
    with ThreadPoolExecutor(len(messages)) as pool:
        return list(pool.map(lambda pair: nodes[pair[0] % len(nodes)].submit(pair[1]), enumerate(messages)))


def file_of(repository: SqlDimonaRepository) -> list[EmploymentPeriod]:
    search = PeriodSearch(ssins=(ANNA.ssin,), include_cancelled=True)
    return list(repository.find_periods(search, 10_000).periods)


def check_file(repository: SqlDimonaRepository, answers: list[tuple[object, ...]]) -> None:
    """No rule is broken, and what was answered ACCEPTED is there, once."""
    periods = file_of(repository)
    for one, other in combinations([period for period in periods if not period.cancelled], 2):
        assert not overlap(one, other)
    declarations = repository.find_declarations(DeclarationSearch(), 10_000).declarations
    told = sorted(each.number for answer in answers for each in answer if isinstance(each, Accepted))
    assert [each.number for each in declarations] == told
    assert fold(declarations) == {period.period_id: period for period in periods}


def test_of_many_declarations_of_one_period_at_once_one_is_accepted(nodes: list[SqlDimonaRepository]) -> None:
    answers = send(nodes, [submission(begin()) for _ in range(40)])
    assert sum(isinstance(each, Accepted) for (each,) in answers) == 1
    check_file(nodes[0], answers)


def test_what_is_declared_of_one_worker_at_once_breaks_no_rule(nodes: list[SqlDimonaRepository]) -> None:
    days = [TODAY + timedelta(days=offset) for offset in range(10)]
    begun = send(nodes, [submission(begin(day, end_date=day)) for day in days])
    ids = [each.period_id for (each,) in begun if isinstance(each, Accepted)]
    assert len(ids) == len(days)
    changes = [
        submission(declaration)
        for period_id in ids
        for declaration in (end(period_id, days[4]), cancel(period_id), begin(days[3], end_date=days[8]))
    ]
    random.Random(SEED).shuffle(changes)  # noqa: S311 - chance, not secrets
    answers = send(nodes, changes)
    check_file(nodes[1], begun + answers)
    assert {type(each) for (each,) in answers} != {Accepted}


def test_copies_of_one_message_at_once_have_one_effect_and_equal_answers(nodes: list[SqlDimonaRepository]) -> None:
    message = submission(begin(end_date=TODAY), begin(TODAY + timedelta(days=1)), begin())
    answers = send(nodes, [message] * 30)
    assert len(set(answers)) == 1
    check_file(nodes[0], answers[:1])


def test_two_employers_declare_side_by_side(nodes: list[SqlDimonaRepository]) -> None:
    answers = send(nodes, [submission(begin(), employer=(BREWERY, BAKERY)[index % 2]) for index in range(20)])
    assert sum(isinstance(each, Accepted) for (each,) in answers) == 2


NODE = """
import sys
from datetime import timedelta
sys.path[:0] = sys.argv[2:]
from dimona_database import opened
from tests.unit.dimona_world import TODAY, begin, submission
with opened(sys.argv[1]) as (_, repository):
    for index in range(1, 10_000):
        day = TODAY + timedelta(days=index % 300)
        kind = ("OTH", "BCW", "DWD", "IVT", "RTA", "STG", "T17", "TRI", "ALT", "PMP")[index // 300 % 10]
        message = submission(begin(day, worker_type=kind, end_date=day), ticket=f"ticket-{index}")
        (answer,) = repository.submit(message)
        print(index, answer.number, answer.period_id, flush=True)
"""


def test_what_was_answered_accepted_survives_a_kill(url: str) -> None:
    here = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", NODE, url, str(here), str(here / "tests")], stdout=subprocess.PIPE, text=True
    ) as node:
        assert node.stdout is not None
        lines = [node.stdout.readline().split() for _ in range(20)]
        os.kill(node.pid, signal.SIGKILL)
        lines += [line.split() for line in node.stdout.read().splitlines()]
    told = [line for line in lines if len(line) == 3 and len(line[2]) == 12]
    assert len(told) >= 20
    with opened(url) as (_, repository):
        declarations = repository.find_declarations(DeclarationSearch(), 10_000).declarations
        kept = {each.number: each.period_id for each in declarations}
        assert {number: period_id for _, number, period_id in told}.items() <= kept.items()
        assert fold(declarations) == {period.period_id: period for period in file_of(repository)}
        # Nothing is half there: what was not answered any more is there whole, and its ticket tells it, or not at all.
        assert len(kept) - len(told) in (0, 1)
