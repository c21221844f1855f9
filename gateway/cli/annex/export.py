"""`annex export`: an annex as a package for its client."""

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Annotated
from zipfile import ZIP_DEFLATED, ZipFile

import typer

from authz.annex import Annex, RoleAnnex
from authz.brussels import brussels_day
from gateway.annex_export.document import Deployment
from gateway.annex_export.package import make_package
from gateway.annex_export.texts import Language
from gateway.bootstrap import list_all_annexes, opened_storage
from gateway.cli.annex.named import compile_file
from gateway.cli.output import JsonOption, Problem, StateOption, console, get_settings, print_json
from gateway.contracts import load_contracts
from gateway.settings import Settings
from gateway.xml.cut import NothingLeft


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(export)


def export(
    annex: Annotated[str, typer.Argument(metavar="CLIENT|FILE", help="A client's annex in force, or one in a file.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Directory to write to; new, or empty.")],
    as_zip: Annotated[bool, typer.Option("--zip", help="Write one ZIP file there instead; new.")] = False,
    language: Annotated[
        list[Language] | None, typer.Option("--language", help="Language of the document; again for another. All.")
    ] = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write an annex as a package for its client: what it may do, and all it needs to do it.

    The annex as a document in Dutch and French, to read or to print; the contract cut to what the annex grants; and for
    each operation a sample request, and a Python program that sends it.
    """
    settings = get_settings(state=state)
    file = Path(annex)
    is_file = file.suffix in (".yaml", ".yml")
    contracts = load_contracts()
    found = compile_file(file, contracts.shapes()) if is_file else _find(annex, settings)
    if as_zip and out.exists():
        raise Problem(f"{out} is there already: an export replaces nothing.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Problem(
            f"{out} is not empty, and what an earlier annex left there would be in the package: name another."
        )
    try:
        package = make_package(
            found,
            contracts,
            Deployment(settings.public_url, settings.environment),
            brussels_day(datetime.now(UTC)),
            tuple(dict.fromkeys(language)) if language else tuple(Language),
        )
    except NothingLeft as message:
        raise Problem(
            f"no {message} could be valid with what the annex grants: grant a search parameter that it must have."
        ) from None
    _write(package, out.resolve(), as_zip=as_zip)
    if as_json:
        print_json([out] if as_zip else [out / name for name in package])
    else:
        first = next(name for name in package if name.endswith(".html"))
        begin = first if as_zip else out / first
        console.print(f"{found.client}: {len(package)} files in {out}; begin with {begin}.", soft_wrap=True)


def _find(client: str, settings: Settings) -> Annex | RoleAnnex:
    with opened_storage(settings) as storage:
        annexes = list_all_annexes(storage, datetime.now(UTC))
    for annex in annexes:
        if annex.client == client:
            return annex
    raise Problem(f"there is no client {client}; there are {', '.join(annex.client for annex in annexes)}.")


def _write(package: Mapping[str, bytes], out: Path, *, as_zip: bool) -> None:
    """Have the whole package appear at once, or nothing of it; Problem."""
    draft = out.with_name(f".{out.name}.{token_hex(8)}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        (_write_zip if as_zip else _write_files)(package, draft)
        draft.rename(out)
    except OSError as error:
        if draft.is_dir():
            shutil.rmtree(draft)
        else:
            draft.unlink(missing_ok=True)
        raise Problem(f"{out} cannot be written: {error.strerror}.") from None


def _write_files(package: Mapping[str, bytes], directory: Path) -> None:
    for name, content in package.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _write_zip(package: Mapping[str, bytes], file: Path) -> None:
    with ZipFile(file, "x", ZIP_DEFLATED) as archive:
        for name, content in package.items():
            archive.writestr(name, content)
