"""The table of anomalies, read once from `anomalies.yaml`: what a client is told of a rule that was broken."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.package_data import read_yaml

LANGUAGES = ("NL", "FR", "DE")
"""Those that messages have."""

Text = Annotated[str, Field(min_length=1, max_length=100)]


class AnomalyRow(BaseModel):
    """One row: the code, the element of the declaration that it is about, and the text in each language."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    code: Annotated[str, Field(pattern=r"^\d{5}-\d{3}$")]
    field: str
    origin: Literal["published", "invented"]
    EN: Text
    NL: Text
    FR: Text
    DE: Text

    def describe(self) -> list[dict[str, str]]:
        """Return the `description` elements, one per language."""
        return [{"#text": getattr(self, language), "@language": language} for language in LANGUAGES]


ANOMALIES: Mapping[str, AnomalyRow] = MappingProxyType(
    {rule: AnomalyRow.model_validate(row) for rule, row in read_yaml("services.dimona", "anomalies.yaml").items()}
)
"""Rows by the name of their rule, in the order of the fields."""

BY_CODE: Mapping[str, AnomalyRow] = MappingProxyType({row.code: row for row in ANOMALIES.values()})
"""The same rows by their code."""
