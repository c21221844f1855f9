"""Data files that lie in a package, in YAML."""

from importlib.resources import files
from typing import Any

import yaml

# libyaml's parser takes a tenth of the time, at every start of the gateway.
_LOADER: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


def read_yaml(package: str, name: str) -> Any:
    """Return the document in a package's file; yaml's errors for one that is broken."""
    return parse_yaml(files(package).joinpath(name).read_text("utf-8"))


def parse_yaml(text: str) -> Any:
    """Return the document: plain values, nothing else (yaml's safe loader)."""
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe one
