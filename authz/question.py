"""What is asked, and what is known when it is decided. SSINs are kept out of every `repr`, as in answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from authz.annex import Annex, ClientKind, Grant, IntegrationRule, RoleHolder
from authz.answer import Deny, bound_information
from authz.employer_access import EmployerRelation, NamedEmployer
from authz.integration import Period, PersonFacts
from authz.organisation import Organisation
from authz.ssin import Environment


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """What is asked.

    `customer` is None where the contract names none: the client then speaks for itself. `parameters` are the leaf
    criteria that were sent, by path; what is repeated, or stands in a repeated element, has a list of its values, and
    an element without content is its own leaf, with None. `subjects` are the SSINs that the request is about, each
    once. `employer` is the one that the request names. `needs_grant` is False for the few operations that every client
    may call, `needs_relation` True for those that an enterprise may ask only about employers for which it may act.
    """

    service: str
    operation: str
    customer: Organisation | None
    legal_context: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)
    subjects: tuple[str, ...] = field(default=(), repr=False)
    period: Period | None = None
    employer: NamedEmployer | None = None
    needs_grant: bool = True
    needs_relation: bool = False


@dataclass(frozen=True, slots=True)
class AccessFacts:
    """What is known when a request is decided: of every person it names, and of who asks.

    `persons` has the facts of each subject, by SSIN. `relation` is what lets the customer act for the employer named;
    it is looked up for enterprises alone. `holder` is who a role annex was made out to, as was known at that moment.
    """

    persons: Mapping[str, PersonFacts] = field(default_factory=dict, repr=False)
    relation: EmployerRelation | None = None
    holder: RoleHolder | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """Everything that a rule may look at; `grant` is the one that could allow the request, None where none can."""

    annex: Annex
    request: AccessRequest
    facts: AccessFacts
    customer: Organisation
    grant: Grant | None
    now: datetime
    today: date
    environment: Environment

    def person(self, ssin: str) -> PersonFacts:
        try:
            return self.facts.persons[ssin]
        except KeyError:
            raise ValueError("a request about a person cannot be decided without the facts of that person") from None

    @property
    def integration(self) -> IntegrationRule | None:
        """Return what a person must meet, None where the deliberation exempts the operation."""
        return None if self.grant is None else self.grant.integration

    @property
    def is_bound_to_employer(self) -> bool:
        """Tell whether only an employer may be named for which the client may act; others are bound by their grant."""
        return self.annex.kind is ClientKind.ENTERPRISE and self.request.needs_relation

    @property
    def tells_fates(self) -> bool:
        """Tell whether the client may learn what became of a number or of its holder.

        An enterprise has persons in no file that integration control knows: asking about any number would tell it.
        """
        return self.annex.kind is not ClientKind.ENTERPRISE

    def deny(self, case: str, clause: str, allowed: str, *information: tuple[str, str]) -> Deny:
        return Deny(self.annex.revision, case, clause, allowed, bound_information(information))

    def deny_person(self, ssin: str, case: str, clause: str, allowed: str, *information: tuple[str, str]) -> Deny:
        """Refuse because of one person; where several were asked about, the client is told which."""
        if len(self.request.subjects) > 1 and ("ssin", ssin) not in information:
            information = (*information, ("ssin", ssin))
        return Deny(self.annex.revision, case, clause, allowed, bound_information(information), ssin)
