"""Who a worker is: what the registers say of an SSIN, and how names are compared."""

import unicodedata
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Standing(StrEnum):
    """What an SSIN is worth, once a replaced one has become its successor."""

    IN_FORCE = "in force"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Person:
    """What the registers say of an SSIN; `ssin` is the number in force, the successor of one that was replaced."""

    ssin: str = field(repr=False)
    standing: Standing = Standing.IN_FORCE
    deceased_on: date | None = None


@dataclass(frozen=True, slots=True)
class Worker:
    """A row of the NSSO's own register of workers, by which a worker without SSIN is recognised."""

    ssin: str = field(repr=False)
    name: str = field(repr=False)
    first_name: str = field(repr=False)
    birth_date: date = field(repr=False)
    sex: str


IdentityKey = tuple[str, date, str]
"""Search key of the name, date of birth and sex: by these a worker is recognised who is declared without SSIN."""


def make_identity_key(name: str, first_name: str, birth_date: date, sex: str) -> IdentityKey:
    """Return the key of a worker."""
    return make_search_key(name, first_name), birth_date, sex


def make_search_key(name: str, first_name: str) -> str:
    """Return the text by which names are compared: without case, accents, and what stands between their letters."""
    return f"{_fold(name)}|{_fold(first_name)}"


def _fold(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in decomposed if letter.isalnum())
