"""Paging: the port behind which a page's `next` is made and read, and what such a token is bound to.

A service says with a short text of its own where the following page begins. The client gets it as a token that
it cannot read, change, nor use for another question or as another client.
"""

import json
from dataclasses import dataclass
from typing import Protocol

from services.consultation import Consultation

NEXT = "next"


@dataclass(frozen=True, slots=True)
class PageScope:
    """The question that pages belong to: who asks, which operation, and everything that was asked but the page."""

    client: str
    operation: str
    question: str


class PageTokens(Protocol):
    """Turns positions into tokens and back; both ways the same for every worker, node and restart."""

    def issue(self, scope: PageScope, position: str) -> str:
        """Return the token, at most 64 characters for a position of at most 31 ASCII characters."""
        ...

    def find_position(self, scope: PageScope, token: str) -> str | None:
        """Return the position, None for a token that was not issued for this very question."""
        ...


def get_scope(consultation: Consultation) -> PageScope:
    """Return what the pages of a consultation have in common: customer, legal context and criteria without `next`.

    A contract without legal context has None there.
    """
    values = consultation.values
    question = {
        "customer": values["informationCustomer"]["customerIdentification"],
        "legalContext": values.get("legalContext"),
        "criteria": {name: value for name, value in values["criteria"].items() if name != NEXT},
    }
    return PageScope(
        consultation.client,
        consultation.operation,
        json.dumps(question, sort_keys=True, separators=(",", ":"), default=str),
    )
