"""Validation of elements against a compiled XSD, safe for many threads."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, cast

from lxml import etree


class Schema:
    """One compiled `XMLSchema`, shared by the process.

    Validation and the reading of its error log happen under one lock: unlocked, lxml mixes up the errors of concurrent
    requests.
    """

    def __init__(self, path: Path) -> None:
        self._schema = etree.XMLSchema(etree.parse(path))
        self._lock = Lock()

    def find_errors(self, element: etree._Element, most: int = 10) -> tuple[tuple[str, str], ...]:
        """Return (path, message) for each violation, at most `most`; empty when the element is valid.

        The messages come from libxml2 and may quote the element's values: they go to the caller who sent them, never
        to a log.
        """
        with self._lock:
            if self._schema.validate(element):
                return ()
            # lxml's stubs do not say that an error log is iterable.
            log = cast(Iterable[Any], self._schema.error_log)
            name = etree.QName(element).localname
            return tuple((_path(entry.path) or name, entry.message) for entry in islice(log, most))


def _path(path: str | None) -> str:
    """Reduce libxml2's path, which begins with the validated element itself, to what lies within it.

    `/v2:consultCareerRequest/criteria/ssin`, or `/*/criteria/ssin` for one in a default namespace, is `criteria/ssin`.
    """
    steps = (path or "").strip("/").split("/")[1:]
    return "/".join(step.rpartition(":")[2] for step in steps)
