"""`users password …`: change one's own, give another, switch login by password off."""

from typing import Annotated

import typer

from authz.user_management.commands import (
    ChangeOwnPassword,
    ResetOwnPassword,
    SetUserPassword,
    SwitchPasswordLogin,
)
from gateway.cli.output import JsonOption, Problem, StateOption, console
from gateway.cli.terminal import PasswordStdinOption, read_new_password, read_password
from gateway.cli.users.acting import acting, show_events
from gateway.users.credentials import Credentials
from gateway.users.operators import Operators, account_of_operator
from gateway.users.passwords import are_same
from gateway.users.sessions import Kind

app = typer.Typer(help="Passwords: at least 10 characters, of which 2 digits or special.", no_args_is_help=True)


@app.command()
def change(password_stdin: PasswordStdinOption = False, state: StateOption = None, as_json: JsonOption = False) -> None:
    """Change your own password, knowing the present one. Ends your sessions: log in again."""
    with acting(state, to_change_password=True) as command:
        session = command.session
        if session.kind is Kind.APPLICANT:
            raise Problem("an applicant has no password.")
        is_operator = session.kind is Kind.OPERATOR
        present = read_password("Present password", from_stdin=password_stdin)
        name = account_of_operator(session.holder) if is_operator else command.own_login_name()
        account = name if is_operator else session.holder
        credentials = Credentials(command.store.database, command.store.commit)
        if not credentials.verify(name, account, present, command.now):
            raise Problem("the present password is wrong.")
        new = read_new_password("New password", from_stdin=password_stdin)
        if are_same(present, new):
            raise Problem("choose another password than the present one.")
        if is_operator:
            Operators(command.store).change_own_password(new, by=session, now=command.now)
            console.print("Password changed.")
        else:
            show_events(command.run(ChangeOwnPassword(new)), as_json)


@app.command()
def reset(password_stdin: PasswordStdinOption = False, state: StateOption = None, as_json: JsonOption = False) -> None:
    """Replace your own password without knowing it, when logged in with eID, itsme or app."""
    with acting(state) as command:
        new = read_new_password("New password", from_stdin=password_stdin)
        show_events(command.run(ResetOwnPassword(new)), as_json)


@app.command("set")
def set_(
    user_id: Annotated[str, typer.Argument(metavar="USER", help="User id: ksz-gateway users search lists them.")],
    password_stdin: PasswordStdinOption = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a user a new password, to be changed at the next login and within 7 days. Ends a lock-out."""
    with acting(state) as command:
        new = read_new_password("New password", from_stdin=password_stdin)
        show_events(command.run(SetUserPassword(user_id, new)), as_json)


@app.command("login")
def login_by_password(
    on: Annotated[bool, typer.Option("--on/--off", help="Whether users may log in with a password.")],
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Switch login by user name and password off for your enterprise, or on again."""
    with acting(state) as command:
        show_events(command.run(SwitchPasswordLogin(on)), as_json)
