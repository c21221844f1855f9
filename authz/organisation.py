"""An organisation as messages identify it: by enterprise number, or by sector and institution."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Organisation:
    """Either `cbe_number` (ten digits), or `sector` and `institution` (0 to 999 each); ValueError for
    anything else.

    Check digits are not looked at here: a number that is wrong simply names no organisation that an annex
    knows.
    """

    cbe_number: str | None = None
    sector: int | None = None
    institution: int | None = None

    def __post_init__(self) -> None:
        by_cbe = self.cbe_number is not None
        in_network = self.sector is not None and self.institution is not None
        if by_cbe == in_network or (by_cbe and (self.sector, self.institution) != (None, None)):
            raise ValueError("an organisation is a cbeNumber, or a sector with an institution, and not both")

    @property
    def key(self) -> str:
        """The organisation as one text, for storage: `cbe:0123456789` or `sector:25/0`."""
        return f"cbe:{self.cbe_number}" if self.cbe_number else f"sector:{self.sector}/{self.institution}"

    @classmethod
    def from_key(cls, key: str) -> Self:
        """Read back what `key` gave; ValueError for any other text."""
        kind, _, number = key.partition(":")
        if kind == "cbe" and number:
            return cls(cbe_number=number)
        sector, _, institution = number.partition("/")
        if kind != "sector":
            raise ValueError("the key of an organisation starts with cbe: or sector:")
        return cls(sector=int(sector), institution=int(institution))

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        """Read the values of a customerIdentification."""
        return cls(values.get("cbeNumber"), values.get("sector"), values.get("institution"))

    def to_values(self) -> dict[str, Any]:
        """Return the values of a customerIdentification."""
        if self.cbe_number is not None:
            return {"cbeNumber": self.cbe_number}
        return {"sector": self.sector, "institution": self.institution}
