"""Whether a user, named by its technical identification, reaches the data of an entity with an application.

The checks are made in this order, and the first that fails is the answer: the user (known, not blocked, activated),
the application (granted, or reached by a manager without grant), the means that it requires, the entity (known, not
struck off), and at last the mandate or affiliation on that day. The entity comes where it does because a mandate cannot
be looked for without it, and because a user who has no right of its own learns nothing about anybody else.

What a user may is as it stands now; `day` is that of the mandate, of the striking off and of the certificate.
Whoever has a national number can log in by eID, itsme or app, which is worth more than user name and password.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from authz.employer_access import EmployerRelation, NamedEmployer, RelationKind
from authz.user_management.applications import PROVIDER_QUALITIES, AccessClass, Application, load_applications
from authz.user_management.model import EnterpriseAccount, PasswordState, Quality, User
from authz.user_management.relation import find_entity, is_named, list_relations
from authz.user_management.world import Accounts


class AccessPath(StrEnum):
    """What gives access."""

    MANAGER = "MANAGER"
    USER = "USER"
    RECOGNISED_SOCIAL_SECRETARIAT = "RECOGNISED_SOCIAL_SECRETARIAT"
    SERVICE_PROVIDER = "SERVICE_PROVIDER"


class NoAccessReason(StrEnum):
    """Why there is no access, in the order in which it is checked."""

    USER_UNKNOWN = "USER_UNKNOWN"
    USER_BLOCKED = "USER_BLOCKED"
    USER_NOT_ACTIVATED = "USER_NOT_ACTIVATED"
    APPLICATION_NOT_GRANTED = "APPLICATION_NOT_GRANTED"
    MEANS_INSUFFICIENT = "MEANS_INSUFFICIENT"
    ENTITY_UNKNOWN = "ENTITY_UNKNOWN"
    ENTITY_STRUCK_OFF = "ENTITY_STRUCK_OFF"
    NO_MANDATE = "NO_MANDATE"
    MANDATE_ENDED = "MANDATE_ENDED"


@dataclass(frozen=True, slots=True)
class Access:
    """Yes: by which path, as what of the entity, and for which enterprise the user acts."""

    path: AccessPath
    enterprise_number: str
    relation: EmployerRelation


@dataclass(frozen=True, slots=True)
class NoAccess:
    """No, and the first reason."""

    reason: NoAccessReason


@dataclass(frozen=True, slots=True)
class _Caller:
    """A user or a technical user, as far as access looks at it."""

    account: EnterpriseAccount
    qualities: frozenset[Quality]
    granted: frozenset[str]
    manages: bool
    blocked: bool
    activated: bool
    can_log_in: bool
    certificate_until: date | None

    def has_means_for(self, application: Application, day: date) -> bool:
        if application.access is AccessClass.FREE:
            return True
        if application.access is AccessClass.PASSWORD:
            return self.can_log_in
        return self.can_log_in and self.certificate_until is not None and day <= self.certificate_until

    def is_granted(self, application: Application, own: bool) -> bool:
        usable = self.qualities & application.qualities
        if own and not application.everyone:
            usable -= PROVIDER_QUALITIES
        free = application.everyone or application.access is AccessClass.FREE
        return bool(usable) and (free or self.manages or application.application_id in self.granted)


def check_access(
    technical_id: str, entity: NamedEmployer, application_id: str, day: date, accounts: Accounts
) -> Access | NoAccess:
    """Decide; `technical_id` is a user id or a sender number, `day` a day in Brussels."""
    account = accounts.find_account_of(technical_id)
    caller = None if account is None else _find_caller(account, technical_id)
    if caller is None:
        return NoAccess(NoAccessReason.USER_UNKNOWN)
    if caller.blocked:
        return NoAccess(NoAccessReason.USER_BLOCKED)
    if not caller.activated:
        return NoAccess(NoAccessReason.USER_NOT_ACTIVATED)
    application = load_applications().get(application_id)
    if application is None or not caller.is_granted(application, is_named(caller.account, entity)):
        return NoAccess(NoAccessReason.APPLICATION_NOT_GRANTED)
    if not caller.has_means_for(application, day):
        return NoAccess(NoAccessReason.MEANS_INSUFFICIENT)
    other = find_entity(entity, accounts)
    if other is None:
        return NoAccess(NoAccessReason.ENTITY_UNKNOWN)
    if other.enterprise.is_struck_off(day):
        return NoAccess(NoAccessReason.ENTITY_STRUCK_OFF)
    return _check_relation(caller, other, application, day)


def _check_relation(
    caller: _Caller, entity: EnterpriseAccount, application: Application, day: date
) -> Access | NoAccess:
    relations = [
        each
        for each in list_relations(caller.account, entity, application.application_id)
        if _ACTS_AS.get(each.kind) is None or _ACTS_AS[each.kind] in caller.qualities
    ]
    for relation in relations:
        if relation.holds_on(day):
            own = AccessPath.MANAGER if caller.manages else AccessPath.USER
            return Access(_PATHS.get(relation.kind, own), caller.account.enterprise.number, relation)
    if any(relation.end is not None and relation.end < day for relation in relations):
        return NoAccess(NoAccessReason.MANDATE_ENDED)
    return NoAccess(NoAccessReason.NO_MANDATE)


_ACTS_AS = {
    RelationKind.RECOGNISED_SECRETARIAT: Quality.RECOGNISED_SOCIAL_SECRETARIAT,
    RelationKind.MANDATARY: Quality.SERVICE_PROVIDER,
}
_PATHS = {
    RelationKind.RECOGNISED_SECRETARIAT: AccessPath.RECOGNISED_SOCIAL_SECRETARIAT,
    RelationKind.MANDATARY: AccessPath.SERVICE_PROVIDER,
}


def _find_caller(account: EnterpriseAccount, technical_id: str) -> _Caller | None:
    user = account.users.get(technical_id)
    if user is not None:
        return _Caller(
            account=account,
            qualities=_qualities_of(account, user),
            granted=user.applications,
            manages=technical_id in account.holders(),
            blocked=user.blocked,
            activated=user.activated,
            can_log_in=_can_log_in(account, user),
            certificate_until=user.certificate.not_after if user.certificate else None,
        )
    technical_user = account.technical_users.get(technical_id)
    if technical_user is None:
        return None
    return _Caller(
        account=account,
        qualities=frozenset({technical_user.quality}) & account.enterprise.qualities,
        granted=technical_user.services,
        manages=False,
        blocked=False,
        activated=True,
        can_log_in=True,
        certificate_until=technical_user.certificate.not_after,
    )


def _qualities_of(account: EnterpriseAccount, user: User) -> frozenset[Quality]:
    """Return the activated qualities in which a user acts: one, and all for the chief and co-chief."""
    acts_in_all = user.user_id in (account.chief, account.co_chief)
    acts_in = frozenset(account.qualities) if acts_in_all else frozenset(account.qualities) & {user.quality}
    return acts_in & account.enterprise.qualities


def _can_log_in(account: EnterpriseAccount, user: User) -> bool:
    by_password = account.password_login and user.password is not PasswordState.NONE
    return user.person.national_number is not None or by_password
