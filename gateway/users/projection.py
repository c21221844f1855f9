"""What is derived from an account in the same transaction: its snapshot, whose names and numbers they are, and who can
log in as which user. Reads them too.

User names, identifications and sender numbers stay their holder's for ever; registration numbers and the certificates
of technical users are free again when they are replaced.
"""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from authz.user_management.model import EnterpriseAccount
from gateway.storage.conflicts import for_each_dialect
from gateway.storage.user_tables import user_enterprises, user_identifiers, user_people
from gateway.users.documents import read_account, write_account

FIRST_SENDER_NUMBER = 100_001


class IdentifierKind(StrEnum):
    """What identifies somebody in one enterprise and no other."""

    USER_NAME = "user name"
    USER_ID = "user id"
    SENDER_NUMBER = "sender number"
    CERTIFICATE = "certificate"
    REGISTRATION = "registration number"


# What is never given to another holder.
_FOR_EVER = (IdentifierKind.USER_NAME, IdentifierKind.USER_ID, IdentifierKind.SENDER_NUMBER)

_SNAPSHOT = select(user_enterprises.c.version, user_enterprises.c.document).where(
    user_enterprises.c.enterprise == bindparam("of")
)
_VERSION = select(user_enterprises.c.version).where(user_enterprises.c.enterprise == bindparam("of"))
_ENTERPRISES = select(user_enterprises.c.enterprise).order_by(user_enterprises.c.enterprise)
_KEEP = for_each_dialect(
    user_enterprises,
    lambda statement: statement.on_conflict_do_update(
        index_elements=["enterprise"],
        set_={"version": statement.excluded.version, "document": statement.excluded.document},
    ),
)
_IDENTIFIERS_OF = select(user_identifiers.c.kind, user_identifiers.c.identifier, user_identifiers.c.holder).where(
    user_identifiers.c.enterprise == bindparam("of")
)
_FIND = select(user_identifiers.c.enterprise, user_identifiers.c.holder).where(
    user_identifiers.c.kind == bindparam("of_kind"), user_identifiers.c.identifier == bindparam("of")
)
_HIGHEST_SENDER = select(func.max(user_identifiers.c.identifier)).where(
    user_identifiers.c.kind == IdentifierKind.SENDER_NUMBER.value
)
_GIVE = insert(user_identifiers)
_FREE = delete(user_identifiers).where(
    user_identifiers.c.kind == bindparam("of_kind"), user_identifiers.c.identifier == bindparam("of")
)
_PEOPLE_OF = select(user_people.c.user_id, user_people.c.national_number).where(
    user_people.c.enterprise == bindparam("of")
)
_USERS_OF_PERSON = (
    select(user_people.c.enterprise, user_people.c.user_id)
    .where(user_people.c.national_number == bindparam("of"))
    .order_by(user_people.c.enterprise, user_people.c.user_id)
)
_ADD_PERSON = insert(user_people)
_REMOVE_PERSON = delete(user_people).where(
    user_people.c.enterprise == bindparam("of"), user_people.c.user_id == bindparam("of_user")
)

Identifier = tuple[str, str, str]
"""Kind, identifier and holder."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An account as its first `version` events make it."""

    version: int
    account: EnterpriseAccount


@dataclass(frozen=True, slots=True)
class Holding:
    """Whose an identifier is."""

    enterprise: str
    holder: str


def find_snapshot(connection: Connection, enterprise: str) -> Snapshot | None:
    """Return the account of an enterprise; UnreadableDocument when it is of no version that this one knows."""
    row = connection.execute(_SNAPSHOT, {"of": enterprise}).first()
    return Snapshot(row.version, read_account(row.document)) if row is not None else None


def find_version(connection: Connection, enterprise: str) -> int | None:
    """Return of how many events the account of an enterprise is made."""
    return connection.execute(_VERSION, {"of": enterprise}).scalar()


def list_enterprises(connection: Connection) -> Generator[str, None, None]:
    """Yield the number of every enterprise with an account, in their order."""
    with closing(connection.execute(_ENTERPRISES.execution_options(yield_per=1000))) as rows:
        yield from rows.scalars()


