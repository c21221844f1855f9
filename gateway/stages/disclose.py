"""Disclose: what the annex withholds is dropped from the values before they become a message."""

from typing import Any

from gateway.established import Disclosed, Screened


def disclose(screened: Screened) -> Disclosed:
    """Drop the withheld paths and list them in `dataFilters` where the contract has it.

    All paths that the annex withholds are listed whenever the reply has data, whether or not this person had them: the
    list tells what the annex says, never what the source holds.
    """
    permitted = screened.previous.previous
    permit, operation = permitted.permit, permitted.previous.previous.operation
    data: dict[str, Any] = dict(screened.outcome.data)
    withheld = tuple(path for path in permit.withheld if path.partition("/")[0] in data)
    for path in permit.dropped:
        data = without(data, path.split("/"))
    if withheld and operation.has_data_filters:
        data["dataFilters"] = {"filteredElement": list(withheld)}
    return Disclosed(screened, data, tuple(data), withheld)


def without(values: Any, path: list[str]) -> Any:
    """Return the values without the element at this path, in every item of the lists on the way; the rest is shared."""
    if isinstance(values, list):
        return [without(item, path) for item in values]
    if not isinstance(values, dict) or path[0] not in values:
        return values
    if len(path) == 1:
        return {name: value for name, value in values.items() if name != path[0]}
    return values | {path[0]: without(values[path[0]], path[1:])}
