"""Opens the source of each service: in our database, unless the settings say that another institution answers."""

from collections.abc import Callable, Mapping
from datetime import datetime

from authz.annex import Annex
from gateway.bootstrap.remote_sources import Sources, replace_sources
from gateway.bootstrap.storage import Storage
from gateway.clock import Clock
from gateway.contracts import Contracts
from gateway.file_watch import FileWatch
from gateway.notifications import AnnexSubscribers, Notifier
from gateway.settings import Settings
from gateway.signing import SigningKey
from gateway.sources.dimona_sql import SqlDimonaRepository
from gateway.sources.dmfa_sql import SqlDmfaRepository
from gateway.sources.employer_repertory_sql import SqlEmployerRegister
from gateway.sources.recovery import Recovery
from gateway.sources.self_employed_sql import SqlSelfEmployedRepository
from gateway.sources.user_access import ManagedUserAccess
from gateway.users.access import StoredAccounts

ListAnnexes = Callable[[datetime], list[Annex]]
"""Returns the annexes in force at a moment."""

# One repository for each service that has a source; whoever adds a service adds its line.
REPOSITORIES: Mapping[str, Callable[[Storage, ListAnnexes], object]] = {
    "DimonaService/v1": lambda storage, list_annexes: SqlDimonaRepository(
        storage.database.read, storage.commit, Notifier(AnnexSubscribers(list_annexes))
    ),
    "DmfaConsultationService/v1": lambda storage, _: SqlDmfaRepository(storage.database.read),
    "EmployerMandateConsultationService/v2": lambda storage, _: ManagedUserAccess(StoredAccounts(storage.database)),
    "EmployerRepertoryService/v1": lambda storage, _: SqlEmployerRegister(storage.database.read),
    "SelfEmployedService/v2": lambda storage, _: SqlSelfEmployedRepository(storage.database.ask),
}
# What other services ask of User Management is asked of the same source.
USER_MANAGEMENT = "EmployerMandateConsultationService/v2"


def open_repositories(storage: Storage, list_annexes: ListAnnexes) -> dict[str, object]:
    """Return the source of each service in our database."""
    return {name: make(storage, list_annexes) for name, make in REPOSITORIES.items()}


def open_sources(
    storage: Storage,
    list_annexes: ListAnnexes,
    settings: Settings,
    signer: SigningKey,
    clock: Clock,
    contracts: Contracts | None = None,
) -> Sources:
    """Return the sources as the settings choose them; CannotStart when a file of a remote one cannot be read."""
    own = open_repositories(storage, list_annexes)
    return replace_sources(own, settings.sources, signer, clock, settings.threads, contracts)


def make_recovery(sources: Sources) -> list[Recovery]:
    """Return what finds out that remote sources are there again; not started."""
    return [Recovery((*sources.remote.values(), *sources.funds.values()))] if sources.endpoints else []


def make_source_watches(sources: Sources) -> list[FileWatch]:
    """Return what looks for new files of remote sources; not started."""
    return [FileWatch(sources.files, sources.reload)] if sources.files else []
