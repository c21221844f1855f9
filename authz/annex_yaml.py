"""Reads the text of an annex into plain values, with the line of each, and refuses what YAML offers beyond
that.

YAML here is mappings, lists, texts, whole numbers, `true`, `false`, `null` and dates. Aliases and anchors (a
few lines can unfold into gigabytes), tags (which build objects) and duplicate keys (of which one would
silently win) are problems. Nothing else becomes a number or a boolean by accident: `NO`, `1_000`, `12:30` and
`1e3` stay texts. The module knows nothing of annexes.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NoReturn

import yaml

MAX_CHARACTERS = 256 * 1024
MAX_DEPTH = 12
MAX_NODES = 20_000
MAX_SCALAR = 1024

Path = tuple[str | int, ...]

_PARSER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,60})")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WORDS: Mapping[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class AnnexProblem:
    """One thing to mend: its line (from 1), its place in the document, what is wrong and what to do."""

    line: int
    path: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.path}: {self.message}. {self.remedy}."


@dataclass(slots=True)
class YamlDocument:
    """What was read: `values`, the line where each path begins, and the problems by path.

    `complete` is False when the text broke off, so that `values` says nothing.
    """

    values: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: dict[Path, list[AnnexProblem]] = field(default_factory=dict)
    complete: bool = True

    def line_of(self, path: Path) -> int:
        """Return the line of the path or, where it is absent, of what is nearest around it."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 1)

    def add_problem(self, path: Path, message: str, remedy: str, line: int | None = None) -> None:
        """Note a problem at the path; `line` where it is not the path's own."""
        problem = AnnexProblem(line or self.line_of(path), show_path(path), message, remedy)
        self.problems.setdefault(path, []).append(problem)


class _Unreadable(Exception):
    """The text cannot be read on."""


def show_path(path: Path) -> str:
    """Write a path as people do: `operations[1].parameters.criteria/period`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".") or "(document)"


def read_yaml(text: str) -> YamlDocument:
    """Read the text; never raises, whatever the text: what is wrong stands in the document's problems."""
    document = YamlDocument()
    if len(text) > MAX_CHARACTERS:
        document.complete = False
        document.add_problem((), f"longer than {MAX_CHARACTERS} characters", "Split the annex or shorten it", 1)
        return document
    reader = _Reader(document, text)
    try:
        reader.read()
    except _Unreadable:
        document.complete = False
    except yaml.MarkedYAMLError as error:
        document.complete = False
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        message = f"not YAML: {error.problem or error.context}"
        document.add_problem((), message, "Mend the syntax; indent with spaces", line)
    except (yaml.YAMLError, UnicodeError):
        document.complete = False
        document.add_problem(
            (), "holds a character that YAML forbids", "Write it as UTF-8 text without control characters", 1
        )
    return document


def _line_of(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


class _Reader:
    """Builds values from the parser's events, so that nothing is built before it has been counted."""

    def __init__(self, document: YamlDocument, text: str) -> None:
        self._document = document
        self._nodes = 0
        self._events: Iterator[yaml.Event] = iter(yaml.parse(text, Loader=_PARSER))

    def read(self) -> None:
        event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            self._stop((), event, "empty", "Write the annex; fixtures/annexes has examples")
        self._document.values = self._build((), self._next())
        self._next()
        event = self._next()
        if not isinstance(event, yaml.StreamEndEvent):
            self._stop((), event, "a second document begins here", "Write one annex per file")

    def _next(self) -> yaml.Event:
        event = next(self._events)
        return next(self._events) if isinstance(event, yaml.StreamStartEvent) else event

    def _stop(self, path: Path, event: yaml.Event, message: str, remedy: str) -> NoReturn:
        self._document.add_problem(path, message, remedy, _line_of(event))
        raise _Unreadable

    def _build(self, path: Path, event: yaml.Event) -> Any:
        line = _line_of(event)
        self._document.lines.setdefault(path, line)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._stop(path, event, f"more than {MAX_NODES} values", "Split the annex")
        if len(path) > MAX_DEPTH:
            self._stop(path, event, f"nested deeper than {MAX_DEPTH} levels", "Write the annex as its reference says")
        if isinstance(event, yaml.AliasEvent):
            self._document.add_problem(path, "an alias (*name)", "Write the value out in full", line)
            return None
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            self._document.add_problem(path, "an anchor (&name)", "Remove it", line)
        if getattr(event, "tag", None) is not None:
            self._document.add_problem(path, "a tag (!name)", "Remove it; an annex is plain values", line)
        if isinstance(event, yaml.MappingStartEvent):
            return self._build_mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._build_list(path)
        return self._build_scalar(path, event)

    def _build_list(self, path: Path) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            values.append(self._build((*path, len(values)), event))
        return values

    def _build_mapping(self, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            line = _line_of(event)
            if not isinstance(event, yaml.ScalarEvent) or len(event.value) > MAX_SCALAR:
                self._stop(path, event, "a key that is not a short text", "Write keys as plain words")
            key = event.value
            if event.anchor is not None or event.tag is not None:
                self._document.add_problem((*path, key), "an anchor or a tag on a key", "Remove it", line)
            if key in values:
                first = self._document.line_of((*path, key))
                message = f"stands here a second time, first on line {first}"
                self._document.add_problem((*path, key), message, "Keep one of the two", line)
            self._document.lines.setdefault((*path, key), line)
            value = self._build((*path, key), self._next())
            values.setdefault(key, value)
        return values

    def _build_scalar(self, path: Path, event: yaml.Event) -> Any:
        text: str = getattr(event, "value", "")
        if len(text) > MAX_SCALAR:
            self._document.add_problem(path, f"longer than {MAX_SCALAR} characters", "Shorten it")
            return None
        plain = getattr(event, "implicit", (False, False))[0]
        if not plain:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text):
            return int(text)
        if _DATE.fullmatch(text):
            try:
                return date.fromisoformat(text)
            except ValueError:
                self._document.add_problem(path, f"{text} is no day of the calendar", "Write year-month-day")
                return None
        return text
