"""`python -m dependencies licences|reasons|outdated`: one check of the packages; ends with 1, and names each mistake.

Run by an interpreter that has pip-licenses; `--python` names the one whose packages are looked at.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_LICENCES, _EXCEPTIONS = _HERE / "licences.txt", _HERE / "exceptions.txt"
_EITHER, _BOTH = re.compile(r" OR "), re.compile(r"; | AND ")
_WANTED = re.compile(r"^[A-Za-z0-9][\w.-]*")
# An exact version, or an upper bound, in a requirements*.in.
_HELD_BACK = re.compile(r"^(?P<name>[\w.-]+)(\[[\w,]+\])?[^;#]*(==|<)")


def main(arguments: list[str] | None = None) -> int:
    """Run the check that is named; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m dependencies", description=__doc__)
    parser.add_argument("check", choices=("licences", "reasons", "outdated"))
    parser.add_argument("--python", default=sys.executable, help="whose packages (default: this one's)")
    options = parser.parse_args(arguments)
    files = sorted(_HERE.parent.glob("requirements*.in"))
    if options.check == "licences":
        licences = _list_licences(options.python)
        print("\n".join(group_by_licence(licences)))
        problems = list(find_foreign(licences, _lines(_LICENCES), _exceptions()))
    else:
        problems = [problem for file in files for problem in find_unreasoned(file.name, file.read_text("utf-8"))]
    if options.check == "outdated":
        texts = [file.read_text("utf-8") for file in files]
        # What only others of our packages ask for is as new as they let it be.
        free = {name for text in texts for name in list_wanted(text)} - {
            name for text in texts for name in list_held_back(text)
        }
        outdated = _list_outdated(options.python)
        print("\n".join(f"{name} {versions}" for name, versions in outdated.items()) or "Every package is current.")
        problems += [f"{name} {outdated[name]}: make lock" for name in outdated if name in free]
    print("\n".join(problems) or f"{options.check}: nothing to mend.")
    return bool(problems)


def find_foreign(licences: Mapping[str, str], allowed: Iterable[str], exceptions: Iterable[str]) -> Iterator[str]:
    """Yield each package whose licence is not allowed: of `A OR B` one must be, of `A AND B` both."""
    known, excepted = set(allowed), set(exceptions)
    for name, licence in sorted(licences.items()):
        chosen = any(all(part in known for part in _BOTH.split(choice)) for choice in _EITHER.split(licence))
        if not chosen and name not in excepted:
            yield f"{name}: {licence} is not in {_LICENCES.name}, nor the package in {_EXCEPTIONS.name}"


def group_by_licence(licences: Mapping[str, str]) -> Iterator[str]:
    """Yield each licence with the packages that have it."""
    for licence in sorted(set(licences.values())):
        yield f"{licence}: {', '.join(sorted(name for name, each in licences.items() if each == licence))}"


def find_unreasoned(name: str, text: str) -> Iterator[str]:
    """Yield each version that is held back without a comment beside it, or right above it, that says why."""
    before = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if _HELD_BACK.match(line) and "#" not in line and not (number > 2 and before.startswith("#")):
            yield f"{name}:{number}: {line}: say in a comment why it is held back"
        before = line


def list_wanted(text: str) -> Iterator[str]:
    """Yield the packages of a requirements*.in."""
    for line in text.splitlines():
        found = _WANTED.match(line)
        if found:
            yield found[0].lower()


def list_held_back(text: str) -> Iterator[str]:
    """Yield the packages of a requirements*.in that are held back."""
    for line in text.splitlines():
        found = _HELD_BACK.match(line)
        if found:
            yield found["name"].lower()


def _list_licences(python: str) -> Mapping[str, str]:
    told = _run(sys.executable, "-m", "piplicenses", f"--python={python}", "--format=json")
    return {each["Name"]: each["License"] for each in json.loads(told)}


def _list_outdated(python: str) -> Mapping[str, str]:
    told = _run(python, "-m", "pip", "list", "--outdated", "--format=json")
    return {each["name"].lower(): f"{each['version']}, there is {each['latest_version']}" for each in json.loads(told)}


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")]


def _exceptions() -> list[str]:
    return [line.partition(" ")[0] for line in _lines(_EXCEPTIONS)]


if __name__ == "__main__":
    sys.exit(main())
