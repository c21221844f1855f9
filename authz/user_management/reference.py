"""The page of docs on User Management's rules, from the tables that decide."""

from collections.abc import Iterable

from authz.user_management.access import NoAccessReason
from authz.user_management.answer import Rule
from authz.user_management.applications import load_applications, load_stts_profiles
from authz.user_management.decision import CHECKS, RULES

_HEAD = """# The rules of User Management

Every command on the account of an enterprise is accepted, and then becomes part of its history, or refused by one of
the rules below, by name. *Source* is the seed document and its heading; *ours* marks what the seeds leave open. Each
rule has a case that it allows and one that it refuses in `fixtures/decisions/user_management/`.

The account of an enterprise is made of its history and of nothing else. Who acts is a user of that enterprise with the
means by which it logged in (eID, itsme, app or password), an applicant, or the NSSO's side of the gateway. A user name
that was sent to a manager without national number is its user id, until it chooses one.
"""
_COMMANDS = """## Which rules a command obeys

In this order; the first that does not hold refuses it.
"""
_APPLICATIONS = """## The secured applications

*free* needs nothing, *password* a login (user name and password, or eID, itsme or app, which are worth more),
*certificate* a login and the person's own qualified certificate. A mandate is for a *group*; an application without a
group is nobody's but the enterprise's own. A manager reaches each application of its qualities without a grant, and
every user the e-Box.
"""
_PROFILES = """## The profiles of STTS
"""
_ACCESS = """## Who reaches the data of an entity

The first of these that applies is the reason why there is no access. The entity stands after what the user itself
lacks, since a mandate cannot be looked for without it, and a user with no right of its own learns nothing of others.
Only a definitive mandate gives access. Whoever is struck off acts for nobody from that day on.
"""


def render_user_management_rules() -> str:
    """Return docs/user-management-rules.md."""
    rules = ((f"`{rule.rule_id}`", rule.says, rule.source) for rule in RULES)
    checks = ((f"`{command.__name__}`", _names(checked)) for command, checked in CHECKS.items())
    applications = (
        (
            f"`{each.application_id}`",
            each.name,
            each.audience.value,
            each.access.value,
            each.group or "",
            "yes" if each.structured else "",
        )
        for each in load_applications().values()
    )
    profiles = (
        (str(int(profile)), each.name, ", ".join(sorted(each.functions)))
        for profile, each in load_stts_profiles().items()
    )
    reasons = "".join(f"{place}. `{reason}`\n" for place, reason in enumerate(NoAccessReason, start=1))
    columns = ("application", "name", "for", "access", "group", "structured messages")
    return "\n".join(
        (
            _HEAD,
            _table(("rule", "what it says", "source"), rules),
            _COMMANDS,
            _table(("command", "rules"), checks),
            _APPLICATIONS,
            _table(columns, applications),
            _PROFILES,
            _table(("profile", "name", "functions"), profiles),
            _ACCESS,
            reasons,
        )
    )


def _names(rules: Iterable[Rule]) -> str:
    return ", ".join(f"`{rule.rule_id}`" for rule in rules)


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (columns, ("---",) * len(columns), *rows)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
