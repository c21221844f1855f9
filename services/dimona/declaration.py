"""A Dimona declaration as an employer makes it, and as the NSSO keeps it: frozen values, no XML, no SQL.

Dates and hours are Belgian civil time. Codes (worker types, joint committees, forms of occupation) are those of
`codes.yaml`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from services.employer import Employer, EmployerReference

# An UPDATE to this end takes the end of a period away.
OPEN_END = date(9999, 12, 31)


class Action(StrEnum):
    """What a declaration does: begins a period, ends it, changes it, or undoes it."""

    IN = "IN"
    OUT = "OUT"
    UPDATE = "UPDATE"
    CANCEL = "CANCEL"


class OccupationForm(StrEnum):
    """How an occasional worker (EXT) or flexi-job worker (FLX) is declared: by the hour, the day, or the quarter."""

    HOURS = "HOURS"
    DAY = "DAY"
    WRITTEN_CONTRACT = "WRITTEN_CONTRACT"


@dataclass(frozen=True, slots=True)
class WorkerIdentity:
    """Who a worker is whose SSIN the employer does not know. `sex` is M, F or X; `address` as the contract has it."""

    name: str
    first_name: str
    birth_date: date
    sex: str
    address: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class UsingCompany:
    """The company with which an agency worker really works."""

    name: str | None = None
    enterprise_number: str | None = None
    joint_committee: str | None = None


@dataclass(frozen=True, slots=True)
class Features:
    """What an IN says of the occupation; no later declaration changes it."""

    worker_type: str
    joint_committee: str
    sub_entity: str | None = None
    occupation_form: OccupationForm | None = None
    using_company: UsingCompany | None = None
    student_place_of_work: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Declaration:
    """One declaration as it was sent, before anything of it was judged.

    IN has `features`, `begin_date` and one of `ssin` and `identity`; OUT has `period_id` and `end_date`; UPDATE has
    `period_id`, and what it leaves None stays as it is; CANCEL has `period_id` alone. An `ssin` beside a `period_id`
    must be that of the period. At most one of `planned_hours` and `planned_days` is there.
    """

    action: Action
    period_id: str | None = None
    ssin: str | None = field(default=None, repr=False)
    identity: WorkerIdentity | None = field(default=None, repr=False)
    features: Features | None = None
    begin_date: date | None = None
    begin_hour: time | None = None
    end_date: date | None = None
    end_hour: time | None = None
    planned_hours: int | None = None
    planned_days: int | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """The declarations of one message. `client` and `ticket` name it for ever: the same two get the same answers.

    `digest` is the SHA-256 of everything that was declared, by which a ticket used for something else is found out.
    `received_at` is aware, UTC.
    """

    client: str
    ticket: str
    digest: bytes
    employer: EmployerReference
    declarations: tuple[Declaration, ...]
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Why a declaration is refused: a row of `anomalies.yaml`, and the element of the declaration that it is about."""

    code: str
    field: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A declaration that is recorded. `number` is its own, `period_id` that of the period that it is about.

    `ssin` is that of the worker, for the audit alone; answers kept since before it was have none.
    """

    number: str
    period_id: str
    late: bool
    ssin: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """A declaration of which nothing is recorded but this answer; at least one anomaly, in the order of the fields.

    `ssin` is that of the worker where it can be told who is meant, for the audit alone; empty where it cannot.
    """

    anomalies: tuple[Anomaly, ...]
    ssin: str = field(default="", repr=False)


DeclarationAnswer = Accepted | Refused


@dataclass(frozen=True, slots=True)
class RecordedDeclaration:
    """An accepted declaration. `ssin` is that of the worker, found by name if need be; `received_at` is aware, UTC."""

    number: str
    received_at: datetime
    employer: Employer
    ssin: str = field(repr=False)
    period_id: str = ""
    late: bool = False
    declaration: Declaration = field(default_factory=lambda: Declaration(Action.CANCEL))
