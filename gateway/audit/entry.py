"""The entry of a record in the log: the octets that its leaf is the hash of, and that an export has as a line.

Canonical JSON: UTF-8, names sorted, no spaces. A column without a value is left out, so that a column which a later
version adds changes no entry before it. This form may never change: all that was signed rests on it.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from gateway.audit.octets import put_base64

_NOT_IN_THE_ENTRY = frozenset({"leaf"})
_encode = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"), default=lambda value: _plain(value)
).encode


def entry_octets(row: Mapping[str, Any], further_subjects: Sequence[str]) -> bytes:
    """Return the entry of a row of `audit_records`, with the pseudonyms that `audit_subjects` adds, in any order.

    Times, which are aware, are RFC 3339 in UTC with microseconds, the sealed octets base64.
    """
    content = {name: value for name, value in row.items() if value is not None and name not in _NOT_IN_THE_ENTRY}
    if further_subjects:
        content["further_subjects"] = sorted(further_subjects)
    if "sealed" not in content:
        return _encode(content).encode()
    return put_base64(_encode(content | {"sealed": ""}).encode(), "sealed", content["sealed"])


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    raise TypeError(f"{type(value).__name__} has no place in an entry")
