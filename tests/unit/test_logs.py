"""Log lines: what the settings ask for, whole, and never in a request's way."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from gateway.logs import configure_logs

log = structlog.get_logger("gateway.test")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, former = root.handlers, root.level, structlog.get_config()
    yield
    root.handlers, root.level = handlers, level
    structlog.configure(**former)


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_json_with_its_level_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info", "json")
    log.info("exchange", client="pensions")
    log.debug("not asked for")
    (line,) = told(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "exchange", "client": "pensions", "level": "info"}


def test_who_has_logged_before_obeys_new_settings(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("error", "console")
    log.error("before")
    assert "before" in capsys.readouterr().err
    configure_logs("debug", "json")
    log.debug("after")
    assert [line["event"] for line in told(capsys)] == ["after"]


def test_libraries_are_told_in_the_same_form_from_warnings_on(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("debug", "json")
    library = logging.getLogger("some.library")
    library.info("chatter")
    library.warning("trouble")
    assert [(line["event"], line["level"], line["logger"]) for line in told(capsys)] == [
        ("trouble", "warning", "some.library")
    ]


@pytest.mark.parametrize("trouble", [OSError("No space left on device"), ValueError("I/O operation on closed file")])
def test_a_line_that_cannot_be_written_harms_nobody(monkeypatch: pytest.MonkeyPatch, trouble: Exception) -> None:
    written = []

    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            written.append(text)
            raise trouble

    monkeypatch.setattr("sys.stderr", Broken())
    configure_logs("info", "json")
    log.info("exchange")
    assert len(written) == 1
    assert written[0].endswith("\n")
