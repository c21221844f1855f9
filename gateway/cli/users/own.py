"""`users own …`: one's own user name, data and certificate."""

from pathlib import Path
from typing import Annotated

import typer

from authz.user_management.commands import ChangeOwnData, ChooseUserName, Command, RegisterOwnCertificate
from authz.user_management.model import CertificateKind, Language
from gateway.cli.output import JsonOption, Problem, StateOption
from gateway.cli.users.acting import acting, show_events
from gateway.cli.users.certificate import read_certificate

app = typer.Typer(help="Your own user name, data and certificate.", no_args_is_help=True)


@app.command()
def name(
    user_name: Annotated[str, typer.Argument(metavar="NAME", help="The user name; it can never be changed.")],
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Choose your own user name, once. Example: [cyan]ksz-gateway users own name els.janssens[/]"""
    _run(ChooseUserName(user_name), state, as_json)


@app.command()
def data(
    email: Annotated[str | None, typer.Option(help="Your own e-mail address.")] = None,
    enterprise_email: Annotated[str | None, typer.Option(help="The e-mail address of the enterprise.")] = None,
    language: Annotated[Language | None, typer.Option(metavar="nl|fr|de", help="Your language.")] = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change your e-mail addresses or language; what is not named stays as it is."""
    _run(ChangeOwnData(email, enterprise_email, language), state, as_json)


@app.command()
def certificate(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="PEM file of the certificate.")] = None,
    kind: Annotated[
        CertificateKind, typer.Option(metavar="KIND", help="eid_signature, personalsign_3_pro or other.")
    ] = CertificateKind.EID_SIGNATURE,
    remove: Annotated[bool, typer.Option("--remove", help="Register none any more.")] = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register your own qualified certificate, in place of the former."""
    if (file is None) is not remove:
        raise Problem("name the file of the certificate, or --remove.")
    wanted = RegisterOwnCertificate(read_certificate(file, kind) if file is not None else None)
    _run(wanted, state, as_json)


def _run(wanted: Command, state: Path | None, as_json: bool) -> None:
    with acting(state) as command:
        show_events(command.run(wanted), as_json)
