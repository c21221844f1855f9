"""Annexes in files, as the commands read them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from authz.annex_document import AnnexInvalid
from authz.annex_yaml import AnnexProblem
from authz.decision_cases import CasesInvalid
from gateway.annexes.store import Proposal
from gateway.cli.output import Problem, errors

Files = Annotated[list[Path], typer.Argument(metavar="FILE…", help="Annexes, YAML.")]


def describe_proposal(proposal: Proposal) -> dict[str, Any]:
    """Return a proposal for programs."""
    order = proposal.order
    return {
        "client": order.client,
        "revision": order.revision,
        "activeFrom": order.active_from,
        "proposedBy": order.proposed_by,
        "proposedAt": order.proposed_at,
        "lapsesAt": proposal.lapses_at,
    }


@contextmanager
def usable(name: str | Path) -> Iterator[None]:
    """Print what is wrong with annexes or cases of this name, where it mixes with no output; then Problem."""
    try:
        yield
    except (AnnexInvalid, CasesInvalid) as invalid:
        print_problems(((name, problem) for problem in invalid.problems), errors)
        raise Problem(f"{name} cannot be used; problems found: {len(invalid.problems)}.") from None


def print_problems(problems: Iterable[tuple[str | Path, AnnexProblem]], to: Console) -> None:
    """Print each problem with its file, its line and its remedy."""
    for file, one in problems:
        to.print(f"{file}:{one.line}: {one.path}: {one.message}. {one.remedy}.", markup=False, soft_wrap=True)


def read_document(file: Path) -> str:
    """Return the text of an annex; Problem when the file cannot be read."""
    try:
        return file.read_text("utf-8")
    except OSError as error:
        raise Problem(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise Problem(f"{file} cannot be read: it is not UTF-8; save it as that.") from None
