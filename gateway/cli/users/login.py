"""`users login`, `logout`, `whoami`: begin and end a session, and see whose it is."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from authz.ssin import Environment
from gateway.bootstrap import open_client_trust
from gateway.cli.output import JsonOption, Problem, StateOption, console, print_json, print_table
from gateway.cli.terminal import PasswordStdinOption, read_password
from gateway.cli.users.acting import acting, opened_store
from gateway.settings import Settings
from gateway.users.credentials import Credentials
from gateway.users.login import Logins, SeveralUsers
from gateway.users.means import MEANS, Holder, load_proving_identity, make_nonce, sign_nonce, verify_proof
from gateway.users.session_file import SessionFile
from gateway.users.sessions import NewSession, Session, Sessions


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(login)
    app.command()(logout)
    app.command()(whoami)


def login(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="User name, or the user id of who has none yet.")
    ] = None,
    means: Annotated[str, typer.Option(help="password, eid, itsme or app.")] = "password",
    identity: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="For eid, itsme and app: FILE.pem and FILE.key of the person."),
    ] = None,
    enterprise: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="As user of this enterprise, if you are of several.")
    ] = None,
    user: Annotated[str | None, typer.Option(metavar="ID", help="As this user, if you are several.")] = None,
    operator: Annotated[bool, typer.Option("--operator", help="As operator of this gateway.")] = False,
    password_stdin: PasswordStdinOption = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Log in. The session ends after 30 minutes without a command, and after 8 hours.

    Examples: [cyan]ksz-gateway users login els.janssens[/], or
    [cyan]ksz-gateway users login --means eid --identity var/pki/persons/brewery-chief[/].
    """
    if means not in ("password", *MEANS):
        raise Problem(f"there is no means {means}: password, {', '.join(MEANS)}.")
    with opened_store(state) as (settings, store):
        logins = Logins(store, Credentials(store.database, store.commit))
        now = datetime.now(UTC)
        if means != "password":
            holder = _prove(settings, identity, means, now)
            try:
                new = logins.by_proof(holder, now, enterprise=enterprise, user_id=user)
            except SeveralUsers as several:
                print_table(("enterprise", "user id"), ((each.enterprise, each.holder) for each in several.found))
                raise
        elif name is None:
            raise Problem("name the user, or log in with --means eid.")
        else:
            typed = read_password("Password", from_stdin=password_stdin)
            new = (logins.operator if operator else logins.by_password)(name, typed, now)
        _keep(settings, new)
    if as_json:
        print_json(_describe(new.session))
    else:
        console.print(f"Logged in as {_name(new.session)}; {_until(new.session)}.", markup=False, soft_wrap=True)


def logout(state: StateOption = None) -> None:
    """End the session."""
    with acting(state, to_change_password=True) as command:
        Sessions(command.store.database, command.store.commit).end(command.session, command.now)
        SessionFile(command.settings.session_file).remove()
    console.print("Logged out.")


def whoami(state: StateOption = None, as_json: JsonOption = False) -> None:
    """Tell whose session this is, and until when."""
    with acting(state, to_change_password=True) as command:
        session = command.session
    if as_json:
        print_json(_describe(session))
    else:
        console.print(f"{_name(session)}, by {session.means}; {_until(session)}.", markup=False, soft_wrap=True)


def _prove(settings: Settings, identity: Path | None, means: str, now: datetime) -> Holder:
    """Have the person's key sign a nonce, and verify that."""
    if settings.environment is Environment.PRODUCTION:
        raise Problem(
            "in production the federal login service proves eID, itsme and app, and it is not connected here."
        )
    if identity is None:
        raise Problem(f"name the certificate and key of your {means} with --identity.")
    nonce = make_nonce()
    holder = verify_proof(sign_nonce(load_proving_identity(identity), nonce), nonce, open_client_trust(settings), now)
    if holder.means != means:
        raise Problem(f"this certificate is of means {holder.means}, not {means}.")
    return holder


def _keep(settings: Settings, new: NewSession) -> None:
    SessionFile(settings.session_file).write(new.token)


def _describe(session: Session) -> dict[str, object]:
    return {
        "session": session.id,
        "kind": session.kind.value,
        "holder": session.holder,
        "enterprise": session.enterprise or None,
        "means": session.means,
        "endsAt": session.ends_at,
    }


def _name(session: Session) -> str:
    of = f" of {session.enterprise}" if session.enterprise else ""
    return f"{session.kind.value} {session.holder}{of}"


def _until(session: Session) -> str:
    return f"the session ends at {session.ends_at:%H:%M} UTC if it is not used before"
