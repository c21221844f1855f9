"""What an annex must know of a contract: which elements its messages have, and which of them are optional.

Pure data, which the gateway derives from the XSDs. Paths are element names joined by `/`, relative to the
message's root element (`criteria/period/beginDate`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

CRITERIA = "criteria"
LEGAL_CONTEXT = "legalContext"
NEVER_WITHHELD = frozenset(
    {
        *("informationCustomer", "informationCBSS", LEGAL_CONTEXT, CRITERIA, "status", "ssin", "dataFilters"),
        *("unsupportedData", "next"),
    }
)
"""Elements that answer the request itself; a reply without them would not say what it is an answer to, or would hide
that it is not whole.
"""


@dataclass(frozen=True, slots=True)
class Reservation:
    """Who alone may be granted a legal context: the client's name, and the deliberation that its grant must name."""

    client: str
    deliberation: str


@dataclass(frozen=True, slots=True)
class ContractShape:
    """One operation. Both mappings are in the contract's order.

    `request_paths` has every element of the request, with whether a request may be without it; `reply_paths` every
    element of the reply after `status`, with whether it may be taken out of any reply (where one of several must
    stand, none may);
    `repeated` are the request's elements that may occur more than once.
    `has_data_filters`: the reply can list what was withheld. `consults_persons`: the reply holds data of a
    person. `notifies`: a client may be told of what the operation lists without asking. `names_employer`: the
    request can name the employer that it is about. `reserved` has the legal contexts that may be granted to one client
    only. `kinds` are the kinds of clients whose annex may grant the operation; None: any. `application` is the one of
    User Management whose technical users may call it, empty where none may.
    """

    request_paths: Mapping[str, bool] = field(default_factory=dict)
    reply_paths: Mapping[str, bool] = field(default_factory=dict)
    has_data_filters: bool = False
    consults_persons: bool = True
    kinds: frozenset[str] | None = None
    notifies: bool = False
    names_employer: bool = False
    repeated: frozenset[str] = frozenset()
    reserved: Mapping[str, Reservation] = field(default_factory=dict)
    application: str = ""


Contracts = Mapping[str, Mapping[str, ContractShape]]
"""Shape by service (`SelfEmployedService/v2`), then by operation."""


def parent_of(path: str) -> str:
    """Return the path of the element around this one, empty for an element of the root."""
    return path.rpartition("/")[0]


def is_within(path: str, ancestor: str) -> bool:
    """Tell whether `path` is `ancestor` or lies beneath it."""
    return path == ancestor or path.startswith(f"{ancestor}/")


def find_droppable(path: str, reply_paths: Mapping[str, bool]) -> str | None:
    """Return what goes when `path` is withheld: itself if a reply may lack it, else the nearest such ancestor."""
    while path:
        if reply_paths[path]:
            return path
        path = parent_of(path)
    return None


def criteria_leaves(shape: ContractShape) -> tuple[str, ...]:
    """Return the criteria that carry a value, in the contract's order."""
    inner = {parent_of(path) for path in shape.request_paths}
    return tuple(path for path in shape.request_paths if is_within(path, CRITERIA) and path not in inner)


def is_mandatory(path: str, shape: ContractShape, within: str = "") -> bool:
    """Tell whether the element stands in every request, or in every `within` if that is named."""
    while path and path != within:
        if shape.request_paths[path]:
            return False
        path = parent_of(path)
    return True
