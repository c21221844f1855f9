"""What an enterprise is to an employer: the employer itself, its recognised secretariat, or its mandatary.

Rests on the affiliations and the definitive mandates of the employer's own account. Whoever is struck off acts for
nobody from that day on.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from authz.employer_access import EmployerRelation, NamedEmployer, RelationKind
from authz.user_management.applications import load_applications
from authz.user_management.model import Affiliation, EnterpriseAccount, Quality
from authz.user_management.providers import affiliation_days, mandate_days, mandates_of
from authz.user_management.world import Accounts


def may_act(
    acting: str, employer: NamedEmployer, application: str, day: date, accounts: Accounts
) -> EmployerRelation | None:
    """Return why the enterprise `acting` may use the application for the employer on that day; None if it may not."""
    account = accounts.find_account(acting)
    other = find_entity(employer, accounts)
    if account is None or other is None or other.enterprise.is_struck_off(day):
        return None
    return next((each for each in list_relations(account, other, application) if each.holds_on(day)), None)


def find_entity(named: NamedEmployer, accounts: Accounts) -> EnterpriseAccount | None:
    """Return the account of the entity that is named; None too when its numbers are not of the same one."""
    registered = named.nsso_registration_number or named.nsso_ppo_registration_number
    if registered is not None:
        account = accounts.find_account_registered(registered)
    else:
        account = accounts.find_account(named.enterprise_number or "")
    return account if account is not None and is_named(account, named) else None


def is_named(account: EnterpriseAccount, named: NamedEmployer) -> bool:
    """Tell whether every number that is named is one of this enterprise; false when none is."""
    enterprise = account.enterprise
    pairs = (
        (named.nsso_registration_number, enterprise.nsso_number),
        (named.nsso_ppo_registration_number, enterprise.nsso_ppo_number),
        (named.enterprise_number, enterprise.number),
    )
    asked = [(wanted, own) for wanted, own in pairs if wanted is not None]
    return bool(asked) and all(wanted == own for wanted, own in asked)


def list_relations(
    acting: EnterpriseAccount, employer: EnterpriseAccount, application: str
) -> Iterator[EmployerRelation]:
    """Yield every relation that there is, was or will be: own, then of the secretariat, then of the mandatary."""
    enterprise = acting.enterprise
    last = date.max if enterprise.struck_off_on is None else enterprise.struck_off_on - timedelta(days=1)
    if enterprise.number == employer.enterprise.number:
        yield EmployerRelation(RelationKind.OWN, end=_open(last))
        return
    known = load_applications().get(application)
    if known is None or known.group is None:
        return
    if Quality.RECOGNISED_SOCIAL_SECRETARIAT in enterprise.qualities:
        for affiliation in employer.affiliations:
            if affiliation.secretariat == enterprise.number:
                begin, end = affiliation_days(affiliation)
                name = name_affiliation(employer, affiliation)
                yield EmployerRelation(RelationKind.RECOGNISED_SECRETARIAT, begin, _open(min(end, last)), name)
    if Quality.SERVICE_PROVIDER in enterprise.qualities:
        for mandate in mandates_of(employer, enterprise.number):
            if mandate.definitive and mandate.application_group == known.group:
                begin, end = mandate_days(mandate)
                yield EmployerRelation(RelationKind.MANDATARY, begin, _open(min(end, last)), mandate.mandate_id)


def name_affiliation(employer: EnterpriseAccount, affiliation: Affiliation) -> str:
    """Return what identifies an affiliation: employer, secretariat and first day."""
    return f"{employer.enterprise.number}-{affiliation.secretariat}-{affiliation.begin}"


def _open(day: date) -> date | None:
    return None if day == date.max else day
