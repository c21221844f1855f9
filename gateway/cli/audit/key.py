"""`audit key`: make the auditor's pair of keys."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.audit.reading_key import make_pair
from gateway.cli.output import Problem, console
from gateway.cli.terminal import PasswordStdinOption, read_new_password


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(key)


def key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the private key goes, such as auditor.key.")],
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Ask for a passphrase, and encrypt the private key with it.")
    ] = False,
    password_stdin: PasswordStdinOption = False,
) -> None:
    """Make the auditor's pair of keys: what the gateway seals is read only with the private one.

    The public key goes beside it, to a file that ends in .pub. Run it on the auditor's own machine.
    """
    public = file.with_suffix(".pub")
    if public == file:
        raise Problem("a file that ends in .pub is for the public key: name the private one otherwise.")
    for path in (file, public):
        if path.exists():
            raise Problem(f"{path} is there already, and what was sealed for it could not be read without it.")
    word = read_new_password("Passphrase", from_stdin=password_stdin) if passphrase else None
    if word == "":
        raise Problem("an empty passphrase protects nothing: leave --passphrase out, or give one.")
    try:
        make_pair(file, public, word)
    except OSError as error:
        raise Problem(f"{error.filename}: {error.strerror}.") from None
    console.print(f"{file}: the auditor's private key. Keep it away from the gateway.", soft_wrap=True)
    console.print(f"{public}: for the gateway, as audit_reading_key.", soft_wrap=True)
