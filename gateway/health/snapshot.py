"""The measurements of a node as a file: written whole by its management process, read by its workers.

Whoever reads judges the age: nothing here says that a component is still as it was.
"""

import json
import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from services.health import Component, Kind, State


def write_snapshot(path: Path, components: Iterable[Component]) -> None:
    """Replace the file; OSError when that cannot be done, and the former stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps([_to_document(each) for each in components]), "utf-8")
    draft.replace(path)


def read_snapshot(path: Path) -> Mapping[str, Component]:
    """Return the components by name; none where there is no snapshot, or one that cannot be read."""
    try:
        components = [_from_document(each) for each in json.loads(path.read_text("utf-8"))]
    except (OSError, ValueError, TypeError, KeyError):
        return {}
    return {component.name: component for component in components}


def _to_document(component: Component) -> Mapping[str, Any]:
    return {
        "name": component.name,
        "kind": component.kind,
        "state": component.state,
        "milliseconds": component.milliseconds,
        "measuredAt": component.measured_at.isoformat() if component.measured_at else None,
        "detail": component.detail,
    }


def _from_document(document: Mapping[str, Any]) -> Component:
    return Component(
        name=document["name"],
        kind=Kind(document["kind"]),
        state=State(document["state"]),
        milliseconds=document["milliseconds"],
        measured_at=datetime.fromisoformat(document["measuredAt"]),
        detail=document["detail"],
    )
