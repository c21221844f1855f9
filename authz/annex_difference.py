"""What a change of an annex allows and forbids: a difference of meaning, whatever the texts.

The order of the operations, how what is granted is cut into entries, comments: none of that is a difference.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date

from authz.annex import CertificateBinding, ClientKind, RoleAnnex
from authz.annex_document import read_any_annex
from authz.annex_yaml import read_yaml
from authz.contract_shape import Contracts
from authz.difference import ComparedAnnex, Difference, Effect, Side
from authz.grant_difference import compare_grants
from authz.organisation import Organisation


def compare_annexes(before: str, after: str, contracts: Contracts) -> tuple[Difference, ...]:
    """Return the differences between two documents, those of the annex as a whole first; AnnexInvalid."""
    return list_differences(read_compared(Side.BEFORE, before, contracts), read_compared(Side.AFTER, after, contracts))


def read_compared(side: Side, text: str, contracts: Contracts) -> ComparedAnnex:
    """Read one of the two documents; AnnexInvalid."""
    return ComparedAnnex(side, read_any_annex(text, contracts), read_yaml(text))


def list_differences(before: ComparedAnnex, after: ComparedAnnex) -> tuple[Difference, ...]:
    """Return the differences between two annexes, those of the annex as a whole first."""
    return tuple(difference for compare in _COMPARISONS for difference in compare(before, after))


def _compare_client(before: ComparedAnnex, after: ComparedAnnex) -> Iterator[Difference]:
    if before.annex.client != after.annex.client:
        text = f"is the annex of {after.annex.client} instead of {before.annex.client}"
        yield after.say(Effect.NEUTRAL, text, "client")


def _compare_role(before: ComparedAnnex, after: ComparedAnnex) -> Iterator[Difference]:
    old, new = (each.annex.role if isinstance(each.annex, RoleAnnex) else None for each in (before, after))
    if old is not None and old != new:
        yield before.say(Effect.FORBIDS, f"is no longer for everybody who has the role {old}", "role")
    if new is not None and old != new:
        yield after.say(Effect.ALLOWS, f"is now for everybody who has the role {new}", "role")


def _compare_kind(before: ComparedAnnex, after: ComparedAnnex) -> Iterator[Difference]:
    old, new = before.kind, after.kind
    if old == new:
        return
    yield after.say(Effect.NEUTRAL, f"is of the kind {new} instead of {old}", "kind")
    if new is ClientKind.ENTERPRISE:
        yield after.say(Effect.FORBIDS, "may now ask only about employers for which it may act", "kind")
        text = "is no longer refused, nor told, where a number was replaced or cancelled or its holder died"
        yield after.say(Effect.ALLOWS, text, "kind")
    elif old is ClientKind.ENTERPRISE:
        yield after.say(Effect.ALLOWS, "may now ask about employers for which it may not act", "kind")
        text = "is now refused, and told, where a number was replaced or cancelled or its holder died"
        yield after.say(Effect.FORBIDS, text, "kind")


def _compare_identity(before: ComparedAnnex, after: ComparedAnnex) -> Iterator[Difference]:
    old, new = before.identity, after.identity
    if old is not None and old != new:
        yield before.say(Effect.FORBIDS, f"is no longer {old.key}", "identity")
    if new is not None and old != new:
        yield after.say(Effect.ALLOWS, f"is now {new.key}", "identity")
    names = [each.values.get("identity", {}).get("name") for each in (before, after)]
    if None not in names and names[0] != names[1]:
        yield after.say(Effect.NEUTRAL, f"is called {names[1]} instead of {names[0]}", "identity", "name")


def _compare_validity(before: ComparedAnnex, after: ComparedAnnex) -> Iterator[Difference]:
    begins = before.annex.valid_from, after.annex.valid_from
    if begins[0] != begins[1]:
        effect = Effect.FORBIDS if begins[1] > begins[0] else Effect.ALLOWS
        yield after.say(effect, f"holds from {begins[1]} instead of {begins[0]}", "validFrom")
    ends = before.annex.valid_until, after.annex.valid_until
    if ends[0] != ends[1]:
        effect = Effect.FORBIDS if (ends[1] or date.max) < (ends[0] or date.max) else Effect.ALLOWS
        told = [f"until {end}" if end else "without an end" for end in ends]
        where = after if ends[1] else before
        yield where.say(effect, f"holds {told[1]} instead of {told[0]}", "validUntil")


def _compare_authentication(before: ComparedAnnex, after: ComparedAnnex) -> Iterator[Difference]:
    place = "authentication", "methods"
    for method in sorted(before.annex.methods - after.annex.methods):
        yield before.say(Effect.FORBIDS, f"may no longer prove itself by {method}", *place)
    for method in sorted(after.annex.methods - before.annex.methods):
        yield after.say(Effect.ALLOWS, f"may now prove itself by {method}", *place)
    if before.annex.sign_token != after.annex.sign_token:
        must = after.annex.sign_token
        text = f"{'must now' if must else 'need no longer'} sign the BinarySecurityToken too"
        where = after if must else before
        yield where.say(Effect.FORBIDS if must else Effect.ALLOWS, text, "authentication", "signToken")
    if before.annex.unsigned_replies != after.annex.unsigned_replies:
        unsigned = after.annex.unsigned_replies
        text = f"is {'no longer' if unsigned else 'now'} sent signed replies over mutual TLS"
        yield (after if unsigned else before).say(Effect.NEUTRAL, text, "authentication", "unsignedReplies")


def _compare_certificates(before: ComparedAnnex, after: ComparedAnnex) -> Iterator[Difference]:
    for number, each in enumerate(before.certificates):
        if each not in after.certificates:
            text = f"may no longer prove itself with {_certificate(each)}"
            yield before.say(Effect.FORBIDS, text, "certificates", number)
    for number, each in enumerate(after.certificates):
        if each not in before.certificates:
            text = f"may now prove itself with {_certificate(each)}"
            yield after.say(Effect.ALLOWS, text, "certificates", number)


def _certificate(binding: CertificateBinding) -> str:
    if binding.sha256 is not None:
        return f"the certificate with SHA-256 {binding.sha256}"
    return f"certificate {binding.serial} of {binding.issuer}"


def _compare_represented(before: ComparedAnnex, after: ComparedAnnex) -> Iterator[Difference]:
    """Tell for whom it speaks; that another client speaks for itself is told by its identity."""
    for organisation, old in before.represents.items():
        if organisation not in after.represents and organisation != _replaced(before, after):
            text = f"may no longer speak for {old.name} ({organisation.key})"
            yield _say_represented(before, after, Effect.FORBIDS, text, organisation)
    for organisation, new in after.represents.items():
        known = before.represents.get(organisation)
        if known is None and organisation != _replaced(after, before):
            text = f"may now speak for {new.name} ({organisation.key})"
            yield _say_represented(after, before, Effect.ALLOWS, text, organisation)
        elif known is not None and known.name != new.name and organisation != after.identity:
            text = f"{organisation.key} is called {new.name} instead of {known.name}"
            yield _say_represented(after, before, Effect.NEUTRAL, text, organisation)


def _replaced(here: ComparedAnnex, there: ComparedAnnex) -> Organisation | None:
    """Return the identity here if it is another one there."""
    return here.identity if here.identity != there.identity else None


def _say_represented(
    here: ComparedAnnex, there: ComparedAnnex, effect: Effect, text: str, organisation: Organisation
) -> Difference:
    for number, values in enumerate(here.values.get("represents", ())):
        if Organisation.from_values(values) == organisation:
            return here.say(effect, text, "represents", number)
    where = here if "representsItself" in here.values else there
    return where.say(effect, text, "representsItself")


def _compare_quota(before: ComparedAnnex, after: ComparedAnnex) -> Iterator[Difference]:
    old, new = before.annex.quota, after.annex.quota
    for key, period, was, becomes in (
        ("perMinute", "a minute", old.per_minute, new.per_minute),
        ("perDay", "a day", old.per_day, new.per_day),
    ):
        if was != becomes:
            less = becomes is not None and (was is None or becomes < was)
            told = [f"at most {limit} requests {period}" if limit else "without limit" for limit in (was, becomes)]
            text = f"may send {told[1]} instead of {told[0]}"
            where = before if becomes is None else after
            yield where.say(Effect.FORBIDS if less else Effect.ALLOWS, text, "quota", key)


_COMPARISONS: Iterable[Callable[[ComparedAnnex, ComparedAnnex], Iterable[Difference]]] = (
    _compare_client,
    _compare_kind,
    _compare_role,
    _compare_identity,
    _compare_validity,
    _compare_authentication,
    _compare_certificates,
    _compare_represented,
    _compare_quota,
    compare_grants,
)
