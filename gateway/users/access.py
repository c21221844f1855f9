"""What decisions about access ask of User Management.

The accounts, for which employers an enterprise may act, and which technical user sends with a certificate.
"""

from collections import OrderedDict
from datetime import date, datetime
from threading import Lock

from sqlalchemy import Connection

from authz.annex import RoleHolder
from authz.brussels import brussels_day
from authz.employer_access import EmployerRelation, NamedEmployer, RelationKind
from authz.organisation import Organisation
from authz.user_management.model import EnterpriseAccount
from authz.user_management.relation import find_entity, may_act
from authz.user_management.technical_caller import find_technical_caller
from authz.user_management.world import Accounts
from gateway.facts import EmployerAccess
from gateway.storage.database import Database
from gateway.users.projection import IdentifierKind, Snapshot, find_holding, find_snapshot, find_version

_REMEMBERED = 1024


class StoredAccounts:
    """The accounts as `authz` asks for them; each question sees what is committed by then. Threads may share it.

    An account is read from the database again only when it has changed: what each question costs is its version.
    """

    def __init__(self, database: Database) -> None:
        """Read from the database, never write."""
        self._database = database
        self._known: OrderedDict[str, Snapshot] = OrderedDict()
        self._lock = Lock()

    def find_account(self, enterprise_number: str) -> EnterpriseAccount | None:
        """Return the account of an enterprise."""
        with self._database.read() as connection:
            return self._read(connection, enterprise_number)

    def find_account_of(self, technical_id: str) -> EnterpriseAccount | None:
        """Return the account that has, or had, this user id or sender number."""
        return self._find(technical_id, IdentifierKind.USER_ID, IdentifierKind.SENDER_NUMBER)

    def find_account_registered(self, nsso_number: str) -> EnterpriseAccount | None:
        """Return the account of the employer with this NSSO or NSSO-PPO registration number."""
        return self._find(nsso_number, IdentifierKind.REGISTRATION)

    def find_account_certified(self, fingerprint: str) -> EnterpriseAccount | None:
        """Return the account of which a technical user has this certificate, by the SHA-256 of its DER in hex."""
        return self._find(fingerprint, IdentifierKind.CERTIFICATE)

    def _find(self, identifier: str, *kinds: IdentifierKind) -> EnterpriseAccount | None:
        with self._database.read() as connection:
            for kind in kinds:
                holding = find_holding(connection, kind, identifier)
                if holding is not None:
                    return self._read(connection, holding.enterprise)
        return None

    def _read(self, connection: Connection, enterprise: str) -> EnterpriseAccount | None:
        version = find_version(connection, enterprise)
        if version is None:
            return None
        with self._lock:
            known = self._known.get(enterprise)
            if known is not None and known.version == version:
                self._known.move_to_end(enterprise)
                return known.account
        snapshot = find_snapshot(connection, enterprise)
        if snapshot is None:
            return None
        with self._lock:
            self._known[enterprise] = snapshot
            self._known.move_to_end(enterprise)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return snapshot.account


class ManagedTechnicalUsers:
    """The technical users of the accounts as they are now: a change counts at the next question."""

    def __init__(self, accounts: StoredAccounts) -> None:
        self._accounts = accounts

    def find(self, fingerprint: str, now: datetime) -> RoleHolder | None:
        """Return the technical user who sends with this certificate at `now` (aware); None if nobody may."""
        account = self._accounts.find_account_certified(fingerprint)
        return find_technical_caller(account, fingerprint, brussels_day(now)) if account is not None else None


class ManagedEmployerAccess:
    """The employers' own relation, as the register has it; then those of secretariats and mandataries.

    Nobody acts for an employer who could not act for itself by the same numbers: what User Management knows of a
    registration may be older than the register, where it can have been struck off or be another's by now.
    """

    def __init__(self, own: EmployerAccess, accounts: Accounts, application: str) -> None:
        """`application` is the secured application whose mandates count, as User Management calls it."""
        self._own = own
        self._accounts = accounts
        self._application = application

    def find_relation(self, acting: Organisation, employer: NamedEmployer, day: date) -> EmployerRelation | None:
        """Return what lets the organisation act for the employer on that day; None if nothing does."""
        own = self._own.find_relation(acting, employer, day)
        if own is not None or acting.cbe_number is None:
            return own
        relation = may_act(acting.cbe_number, employer, self._application, day, self._accounts)
        entity = find_entity(employer, self._accounts)
        # What is an employer's own is for the register of employers to say.
        if relation is None or relation.kind is RelationKind.OWN or entity is None:
            return None
        itself = Organisation(cbe_number=entity.enterprise.number)
        return relation if self._own.find_relation(itself, employer, day) is not None else None
