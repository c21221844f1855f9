"""A second, simpler account of the personnel file, written from the rules alone, to hold the real one against.

Time is days and hours counted from one day: a period is the set of hours that it fills. Sequences of messages are read
out of plain numbers, so that hypothesis can shrink them and a seed can make as many as are wanted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from services.calendar import BRUSSELS
from services.dimona.declaration import OPEN_END, Action, Declaration, Features, OccupationForm
from services.dimona.period import EmploymentPeriod
from tests.unit.dimona_world import ANNA, BRAM, TWIN

# Around the end of a quarter, and Easter: 6 April 2026, day 12, is a Monday on which nobody works.
FIRST_DAY = date(2026, 3, 25)
NEXT_QUARTER = 7
HORIZON = 50
NOT_WORKED = {3, 4, 10, 11, 12, 17, 18, 24, 25}
WORKERS = (ANNA.ssin, BRAM.ssin, TWIN.ssin)
UNKNOWN_PERIOD = "999999999999"
OPEN = 10**6
NO_PERIOD = 99

LARGEST = 2**30
"""Every number below it is a declaration."""

_FORMS = {"EXT": ("HOURS", "DAY", "HOURS", None), "FLX": ("HOURS", "WRITTEN_CONTRACT", "DAY", "HOURS")}
_NO_HOURS = (None, None)
_HOURS = (_NO_HOURS, (8, 12), (8, 16), (12, 16), (8, 12), (12, 16), (16, 8), (8, 8), (8, None), (None, 12))


@dataclass(frozen=True)
class Step:
    """A declaration; days are counted from the first one, None is not said, and `target` chooses one of the periods."""

    action: Action
    target: int = 0
    worker: int = 0
    kind: str = "OTH"
    form: str | None = None
    begin: int | None = None
    begin_hour: int | None = None
    end: int | None = None
    end_hour: int | None = None
    planned: int | None = None

    def find_place(self, known: int) -> int | None:
        """Return which of the known periods is meant, None for one that there is not."""
        return self.target % known if known and self.target != NO_PERIOD else None

    def to_declaration(self, ids: Sequence[str]) -> Declaration:
        """Return what is sent when the periods of the file have these ids."""
        is_in = self.action is Action.IN
        form = OccupationForm(self.form) if self.form else None
        place = self.find_place(len(ids))
        return Declaration(
            self.action,
            period_id=None if is_in else UNKNOWN_PERIOD if place is None else ids[place],
            ssin=WORKERS[self.worker] if is_in else None,
            features=Features(self.kind, "200", occupation_form=form) if is_in else None,
            begin_date=_to_day(self.begin),
            begin_hour=_to_time(self.begin_hour),
            end_date=OPEN_END if self.end == OPEN else _to_day(self.end),
            end_hour=_to_time(self.end_hour),
            planned_hours=self.planned,
        )


@dataclass(frozen=True)
class Row:
    """A period of the model."""

    worker: int
    kind: str
    form: str | None
    begin: int
    begin_hour: int | None
    end: int | None
    end_hour: int | None
    planned: int | None
    cancelled: bool = False
    late: bool = False

    def fills(self) -> set[int]:
        """Return the hours that the period fills, as far as anybody looks."""
        last = HORIZON if self.end is None else self.end
        start = self.begin * 24 + (self.begin_hour or 0)
        stop = (last + 1) * 24 if self.end_hour is None else last * 24 + self.end_hour
        return set(range(start, stop))


@dataclass
class Model:
    """The personnel file of one employer."""

    rows: list[Row] = field(default_factory=list)

    def take(self, step: Step, received: int, known: int) -> bool:
        """Do what a declaration says that comes at an hour counted from the first day; tell whether it was accepted.

        Its sender knows so many of the periods.
        """
        if step.action is Action.IN:
            if step.end == OPEN:
                return False
            row = Row(
                step.worker,
                step.kind,
                step.form,
                step.begin or 0,
                step.begin_hour,
                step.end,
                step.end_hour,
                step.planned,
            )
            if not self._is_sound(row, self.rows):
                return False
            self.rows.append(replace(row, late=_has_begun(row, received)))
            return True
        place = step.find_place(known)
        if place is None or self.rows[place].cancelled:
            return False
        before = self.rows[place]
        others = [row for row in self.rows if row is not before]
        if step.action is Action.CANCEL:
            self.rows[place] = replace(before, cancelled=True)
            return True
        if step.action is Action.OUT:
            if step.end == OPEN:
                return False
            after = replace(before, end=step.end, end_hour=before.end_hour if before.end == step.end else None)
            late = _has_ended(after, received)
        else:
            after = before
            for name in ("begin", "begin_hour", "end_hour", "planned"):
                if getattr(step, name) is not None:
                    after = replace(after, **{name: getattr(step, name)})
            if step.end == OPEN:
                after = replace(after, end=None, end_hour=step.end_hour)
            elif step.end is not None:
                after = replace(after, end=step.end)
            begins, ends = (
                [getattr(before, name) != getattr(after, name) for name in names]
                for names in (("begin", "begin_hour"), ("end", "end_hour"))
            )
            late = (any(begins) and (_has_begun(before, received) or _has_begun(after, received))) or (
                any(ends) and (_has_ended(before, received) or _has_ended(after, received))
            )
        if not self._is_sound(after, others):
            return False
        self.rows[place] = replace(after, late=before.late or late)
        return True

    def _is_sound(self, row: Row, others: list[Row]) -> bool:
        if row.end is None and row.end_hour is not None:
            return False
        if not row.fills():
            return False
        if row.planned is not None and not 1 <= row.planned <= 999:
            return False
        forms = {"EXT": {"HOURS", "DAY"}, "FLX": {"HOURS", "WRITTEN_CONTRACT"}}.get(row.kind, {None})
        if row.form not in forms:
            return False
        no_hours = row.begin_hour is None and row.end_hour is None
        both_hours = row.begin_hour is not None and row.end_hour is not None
        in_one_quarter = row.end is not None and (row.begin < NEXT_QUARTER) == (row.end < NEXT_QUARTER)
        needed = {
            "HOURS": both_hours and row.begin == row.end,
            "DAY": no_hours and row.begin == row.end,
            "WRITTEN_CONTRACT": no_hours and in_one_quarter,
            None: row.kind != "STU" or (in_one_quarter and row.planned is not None),
        }
        if not needed[row.form]:
            return False
        return not any(
            not other.cancelled
            and (other.worker, other.kind) == (row.worker, row.kind)
            and not other.fills().isdisjoint(row.fills())
            for other in others
        )


def _has_begun(row: Row, received: int) -> bool:
    if row.begin_hour is None:
        return received // 24 > row.begin
    return received > row.begin * 24 + row.begin_hour


def _has_ended(row: Row, received: int) -> bool:
    if row.end is None:
        return False
    working_days = [day for day in range(row.end + 1, received // 24) if day not in NOT_WORKED]
    return len(working_days) > 0


def read_row(period: EmploymentPeriod) -> Row:
    """Return what the model has for a period."""
    features = period.features
    return Row(
        WORKERS.index(period.ssin),
        features.worker_type,
        features.occupation_form.value if features.occupation_form else None,
        (period.begin_date - FIRST_DAY).days,
        period.begin_hour.hour if period.begin_hour else None,
        (period.end_date - FIRST_DAY).days if period.end_date else None,
        period.end_hour.hour if period.end_hour else None,
        period.planned_hours,
        period.cancelled,
        period.late,
    )


def read_step(number: int) -> Step:
    """Read a declaration out of a number below `LARGEST`; half of them begin periods, most of them soundly."""
    digits = _Digits(number)
    action = digits.choose(Action.IN, Action.IN, Action.OUT, Action.UPDATE, Action.UPDATE, Action.CANCEL)
    begin, length = digits.below(14), digits.choose(0, 0, 0, 1, 2, 5, 20, -1, None, None, None, OPEN)
    end = length if length in (None, OPEN) else begin + length
    if action is Action.IN:
        kind = digits.choose("OTH", "OTH", "OTH", "BCW", "STU", "STU", "EXT", "EXT", "FLX")
        form = digits.choose(*_FORMS.get(kind, (*[None] * 7, "DAY")))
        hours = digits.choose(*(_HOURS if form in (None, "HOURS") else (_NO_HOURS, _NO_HOURS, (8, 16), (8, None))))
        planned = digits.choose(*((10, 10, 10, 999, None, 0) if kind == "STU" else (*[None] * 5, 1, 1, 1000)))
        return Step(action, 0, digits.below(3), kind, form, begin, hours[0], end, hours[1], planned)
    step = Step(action, target=digits.choose(*range(8), NO_PERIOD))
    if action is Action.OUT:
        return replace(step, end=OPEN if length == OPEN else begin)
    if action is Action.CANCEL:
        return step
    hours, moved = digits.choose(_NO_HOURS, _NO_HOURS, *_HOURS), digits.choose(begin, None, None)
    planned = digits.choose(*[None] * 5, 20, 0)
    return replace(step, begin=moved, begin_hour=hours[0], end=end, end_hour=hours[1], planned=planned)


class _Digits:
    """Reads choices out of a number, each a digit of a base of its own."""

    def __init__(self, number: int) -> None:
        self._number = number

    def below(self, base: int) -> int:
        self._number, digit = divmod(self._number, base)
        return digit

    def choose(self, *choices: Any) -> Any:
        return choices[self.below(len(choices))]


Message = tuple[int, tuple[Step, ...]]
"""The hour at which it is received, and what it declares."""


def read_messages(numbers: Sequence[int]) -> list[Message]:
    """Read a sequence of messages of up to three declarations each, received one after the other."""
    messages, rest, hour = [], list(numbers), 0
    while rest:
        size = 1 + rest[0] % 3
        hour += rest[0] % 90
        messages.append((hour, tuple(read_step(number) for number in rest[:size])))
        rest = rest[size:]
    return messages


def moment(hour: int) -> datetime:
    """Return the moment at which a Belgian clock shows the hour, counted from the first day."""
    return datetime.combine(FIRST_DAY, time(), BRUSSELS) + timedelta(hours=hour)


def _to_day(day: int | None) -> date | None:
    return None if day is None else FIRST_DAY + timedelta(days=day)


def _to_time(hour: int | None) -> time | None:
    return None if hour is None else time(hour)
