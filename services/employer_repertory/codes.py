"""The code tables of the service: which codes a reply may carry, and how they are described.

Reads `codes.yaml` once, when the service is loaded. A code that is not in its table never reaches a client: it raises
SourceAnswerInvalid, since we could neither describe it nor vouch for its meaning.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.consultation import SourceAnswerInvalid, Values
from services.package_data import read_yaml

LANGUAGES = ("NL", "FR")

Description = Annotated[str, Field(min_length=1, max_length=100)]


class CodeRow(BaseModel):
    """One row of `codes.yaml`; the codes' own forms are those of the XSD."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    code: str
    origin: Literal["published", "invented"]
    NL: Description
    FR: Description


@dataclass(frozen=True, slots=True)
class CodeTable:
    """One code list: its name and, by code, the element that the reply carries for it."""

    name: str
    elements: Mapping[str, Values]

    def get_element(self, code: str) -> Values:
        """Return the element of a code; raise SourceAnswerInvalid."""
        try:
            return self.elements[code]
        except KeyError:
            raise SourceAnswerInvalid(
                f"the source gave a code that {self.name} does not have",
                (("details", f"{self.name} has no code {code[:64]}"),),
            ) from None


def read_rows() -> Mapping[str, tuple[CodeRow, ...]]:
    """Read all rows by code list; ValidationError tells what is wrong with one."""
    document = read_yaml(__package__, "codes.yaml")
    return {name: tuple(CodeRow.model_validate(row) for row in rows) for name, rows in document.items()}


def _describe(row: CodeRow) -> Values:
    descriptions = [{"#text": getattr(row, language), "@language": language} for language in LANGUAGES]
    return {"code": row.code, "description": descriptions}


_ROWS = read_rows()


def _table(name: str) -> CodeTable:
    return CodeTable(name, {row.code: _describe(row) for row in _ROWS[name]})


LEGAL_FORM = _table("legalForm")
EMPLOYER_TYPE = _table("employerType")
CATEGORY = _table("category")
NACE = _table("nace")
IMPORTANCE = _table("importance")
