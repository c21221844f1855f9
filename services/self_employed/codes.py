"""The code tables of the service: which codes a reply may carry, and how they are described.

Reads `codes.yaml` once, when the service is loaded. A code that is not in its table never reaches a client:
it raises SourceCodeUnexpected, since we could neither describe it nor vouch for its meaning.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.consultation import SourceFault, Values
from services.package_data import read_yaml

LANGUAGES = ("NL", "FR", "DE")

Description = Annotated[str, Field(min_length=1, max_length=100)]


class SourceCodeUnexpected(SourceFault):
    """The source gave a code that is not in the code tables (SES00500)."""

    case = "source_code_unexpected"

    def __init__(self, code_list: str, code: object) -> None:
        super().__init__(
            f"the source gave a code that {code_list} does not have",
            (("codeList", code_list), ("code", str(code)[:256])),
        )


class CodeRow(BaseModel):
    """One row of `codes.yaml`; the codes' own forms are those of the XSD."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    code: int | str
    origin: Literal["published", "invented"]
    enterprise_number: str | None = Field(default=None, alias="enterpriseNumber", pattern=r"^[01]\d{9}$")
    NL: Description
    FR: Description
    DE: Description


@dataclass(frozen=True, slots=True)
class CodeTable:
    """One code list: its name and, by code, the element that the reply carries for it."""

    name: str
    elements: Mapping[int | str, Values]

    def get_element(self, code: int | str) -> Values:
        """Return the read-only element of a code; raise SourceCodeUnexpected."""
        try:
            return self.elements[code]
        except KeyError:
            raise SourceCodeUnexpected(self.name, code) from None


def read_rows() -> Mapping[str, tuple[CodeRow, ...]]:
    """Read all rows by code list; ValidationError tells what is wrong with one."""
    document = read_yaml(__package__, "codes.yaml")
    return {name: tuple(CodeRow.model_validate(row) for row in rows) for name, rows in document.items()}


def _describe(row: CodeRow) -> Values:
    descriptions = [{"#text": getattr(row, language), "@language": language} for language in LANGUAGES]
    return MappingProxyType({"code": row.code, "description": descriptions})


def _name_fund(row: CodeRow) -> Values:
    # SocialInsuranceFundType carries the fund's enterprise number, and no description.
    number: dict[str, Any] = {"enterpriseNumber": row.enterprise_number} if row.enterprise_number else {}
    return MappingProxyType({**number, "code": row.code})


_ROWS = read_rows()


def _table(name: str) -> CodeTable:
    return CodeTable(name, {row.code: _describe(row) for row in _ROWS[name]})


SELF_EMPLOYED_QUALITY = _table("selfEmployedQuality")
CAREER_CONTRIBUTION = _table("careerContribution")
EQUALITY = _table("equality")
OCCUPATION = _table("occupation")
CONTRIBUTION_SITUATION = _table("contributionSituation")
ZIV = _table("ziv")
SOCIAL_INSURANCE_FUND = CodeTable(
    "socialInsuranceFund", {row.code: _name_fund(row) for row in _ROWS["socialInsuranceFund"]}
)
