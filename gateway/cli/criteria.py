"""The elements of a request from what stands on a command line: `--set path=value`, `--ssin`, `--begin` and such."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.cli.output import Problem, parse_date
from gateway.contracts import OperationContract
from gateway.xml.lexical import reader_of
from gateway.xml.model import Element, SimpleType

# Where a contract may have what an option gives.
_SSINS = ("criteria/ssin", "criteria/worker/ssin")
_PERIODS = ("criteria/period", "criteria/quarterPeriod", "criteria/receptionPeriod")
_BEGINS = tuple(f"{period}/{name}" for period in _PERIODS for name in ("beginDate", "beginQuarter"))
_ENDS = tuple(f"{period}/{name}" for period in _PERIODS for name in ("endDate", "endQuarter"))

# What a call fills in by itself.
_ENVELOPE = ("informationCustomer/", "informationCBSS/")

_STEP = re.compile(r"(?P<name>[^\[\]]+)(?:\[(?P<number>[1-9][0-9]{0,3})\])?")


def fill_request(contract: OperationContract, request: dict[str, Any], settings: Iterable[str]) -> None:
    """Put each `path=value` into the request, as the contract types it.

    `criteria/` may be left out. A repeated element with elements of its own is numbered from 1, `declaration[2]/out/…`,
    and is the first without a number; a repeated value is given again. Problem for a path or a value that the contract
    does not have.
    """
    elements = dict(contract.request.paths())
    for setting in settings:
        given, equals, text = setting.partition("=")
        steps = [_STEP.fullmatch(step) for step in given.split("/")]
        path = "/".join(step["name"] for step in steps if step is not None)
        if path not in elements:
            steps, path = [_STEP.fullmatch("criteria"), *steps], f"criteria/{path}"
        element = elements.get(path)
        if not equals or None in steps or element is None or not isinstance(element.type, SimpleType):
            paths = (path for path, each in elements.items() if isinstance(each.type, SimpleType))
            known = ", ".join(path.removeprefix("criteria/") for path in paths if not path.startswith(_ENVELOPE))
            raise Problem(f"--set {setting}: write path=value, with one of the paths {known}.")
        try:
            value = reader_of(element.type.builtin)(text)
        except ValueError:
            raise Problem(f"--set {setting}: {text} is no {element.type.builtin}.") from None
        numbered = [(step["name"], int(step["number"] or 1)) for step in steps if step is not None]
        if not _put(elements, request, numbered, value):
            raise Problem(f"--set {setting}: number repeated elements 1, 2, 3, in this order.")


def fill_options(
    contract: OperationContract,
    request: dict[str, Any],
    ssin: str | None,
    begin: str | None,
    end: str | None,
    text: str | None,
) -> None:
    """Put the options where this contract has them; Problem for one that it has no place for."""
    elements = dict(contract.request.paths())
    for option, value, places in (
        ("--ssin", ssin, _SSINS),
        ("--begin", begin, _BEGINS),
        ("--end", end, _ENDS),
        ("--text", text, ("echo",)),
    ):
        place = next((place for place in places if place in elements), None)
        if value is None:
            continue
        if place is None:
            raise Problem(f"{contract.descriptor.name} has no criterion for {option}.")
        read = parse_date(value) if place.endswith("Date") else value
        _put(elements, request, [(name, 1) for name in place.split("/")], read)


def _put(elements: Mapping[str, Element], values: dict[str, Any], steps: list[tuple[str, int]], value: Any) -> bool:
    """Put the value at the end of the path; False when an element before a numbered one is missing."""
    path = ""
    for name, number in steps[:-1]:
        path = f"{path}/{name}".lstrip("/")
        if not elements[path].many:
            values = values.setdefault(name, {})
            continue
        items = values.setdefault(name, [])
        if number > len(items) + 1:
            return False
        if number > len(items):
            items.append({})
        values = items[number - 1]
    name = steps[-1][0]
    if elements[f"{path}/{name}".lstrip("/")].many:
        values.setdefault(name, []).append(value)
    else:
        values[name] = value
    return True
