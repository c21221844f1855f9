"""The history of an account is the only truth of it: the account is what `fold` makes of its events.

Every event applies to the account that the events before it made. Storage keeps each with who did it, when and by which
command, and never changes it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from authz.user_management.events import (
    AccessManagerAppointed,
    AccountActivated,
    AffiliationEnded,
    AffiliationRecorded,
    ApplicationsSet,
    AppointmentRefused,
    AppointmentRequested,
    CoAccessManagerAppointed,
    CoChiefAppointed,
    CredentialsIssued,
    EnterpriseRegistered,
    EnterpriseUpdated,
    Event,
    ManagerAppointed,
    MandateActivated,
    MandateEnded,
    MandateRegistered,
    OriginalReceived,
    OwnCertificateRegistered,
    OwnDataChanged,
    PasswordLoginSwitched,
    PasswordSet,
    QualityActivated,
    TechnicalUserConfigured,
    TechnicalUserDeleted,
    UserActivated,
    UserBlocked,
    UserChanged,
    UserCreated,
    UserDeleted,
    UserNameChosen,
    UserUnblocked,
)
from authz.user_management.model import AppointmentStatus, EnterpriseAccount, PasswordState, Roles


class BrokenHistory(Exception):
    """A history does not begin with the opening of its account, or opens it twice."""


def fold(history: Iterable[Event]) -> EnterpriseAccount | None:
    """Return the account that a history makes, None for an empty one; BrokenHistory as said there."""
    account: EnterpriseAccount | None = None
    for event in history:
        account = apply(account, event)
    return account


def apply(account: EnterpriseAccount | None, event: Event) -> EnterpriseAccount:
    """Return the account as the event leaves it."""
    if isinstance(event, EnterpriseRegistered):
        if account is not None:
            raise BrokenHistory("an account is opened once")
        return EnterpriseAccount(event.enterprise)
    if account is None:
        raise BrokenHistory("a history begins with the opening of the account")
    return _APPLY[type(event)](account, event)


def _with(mapping: Mapping[Any, Any], key: Any, value: Any) -> Mapping[Any, Any]:
    return MappingProxyType({**mapping, key: value})


def _without(mapping: Mapping[Any, Any], key: Any) -> Mapping[Any, Any]:
    return MappingProxyType({each: value for each, value in mapping.items() if each != key})


def _change_user(account: EnterpriseAccount, user_id: str, **changes: Any) -> EnterpriseAccount:
    return replace(account, users=_with(account.users, user_id, replace(account.users[user_id], **changes)))


def _change_appointment(account: EnterpriseAccount, ticket: str, **changes: Any) -> EnterpriseAccount:
    changed = replace(account.appointments[ticket], **changes)
    return replace(account, appointments=_with(account.appointments, ticket, changed))


def _change_mandate(account: EnterpriseAccount, mandate_id: str, **changes: Any) -> EnterpriseAccount:
    changed = replace(account.mandates[mandate_id], **changes)
    return replace(account, mandates=_with(account.mandates, mandate_id, changed))


def _update_enterprise(account: EnterpriseAccount, event: EnterpriseUpdated) -> EnterpriseAccount:
    return replace(account, enterprise=event.enterprise)


def _request_appointment(account: EnterpriseAccount, event: AppointmentRequested) -> EnterpriseAccount:
    appointment = event.appointment
    appointments = _with(account.appointments, appointment.ticket, appointment)
    return replace(account, appointments=appointments, given=account.given + 1)


def _receive_original(account: EnterpriseAccount, event: OriginalReceived) -> EnterpriseAccount:
    return _change_appointment(account, event.ticket, status=AppointmentStatus.ORIGINAL_RECEIVED, due=event.due)


def _appoint_manager(account: EnterpriseAccount, event: ManagerAppointed) -> EnterpriseAccount:
    account = _change_appointment(account, event.ticket, status=AppointmentStatus.APPROVED)
    if account.chief is not None:
        account = _remove_user(account, account.chief)
    users = _with(account.users, event.user.user_id, event.user)
    return replace(account, users=users, chief=event.user.user_id, given=account.given + 1)


def _issue_credentials(account: EnterpriseAccount, event: CredentialsIssued) -> EnterpriseAccount:
    return _change_user(account, event.user_id, password=PasswordState.GIVEN)


def _refuse_appointment(account: EnterpriseAccount, event: AppointmentRefused) -> EnterpriseAccount:
    return _change_appointment(account, event.ticket, status=AppointmentStatus.REFUSED)


def _activate_user(account: EnterpriseAccount, event: UserActivated) -> EnterpriseAccount:
    return _change_user(account, event.user_id, activated=True)


def _activate_account(account: EnterpriseAccount, _event: AccountActivated) -> EnterpriseAccount:
    return replace(account, activated=True)


def _choose_user_name(account: EnterpriseAccount, event: UserNameChosen) -> EnterpriseAccount:
    return _change_user(account, event.user_id, user_name=event.user_name)


def _activate_quality(account: EnterpriseAccount, event: QualityActivated) -> EnterpriseAccount:
    return replace(account, qualities=_with(account.qualities, event.quality, Roles()))


def _appoint_co_chief(account: EnterpriseAccount, event: CoChiefAppointed) -> EnterpriseAccount:
    return replace(account, co_chief=event.user_id)


def _appoint_access_manager(account: EnterpriseAccount, event: AccessManagerAppointed) -> EnterpriseAccount:
    roles = account.qualities[event.quality]
    co_manager = None if roles.co_manager == event.user_id else roles.co_manager
    return replace(account, qualities=_with(account.qualities, event.quality, Roles(event.user_id, co_manager)))


def _appoint_co_access_manager(account: EnterpriseAccount, event: CoAccessManagerAppointed) -> EnterpriseAccount:
    roles = replace(account.qualities[event.quality], co_manager=event.user_id)
    return replace(account, qualities=_with(account.qualities, event.quality, roles))


def _create_user(account: EnterpriseAccount, event: UserCreated) -> EnterpriseAccount:
    return replace(account, users=_with(account.users, event.user.user_id, event.user), given=account.given + 1)


def _update_user(account: EnterpriseAccount, event: UserChanged) -> EnterpriseAccount:
    return _change_user(
        account,
        event.user_id,
        person=event.person,
        capacity=event.capacity,
        contact=event.contact,
        language=event.language,
    )


def _set_applications(account: EnterpriseAccount, event: ApplicationsSet) -> EnterpriseAccount:
    return _change_user(account, event.user_id, applications=event.applications, stts_profile=event.stts_profile)


def _block_user(account: EnterpriseAccount, event: UserBlocked) -> EnterpriseAccount:
    return _change_user(account, event.user_id, blocked=True)


def _unblock_user(account: EnterpriseAccount, event: UserUnblocked) -> EnterpriseAccount:
    return _change_user(account, event.user_id, blocked=False)


def _delete_user(account: EnterpriseAccount, event: UserDeleted) -> EnterpriseAccount:
    return _remove_user(account, event.user_id)


def _remove_user(account: EnterpriseAccount, user_id: str) -> EnterpriseAccount:
    def vacate(holder: str | None) -> str | None:
        return None if holder == user_id else holder

    return replace(
        account,
        users=_without(account.users, user_id),
        chief=vacate(account.chief),
        co_chief=vacate(account.co_chief),
        qualities=MappingProxyType(
            {
                quality: Roles(vacate(roles.manager), vacate(roles.co_manager))
                for quality, roles in account.qualities.items()
            }
        ),
    )


def _set_password(account: EnterpriseAccount, event: PasswordSet) -> EnterpriseAccount:
    return _change_user(account, event.user_id, password=event.state)


def _switch_password_login(account: EnterpriseAccount, event: PasswordLoginSwitched) -> EnterpriseAccount:
    return replace(account, password_login=event.on)


def _change_own_data(account: EnterpriseAccount, event: OwnDataChanged) -> EnterpriseAccount:
    contact = replace(account.users[event.user_id].contact, email=event.email)
    return _change_user(
        account, event.user_id, contact=contact, enterprise_email=event.enterprise_email, language=event.language
    )


def _register_own_certificate(account: EnterpriseAccount, event: OwnCertificateRegistered) -> EnterpriseAccount:
    return _change_user(account, event.user_id, certificate=event.certificate)


def _configure_technical_user(account: EnterpriseAccount, event: TechnicalUserConfigured) -> EnterpriseAccount:
    technical_user = event.technical_user
    return replace(
        account, technical_users=_with(account.technical_users, technical_user.sender_number, technical_user)
    )


def _delete_technical_user(account: EnterpriseAccount, event: TechnicalUserDeleted) -> EnterpriseAccount:
    return replace(account, technical_users=_without(account.technical_users, event.sender_number))


def _register_mandate(account: EnterpriseAccount, event: MandateRegistered) -> EnterpriseAccount:
    mandates = _with(account.mandates, event.mandate.mandate_id, event.mandate)
    return replace(account, mandates=mandates, given=account.given + 1)


def _activate_mandate(account: EnterpriseAccount, event: MandateActivated) -> EnterpriseAccount:
    return _change_mandate(account, event.mandate_id, definitive=True)


def _end_mandate(account: EnterpriseAccount, event: MandateEnded) -> EnterpriseAccount:
    return _change_mandate(account, event.mandate_id, ended_on=event.last_day)


def _record_affiliation(account: EnterpriseAccount, event: AffiliationRecorded) -> EnterpriseAccount:
    return replace(account, affiliations=(*account.affiliations, event.affiliation))


def _end_affiliation(account: EnterpriseAccount, event: AffiliationEnded) -> EnterpriseAccount:
    affiliations = tuple(
        replace(each, end=event.last_day)
        if (each.secretariat, each.begin) == (event.secretariat, event.begin)
        else each
        for each in account.affiliations
    )
    return replace(account, affiliations=affiliations)


_APPLY: Mapping[type, Callable[[EnterpriseAccount, Any], EnterpriseAccount]] = {
    EnterpriseUpdated: _update_enterprise,
    AppointmentRequested: _request_appointment,
    OriginalReceived: _receive_original,
    ManagerAppointed: _appoint_manager,
    CredentialsIssued: _issue_credentials,
    AppointmentRefused: _refuse_appointment,
    UserActivated: _activate_user,
    AccountActivated: _activate_account,
    UserNameChosen: _choose_user_name,
    QualityActivated: _activate_quality,
    CoChiefAppointed: _appoint_co_chief,
    AccessManagerAppointed: _appoint_access_manager,
    CoAccessManagerAppointed: _appoint_co_access_manager,
    UserCreated: _create_user,
    UserChanged: _update_user,
    ApplicationsSet: _set_applications,
    UserBlocked: _block_user,
    UserUnblocked: _unblock_user,
    UserDeleted: _delete_user,
    PasswordSet: _set_password,
    PasswordLoginSwitched: _switch_password_login,
    OwnDataChanged: _change_own_data,
    OwnCertificateRegistered: _register_own_certificate,
    TechnicalUserConfigured: _configure_technical_user,
    TechnicalUserDeleted: _delete_technical_user,
    MandateRegistered: _register_mandate,
    MandateActivated: _activate_mandate,
    MandateEnded: _end_mandate,
    AffiliationRecorded: _record_affiliation,
    AffiliationEnded: _end_affiliation,
}
EVENTS: Mapping[str, type[Event]] = {event.__name__: event for event in (EnterpriseRegistered, *_APPLY)}
"""Every kind of event by its name, as storage keeps it."""
