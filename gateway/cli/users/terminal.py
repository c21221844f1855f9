"""Passwords as a person gives them: typed without echo, or on standard input. Never as an option, which others see."""

import sys
from typing import Annotated

import typer

from gateway.cli.output import Problem

PasswordStdinOption = Annotated[
    bool, typer.Option("--password-stdin", help="Read passwords from standard input, one a line, in the order asked.")
]


def read_password(what: str, *, from_stdin: bool) -> str:
    """Ask for a password that exists already."""
    return _next_line(what) if from_stdin else typer.prompt(what, hide_input=True)


def read_new_password(what: str, *, from_stdin: bool) -> str:
    """Ask for a new password: twice where it is typed unseen."""
    return _next_line(what) if from_stdin else typer.prompt(what, hide_input=True, confirmation_prompt=True)


def _next_line(what: str) -> str:
    line = sys.stdin.readline()
    if not line:
        raise Problem(f"standard input ended before the line: {what}.")
    return line.removesuffix("\n").removesuffix("\r")
