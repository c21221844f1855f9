"""Annexes in files, as the commands read them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from authz.annex_yaml import AnnexProblem
from gateway.cli.output import Problem, console

Files = Annotated[list[Path], typer.Argument(metavar="FILE…", help="Annexes, YAML.")]


def print_problems(problems: Iterable[tuple[Path, AnnexProblem]]) -> None:
    """Print each problem with its file, its line and its remedy."""
    for file, one in problems:
        console.print(f"{file}:{one.line}: {one.path}: {one.message}. {one.remedy}.", markup=False, soft_wrap=True)


def read_document(file: Path) -> str:
    """Return the text of an annex; Problem when the file cannot be read."""
    try:
        return file.read_text("utf-8")
    except OSError as error:
        raise Problem(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise Problem(f"{file} cannot be read: it is not UTF-8; save it as that.") from None
