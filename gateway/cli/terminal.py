"""What a person answers at a terminal: yes or no, and passwords, which are typed without echo or read from a pipe.

Passwords are never options, which others see.
"""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from getpass import GetPassWarning
from typing import Annotated

import typer

from gateway.cli.output import Problem

PasswordStdinOption = Annotated[
    bool, typer.Option("--password-stdin", help="Read passwords from standard input, one a line, in the order asked.")
]


def confirm(question: str) -> bool:
    """Ask on standard error, where it mixes with no output; Problem when nobody is there to answer."""
    with _somebody_answering("--yes does it without asking"):
        return typer.confirm(question, err=True)


def read_password(what: str, *, from_stdin: bool) -> str:
    """Ask for a password that exists already."""
    return _next_line(what) if from_stdin else _type(what)


def read_new_password(what: str, *, from_stdin: bool) -> str:
    """Ask for a new password: twice where it is typed unseen."""
    return _next_line(what) if from_stdin else _type(what, twice=True)


def _type(what: str, *, twice: bool = False) -> str:
    try:
        with (
            warnings.catch_warnings(action="error", category=GetPassWarning),
            _somebody_answering("give it with --password-stdin"),
        ):
            return str(typer.prompt(what, hide_input=True, confirmation_prompt=twice))
    except GetPassWarning:
        typer.echo(err=True)
        raise Problem("there is no terminal to type a password on: give it with --password-stdin.") from None


@contextmanager
def _somebody_answering(instead: str) -> Iterator[None]:
    """Raise Problem, with what to do `instead`, when standard input ends where an answer was asked for."""
    try:
        yield
    except typer.Abort as abort:
        # Typer makes one thing of the input's end and of Ctrl-C, which is no mistake to mend.
        if isinstance(abort.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        typer.echo(err=True)
        raise Problem(f"nobody answers on standard input: {instead}.") from None


def _next_line(what: str) -> str:
    line = sys.stdin.readline()
    if not line:
        raise Problem(f"standard input ended before the line: {what}.")
    return line.removesuffix("\n").removesuffix("\r")
