"""The page that keeps the last full run: `bench/RESULTS.md`, with its plot beside it."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

_PAGE = Path(__file__).with_name("RESULTS.md")
_BEGIN, _END = "<!-- measured: written by make bench -->", "<!-- end of what was measured -->"

Sheet = tuple[str, Sequence[str], Sequence[Sequence[str]]]
"""Title, columns and rows."""


def rewrite_page(machine: Mapping[str, str], sheets: Iterable[Sheet], plot: str) -> None:
    """Put what was measured between the marks; the words around them stay."""
    before, _, rest = _PAGE.read_text().partition(_BEGIN)
    after = rest.partition(_END)[2]
    described = [f"- {name}: {value}" for name, value in machine.items()]
    tables = [line for sheet in sheets for line in _table(*sheet)]
    measured = "\n".join([*described, "", "![CPU per request](results.svg)", *tables])
    _PAGE.write_text(f"{before}{_BEGIN}\n\n{measured}\n\n{_END}{after}")
    _PAGE.with_name("results.svg").write_text(plot)


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    rules = ["---", *["--:"] * (len(columns) - 1)]
    return ["", f"### {title}", "", *(f"| {' | '.join(cells)} |" for cells in (columns, rules, *rows))]
