"""`annex operator …`: who may propose and approve annexes."""

import os
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.annexes.activation import list_proved
from gateway.annexes.operators import OPERATOR_NAME, RETIRED, OperatorKeys, private_pem, public_pem
from gateway.bootstrap import open_annex_store, opened_storage
from gateway.cli.output import JsonOption, Problem, StateOption, console, get_settings, print_json, print_table
from gateway.cli.terminal import PasswordStdinOption, read_new_password

Name = Annotated[str, typer.Argument(metavar="NAME", help="The operator: small letters, digits and hyphens.")]
app = typer.Typer(help="Say who may propose and approve annexes.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="operator")


@app.command()
def add(
    name: Name,
    key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where the private key is to lie.", show_default="NAME.key, here"),
    ] = None,
    unprotected: Annotated[
        bool, typer.Option("--unprotected", help="Keep the private key without a passphrase: for a demo only.")
    ] = False,
    password_stdin: PasswordStdinOption = False,
    state: StateOption = None,
) -> None:
    """Make a key pair for an operator, who keeps the private key; the public one is put where gateways look.

    Every node needs the public key before the operator signs with it.
    """
    directory = get_settings(state=state).annex_operators
    file = key or Path(f"{name}.key")
    if OPERATOR_NAME.fullmatch(name) is None:
        raise Problem("an operator's name has up to 40 small letters, digits and hyphens, the first a letter.")
    public = directory / f"{name}.pub"
    if public.exists():
        raise Problem(f"{name} is an operator already: retire that key first.")
    passphrase = None if unprotected else read_new_password("Passphrase", from_stdin=password_stdin)
    if passphrase == "":
        raise Problem("an empty passphrase protects nothing: type one, or say --unprotected.")
    pair = Ed25519PrivateKey.generate()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as private:
            private.write(private_pem(pair, passphrase))
        public.write_bytes(public_pem(pair))
    except OSError as error:
        raise Problem(f"{error.filename}: {error.strerror}: choose another place with --key.") from None
    console.print(f"{name} is an operator. Private key: {file}. Public key, for every node: {public}", soft_wrap=True)


@app.command("list")
def list_(state: StateOption = None, as_json: JsonOption = False) -> None:
    """List the operators, and those who were: up to which activation their signatures stay valid."""
    directory = get_settings(state=state).annex_operators
    if not directory.is_dir():
        raise Problem(f"there is no {directory}: name the state with --state, or make the first: annex operator add.")
    operators = OperatorKeys(directory)
    keys = [key for _, of_one in sorted(operators.known.items()) for key in of_one]
    if as_json:
        print_json([{"name": key.name, "key": key.octets.hex(), "until": key.until} for key in keys])
        return
    print_table(
        ("operator", "key", "valid"),
        (
            (key.name, key.octets.hex()[:16], "now" if key.until is None else f"up to activation {key.until}")
            for key in keys
        ),
    )


@app.command()
def retire(name: Name, state: StateOption = None) -> None:
    """Let an operator sign no more; what was activated with that key so far stays valid.

    To make even that invalid, because the key was stolen, remove its file: those annexes give no rights from then on.
    """
    settings = get_settings(state=state)
    public = settings.annex_operators / f"{name}.pub"
    with opened_storage(settings) as storage:
        # Of those that are proved: a row that anybody may have written would keep the key good for what is to come.
        proved = list_proved(open_annex_store(storage).load_after(), storage.annex_operators)
        newest = max((each.sequence for each in proved), default=0)
    retired = settings.annex_operators / RETIRED / f"{name}.{newest}.pub"
    try:
        retired.parent.mkdir(exist_ok=True)
        public.rename(retired)
    except OSError as error:
        raise Problem(f"{public}: {error.strerror}: name an operator whose key is there.") from None
    console.print(f"{name} is no operator any more; on every node, move the key to {retired}", soft_wrap=True)
