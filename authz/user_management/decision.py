"""The decision on a command: pure, one rule after the other; the first that does not hold refuses it by name.

`CHECKS` names the rules of every command in the order in which they are asked; a command without rules does not exist.
"""

from collections.abc import Mapping
from datetime import datetime

from authz.brussels import brussels_day
from authz.user_management import commands
from authz.user_management.answer import Accepted, Refused, Rule
from authz.user_management.commands import Actor, Command
from authz.user_management.effects import list_events
from authz.user_management.model import EnterpriseAccount
from authz.user_management.question import Question
from authz.user_management.rules import (
    appointment,
    enterprise,
    login,
    messages,
    passwords,
    providers,
    roles,
    users,
)
from authz.user_management.world import World

_NSSO = (login.NSSO_ONLY,)
_REGISTER = (enterprise.NUMBER_VALID, enterprise.EMPLOYER_REGISTERED)
_KNOWN_SELF = (login.OWN_ENTERPRISE, login.NOT_BLOCKED, login.PASSWORD_LOGIN_ON)
_AUTHENTICATED = (*_KNOWN_SELF, login.ACTIVATED, login.GIVEN_PASSWORD_CHANGED)
LOGGED_IN = (*_AUTHENTICATED, enterprise.NOT_STRUCK_OFF)
"""What every command and search of a user obeys first."""
_ABOVE = (users.MANAGES_QUALITY, users.NOT_ABOVE)
_MANAGES = (*LOGGED_IN, users.USER_KNOWN, *_ABOVE)
_USER_NAME = (users.USER_NAME_NEVER_CHANGES, users.USER_NAME_FORM, users.USER_NAME_FREE)
_APPLICATIONS = (
    users.APPLICATION_KNOWN,
    users.FREE_NEEDS_NO_GRANT,
    users.E_BOX_FOR_ALL,
    users.APPLICATION_FOR_QUALITY,
    users.STTS_PROFILE,
)
_PASSWORD = (passwords.PASSWORD_LENGTH, passwords.PASSWORD_DIGITS_OR_SPECIALS)
_TICKET = (*_NSSO, enterprise.NOT_STRUCK_OFF, appointment.TICKET_KNOWN, appointment.REQUEST_OPEN)
_HELPER = (roles.HELPER_IS_USER, roles.HELPER_IS_ANOTHER)
_STRUCTURED = (
    messages.STRUCTURED_BY_ACCESS_MANAGER,
    messages.STRUCTURED_NEEDS_USER,
    messages.STRUCTURED_SERVICES,
    messages.CERTIFICATE_VALID,
    messages.CERTIFICATE_ACCEPTED,
    messages.CERTIFICATE_OF_ONE,
    messages.FIXED_NETWORK_CHANNEL,
    messages.FIXED_NETWORK_LOCAL,
    messages.IRISNET_BRUSSELS,
    messages.PUBLILINK_MUNICIPALITIES,
)

