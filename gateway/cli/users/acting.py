"""In whose session a command acts, and how refusals are told: no command of `users` runs as nobody."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from authz.user_management.answer import Refused
from authz.user_management.commands import Actor, Command, Member
from authz.user_management.events import Event
from authz.user_management.model import EnterpriseAccount, User
from authz.user_management.search import UserSearch, find_users
from gateway.bootstrap import open_user_store, opened_storage
from gateway.cli.output import Problem, console, get_settings, print_json
from gateway.settings import Settings
from gateway.users.credentials import LockedOut, must_change_password
from gateway.users.documents import to_document
from gateway.users.letters import Undeliverable
from gateway.users.login import LoginRefused
from gateway.users.means import ProofRefused
from gateway.users.operators import OperatorRefused, account_of_operator
from gateway.users.passwords import PasswordTooLong
from gateway.users.projection import find_snapshot
from gateway.users.session_file import SessionFile, SessionFileRefused
from gateway.users.sessions import Kind, NotLoggedIn, Session, Sessions
from gateway.users.store import (
    Outcome,
    Provisional,
    RuleRefused,
    StoredWorld,
    UserStore,
    actor_of,
    author_of,
)

EnterpriseOption = Annotated[
    str | None,
    typer.Option("--enterprise", metavar="NUMBER", help="Enterprise concerned. Default: that of who is logged in."),
]

# What words like "login" and "password" mean to people, where the code has a class.
_LOG_IN = "log in with ksz-gateway users login"
_IDENTIFIERS = ("user_id", "ticket", "sender_number", "mandate_id", "secretariat", "quality")


@dataclass(frozen=True, slots=True)
class Acting:
    """One command of a person who is logged in."""

    settings: Settings
    store: UserStore
    session: Session
    now: datetime
    chosen: str | None

    @property
    def actor(self) -> Actor:
        """Who acts, as the rules know it."""
        return actor_of(self.session)

    @property
    def enterprise(self) -> str:
        """The enterprise concerned; Problem when an operator or applicant names none."""
        number = self.chosen or self.session.enterprise
        if not number:
            raise Problem("name the enterprise with --enterprise.")
        return number

    def run(self, command: Command, provisional: Provisional | None = None) -> Outcome:
        """Have the rules decide the command, and keep what it does; Problem that names the rule."""
        return self.store.handle(
            self.enterprise, command, self.actor, author_of(self.session), self.now, provisional=provisional
        )

    def account(self) -> EnterpriseAccount:
        """Return the account of the enterprise concerned, which must be one's own unless an operator asks."""
        if self.session.kind is not Kind.OPERATOR and self.enterprise != self.session.enterprise:
            raise Problem("you see the account of your own enterprise only.")
        with self.store.database.read() as connection:
            snapshot = find_snapshot(connection, self.enterprise)
        if snapshot is None:
            raise Problem(f"{self.enterprise} has no account.")
        return snapshot.account

    def search(self, wanted: UserSearch) -> tuple[User, ...]:
        """Return the users who are found among those that one manages; an operator finds all."""
        account = self.account()
        if not isinstance(self.actor, Member):
            return tuple(user for user in account.users.values() if wanted.finds(user))
        with self.store.database.read() as connection:
            world = StoredWorld(connection, self.settings.environment)
            found = find_users(account, wanted, self.actor, world, self.now)
        if isinstance(found, Refused):
            raise RuleRefused(found.rule)
        return found

    def require_chief_or_operator(self) -> None:
        """Problem unless the chief, the co-chief or an operator acts."""
        if self.session.kind is not Kind.OPERATOR:
            account = self.account()
            if self.session.holder not in (account.chief, account.co_chief):
                raise Problem("only the chief access manager, the co-chief and operators may see this.")

    def own_login_name(self) -> str:
        """Return the name under which the acting user logs in with a password."""
        user = self.account().users[self.session.holder]
        return user.user_name or user.user_id

    def require_operator(self) -> None:
        """Problem unless an operator acts."""
        if self.session.kind is not Kind.OPERATOR:
            raise Problem("only an operator may do this: log in with --operator.")


@contextmanager
def telling_refusals() -> Iterator[None]:
    """Turn each way in which a command can be refused into one line that says what to do."""
    try:
        yield
    except RuleRefused as refused:
        rule = refused.rule
        raise Problem(f"{rule.says} (rule {rule.rule_id}; {rule.source})") from None
    except NotLoggedIn as reason:
        raise Problem(f"you are not logged in: {reason}; {_LOG_IN}.") from None
    except (
        LockedOut,
        LoginRefused,
        OperatorRefused,
        PasswordTooLong,
        ProofRefused,
        SessionFileRefused,
        Undeliverable,
    ) as reason:
        raise Problem(f"{reason}.") from None


@contextmanager
def opened_store(state: Path | None) -> Iterator[tuple[Settings, UserStore]]:
    """Open the store of a command, and tell refusals."""
    settings = get_settings(state=state)
    with telling_refusals(), opened_storage(settings) as storage:
        yield settings, open_user_store(storage, settings)


@contextmanager
def acting(state: Path | None, enterprise: str | None = None, *, to_change_password: bool = False) -> Iterator[Acting]:
    """Open the store for the person who is logged in; Problem when nobody is, or a password must be changed first."""
    with opened_store(state) as (settings, store):
        now = datetime.now(UTC)
        token = SessionFile(settings.session_file).read()
        if token is None:
            raise Problem(f"you are not logged in: {_LOG_IN}.")
        session = Sessions(store.database, store.commit).use(token, now)
        if not to_change_password and _must_change(store, session):
            raise Problem("another person chose your password: ksz-gateway users password change comes first.")
        yield Acting(settings, store, session, now, enterprise)


def _must_change(store: UserStore, session: Session) -> bool:
    """Tell whether the session rests on a password that somebody else chose."""
    if session.means != "password":
        return False
    account = account_of_operator(session.holder) if session.kind is Kind.OPERATOR else session.holder
    with store.database.read() as connection:
        return must_change_password(connection, account)


def show_events(outcome: Outcome, as_json: bool) -> None:
    """Print what a command did."""
    if as_json:
        print_json([{"event": type(event).__name__, **to_document(event)} for event in outcome.events])
        return
    if not outcome.events:
        console.print("Nothing to do: all is so already.")
    for event in outcome.events:
        console.print(f"{_words(event)}{_about(event)}.", markup=False, soft_wrap=True)


def split(values: Sequence[str] | None) -> frozenset[str]:
    """Return the values of an option that may be repeated, or hold several with commas."""
    return frozenset(each.strip() for value in values or () for each in value.split(",") if each.strip())


def _words(event: Event) -> str:
    name = type(event).__name__
    return name[0] + "".join(f" {each.lower()}" if each.isupper() else each for each in name[1:])


def _about(event: Any) -> str:
    """Return what identifies the thing that an event is about."""
    inner = [event, *(getattr(event, each.name) for each in fields(event))]
    found = [str(value) for part in inner for name in _IDENTIFIERS if (value := getattr(part, name, None))]
    return f": {found[0]}" if found else ""
