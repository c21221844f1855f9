"""The log as files: one line for each entry, its exact octets, and beside it what is needed to verify them.

The second file (`…roots`) is one line of JSON: the position of the first entry, the frontier before it, and the
checkpoints over the entries with their time stamps. A part of the log is verified from there: another frontier would
not lead to the signed roots.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.audit.octets import from_base64, to_base64
from gateway.audit.stored_log import StoredLog
from gateway.audit.tree import Frontier
from gateway.audit.verification import Breach, Entry, EntryUnreadable, Root, position_in

# Many times what the longest message makes; a longer line is none of ours, and is not read to its end.
_LONGEST_LINE = 64 * 1024 * 1024


class ExportUnreadable(Exception):
    """The files are no export; the message says what is wrong with them."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: the entries from `begin` to before `end`."""

    begin: int
    end: int


def roots_file(path: Path) -> Path:
    """Return where the roots of an export lie: beside its entries."""
    return path.with_name(path.name + ".roots")


def write_export(
    log: StoredLog, path: Path, begin: int, end: int, progress: Callable[[int], None] = lambda position: None
) -> Exported:
    """Write the entries from `begin` to `end`, and on to the next signed root: what no root covers proves nothing.

    `progress` is told the position, now and then. OSError; EntryUnreadable when the log is damaged.
    """
    # A kept checkpoint, which may have a time stamp, goes before the head of the same size.
    roots = {root.size: root for root in reversed([*log.roots()]) if root.size is not None}
    end = min(size for size in roots if size >= end)
    with path.open("xb") as file:
        for entry in log.entries(begin, end):
            file.write(entry.octets + b"\n")
            if entry.position % 1000 == 0:
                progress(entry.position)
    content = {
        "first": begin,
        "frontier": to_base64(Frontier.of(log.leaves(0, begin)).octets),
        "roots": [
            {"checkpoint": root.text, "timeStamp": None if root.stamp is None else to_base64(root.stamp)}
            for size, root in sorted(roots.items())
            if begin < size <= end
        ],
    }
    with roots_file(path).open("x", encoding="utf-8") as file_of_roots:
        file_of_roots.write(_encode(content))
    return Exported(begin, end)


class ExportedLog:
    """An export, as it is verified: far from the database, with nothing but the files."""

    def __init__(self, path: Path) -> None:
        """Read the roots; ExportUnreadable, or OSError."""
        self._path = path
        roots = roots_file(path)
        try:
            text = roots.read_text("utf-8")
            content = json.loads(text)
            self.start = Frontier.from_octets(content["first"], from_base64(content["frontier"]))
            self._roots = [_root(each) for each in content["roots"]]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise ExportUnreadable(f"{roots} is not the file of roots that an export has") from None
        # There is one way to write it: whatever is written otherwise was changed.
        if _encode(content) != text:
            raise ExportUnreadable(f"{roots} is not as it was written")

    def roots(self) -> Sequence[Root]:
        """Return the checkpoints that were exported."""
        return self._roots

    def check_end(self, end: Frontier) -> None:
        """Return if the last of the roots is over the last entry; Breach."""
        if not self._roots and end.size > self.start.size:
            raise Breach("the export has entries and no root")

    def entries(self) -> Iterator[Entry]:
        """Give the entries; EntryUnreadable for a line that is none."""
        with self._path.open("rb") as file:
            lines = iter(lambda: file.readline(_LONGEST_LINE), b"")
            for number, line in enumerate(lines, start=1):
                octets = line.removesuffix(b"\n")
                if octets == line:
                    raise EntryUnreadable(f"line {number} has no end: the file was cut")
                yield Entry(position_in(octets, f"line {number}"), octets)


def _root(content: Any) -> Root:
    stamp = content["timeStamp"]
    text = content["checkpoint"]
    if not isinstance(text, str):
        raise TypeError
    return Root("a checkpoint of the export", text, stamp=None if stamp is None else from_base64(stamp))


def _encode(content: Any) -> str:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False) + "\n"
