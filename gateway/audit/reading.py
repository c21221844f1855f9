"""What the auditor does about persons: reading sealed parts, and looking a person up.

Both are consultations of personal data, so each leaves a record of its own before anything is told.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from gateway.audit.keys import MonthKeys
from gateway.audit.record import AuditRecord, RecordKind, Sealed
from gateway.audit.sealing import SealBroken, unseal
from gateway.audit.search import Criteria, Row, search
from gateway.audit.trail import AuditTrail
from gateway.storage.database import Database


@dataclass(frozen=True, slots=True)
class Consultation:
    """One exchange or change about a person; `sealed` is None where it cannot be read, and `trouble` says why."""

    row: Row
    sealed: Sealed | None
    trouble: str | None = None


class AuditReader:
    """Reads for one auditor, `actor`, whose private key this is; every reading is recorded."""

    def __init__(
        self,
        database: Database,
        trail: AuditTrail,
        keys: MonthKeys,
        auditor_key: X25519PrivateKey,
        actor: str,
        clock: Callable[[], datetime],
    ) -> None:
        """Nothing is read or written before it is asked for."""
        self._database = database
        self._trail = trail
        self._keys = keys
        self._auditor_key = auditor_key
        self._actor = actor
        self._clock = clock

    def unseal(self, row: Row) -> Sealed:
        """Return the sealed part of a record; SealBroken when it cannot be read, AuditUnavailable unrecorded.

        The reading is recorded as one about the persons whom the record is about, so that they learn of it.
        """
        request = {"position": row["position"], "ticket": row["ticket_cbss"]}
        try:
            sealed = unseal(row, self._keys, self._auditor_key)
        except SealBroken:
            self._record("audit show", None, request)
            raise
        self._record("audit show", sealed["subject"], request, tuple(sealed["furtherSubjects"]))
        return sealed

    def find(
        self, criteria: Criteria, operation: str, *, limit: int | None = None, before: int | None = None
    ) -> Iterator[Consultation]:
        """Give what is recorded about `criteria.person`, the newest first; AuditUnavailable when unrecorded.

        Every one is opened: a pseudonym that was put on another's record tells nothing. This finding is not in it.
        """
        own = self._record(operation, criteria.person, criteria)
        before = own if before is None else min(own, before)
        with self._database.read() as connection:
            for row in search(connection, criteria, self._keys, limit=limit, before=before):
                try:
                    sealed = unseal(row, self._keys, self._auditor_key)
                except SealBroken as broken:
                    yield Consultation(row, None, str(broken))
                    continue
                if criteria.person not in (sealed["subject"], *sealed["furtherSubjects"]):
                    yield Consultation(row, None, "the sealed part names another person: audit verify tells more")
                    continue
                yield Consultation(row, sealed)

    def open_all(self, rows: Iterable[Row], operation: str, request: Any) -> Iterator[Consultation]:
        """Give the records opened, in the order of `rows`; one record says that `request` was read for `operation`.

        AuditUnavailable unrecorded, before anything is read.
        """
        self._record(operation, None, request)
        for row in rows:
            try:
                yield Consultation(row, unseal(row, self._keys, self._auditor_key))
            except SealBroken as broken:
                yield Consultation(row, None, str(broken))

    def _record(self, operation: str, subject: str | None, request: Any, further_subjects: tuple[str, ...] = ()) -> int:
        """Return the position of the record that was made."""
        deed = AuditRecord.of_deed(RecordKind.AUDIT_CONSULTATION, operation, self._actor, request, self._clock())
        return self._trail.record(replace(deed, subject=subject, further_subjects=further_subjects)).position
