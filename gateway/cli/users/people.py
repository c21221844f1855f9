"""`users create`, `change`, `grant`, `block`, `delete`, `search` …: the users of an enterprise."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from authz.user_management.commands import (
    BlockUser,
    ChangeUser,
    Command,
    CreateUser,
    DeleteUser,
    GrantApplications,
    SetSttsProfile,
    UnblockUser,
    WithdrawApplications,
)
from authz.user_management.model import (
    Capacity,
    Contact,
    EnterpriseAccount,
    Language,
    Person,
    Quality,
    SttsProfile,
    User,
)
from authz.user_management.search import UserSearch
from gateway.cli.output import JsonOption, Problem, StateOption, console, errors, print_json, print_table
from gateway.cli.terminal import PasswordStdinOption, confirm, read_new_password
from gateway.cli.users.acting import Acting, EnterpriseOption, acting, show_events, split
from gateway.users.documents import to_document

UserArgument = Annotated[
    str, typer.Argument(metavar="USER", help="User id: ksz-gateway users search lists them.", show_default=False)
]
ApplicationsOption = Annotated[
    list[str] | None,
    typer.Option("--application", metavar="NAME", help="Application, such as dmfa; may be repeated, or with commas."),
]
ProfileOption = Annotated[int | None, typer.Option("--stts", min=1, max=3, help="Profile for the application stts.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(create)
    app.command()(change)
    app.command()(grant)
    app.command()(withdraw)
    app.command()(profile)
    for name, command, help_ in (
        ("block", BlockUser, "Block a user: still listed, but cannot log in; its sessions end."),
        ("unblock", UnblockUser, "Let a blocked user in again."),
    ):
        app.command(name, help=help_)(_about_one_user(command))
    app.command()(delete)
    app.command()(show)
    app.command()(search)


def create(
    name: Annotated[str, typer.Option(help="Surname.")],
    first_name: Annotated[str, typer.Option(help="First name.")],
    national_number: Annotated[str, typer.Option(help="National number, eleven digits.")],
    quality: Annotated[Quality, typer.Option(metavar="QUALITY", help="In which quality: employer, …")],
    capacity: Annotated[
        Capacity, typer.Option(metavar="CAPACITY", help="What binds the person: employee, director, manager, partner.")
    ],
    application: ApplicationsOption = None,
    stts: ProfileOption = None,
    email: Annotated[str | None, typer.Option(help="E-mail address.")] = None,
    phone: Annotated[str | None, typer.Option(help="Telephone.")] = None,
    language: Annotated[Language, typer.Option(metavar="nl|fr|de", help="Language of the user.")] = Language.NL,
    user_name: Annotated[str | None, typer.Option(help="User name, never to change; can be chosen later.")] = None,
    with_password: Annotated[
        bool, typer.Option("--with-password", help="Give a first password, to be changed at the first login.")
    ] = False,
    password_stdin: PasswordStdinOption = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make somebody under the direct authority of your enterprise a user.

    Example: [cyan]ksz-gateway users create --name Peeters --first-name Jan --national-number 85660112323
    --quality employer --capacity employee --application dmfa[/]
    """
    password = read_new_password("First password", from_stdin=password_stdin) if with_password else None
    wanted = CreateUser(
        Person(name, first_name, national_number),
        quality,
        capacity,
        Contact(email, phone),
        language,
        user_name,
        password,
        split(application),
        SttsProfile(stts) if stts is not None else None,
    )
    _run(wanted, state, as_json)


