"""Opens what decisions are made on: the repertory of persons, and User Management."""

from dataclasses import dataclass

from gateway.bootstrap.storage import Storage
from gateway.employer_access import OwnEmployerAccess
from gateway.facts import EmployerAccess, Facts, TechnicalUsers
from gateway.inscriptions import Repertory
from gateway.settings import Settings
from gateway.users.access import ManagedEmployerAccess, ManagedTechnicalUsers, StoredAccounts
from gateway.users.store import UserStore

# The secured application whose mandates let somebody act for an employer here: what employers do is declare.
_DECLARATIONS = "dimona"


@dataclass(frozen=True, slots=True)
class Registers:
    """What is known of persons, of who may act for whom and of technical users."""

    facts: Facts
    employer_access: EmployerAccess
    technical_users: TechnicalUsers


def open_registers(storage: Storage) -> Registers:
    """Return what decisions are made on, as the database has it."""
    accounts = StoredAccounts(storage.database)
    return Registers(
        facts=Repertory(storage.database),
        employer_access=ManagedEmployerAccess(OwnEmployerAccess(storage.database), accounts, _DECLARATIONS),
        technical_users=ManagedTechnicalUsers(accounts),
    )


def open_user_store(storage: Storage, settings: Settings) -> UserStore:
    """Return the store of User Management."""
    return UserStore(storage.database, storage.commit, storage.trail, settings.environment)
