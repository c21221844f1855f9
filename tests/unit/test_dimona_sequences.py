"""Whatever is declared, in whatever order: the personnel file is what the model has, and what it folds into."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.dimona.declaration import Accepted, RecordedDeclaration
from services.dimona.period import EmploymentPeriod
from services.dimona.personnel_file import Counts, Known, declare, fold
from services.dimona.worker import Person
from tests.unit.dimona_model import LARGEST, WORKERS, Message, Model, moment, read_messages, read_row
from tests.unit.dimona_world import BREWERY

SEQUENCES = 10_000
KNOWN = Known({ssin: Person(ssin) for ssin in WORKERS})

outcomes: dict[bool, int] = {True: 0, False: 0}


def play(messages: list[Message]) -> tuple[Model, list[EmploymentPeriod], list[RecordedDeclaration]]:
    """Let the model and the real file take the same messages; their answers must be the same."""
    model, declarations = Model(), list[RecordedDeclaration]()
    periods: dict[str, EmploymentPeriod] = {}
    for hour, steps in messages:
        ids = list(periods)
        told = [step.to_declaration(ids) for step in steps]
        counts = Counts(len(declarations), len(periods))
        declared = declare(told, BREWERY, moment(hour), periods, KNOWN, counts)
        # A message cannot name a period that it begins itself: its sender does not know the id yet.
        expected = [model.take(step, hour, len(ids)) for step in steps]
        assert [isinstance(answer, Accepted) for answer in declared.answers] == expected
        for accepted in expected:
            outcomes[accepted] += 1
        declarations += (change.declaration for change in declared.changes)
        periods |= {change.period.period_id: change.period for change in declared.changes}
    return model, list(periods.values()), declarations


@settings(max_examples=SEQUENCES, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(0, LARGEST - 1), max_size=8))
def check_sequence(numbers: list[int]) -> None:
    model, periods, declarations = play(read_messages(numbers))
    assert [read_row(period) for period in periods] == model.rows
    assert list(fold(declarations).values()) == periods


def test_random_sequences_leave_the_file_that_the_model_has() -> None:
    check_sequence()
    # The sequences are about something: of their declarations many are accepted, and many are not.
    total = sum(outcomes.values())
    assert min(outcomes.values()) > total / 5
