"""What the grants of one annex allow and forbid compared with those of another.

Compared is what decides: the grant for a service, an operation, a legal context and an organisation, wherever it stands
in either document. What is the same for several contexts and organisations is told once.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from authz.annex import Grant, IntegrationRule, ParameterRule, RoleAnnex
from authz.annex_yaml import show_path
from authz.contract_shape import is_within
from authz.difference import ComparedAnnex, Difference, Effect
from authz.organisation import Organisation

_MAX_NAMED = 10

_Customers = frozenset[Organisation | None]
"""Organisations for which a grant holds; None stands for whoever has a role."""

_Clauses = tuple[str | None, str | None]
"""The clause before and the one after that takes its place."""

_Pair = tuple[str, str, _Clauses, _Customers]
"""Service, operation, clauses, and the organisations for which the one takes the place of the other."""


@dataclass(frozen=True, slots=True)
class _Granted:
    """A grant on one of the two sides, with its place there."""

    side: ComparedAnnex
    number: int
    grant: Grant
    about: str

    def say(self, effect: Effect, text: str, *place: str | int) -> Difference:
        return self.side.say(effect, text, "operations", self.number, *place, about=self.about)

    @property
    def values(self) -> Mapping[str, Any]:
        values: Mapping[str, Any] = self.side.values["operations"][self.number]
        return values

    @property
    def rules(self) -> Mapping[str, ParameterRule]:
        return {rule.path: rule for rule in self.grant.rules}

    def leaves(self, path: str) -> frozenset[str]:
        return frozenset(leaf for leaf in self.grant.parameters if is_within(leaf, path))


def compare_grants(before: ComparedAnnex, after: ComparedAnnex) -> Iterator[Difference]:
    """Yield the differences in what may be called, and how far."""
    grants = _by_clause(before), _by_clause(after)
    for (service, operation, clauses, customers), contexts in _pair(before, after).items():
        about = f"{service} {operation}{_under(contexts)}{_for(customers, before, after)}"
        old, new = (
            _Granted(side, *found[clause], about) if clause else None
            for side, found, clause in zip((before, after), grants, clauses, strict=True)
        )
        if old is not None and new is not None:
            for compare in _COMPARISONS:
                yield from compare(old, new)
        elif old is not None:
            yield old.say(Effect.FORBIDS, "may no longer be called")
        elif new is not None:
            yield new.say(Effect.ALLOWS, "may now be called")


def _by_clause(side: ComparedAnnex) -> Mapping[str, tuple[int, Grant]]:
    numbers = {show_path(("operations", number)): number for number in range(len(side.values["operations"]))}
    return {grant.clause: (numbers[grant.clause], grant) for grants in side.annex.grants.values() for grant in grants}


def _pair(before: ComparedAnnex, after: ComparedAnnex) -> Mapping[_Pair, list[str | None]]:
    """Return which clause takes the place of which, for which organisations, with the legal contexts."""
    found: dict[_Pair, list[str | None]] = {}
    for key in {**before.annex.grants, **after.annex.grants}:
        service, operation, context = key
        earlier, later = (
            [(grant.clause, _customers(grant)) for grant in side.annex.grants.get(key, ())] for side in (before, after)
        )
        pairs: list[tuple[_Clauses, _Customers]]
        pairs = [((old, new), mine & others) for old, mine in earlier for new, others in later]
        pairs += [((old, None), mine.difference(*(others for _, others in later))) for old, mine in earlier]
        pairs += [((None, new), mine.difference(*(others for _, others in earlier))) for new, mine in later]
        for clauses, customers in pairs:
            if customers:
                found.setdefault((service, operation, clauses, customers), []).append(context)
    return found


def _customers(grant: Grant) -> _Customers:
    return grant.customers or frozenset({None})


def _under(contexts: Iterable[str | None]) -> str:
    named = ", ".join(context for context in contexts if context is not None)
    return f" under {named}" if named else ""


def _for(customers: _Customers, before: ComparedAnnex, after: ComparedAnnex) -> str:
    """Name the organisations, unless the client speaks for itself alone."""
    everybody: dict[Organisation | None, str] = {}
    for side in (before, after):
        everybody |= {each: represented.name for each, represented in side.represents.items()}
        everybody |= {None: "whoever has the role"} if isinstance(side.annex, RoleAnnex) else {}
    if len(everybody) < 2:
        return ""
    names = sorted(everybody[each] for each in customers)
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    return f" for {', '.join(names[:_MAX_NAMED])}{more}"


def _compare_basis(old: _Granted, new: _Granted) -> Iterator[Difference]:
    was, becomes = old.values["deliberation"], new.values["deliberation"]
    if was != becomes:
        yield new.say(Effect.NEUTRAL, f"rests on {becomes} instead of {was}", "deliberation")


def _compare_parameters(old: _Granted, new: _Granted) -> Iterator[Difference]:
    for here, there, effect, text in (
        (old, new, Effect.FORBIDS, "may no longer be asked with"),
        (new, old, Effect.ALLOWS, "may now be asked with"),
    ):
        told: set[str] = set()
        for path in here.values.get("parameters", {}):
            leaves = here.leaves(path)
            changed = leaves - there.grant.parameters - told
            told |= changed
            if changed:
                named = path if changed == leaves else ", ".join(sorted(changed))
                yield here.say(effect, f"{text} {named}", "parameters", path)


def _compare_demands(old: _Granted, new: _Granted) -> Iterator[Difference]:
    """Tell what must be sent, and how far back it may reach."""
    for path in {**old.rules, **new.rules}:
        was, becomes = (side.rules.get(path, ParameterRule("", path)) for side in (old, new))
        years = was.max_years_back, becomes.max_years_back
        if years[0] != years[1]:
            less = years[1] is not None and (years[0] is None or years[1] < years[0])
            told = [f"{count} years" if count else "without bound" for count in years]
            where = new if years[1] else old
            effect = Effect.FORBIDS if less else Effect.ALLOWS
            text = f"may reach back {told[1]} instead of {told[0]} with {path}"
            yield where.say(effect, text, "parameters", path, "maxYearsBack")
        if was.required != becomes.required:
            effect = Effect.FORBIDS if becomes.required else Effect.ALLOWS
            if _must_be_sent(was) == _must_be_sent(becomes):
                effect = Effect.NEUTRAL
            where = new if becomes.required else old
            text = f"{'must now' if becomes.required else 'need no longer'} be asked with {path}"
            yield where.say(effect, text, "parameters", path, "required")


def _must_be_sent(rule: ParameterRule) -> bool:
    return rule.required or rule.max_years_back is not None


def _compare_withheld(old: _Granted, new: _Granted) -> Iterator[Difference]:
    for here, there, effect, text, still in (
        (new, old, Effect.FORBIDS, "no longer tells", "now names as withheld {}, which was not told before either"),
        (old, new, Effect.ALLOWS, "now tells", "no longer names as withheld {}, which is not told all the same"),
    ):
        for number, path in enumerate(here.values.get("withheld", ())):
            if path in there.grant.withheld:
                continue
            dropped = next(each for each in here.grant.dropped if is_within(path, each))
            around = f", and with it {dropped}" if dropped != path else ""
            if any(is_within(dropped, each) for each in there.grant.dropped):
                yield here.say(Effect.NEUTRAL, still.format(path), "withheld", number)
            else:
                yield here.say(effect, f"{text} {path}{around}", "withheld", number)


def _compare_integration(old: _Granted, new: _Granted) -> Iterator[Difference]:
    was, becomes = old.grant.integration, new.grant.integration
    if was is not None and becomes is not None:
        yield from _compare_rules(old, new, was, becomes)
    elif becomes is not None:
        text = f"is now only for persons in the file, under {' or '.join(sorted(becomes.contexts))}"
        yield new.say(Effect.FORBIDS, text, "integration")
    elif was is not None:
        yield new.say(Effect.ALLOWS, "is now for persons who are in no file", "integrationExemption")
    else:
        reasons = [each.values.get("integrationExemption") for each in (old, new)]
        if reasons[0] != reasons[1]:
            text = f"is exempt from integration control by {reasons[1]} instead of {reasons[0]}"
            yield new.say(Effect.NEUTRAL, text, "integrationExemption")


def _compare_rules(
    old: _Granted, new: _Granted, was: IntegrationRule, becomes: IntegrationRule
) -> Iterator[Difference]:
    for context in sorted(was.contexts - becomes.contexts):
        text = f"is no longer for persons in the file under {context}"
        yield old.say(Effect.FORBIDS, text, "integration", "contexts")
    for context in sorted(becomes.contexts - was.contexts):
        yield new.say(Effect.ALLOWS, f"is now for persons in the file under {context}", "integration", "contexts")
    for key, text, before, after in (
        ("daysBefore", "ended {} days before the period instead of {}", was.days_before, becomes.days_before),
        ("daysAfter", "begins {} days after the period instead of {}", was.days_after, becomes.days_after),
    ):
        if before != after:
            where = new if key in new.values["integration"] else old
            effect = Effect.FORBIDS if after < before else Effect.ALLOWS
            yield where.say(effect, f"counts an inscription that {text.format(after, before)}", "integration", key)


def _compare_notified(old: _Granted, new: _Granted) -> Iterator[Difference]:
    if old.grant.notified != new.grant.notified:
        told = new.grant.notified
        text = f"{'now' if told else 'no longer'} notifies of each declaration about a person in the file"
        where = new if told else old
        yield where.say(Effect.ALLOWS if told else Effect.FORBIDS, text, "notified")


_COMPARISONS = (
    _compare_basis,
    _compare_parameters,
    _compare_demands,
    _compare_withheld,
    _compare_integration,
    _compare_notified,
)
