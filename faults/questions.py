"""What the clients of a fault run ask: questions of the demo world that have data for an answer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from fixtures import dmfa_personas, personas
from fixtures.persona import Expectation

SELF_EMPLOYED = "SelfEmployedService/v2"
_ADDRESSES = {
    SELF_EMPLOYED: ("/SelfEmployedService/v2/consult", SELF_EMPLOYED),
    dmfa_personas.SERVICE: ("/DmfaConsultationService/consult", dmfa_personas.SERVICE),
}
# Of the criteria, as the contracts order them.
_CRITERIA = ("period", "quarterPeriod", "resultsAction", "latestSituationOnly")


@dataclass(frozen=True, slots=True)
class Question:
    """A question of a client; `path` is where it is sent."""

    ssin: str
    expectation: Expectation

    @property
    def path(self) -> str:
        return _ADDRESSES[self.expectation.service][0]

    def payload(self, ticket: str) -> str:
        """Return the payload with the client's own ticket in it."""
        asked = self.expectation
        criteria = {name: asked.criteria[name] for name in _CRITERIA if name in asked.criteria}
        return (
            f'<q:{asked.operation}Request xmlns:q="http://kszbcss.fgov.be/intf/{_ADDRESSES[asked.service][1]}">'
            + _elements({"informationCustomer": {"ticket": ticket, "customerIdentification": asked.customer}})
            + _elements({"legalContext": asked.legal_context, "criteria": {"ssin": self.ssin, **criteria}})
            + f"</q:{asked.operation}Request>"
        )


@cache
def questions_of(client: str) -> tuple[Question, ...]:
    """Return what a demo client asks and gets data for."""
    return tuple(_find(client))


def _find(client: str) -> Iterator[Question]:
    for persona in (*personas.load_personas(), *dmfa_personas.load_personas()):
        for expectation in persona.expectations:
            if (expectation.client, expectation.code) == (client, "MSG00000") and set(_CRITERIA) >= set(
                expectation.criteria
            ):
                yield Question(persona.ssin, expectation)


def _elements(values: Mapping[str, Any]) -> str:
    return "".join(f"<{name}>{_content(value)}</{name}>" for name, value in values.items())


def _content(value: Any) -> str:
    if isinstance(value, Mapping):
        return _elements(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
