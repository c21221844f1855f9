"""The secured applications as data (`applications.yaml`): who may use each, and by which means."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from authz.user_management.model import Quality, SttsProfile

STTS = "stts"
PROVIDER_QUALITIES = frozenset({Quality.SERVICE_PROVIDER, Quality.RECOGNISED_SOCIAL_SECRETARIAT})
"""The qualities in which an enterprise acts for others, and not for itself."""


class AccessClass(StrEnum):
    """What a person needs to use an application."""

    FREE = "free"
    PASSWORD = "password"  # noqa: S105
    CERTIFICATE = "certificate"


class Audience(StrEnum):
    """For whom an application is meant."""

    EMPLOYERS = "employers"
    ENTERPRISES = "enterprises"
    OPERATORS = "operators"


@dataclass(frozen=True, slots=True)
class Application:
    """One application; `group` is None where nobody may use it for another enterprise."""

    application_id: str
    name: str
    access: AccessClass
    audience: Audience
    portal: str
    qualities: frozenset[Quality]
    group: str | None = None
    structured: bool = False
    everyone: bool = False


@dataclass(frozen=True, slots=True)
class ProfileFunctions:
    """The name of an STTS profile and what it may do."""

    name: str
    functions: frozenset[str]


@cache
def load_applications() -> Mapping[str, Application]:
    """Return every application by its id."""
    return {
        application_id: _application(application_id, row) for application_id, row in _load()["applications"].items()
    }


@cache
def load_stts_profiles() -> Mapping[SttsProfile, ProfileFunctions]:
    """Return what each STTS profile may do."""
    rows = _load()["sttsProfiles"].items()
    return {SttsProfile(number): ProfileFunctions(row["name"], frozenset(row["functions"])) for number, row in rows}


@cache
def application_groups() -> frozenset[str]:
    """Return the groups for which a mandate can be given."""
    return frozenset(each.group for each in load_applications().values() if each.group is not None)


def _application(application_id: str, row: Mapping[str, Any]) -> Application:
    values = dict(row)
    values["access"] = AccessClass(values["access"])
    values["audience"] = Audience(values["audience"])
    values["qualities"] = frozenset(map(Quality, values["qualities"]))
    return Application(application_id, **values)


def _load() -> Any:
    return yaml.safe_load(files(__package__).joinpath("applications.yaml").read_text("utf-8"))
