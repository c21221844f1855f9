"""Erasing the persons of a month that is past its retention: the month's keys go, the records and their tree stay."""

from dataclasses import replace
from datetime import UTC, datetime

from gateway.audit.keys import MonthKeys
from gateway.audit.record import AuditRecord, RecordKind
from gateway.audit.trail import AuditTrail


class ErasureRefused(Exception):
    """The month may not be erased, or there is nothing to erase; the message says why."""


def check_erasable(month: str, keys: MonthKeys, retention_years: int, now: datetime) -> None:
    """Return if a month (`2016-01`) may be erased at `now`: ErasureRefused within its retention, or without keys."""
    year, number = map(int, month.split("-"))
    kept_until = f"{year + retention_years}-{number:02}"
    if now.astimezone(UTC).strftime("%Y-%m") <= kept_until:
        raise ErasureRefused(
            f"{month} is kept for {retention_years} years, to the end of {kept_until} (audit_retention_years)"
        )
    if month not in keys.list_months():
        raise ErasureRefused(f"{month} has no keys: it was erased already, or nothing was recorded in it")


def erase_month(month: str, keys: MonthKeys, trail: AuditTrail, actor: str, now: datetime) -> None:
    """Record the erasure, then destroy the month's keys.

    AuditUnavailable, and nothing is destroyed; or AuditKeysUnusable, when it is recorded and has to be done again.
    """
    deed = AuditRecord.of_deed(RecordKind.AUDIT_ERASURE, "audit erase", actor, {"month": month}, now)
    trail.record(replace(deed, criteria=(month,)))
    keys.destroy(month)
