"""The auditor at the command line: the private key, its passphrase, and readings that are recorded under a name."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from rich.markup import escape

from authz.ssin import has_valid_check_digits
from gateway.audit.keys import AuditKeysUnusable, MonthKeys
from gateway.audit.reading import AuditReader, Consultation
from gateway.audit.reading_key import PassphraseWrong, ReadingKeyUnusable, load_auditor_key
from gateway.audit.trail import AuditUnavailable
from gateway.bootstrap import Storage
from gateway.cli.output import Problem, errors
from gateway.cli.terminal import PasswordStdinOption, read_password
from gateway.settings import Settings

AuditorKeyOption = Annotated[
    Path | None,
    typer.Option("--auditor-key", metavar="FILE", help="The auditor's private key: needed for whatever shows persons."),
]
__all__ = ["AuditorKeyOption", "PasswordStdinOption", "auditing", "parse_ssin", "read_auditor_key", "show_trouble"]


def read_auditor_key(path: Path, *, password_stdin: bool) -> X25519PrivateKey:
    """Read the private key, asking for its passphrase if it has one; Problem."""
    try:
        try:
            return load_auditor_key(path)
        except PassphraseWrong:
            return load_auditor_key(path, read_password(f"Passphrase of {path}", from_stdin=password_stdin))
    except ReadingKeyUnusable as unusable:
        raise Problem(f"{unusable}.") from None


def parse_ssin(text: str) -> str:
    """Return the SSIN of the person to look up; Problem for what can be nobody's, which is not repeated."""
    if not has_valid_check_digits(text):
        raise Problem("this is no SSIN: eleven digits, the last two of which check the others.")
    return text


def show_trouble(found: Iterable[Consultation]) -> None:
    """Say which records could not be opened, and why: that they are about the person rests on a pseudonym alone."""
    positions: dict[str, list[str]] = {}
    for each in found:
        if each.trouble is not None:
            positions.setdefault(each.trouble, []).append(str(each.row["position"]))
    for trouble, those in positions.items():
        errors.print(f"[red]Not opened: {', '.join(those)}[/]: {escape(trouble)}.", soft_wrap=True)


@contextmanager
def auditing(
    storage: Storage, settings: Settings, auditor_key: Path | None, *, password_stdin: bool
) -> Iterator[AuditReader]:
    """Give what reads for the auditor; Problem without a key, or when a reading cannot be recorded."""
    if auditor_key is None:
        raise Problem("this shows persons: give the auditor's private key with --auditor-key.")
    key = read_auditor_key(auditor_key, password_stdin=password_stdin)
    try:
        keys = MonthKeys(settings.audit_keys)
        yield AuditReader(storage.database, storage.trail, keys, key, getuser(), lambda: datetime.now(UTC))
    except (AuditUnavailable, AuditKeysUnusable) as error:
        raise Problem(f"nothing was read, since the reading could not be recorded: {error}.") from None