CHECKS: Mapping[type[Command], tuple[Rule, ...]] = {
    commands.RegisterEnterprise: (*_NSSO, *_REGISTER, enterprise.ENTERPRISE_ONCE),
    commands.UpdateEnterprise: (*_NSSO, enterprise.NUMBER_STAYS, *_REGISTER),
    commands.RequestAppointment: (
        enterprise.NOT_STRUCK_OFF,
        appointment.DIRECT_AUTHORITY,
        appointment.MANAGER_WITHOUT_STAFF,
        appointment.SIGNATORY_CAPACITY,
        appointment.SIGNATORY_PROOF,
        appointment.SIGNATORY_IDENTIFIED,
        appointment.NATIONAL_NUMBER_VALID,
        appointment.MANAGER_CONTACT,
        appointment.CREDENTIALS_CONTACT,
        appointment.REPLACEMENT_CONFIRMED,
    ),
    commands.ReceiveOriginal: (*_TICKET, appointment.ORIGINAL_ONLY, appointment.RECEIVED_ON_POSSIBLE),
    commands.ApproveAppointment: (
        *_TICKET,
        appointment.ORIGINAL_BEFORE_APPROVAL,
        appointment.APPROVED_IN_TIME,
        appointment.REPLACEMENT_CONFIRMED,
    ),
    commands.RefuseAppointment: _TICKET,
    commands.Activate: (*_KNOWN_SELF, enterprise.NOT_STRUCK_OFF, login.ACTIVATION_MEANS),
    commands.ChooseUserName: (*LOGGED_IN, *_USER_NAME),
    commands.ActivateQuality: (
        *LOGGED_IN,
        roles.CHIEF_APPOINTS_ACCESS_MANAGERS,
        enterprise.QUALITY_OF_ENTERPRISE,
    ),
    commands.AppointCoChief: (*LOGGED_IN, roles.CHIEF_APPOINTS_CO_CHIEF, *_HELPER),
    commands.AppointAccessManager: (
        *LOGGED_IN,
        roles.CHIEF_APPOINTS_ACCESS_MANAGERS,
        enterprise.QUALITY_ACTIVATED,
        roles.HELPER_IS_USER,
    ),
    commands.AppointCoAccessManager: (
        *LOGGED_IN,
        roles.ACCESS_MANAGER_APPOINTS_CO,
        enterprise.QUALITY_ACTIVATED,
        *_HELPER,
    ),
    commands.CreateUser: (
        *LOGGED_IN,
        users.MANAGES_QUALITY,
        enterprise.QUALITY_ACTIVATED,
        appointment.DIRECT_AUTHORITY,
        users.USER_IDENTIFIED,
        appointment.NATIONAL_NUMBER_VALID,
        users.USER_ONCE,
        users.USER_NAME_FORM,
        users.USER_NAME_FREE,
        *_PASSWORD,
        *_APPLICATIONS,
    ),
    commands.ChangeUser: (
        *_MANAGES,
        appointment.DIRECT_AUTHORITY,
        appointment.MANAGER_WITHOUT_STAFF,
        *_USER_NAME,
    ),
    commands.GrantApplications: (*_MANAGES, *_APPLICATIONS),
    commands.WithdrawApplications: (
        *_MANAGES,
        users.APPLICATION_KNOWN,
        users.FREE_NEEDS_NO_GRANT,
        users.E_BOX_FOR_ALL,
    ),
    commands.SetSttsProfile: (*_MANAGES, users.STTS_PROFILE),
    commands.BlockUser: (*LOGGED_IN, users.USER_KNOWN, users.CHIEF_ONLY_REPLACED, *_ABOVE),
    commands.UnblockUser: _MANAGES,
    commands.DeleteUser: (
        *LOGGED_IN,
        users.USER_KNOWN,
        users.CHIEF_ONLY_REPLACED,
        *_ABOVE,
        users.DELETION_CONFIRMED,
    ),
    commands.SetUserPassword: (*_MANAGES, *_PASSWORD),
    commands.ChangeOwnPassword: (*_KNOWN_SELF, login.ACTIVATED, enterprise.NOT_STRUCK_OFF, *_PASSWORD),
    commands.ResetOwnPassword: (
        *_KNOWN_SELF,
        login.ACTIVATED,
        enterprise.NOT_STRUCK_OFF,
        passwords.SELF_RESET_MEANS,
        *_PASSWORD,
    ),
    commands.SwitchPasswordLogin: (
        *LOGGED_IN,
        passwords.CHIEF_SWITCHES_PASSWORD_LOGIN,
        passwords.KEEPS_A_WAY_IN,
    ),
    commands.ChangeOwnData: LOGGED_IN,
    commands.RegisterOwnCertificate: (*LOGGED_IN, messages.CERTIFICATE_VALID, messages.CERTIFICATE_ACCEPTED),
    commands.ConfigureTechnicalUser: (*LOGGED_IN, enterprise.QUALITY_ACTIVATED, *_STRUCTURED),
    commands.ReplaceTechnicalUser: (*LOGGED_IN, messages.SENDER_NUMBER_KNOWN, *_STRUCTURED),
    commands.DeleteTechnicalUser: (
        *LOGGED_IN,
        messages.SENDER_NUMBER_KNOWN,
        messages.STRUCTURED_BY_ACCESS_MANAGER,
        users.DELETION_CONFIRMED,
    ),
    commands.CheckFiles: (
        *LOGGED_IN,
        messages.SENDER_NUMBER_KNOWN,
        messages.STRUCTURED_BY_ACCESS_MANAGER,
        messages.FILE_NAME_HAS_SENDER_NUMBER,
        messages.SIGNATURE_FILE_SENT,
    ),
    commands.RegisterMandate: (
        *LOGGED_IN,
        providers.EMPLOYERS_HAVE_PROVIDERS,
        providers.EMPLOYER_REPORTS,
        providers.AGREEMENT,
        providers.MANDATE_QUARTERS,
        providers.MANDATE_GROUP,
        providers.ANOTHER_ENTERPRISE,
        providers.SECRETARIAT_AUTOMATIC,
        providers.MANDATARY_KNOWN,
        providers.ONE_OTHER_PROVIDER,
        providers.MANDATE_ONCE,
    ),
    commands.ActivateMandate: (*_NSSO, enterprise.NOT_STRUCK_OFF, providers.MANDATE_KNOWN),
    commands.EndMandate: (
        *_AUTHENTICATED,
        providers.EMPLOYER_REPORTS,
        providers.MANDATE_KNOWN,
        providers.MANDATE_ENDS_EARLIER,
    ),
    commands.RecordAffiliation: (
        *_NSSO,
        enterprise.NOT_STRUCK_OFF,
        providers.EMPLOYERS_HAVE_PROVIDERS,
        providers.SECRETARIAT_RECOGNISED,
        providers.AFFILIATION_DAYS,
        providers.ONE_SECRETARIAT,
    ),
    commands.EndAffiliation: (
        *_NSSO,
        providers.AFFILIATION_KNOWN,
        providers.AFFILIATION_DAYS,
        providers.ONE_SECRETARIAT,
    ),
}
RULES: tuple[Rule, ...] = tuple(
    rule
    for theme in (login, enterprise, appointment, roles, users, passwords, messages, providers)
    for rule in theme.RULES
)
"""Every rule, by theme: what the documentation lists and what the decision cases must cover."""


def decide(
    account: EnterpriseAccount | None, command: Command, actor: Actor, world: World, now: datetime
) -> Accepted | Refused:
    """Decide. `account` is the one that the command is for, None if there is none; `now` is aware (ValueError if not).

    Nothing is changed and nothing is remembered: storage appends the events and folds them.
    """
    if account is None:
        if not isinstance(command, commands.RegisterEnterprise):
            return Refused(enterprise.ENTERPRISE_KNOWN)
        account = EnterpriseAccount(command.enterprise)
    question = Question(account, command, actor, world, brussels_day(now))
    for rule in CHECKS[type(command)]:
        if not rule.holds(question):
            return Refused(rule)
    return Accepted(list_events(question))
