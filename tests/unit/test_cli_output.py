"""What others wrote is shown on a terminal and does nothing there."""

import io
import json

import pytest
from rich.text import Text

from gateway.cli import output
from gateway.cli.output import PlainConsole, print_json, print_table

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
