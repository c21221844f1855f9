"""Passwords as a person gives them: typed without echo, or on standard input. Never as an option, which others see."""

import sys
import warnings
from getpass import GetPassWarning
from typing import Annotated

import typer

from gateway.cli.output import Problem

PasswordStdinOption = Annotated[
    bool, typer.Option("--password-stdin", help="Read passwords from standard input, one a line, in the order asked.")
]


def read_password(what: str, *, from_stdin: bool) -> str:
    """Ask for a password that exists already."""
    return _next_line(what) if from_stdin else _type(what)


def read_new_password(what: str, *, from_stdin: bool) -> str:
    """Ask for a new password: twice where it is typed unseen."""
    return _next_line(what) if from_stdin else _type(what, twice=True)


def _type(what: str, *, twice: bool = False) -> str:
    try:
        with warnings.catch_warnings(action="error", category=GetPassWarning):
            return str(typer.prompt(what, hide_input=True, confirmation_prompt=twice))
    except GetPassWarning:
        typer.echo(err=True)
        raise Problem("there is no terminal to type a password on: give it with --password-stdin.") from None


def _next_line(what: str) -> str:
    line = sys.stdin.readline()
    if not line:
        raise Problem(f"standard input ended before the line: {what}.")
    return line.removesuffix("\n").removesuffix("\r")
