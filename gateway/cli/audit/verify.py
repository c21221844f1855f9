"""`audit verify`: is the log what was signed, all of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.audit.export import ExportedLog, ExportUnreadable
from gateway.audit.kept_root import RootUnreadable, read_kept_root
from gateway.audit.log_key import public_file, read_public_file
from gateway.audit.stored_log import StoredLog
from gateway.audit.verification import Breach, ReadableLog, Root, Verified
from gateway.audit.verification import verify as verify_log
from gateway.bootstrap import opened_storage
from gateway.cli.audit.progress import advancing
from gateway.cli.output import JsonOption, Problem, StateOption, console, get_settings, print_json
from gateway.settings import Settings

_CUT = "Whether the newest records were cut off cannot be known without a root kept outside: --root FILE."


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(verify)


def verify(
    export: Annotated[
        Path | None, typer.Option("--export", metavar="FILE", help="Verify an export instead, far from the database.")
    ] = None,
    root: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A root kept outside: a reply with its receipt, a proof, a checkpoint."),
    ] = None,
    log_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The log's public key.", show_default="the gateway's own")
    ] = None,
    time_stamp_ca: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Certificates of the time stamps' authority.", show_default="as configured"),
    ] = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify that every record, its order and its number are what was signed; exit code 1, and where, when not.

    It takes the log's public key and no other.
    """
    settings = get_settings(state=state)
    origin, key = _read_log_key(log_key or public_file(settings.audit_log_key))
    stamp_roots = _read_certificates(time_stamp_ca or settings.audit_time_stamp_ca)
    try:
        outside = [read_kept_root(path) for path in root or ()]
        with _opened(settings, export) as (log, size), advancing("verifying", size) as progress:
            verified = verify_log(log, origin, key, outside, stamp_roots, progress)
    except (RootUnreadable, ExportUnreadable) as unreadable:
        raise Problem(f"{unreadable}.") from None
    except Breach as breach:
        if as_json:
            print_json({"verified": False, "breach": str(breach)})
        raise Problem(f"the log is NOT what was signed: {breach}.") from None
    if as_json:
        print_json(_to_document(verified, outside))
    else:
        _show(verified, outside)


def _read_log_key(path: Path) -> tuple[str, Ed25519PublicKey]:
    try:
        return read_public_file(path)
    except OSError as error:
        raise Problem(
            f"{path}: {error.strerror}: name the log's public key with --log-key, or run "
            "ksz-gateway migrate, which puts it there."
        ) from None
    except ValueError:
        raise Problem(f"{path}: no public key of a log: name the one that ends in .pub beside audit_log_key.") from None


def _read_certificates(path: Path | None) -> list[x509.Certificate]:
    try:
        return [] if path is None else x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}.") from None
    except ValueError:
        raise Problem(f"{path}: no certificates in PEM.") from None


@contextmanager
def _opened(settings: Settings, export: Path | None) -> Iterator[tuple[ReadableLog, int | None]]:
    """Give the log, and its size where that is known beforehand."""
    if export is not None:
        try:
            yield ExportedLog(export), None
        except OSError as error:
            raise Problem(f"{error.filename}: {error.strerror}.") from None
        return
    with opened_storage(settings) as storage, storage.database.read() as connection:
        log = StoredLog(connection)
        yield log, log.size


def _show(verified: Verified, outside: list[Root]) -> None:
    if verified.size == verified.first:
        console.print("The log is empty.")
        return
    console.print(f"Records {verified.first} to {verified.size - 1} are what was signed.", soft_wrap=True)
    console.print(f"Signed roots that agree: {verified.roots}; their time stamps verified: {verified.stamps}.")
    console.print(f"Root {verified.root_text}")
    if not outside:
        console.print(_CUT, soft_wrap=True)


def _to_document(verified: Verified, outside: list[Root]) -> dict[str, object]:
    return {
        "verified": True,
        "first": verified.first,
        "size": verified.size,
        "root": verified.root_text,
        "roots": verified.roots,
        "timeStamps": verified.stamps,
        "keptOutside": [root.name for root in outside],
    }
