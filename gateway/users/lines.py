"""The lines of the CSV files that User Management imports, read one by one: each is a command's wishes, or is refused.

A line stands for itself: a quote that is not closed spoils its own line and no other, and so do bytes that are not
UTF-8 and control characters. Knows nothing of what is stored already.
"""

import csv
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, BinaryIO

from authz.user_management.model import (
    Administration,
    Capacity,
    Contact,
    Enterprise,
    Language,
    Person,
    Quality,
    Region,
    SttsProfile,
)

# A longer one is cut, and thereby refused: a file without line ends must not fill the memory.
LONGEST_LINE = 16 * 1024

ENTERPRISE_COLUMNS = (
    "number",
    "name",
    "legal_form",
    "qualities",
    "nsso_number",
    "nsso_ppo_number",
    "struck_off_on",
    "administration",
    "region",
)
USER_COLUMNS = (
    "enterprise",
    "role",
    "name",
    "first_name",
    "national_number",
    "quality",
    "capacity",
    "user_name",
    "email",
    "phone",
    "language",
    "applications",
    "stts_profile",
    "activated",
    "blocked",
)
AFFILIATION_COLUMNS = ("employer", "secretariat", "begin", "end")
MANDATE_COLUMNS = (
    "mandator",
    "mandatary",
    "application_group",
    "begin_quarter",
    "end_quarter",
    "agreement",
    "definitive",
    "ended_on",
)
ROLES = ("chief", "co_chief", "access_manager", "co_access_manager", "user")


class LineRefused(Exception):
    """Why a line is not imported: the rule's id, or the column that cannot be read. Never quotes the line."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule = rule
        self.reason = reason


@dataclass(frozen=True, slots=True)
class UserLine:
    """A user as a file has it. `role` is one of ROLES; a chief's `quality` is not looked at."""

    enterprise: str
    role: str
    person: Person = field(repr=False)
    quality: Quality
    capacity: Capacity
    user_name: str | None
    contact: Contact = field(repr=False)
    language: Language
    applications: frozenset[str]
    stts_profile: SttsProfile | None
    activated: bool
    blocked: bool


@dataclass(frozen=True, slots=True)
class AffiliationLine:
    """An affiliation as a file has it."""

    employer: str
    secretariat: str
    begin: date
    end: date | None


@dataclass(frozen=True, slots=True)
class MandateLine:
    """A mandate as a file has it; `ended_on` where its end was reported."""

    mandator: str
    mandatary: str
    application_group: str
    begin_quarter: str
    end_quarter: str | None
    agreement: bool
    definitive: bool
    ended_on: date | None


Row = Mapping[str, str]


def read_rows(file: BinaryIO, columns: tuple[str, ...]) -> Iterator[tuple[int, Row | LineRefused]]:
    """Yield number and values of every line under the heading, or why it cannot be read."""
    for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE), b""), start=1):
        try:
            values = _split(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)
        except LineRefused as refused:
            yield number, refused
            if number == 1:
                return
            continue
        if number == 1:
            if tuple(values) != columns:
                yield 1, LineRefused("columns", f"the first line must be {','.join(columns)}")
                return
        elif len(values) not in (0, len(columns)):
            yield number, LineRefused("columns", f"must have {len(columns)} values, has {len(values)}")
        elif values:
            yield number, dict(zip(columns, (value.strip() for value in values), strict=True))


def read_enterprise(row: Row) -> Enterprise:
    """Read an enterprise; LineRefused."""
    return Enterprise(
        _text(row, "number"),
        _text(row, "name"),
        _text(row, "legal_form"),
        frozenset(
            {Quality.ENTERPRISE, *(_one_of(row, "qualities", Quality, each) for each in _several(row, "qualities"))}
        ),
        row["nsso_number"] or None,
        row["nsso_ppo_number"] or None,
        _day(row, "struck_off_on"),
        _one_of(row, "administration", Administration) if row["administration"] else None,
        _one_of(row, "region", Region) if row["region"] else None,
    )


def read_user(row: Row) -> UserLine:
    """Read a user; LineRefused."""
    if row["role"] not in ROLES:
        raise LineRefused("role", f"must be one of {', '.join(ROLES)}")
    return UserLine(
        enterprise=_text(row, "enterprise"),
        role=row["role"],
        person=Person(_text(row, "name"), _text(row, "first_name"), row["national_number"] or None),
        quality=_one_of(row, "quality", Quality) if row["quality"] else Quality.ENTERPRISE,
        capacity=_one_of(row, "capacity", Capacity),
        user_name=row["user_name"] or None,
        contact=Contact(row["email"] or None, row["phone"] or None),
        language=_one_of(row, "language", Language) if row["language"] else Language.NL,
        applications=frozenset(_several(row, "applications")),
        stts_profile=SttsProfile(int(row["stts_profile"])) if _is_profile(row) else None,
        activated=_truth(row, "activated"),
        blocked=_truth(row, "blocked"),
    )


def read_affiliation(row: Row) -> AffiliationLine:
    """Read an affiliation; LineRefused."""
    return AffiliationLine(_text(row, "employer"), _text(row, "secretariat"), _some_day(row, "begin"), _day(row, "end"))


def read_mandate(row: Row) -> MandateLine:
    """Read a mandate; LineRefused."""
    return MandateLine(
        _text(row, "mandator"),
        _text(row, "mandatary"),
        _text(row, "application_group"),
        _text(row, "begin_quarter"),
        row["end_quarter"] or None,
        _truth(row, "agreement"),
        _truth(row, "definitive"),
        _day(row, "ended_on"),
    )


def _split(line: bytes) -> list[str]:
    if not line.endswith(b"\n") and len(line) >= LONGEST_LINE:
        raise LineRefused("line", f"a line has fewer than {LONGEST_LINE} bytes")
    try:
        text = line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise LineRefused("encoding", "must be UTF-8") from None
    if any(unicodedata.category(each) == "Cc" for each in text):
        raise LineRefused("characters", "must hold no control characters")
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        raise LineRefused("line", f"is not CSV: {error}") from None


def _text(row: Row, column: str) -> str:
    if not row[column]:
        raise LineRefused(column, "must not be empty")
    return row[column]


def _several(row: Row, column: str) -> list[str]:
    return [each for each in row[column].replace(";", " ").split() if each]


def _one_of(row: Row, column: str, kind: type[StrEnum], value: str | None = None) -> Any:
    try:
        return kind(row[column] if value is None else value)
    except ValueError:
        raise LineRefused(column, f"must be one of {', '.join(kind)}") from None


def _truth(row: Row, column: str) -> bool:
    if row[column] not in ("", "yes", "no"):
        raise LineRefused(column, "must be yes or no")
    return row[column] == "yes"


def _is_profile(row: Row) -> bool:
    if row["stts_profile"] not in ("", "1", "2", "3"):
        raise LineRefused("stts_profile", "must be 1, 2 or 3")
    return bool(row["stts_profile"])


def _some_day(row: Row, column: str) -> date:
    try:
        return date.fromisoformat(row[column])
    except ValueError:
        raise LineRefused(column, "must be a day like 2026-01-31") from None


def _day(row: Row, column: str) -> date | None:
    return _some_day(row, column) if row[column] else None
