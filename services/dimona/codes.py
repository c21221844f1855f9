"""The code tables of DimonaService, read once from `codes.yaml`, with what each code demands of a period."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from services.package_data import read_yaml

Description = Annotated[str, Field(min_length=1, max_length=100)]


class CodeRow(BaseModel):
    """One row of `codes.yaml`; what it demands of a period is said there."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, alias_generator=to_camel)

    code: str
    origin: Literal["published", "invented"]
    span: Literal["day", "quarter"] | None = None
    hours: Literal["required", "none"] | None = None
    EN: Description = Field(alias="EN")
    NL: Description = Field(alias="NL")
    FR: Description = Field(alias="FR")
    DE: Description = Field(alias="DE")


class WorkerType(CodeRow):
    """A worker type; `declarable` is false for one that is retired."""

    declarable: bool = True
    planned_hours: bool = False
    forms: list[str] = []


_document = read_yaml("services.dimona", "codes.yaml")

WORKER_TYPES: Mapping[str, WorkerType] = MappingProxyType(
    {row["code"]: WorkerType.model_validate(row) for row in _document["workerTypes"]}
)
OCCUPATION_FORMS: Mapping[str, CodeRow] = MappingProxyType(
    {row["code"]: CodeRow.model_validate(row) for row in _document["occupationForms"]}
)
_JOINT_COMMITTEE = re.compile(_document["jointCommittee"])


def is_joint_committee(text: str) -> bool:
    """Tell whether the text is written as the number of a joint committee, or is XXX."""
    return _JOINT_COMMITTEE.fullmatch(text) is not None


def is_retired(worker_type: str) -> bool:
    """Tell whether the type stands in old periods only; a type that we do not know does too."""
    known = WORKER_TYPES.get(worker_type)
    return known is None or not known.declarable
