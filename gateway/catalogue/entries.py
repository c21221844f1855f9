"""The entries of the error catalogue, read from `catalogue.yaml` and checked to be complete."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from services.package_data import parse_yaml

LANGUAGES = ("en", "nl", "fr")
_ASPECTS = ("meaning", "cause", "remedy")


class CatalogueError(Exception):
    """The data lack what every entry must hold; the message names the entry and the lack."""


class Kind(StrEnum):
    """Where a code stands: in the status of a reply, or in a SOAP fault."""

    STATUS = "status"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Texts:
    """What is said of a code in one language."""

    meaning: str
    cause: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One code, with its texts by language (`en`, `nl`, `fr`)."""

    code: str
    kind: Kind
    texts: Mapping[str, Texts]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All entries by code, in the order of the data file."""

    entries: Mapping[str, Entry]

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that every entry has; the first is the default."""
        return LANGUAGES

    def __contains__(self, code: object) -> bool:
        return code in self.entries

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries.values())

    def get(self, code: str) -> Entry:
        """Return the entry; KeyError for a code that the catalogue does not have."""
        return self.entries[code]

    def to_document(self) -> list[dict[str, Any]]:
        """Return the entries as what a program reads: plain values, ready for JSON."""
        return [
            {"code": entry.code, "kind": entry.kind.value}
            | {
                aspect: {language: getattr(entry.texts[language], aspect) for language in LANGUAGES}
                for aspect in _ASPECTS
            }
            for entry in self
        ]


@cache
def load_catalogue() -> Catalogue:
    """Return the catalogue that belongs to this version of the gateway, read once: workers inherit it."""
    return read_catalogue(files("gateway.catalogue").joinpath("catalogue.yaml").read_text("utf-8"))


def read_catalogue(text: str) -> Catalogue:
    """Read a catalogue's YAML; CatalogueError when an entry is incomplete or a code occurs twice."""
    entries = [_read_entry(item) for item in parse_yaml(text)]
    twice = [code for code, count in Counter(entry.code for entry in entries).items() if count > 1]
    if twice:
        raise CatalogueError(f"more than one entry has the code {', '.join(twice)}")
    return Catalogue({entry.code: entry for entry in entries})


def _read_entry(item: Mapping[str, Any]) -> Entry:
    code = item.get("code")
    if not isinstance(code, str) or not code:
        raise CatalogueError(f"an entry has no code: {sorted(item)}")
    unexpected = sorted(set(item) ^ {"code", "kind", *_ASPECTS})
    if unexpected:
        raise CatalogueError(f"{code}: missing or unknown: {', '.join(unexpected)}")
    if item["kind"] not in list(Kind):
        raise CatalogueError(f"{code}: kind is status or fault")
    for aspect in _ASPECTS:
        _check_texts(code, aspect, item[aspect])
    texts = {language: Texts(*(item[aspect][language] for aspect in _ASPECTS)) for language in LANGUAGES}
    return Entry(code, Kind(item["kind"]), texts)


def _check_texts(code: str, aspect: str, texts: object) -> None:
    if not isinstance(texts, Mapping) or set(texts) != set(LANGUAGES):
        raise CatalogueError(f"{code}: {aspect} must have a text in each of {', '.join(LANGUAGES)}")
    for language, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            raise CatalogueError(f"{code}: {aspect} has no text in {language}")
