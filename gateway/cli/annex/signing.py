"""The key that an operator signs with, as the commands ask for it."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.annexes.operators import Operator, OperatorKeys, OperatorUnknown, load_private_key
from gateway.cli.output import Problem
from gateway.cli.users.terminal import read_password

KeyOption = Annotated[
    Path, typer.Option("--key", metavar="FILE", help="Your private key, PEM; its passphrase is asked for.")
]


def read_operator(operators: OperatorKeys, file: Path, *, from_stdin: bool) -> Operator:
    """Return the operator whose private key is in the file; Problem when it cannot be used or is nobody's."""
    try:
        pem = file.read_bytes()
        try:
            key = load_private_key(pem, None)
        except TypeError:
            key = load_private_key(pem, read_password(f"Passphrase of {file}", from_stdin=from_stdin))
        return operators.identify(key)
    except OSError as error:
        raise Problem(f"{file}: {error.strerror}: name the file of your private key.") from None
    except ValueError:
        raise Problem(f"{file} is no Ed25519 key in PEM, or the passphrase is another.") from None
    except OperatorUnknown as error:
        raise Problem(f"{file}: {error}.") from None
