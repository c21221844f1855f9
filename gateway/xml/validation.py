"""Validation of elements against a compiled XSD, safe for many threads."""

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any, cast

from lxml import etree

NOT_IN_ITS_FORM = "The value is not in its form."
# Which of repeated elements a path means.
_COUNT = re.compile(r"\[\d+\]")


class Schema:
    """One compiled `XMLSchema`, shared by the process.

    Validation and the reading of its error log happen under one lock: unlocked, lxml mixes up the errors of concurrent
    requests.
    """

    def __init__(self, path: Path) -> None:
        self._schema = etree.XMLSchema(etree.parse(path))
        self._lock = Lock()

    def find_errors(
        self, element: etree._Element, most: int = 10, forms: Mapping[str, str] = MappingProxyType({})
    ) -> tuple[tuple[str, str], ...]:
        """Return (path, message) for each violation, at most `most`; empty when the element is valid.

        The messages come from libxml2 and may quote the element's values: they go to the caller who sent them, never
        to a log. Of a pattern that is not met, what `forms` says of its path is told instead, without the value.
        """
        with self._lock:
            if self._schema.validate(element):
                return ()
            # lxml's stubs do not say that an error log is iterable.
            log = cast(Iterable[Any], self._schema.error_log)
            name = etree.QName(element).localname
            return tuple((_path(entry.path) or name, _tell(entry, forms)) for entry in islice(log, most))


def _tell(entry: Any, forms: Mapping[str, str]) -> str:
    form = forms.get(_COUNT.sub("", _path(entry.path)), "")
    is_pattern = entry.type == etree.ErrorTypes.SCHEMAV_CVC_PATTERN_VALID
    return f"{NOT_IN_ITS_FORM} {form}" if is_pattern and form else str(entry.message)


def _path(path: str | None) -> str:
    """Reduce libxml2's path, which begins with the validated element itself, to what lies within it.

    `/v2:consultCareerRequest/criteria/ssin`, or `/*/criteria/ssin` for one in a default namespace, is `criteria/ssin`.
    """
    steps = (path or "").strip("/").split("/")[1:]
    return "/".join(step.rpartition(":")[2] for step in steps)
