"""What an accepted command makes happen: its events, and none where all is already as was asked."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from authz.user_management import commands, events
from authz.user_management.applications import STTS
from authz.user_management.commands import Command
from authz.user_management.events import Event
from authz.user_management.model import (
    Affiliation,
    Appointment,
    Mandate,
    PasswordState,
    TechnicalUser,
    User,
)
from authz.user_management.question import Question
from authz.user_management.working_days import add_working_days

APPROVAL_WORKING_DAYS = 5

_Events = tuple[Event, ...]


def list_events(question: Question) -> _Events:
    """Return what happens; every rule of the command holds."""
    return EFFECTS[type(question.command)](question)


def _member(question: Question) -> User:
    if question.member is None:
        raise ValueError("a command on oneself comes from a user")
    return question.member


def _user(question: Question) -> User:
    return question.account.users[question.command.user_id]


def _register_enterprise(question: Question) -> _Events:
    return (events.EnterpriseRegistered(question.command.enterprise),)


def _update_enterprise(question: Question) -> _Events:
    if question.command.enterprise == question.enterprise:
        return ()
    return (events.EnterpriseUpdated(question.command.enterprise),)


def _request_appointment(question: Question) -> _Events:
    command = question.command
    appointment = Appointment(
        ticket=question.account.next_id("A"),
        manager=command.manager,
        capacity=command.capacity,
        contact=command.contact,
        signatory=command.signatory,
        requested_on=question.day,
        replace=command.replace,
    )
    return (events.AppointmentRequested(appointment),)


def _receive_original(question: Question) -> _Events:
    command = question.command
    due = add_working_days(command.received_on, APPROVAL_WORKING_DAYS)
    return (events.OriginalReceived(command.ticket, command.received_on, due),)


def _approve_appointment(question: Question) -> _Events:
    command = question.command
    appointment = question.account.appointments[command.ticket]
    user = User(
        user_id=question.account.next_id("U"),
        person=appointment.manager,
        quality=None,
        capacity=appointment.capacity,
        contact=appointment.contact,
    )
    late = appointment.due is not None and question.day > appointment.due
    appointed = events.ManagerAppointed(command.ticket, user, command.delay_explained if late else None)
    if appointment.manager.national_number is not None:
        return (appointed,)
    issued = (appointed, events.CredentialsIssued(user.user_id, user.user_id))
    return issued if question.account.password_login else (*issued, events.PasswordLoginSwitched(True))


def _refuse_appointment(question: Question) -> _Events:
    return (events.AppointmentRefused(question.command.ticket, question.command.reason),)


def _activate(question: Question) -> _Events:
    member = _member(question)
    if member.activated:
        return ()
    if question.is_chief and not question.account.activated:
        return events.UserActivated(member.user_id), events.AccountActivated()
    return (events.UserActivated(member.user_id),)


def _choose_user_name(question: Question) -> _Events:
    member = _member(question)
    if member.user_name == question.command.user_name:
        return ()
    return (events.UserNameChosen(member.user_id, question.command.user_name),)


def _activate_quality(question: Question) -> _Events:
    if question.command.quality in question.account.qualities:
        return ()
    return (events.QualityActivated(question.command.quality),)


def _appoint_co_chief(question: Question) -> _Events:
    if question.command.user_id == question.account.co_chief:
        return ()
    return (events.CoChiefAppointed(question.command.user_id),)


def _appoint_access_manager(question: Question) -> _Events:
    command, roles = question.command, question.account.qualities[question.command.quality]
    if command.user_id == roles.manager:
        return ()
    return (events.AccessManagerAppointed(command.quality, command.user_id),)


def _appoint_co_access_manager(question: Question) -> _Events:
    command, roles = question.command, question.account.qualities[question.command.quality]
    if command.user_id == roles.co_manager:
        return ()
    return (events.CoAccessManagerAppointed(command.quality, command.user_id),)


def _create_user(question: Question) -> _Events:
    command = question.command
    user = User(
        user_id=question.account.next_id("U"),
        person=command.person,
        quality=command.quality,
        capacity=command.capacity,
        contact=command.contact,
        language=command.language,
        user_name=command.user_name,
        password=PasswordState.NONE if command.password is None else PasswordState.GIVEN,
        applications=command.applications,
        stts_profile=command.stts_profile,
    )
    return (events.UserCreated(user),)


def _change_user(question: Question) -> _Events:
    command, user = question.command, _user(question)
    person = replace(
        user.person,
        name=command.name or user.person.name,
        first_name=command.first_name or user.person.first_name,
    )
    changed = events.UserChanged(
        user.user_id,
        person,
        command.capacity or user.capacity,
        command.contact or user.contact,
        command.language or user.language,
    )
    chosen: _Events = ()
    if command.user_name is not None and user.user_name is None:
        chosen = (events.UserNameChosen(user.user_id, command.user_name),)
    if changed == events.UserChanged(user.user_id, user.person, user.capacity, user.contact, user.language):
        return chosen
    return (changed, *chosen)


def _grant_applications(question: Question) -> _Events:
    command, user = question.command, _user(question)
    return _set_applications(user, user.applications | command.applications, command.stts_profile or user.stts_profile)


def _withdraw_applications(question: Question) -> _Events:
    user = _user(question)
    left = user.applications - question.command.applications
    return _set_applications(user, left, user.stts_profile if STTS in left else None)


def _set_stts_profile(question: Question) -> _Events:
    user = _user(question)
    return _set_applications(user, user.applications, question.command.profile)


def _set_applications(user: User, applications: frozenset[str], profile: Any) -> _Events:
    if (applications, profile) == (user.applications, user.stts_profile):
        return ()
    return (events.ApplicationsSet(user.user_id, applications, profile),)


def _block_user(question: Question) -> _Events:
    return () if _user(question).blocked else (events.UserBlocked(question.command.user_id),)


def _unblock_user(question: Question) -> _Events:
    return (events.UserUnblocked(question.command.user_id),) if _user(question).blocked else ()


def _delete_user(question: Question) -> _Events:
    return (events.UserDeleted(question.command.user_id),)


def _set_user_password(question: Question) -> _Events:
    return (events.PasswordSet(question.command.user_id, PasswordState.GIVEN),)


def _set_own_password(question: Question) -> _Events:
    return (events.PasswordSet(_member(question).user_id, PasswordState.OWN),)


def _switch_password_login(question: Question) -> _Events:
    if question.command.on == question.account.password_login:
        return ()
    return (events.PasswordLoginSwitched(question.command.on),)


def _change_own_data(question: Question) -> _Events:
    command, member = question.command, _member(question)
    changed = events.OwnDataChanged(
        member.user_id,
        command.email or member.contact.email,
        command.enterprise_email or member.enterprise_email,
        command.language or member.language,
    )
    present = events.OwnDataChanged(member.user_id, member.contact.email, member.enterprise_email, member.language)
    return () if changed == present else (changed,)


def _register_own_certificate(question: Question) -> _Events:
    member = _member(question)
    if member.certificate == question.command.certificate:
        return ()
    return (events.OwnCertificateRegistered(member.user_id, question.command.certificate),)


def _configure_technical_user(question: Question) -> _Events:
    command = question.command
    number = getattr(command, "sender_number", None)
    quality = question.quality
    if quality is None:
        raise ValueError("structured messages belong to a quality")
    technical_user = TechnicalUser(
        sender_number=number or question.world.next_sender_number(),
        quality=quality,
        contact_name=command.contact_name,
        channel=command.channel,
        certificate=command.certificate,
        services=command.services,
        network=command.network,
    )
    if technical_user == question.account.technical_users.get(technical_user.sender_number):
        return ()
    return (events.TechnicalUserConfigured(technical_user),)


def _delete_technical_user(question: Question) -> _Events:
    return (events.TechnicalUserDeleted(question.command.sender_number),)


def _nothing(_question: Question) -> _Events:
    return ()


def _register_mandate(question: Question) -> _Events:
    command = question.command
    mandate = Mandate(
        mandate_id=question.account.next_id("M"),
        mandator=question.enterprise.number,
        mandatary=command.mandatary,
        application_group=command.application_group,
        begin_quarter=command.begin_quarter,
        end_quarter=command.end_quarter,
    )
    return (events.MandateRegistered(mandate),)


def _activate_mandate(question: Question) -> _Events:
    if question.account.mandates[question.command.mandate_id].definitive:
        return ()
    return (events.MandateActivated(question.command.mandate_id),)


def _end_mandate(question: Question) -> _Events:
    command = question.command
    if question.account.mandates[command.mandate_id].ended_on == command.last_day:
        return ()
    return (events.MandateEnded(command.mandate_id, command.last_day),)


def _record_affiliation(question: Question) -> _Events:
    command = question.command
    return (events.AffiliationRecorded(Affiliation(command.secretariat, command.begin, command.end)),)


def _end_affiliation(question: Question) -> _Events:
    command = question.command
    return (events.AffiliationEnded(command.secretariat, command.begin, command.last_day),)


EFFECTS: Mapping[type[Command], Callable[[Question], _Events]] = {
    commands.RegisterEnterprise: _register_enterprise,
    commands.UpdateEnterprise: _update_enterprise,
    commands.RequestAppointment: _request_appointment,
    commands.ReceiveOriginal: _receive_original,
    commands.ApproveAppointment: _approve_appointment,
    commands.RefuseAppointment: _refuse_appointment,
    commands.Activate: _activate,
    commands.ChooseUserName: _choose_user_name,
    commands.ActivateQuality: _activate_quality,
    commands.AppointCoChief: _appoint_co_chief,
    commands.AppointAccessManager: _appoint_access_manager,
    commands.AppointCoAccessManager: _appoint_co_access_manager,
    commands.CreateUser: _create_user,
    commands.ChangeUser: _change_user,
    commands.GrantApplications: _grant_applications,
    commands.WithdrawApplications: _withdraw_applications,
    commands.SetSttsProfile: _set_stts_profile,
    commands.BlockUser: _block_user,
    commands.UnblockUser: _unblock_user,
    commands.DeleteUser: _delete_user,
    commands.SetUserPassword: _set_user_password,
    commands.ChangeOwnPassword: _set_own_password,
    commands.ResetOwnPassword: _set_own_password,
    commands.SwitchPasswordLogin: _switch_password_login,
    commands.ChangeOwnData: _change_own_data,
    commands.RegisterOwnCertificate: _register_own_certificate,
    commands.ConfigureTechnicalUser: _configure_technical_user,
    commands.ReplaceTechnicalUser: _configure_technical_user,
    commands.DeleteTechnicalUser: _delete_technical_user,
    commands.CheckFiles: _nothing,
    commands.RegisterMandate: _register_mandate,
    commands.ActivateMandate: _activate_mandate,
    commands.EndMandate: _end_mandate,
    commands.RecordAffiliation: _record_affiliation,
    commands.EndAffiliation: _end_affiliation,
}
