"""Opens the audit: what seals its records, what signs its log, and who stamps its checkpoints."""

from cryptography import x509
from sqlalchemy import select

from gateway.audit.checkpoint import CheckpointBroken
from gateway.audit.keys import AuditKeysUnusable, MonthKeys
from gateway.audit.log_key import LogKey
from gateway.audit.reading_key import load_reading_key
from gateway.audit.sealed_box import SealingKeys
from gateway.audit.time_stamp import TimeStampAuthority
from gateway.audit.trail import AuditTrail
from gateway.bootstrap.cannot_start import CannotStart, read_file
from gateway.clock import Clock
from gateway.key_file import KeyFileUnusable
from gateway.settings import Settings
from gateway.storage.database import Database
from gateway.storage.group_commit import GroupCommit
from gateway.storage.tables import audit_head, audit_records


def open_trail(settings: Settings, commit: GroupCommit, keys: MonthKeys, clock: Clock) -> AuditTrail:
    """Return the audit; KeyFileUnusable and ReadingKeyUnusable without a key it needs."""
    sealing = SealingKeys(keys, load_reading_key(settings.audit_reading_key))
    return AuditTrail(commit, sealing, open_log_key(settings), clock)


def open_log_key(settings: Settings) -> LogKey:
    """Return the key that signs the head of the audit's log; KeyFileUnusable."""
    return LogKey.from_file(settings.audit_log_key, settings.audit_log_origin)


def make_audit_keys(settings: Settings, database: Database) -> LogKey:
    """Make that key, and the directory of the monthly ones, where the database has nothing under them yet.

    Return the key of the log, its public half beside it. AuditKeysUnusable and KeyFileUnusable where what was recorded
    was recorded under keys that are not there.
    """
    if database.has_rows(audit_records.name):
        check_month_keys(settings, database)
    else:
        MonthKeys.make(settings.audit_keys)
    if not database.has_rows(audit_head.name):
        return LogKey.make(settings.audit_log_key, settings.audit_log_origin)
    log_key = open_log_key(settings)
    with database.read() as connection:
        head: str = connection.scalars(select(audit_head.c.checkpoint)).one()
    try:
        log_key.open(head)
    except CheckpointBroken as reason:
        raise KeyFileUnusable(f"{settings.audit_log_key}: not the key of this log: {reason}; restore it") from None
    log_key.publish(settings.audit_log_key)
    return log_key


def check_month_keys(settings: Settings, database: Database) -> None:
    """Raise AuditKeysUnusable unless the keys are there under which the newest record was sealed.

    Others would be made in their place, and what has been sealed since the month began would never be read again.
    """
    keys = MonthKeys(settings.audit_keys)
    with database.read() as connection:
        newest = select(audit_records.c.month).order_by(audit_records.c.received_at.desc()).limit(1)
        month: str | None = connection.scalars(newest).first()
    if month is not None and keys.find(month) is None:
        raise AuditKeysUnusable(
            f"{settings.audit_keys}: the keys of {month} are not there; restore their file, see docs/backup.md"
        )


def open_time_stamp_authority(settings: Settings) -> TimeStampAuthority | None:
    """Return the authority that stamps checkpoints, None where none is set; CannotStart without its certificates."""
    if not settings.audit_time_stamp_url:
        return None
    if settings.audit_time_stamp_ca is None:
        raise CannotStart("audit_time_stamp_url is set and audit_time_stamp_ca is not: a stamp could not be believed.")
    try:
        roots = x509.load_pem_x509_certificates(read_file(settings.audit_time_stamp_ca))
    except ValueError as error:
        raise CannotStart(f"{settings.audit_time_stamp_ca}: {error}: put PEM there.") from None
    return TimeStampAuthority(settings.audit_time_stamp_url, roots)