def find_holding(connection: Connection, kind: IdentifierKind, identifier: str) -> Holding | None:
    """Return whose an identifier is; letter case does not count."""
    row = connection.execute(_FIND, {"of_kind": kind.value, "of": _same(identifier)}).first()
    return Holding(row.enterprise, row.holder) if row is not None else None


def next_sender_number(connection: Connection) -> str:
    """Return the sender number after the highest that was ever given."""
    highest = connection.execute(_HIGHEST_SENDER).scalar()
    return f"{int(highest) + 1 if highest else FIRST_SENDER_NUMBER:06d}"


def users_of_person(connection: Connection, national_number: str) -> list[Holding]:
    """Return as which users, of which enterprises, a person can log in."""
    return [Holding(*row) for row in connection.execute(_USERS_OF_PERSON, {"of": national_number})]


def keep_snapshot(connection: Connection, snapshot: Snapshot) -> None:
    """Write an account and what is derived from it. IntegrityError for an identifier that is somebody else's."""
    account = snapshot.account
    number = account.enterprise.number
    values = {"enterprise": number, "version": snapshot.version, "document": write_account(account)}
    connection.execute(_KEEP[connection.dialect.name], values)
    _keep_identifiers(connection, number, set(identifiers_of(account)))
    _keep_people(connection, number, set(people_of(account)))


def identifiers_of(account: EnterpriseAccount) -> Iterator[Identifier]:
    """Yield every identifier that the account has now."""
    for user in account.users.values():
        yield IdentifierKind.USER_ID.value, _same(user.user_id), user.user_id
        if user.user_name is not None:
            yield IdentifierKind.USER_NAME.value, _same(user.user_name), user.user_id
    for technical in account.technical_users.values():
        yield IdentifierKind.SENDER_NUMBER.value, technical.sender_number, technical.sender_number
        yield IdentifierKind.CERTIFICATE.value, _same(technical.certificate.fingerprint), technical.sender_number
    enterprise = account.enterprise
    for registration in {enterprise.nsso_number, enterprise.nsso_ppo_number} - {None}:
        yield IdentifierKind.REGISTRATION.value, str(registration), enterprise.number


def people_of(account: EnterpriseAccount) -> Iterator[tuple[str, str]]:
    """Yield user id and national number of every user who has one."""
    for user in account.users.values():
        if user.person.national_number is not None:
            yield user.user_id, user.person.national_number


def stored_identifiers(connection: Connection, enterprise: str) -> set[Identifier]:
    """Return every identifier that was given to the enterprise, and is still its own."""
    return {
        (kind, identifier, holder)
        for kind, identifier, holder in connection.execute(_IDENTIFIERS_OF, {"of": enterprise})
    }


def stored_people(connection: Connection, enterprise: str) -> set[tuple[str, str]]:
    """Return user id and national number as they are stored."""
    return {(user_id, number) for user_id, number in connection.execute(_PEOPLE_OF, {"of": enterprise})}


def is_for_ever(identifier: Identifier) -> bool:
    """Tell whether the identifier stays its holder's when the account has it no more."""
    return identifier[0] in _FOR_EVER


def _keep_identifiers(connection: Connection, enterprise: str, wanted: set[Identifier]) -> None:
    stored = stored_identifiers(connection, enterprise)
    for kind, identifier, holder in stored - wanted:
        if not is_for_ever((kind, identifier, holder)):
            connection.execute(_FREE, {"of_kind": kind, "of": identifier})
    for kind, identifier, holder in wanted - stored:
        row = {"kind": kind, "identifier": identifier, "enterprise": enterprise, "holder": holder}
        connection.execute(_GIVE, row)


def _keep_people(connection: Connection, enterprise: str, wanted: set[tuple[str, str]]) -> None:
    stored = stored_people(connection, enterprise)
    for user_id, _ in stored - wanted:
        connection.execute(_REMOVE_PERSON, {"of": enterprise, "of_user": user_id})
    for user_id, number in wanted - stored:
        connection.execute(_ADD_PERSON, {"enterprise": enterprise, "user_id": user_id, "national_number": number})


def _same(identifier: str) -> str:
    return identifier.casefold()
