"""Opens the audit: what seals its records, what signs its log, and who stamps its checkpoints."""

from cryptography import x509

from gateway.audit.keys import MonthKeys
from gateway.audit.log_key import LogKey
from gateway.audit.reading_key import load_reading_key
from gateway.audit.sealed_box import SealingKeys
from gateway.audit.time_stamp import TimeStampAuthority
from gateway.audit.trail import AuditTrail
from gateway.bootstrap.cannot_start import CannotStart, read_file
from gateway.clock import Clock
from gateway.settings import Settings
from gateway.storage.group_commit import GroupCommit


def open_trail(settings: Settings, commit: GroupCommit, keys: MonthKeys, clock: Clock) -> AuditTrail:
    """Return the audit; KeyFileUnusable and ReadingKeyUnusable without a key it needs."""
    sealing = SealingKeys(keys, load_reading_key(settings.audit_reading_key))
    return AuditTrail(commit, sealing, open_log_key(settings), clock)


def open_log_key(settings: Settings) -> LogKey:
    """Return the key that signs the head of the audit's log; KeyFileUnusable."""
    return LogKey.from_file(settings.audit_log_key, settings.audit_log_origin)


def make_audit_keys(settings: Settings) -> None:
    """Make that key and the directory of the monthly ones, if nobody has; AuditKeysUnusable, KeyFileUnusable."""
    MonthKeys.make(settings.audit_keys)
    LogKey.make(settings.audit_log_key, settings.audit_log_origin)


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
