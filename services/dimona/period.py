"""A period of employment, the row of the personnel file, and how periods and declarations are searched."""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum

from services.dimona.declaration import Action, Features, RecordedDeclaration
from services.employer import Employer, EmployerReference


@dataclass(frozen=True, slots=True)
class EmploymentPeriod:
    """What the declarations about one period come to. Dates and hours are Belgian civil time; no end means open.

    `locked`: no declaration can change it any more. `late`: one of its declarations was. `last_action` is what the
    last of them did, at `updated_at` (aware, UTC, as `created_at`).
    """

    period_id: str
    employer: Employer
    ssin: str = field(repr=False)
    features: Features
    begin_date: date
    begin_hour: time | None
    end_date: date | None
    end_hour: time | None
    planned_hours: int | None
    planned_days: int | None
    cancelled: bool
    locked: bool
    late: bool
    last_action: Action
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class WorkerName:
    """A worker searched by name: exact but for case and accents; `birth_date` narrows."""

    name: str
    first_name: str
    birth_date: date | None = None


class Event(StrEnum):
    """Which periods a search keeps: those that began, or those that ended, in the time that is asked."""

    STARTED = "STARTED"
    ENDED = "ENDED"


@dataclass(frozen=True, slots=True)
class PeriodSearch:
    """Which periods; what is None or empty does not narrow. Days are inclusive, `after` is a period id.

    Without `event`, periods are kept that overlap the time from `begin` to `end`. `using_company` is an enterprise
    number.
    """

    ssins: tuple[str, ...] = field(default=(), repr=False)
    worker_name: WorkerName | None = field(default=None, repr=False)
    employer: EmployerReference | None = None
    begin: date | None = None
    end: date | None = None
    event: Event | None = None
    worker_types: tuple[str, ...] = ()
    joint_committees: tuple[str, ...] = ()
    using_company: str | None = None
    include_cancelled: bool = False
    after: str | None = None


@dataclass(frozen=True, slots=True)
class DeclarationSearch:
    """Which declarations; what is None does not narrow. Days of reception are Belgian, inclusive; `after` a number."""

    number: str | None = None
    ssin: str | None = field(default=None, repr=False)
    worker_name: WorkerName | None = field(default=None, repr=False)
    employer: EmployerReference | None = None
    received_from: date | None = None
    received_until: date | None = None
    joint_committee: str | None = None
    worker_type: str | None = None
    using_company: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class PeriodPage:
    """Periods in the order of their ids; `more` when others follow."""

    periods: tuple[EmploymentPeriod, ...]
    more: bool = False


@dataclass(frozen=True, slots=True)
class DeclarationPage:
    """Declarations in the order of their numbers; `more` when others follow."""

    declarations: tuple[RecordedDeclaration, ...]
    more: bool = False
