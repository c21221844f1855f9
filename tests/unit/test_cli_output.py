"""What a command prints for people loses nothing, and what others wrote in it does nothing to a terminal."""

import io
import json
from datetime import datetime, timedelta, timezone

import pytest
from rich.console import Console
from rich.text import Text

from gateway.cli import output
from gateway.cli.audit import documents
from gateway.cli.output import PlainConsole, print_json, print_table, to_moment

HOSTILE = "[bold]\x1b]0;mine\x07\x1b[2J\x9b2J\r\u202eevil\u2066\u200b\x7f[/] [link=http://evil]é"
ACTING = "\x1b\x07\x9b\r\u202e\u2066\u200b\x7f"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    written = io.StringIO()
    console = PlainConsole(file=written, highlight=False, force_terminal=True, width=200, color_system=None)
    monkeypatch.setattr(output, "console", console)
    return written


def test_a_table_shows_what_would_act_on_the_terminal(terminal: io.StringIO) -> None:
    print_table(("ticket", "what"), [(HOSTILE, Text(HOSTILE))])
    assert not set(ACTING) & set(terminal.getvalue())
    assert "[bold]" in terminal.getvalue()
    assert "\N{REPLACEMENT CHARACTER}evil" in terminal.getvalue()


def test_a_line_shows_what_would_act_on_the_terminal(terminal: io.StringIO) -> None:
    output.console.print(HOSTILE, markup=False, soft_wrap=True)
    assert not set(ACTING) & set(terminal.getvalue())
    assert "[2J" in terminal.getvalue()


def test_our_own_styles_act(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    PlainConsole(file=written, force_terminal=True, color_system="standard").print("[bold]mine[/]")
    assert written.getvalue() == "\x1b[1mmine\x1b[0m\n"


def test_progress_is_printed_over_itself(terminal: io.StringIO) -> None:
    output.console.print("7 lines", end="\r")
    assert terminal.getvalue() == "7 lines\r"


def test_json_says_the_same_and_acts_on_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"ticket": HOSTILE})
    printed = capsys.readouterr().out
    assert not set(ACTING) & set(printed)
    assert "é" in printed
    assert json.loads(printed) == {"ticket": HOSTILE}


REVISION = "4eb1a21f51bf63c6a6a1d1f1bd10ca0babaf977ea0e06f8056436f6f6c437000"


def printed(monkeypatch: pytest.MonkeyPatch, *, terminal: bool, width: int) -> str:
    monkeypatch.delenv("COLUMNS", raising=False)
    file = io.StringIO()
    console = PlainConsole(file=file, force_terminal=terminal, width=width, color_system=None, highlight=False)
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
