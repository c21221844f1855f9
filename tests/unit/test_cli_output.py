"""What a command prints for people loses nothing, whatever it is printed on."""

import io
from datetime import datetime, timedelta, timezone

import pytest
from rich.console import Console

from gateway.cli import output
from gateway.cli.audit import documents
from gateway.cli.output import print_table, to_moment

REVISION = "4eb1a21f51bf63c6a6a1d1f1bd10ca0babaf977ea0e06f8056436f6f6c437000"


def printed(monkeypatch: pytest.MonkeyPatch, *, terminal: bool, width: int) -> str:
    monkeypatch.delenv("COLUMNS", raising=False)
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=width, color_system=None, highlight=False)
    monkeypatch.setattr(output, "console", console)
    print_table(("client", "revision", "what it asks"), [("economy", REVISION, "The annex grants the operation")])
    return file.getvalue()


def test_a_table_in_a_pipe_has_each_row_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    [line] = [line for line in printed(monkeypatch, terminal=False, width=40).splitlines() if "economy" in line]
    assert REVISION in line
    assert "The annex grants the operation" in line


def test_a_table_on_a_narrow_terminal_breaks_what_it_cannot_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = printed(monkeypatch, terminal=True, width=40)
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 40
    cells = [line.split("│") for line in shown.splitlines() if line.startswith("│")]
    assert "".join(cell[2].strip() for cell in cells) == REVISION


def test_a_time_for_people_is_told_in_utc_to_the_second() -> None:
    noon = datetime(2026, 6, 30, 12, 0, 5, 999, tzinfo=timezone(timedelta(hours=2)))
    assert to_moment(noon) == "2026-06-30 10:00:05Z"


def test_a_list_of_documents_is_told_one_value_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.StringIO()
    monkeypatch.setattr(documents, "console", Console(file=file, color_system=None, highlight=False))
    documents.print_document(
        {"facts": {"inscriptions": [{"context": "A", "end": None}, {"context": "B"}]}, "paths": ["x", "y"]}
    )
    assert file.getvalue().splitlines() == [
        "facts",
        "  inscriptions 1",
        "    context A",
        "  inscriptions 2",
        "    context B",
        "paths x, y",
    ]
