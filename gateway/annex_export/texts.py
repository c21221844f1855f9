"""What the documents say, in each language: `texts.nl.yaml` and `texts.fr.yaml`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

_NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"


class Language(StrEnum):
    """The languages of the documents."""

    DUTCH = "nl"
    FRENCH = "fr"


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one language; `words` are those of its file."""

    language: Language
    words: Mapping[str, Any]

    def say(self, *keys: str, **values: object) -> str:
        """Return the text under these keys with the values filled in; KeyError when there is none."""
        text: Any = self.words
        for key in keys:
            text = text[key]
        return str(text).format(**values)

    def day(self, day: date) -> str:
        """Return a day in words: `1 januari 2024`, `1er janvier 2024`."""
        number = self.words["first_day"] if day.day == 1 else str(day.day)
        return f"{number} {self.words['months'][day.month - 1]} {day.year}"

    def number(self, number: int) -> str:
        """Return a number with its thousands apart."""
        apart = self.words["thousands"].replace(" ", _NARROW_SPACE)
        return f"{number:,}".replace(",", apart)


@cache
def load_texts(language: Language) -> Texts:
    """Read the texts of a language."""
    file = files("gateway.annex_export").joinpath(f"texts.{language}.yaml")
    return Texts(language, yaml.safe_load(file.read_text("utf-8")))