def change(
    user_id: UserArgument,
    name: Annotated[str | None, typer.Option(help="Surname.")] = None,
    first_name: Annotated[str | None, typer.Option(help="First name.")] = None,
    capacity: Annotated[Capacity | None, typer.Option(metavar="CAPACITY", help="What binds the person.")] = None,
    email: Annotated[str | None, typer.Option(help="E-mail address.")] = None,
    phone: Annotated[str | None, typer.Option(help="Telephone.")] = None,
    language: Annotated[Language | None, typer.Option(metavar="nl|fr|de", help="Language of the user.")] = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change what is known of a user; what is not named stays as it is."""
    with acting(state) as command:
        contact = None
        if email is not None or phone is not None:
            present = _find(command, user_id).contact
            contact = Contact(present.email if email is None else email, present.phone if phone is None else phone)
        show_events(command.run(ChangeUser(user_id, name, first_name, capacity, contact, language)), as_json)


def grant(
    user_id: UserArgument,
    application: ApplicationsOption = None,
    stts: ProfileOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a user use more applications; stts comes with its profile.

    Example: [cyan]ksz-gateway users grant 0999900249-u3 --application stts --stts 2[/]
    """
    profile_ = SttsProfile(stts) if stts is not None else None
    _run(GrantApplications(user_id, split(application), profile_), state, as_json)


def withdraw(
    user_id: UserArgument,
    application: ApplicationsOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take applications from a user."""
    _run(WithdrawApplications(user_id, split(application)), state, as_json)


def profile(
    user_id: UserArgument,
    stts: Annotated[
        int, typer.Argument(min=1, max=3, metavar="PROFILE", help="1 commercial, 2 administrative, 3 extended.")
    ],
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a user of stts another of the three profiles."""
    _run(SetSttsProfile(user_id, SttsProfile(stts)), state, as_json)


def delete(
    user_id: UserArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: delete.")] = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete a user, after showing its data and asking whether you are sure."""
    with acting(state) as command:
        if not yes:
            account = command.account()
            for line in _lines(_describe(account, _find(command, user_id))):
                errors.print(line, markup=False, soft_wrap=True)
            yes = confirm("Delete this user?")
        show_events(command.run(DeleteUser(user_id, confirmed=yes)), as_json)


def show(
    user_id: UserArgument,
    enterprise: EnterpriseOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show all that is known of a user."""
    with acting(state, enterprise) as command:
        document = _describe(command.account(), _find(command, user_id))
    if as_json:
        print_json(document)
        return
    for line in _lines(document):
        console.print(line, markup=False, soft_wrap=True)


def search(
    name: Annotated[str | None, typer.Option(help="Part of the surname or first name.")] = None,
    national_number: Annotated[str | None, typer.Option(help="National number.")] = None,
    blocked: Annotated[bool | None, typer.Option("--blocked/--not-blocked", help="Blocked or not.")] = None,
    application: Annotated[str | None, typer.Option(help="Application that the user may use.")] = None,
    complement: Annotated[
        bool, typer.Option("--complement", help="All users that do NOT answer to what is asked.")
    ] = False,
    enterprise: EnterpriseOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the users whom you manage: all, or those that answer to everything asked, or with --complement the others.

    Example, who cannot reach the DmfA: [cyan]ksz-gateway users search --application dmfa --complement[/]
    """
    wanted = UserSearch(name, national_number, blocked, application, complement)
    with acting(state, enterprise) as command:
        account = command.account()
        found = [_describe(account, user) for user in command.search(wanted)]
    if as_json:
        print_json(found)
        return
    print_table(
        ("user", "name", "quality", "role", "applications", "state"),
        (
            (
                each["user_id"],
                f"{each['person']['first_name']} {each['person']['name']}",
                each["quality"] or "all",
                each["role"],
                ", ".join(each["applications"]) + (f" ({each['stts_profile']})" if each["stts_profile"] else ""),
                "blocked" if each["blocked"] else "active" if each["activated"] else "not activated",
            )
            for each in found
        ),
    )


def _about_one_user(command: Callable[[str], Command]) -> Callable[..., None]:
    def run(user_id: UserArgument, state: StateOption = None, as_json: JsonOption = False) -> None:
        _run(command(user_id), state, as_json)

    return run


def _run(wanted: Command, state: Path | None, as_json: bool) -> None:
    with acting(state) as command:
        show_events(command.run(wanted), as_json)


def _find(command: Acting, user_id: str) -> User:
    """Return a user whom one manages, or oneself; whether there are others is nobody's business."""
    if user_id == command.session.holder:
        return command.account().users[user_id]
    for user in command.search(UserSearch()):
        if user.user_id == user_id:
            return user
    raise Problem(f"you manage no user {user_id}.")


def _describe(account: EnterpriseAccount, user: User) -> dict[str, Any]:
    return {**to_document(user), "role": _role(account, user.user_id)}


def _role(account: EnterpriseAccount, user_id: str) -> str:
    roles = [
        name
        for name, holder in (("chief access manager", account.chief), ("co-chief", account.co_chief))
        if holder == user_id
    ]
    for quality, held in account.qualities.items():
        for name, holder in (("access manager", held.manager), ("co-access-manager", held.co_manager)):
            if holder == user_id:
                roles.append(f"{name} {quality.value}")
    return ", ".join(roles) or "user"


def _lines(document: dict[str, Any], indent: str = "") -> list[str]:
    lines: list[str] = []
    for name, value in document.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}", *_lines(value, f"{indent}  ")]
        elif value not in (None, []):
            lines.append(f"{indent}{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}")
    return lines
