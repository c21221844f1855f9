"""Checks of the database and of what is in it."""

from collections import defaultdict
from datetime import datetime, timedelta

from gateway.annexes.history import read_histories
from gateway.annexes.registry import AnnexRegistry
from gateway.bootstrap import count_connections, open_annex_store
from gateway.doctor.deployment import Deployment
from gateway.health.checks import check_database
from gateway.health.measure import Finding
from services.health import Kind, State

_CLOCK_DIFFERENCE = timedelta(seconds=1)
_CONNECTIONS_BESIDE_THE_WORKERS = 2
_SAFE = {"server_encoding": "UTF8", "fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}


def reachable(deployment: Deployment) -> Finding:
    """Read a row."""
    return check_database(deployment.storage.database)


def schema(deployment: Deployment) -> Finding:
    """Judge whether the schema is that of this version."""
    if not deployment.storage.database.is_current():
        return Finding(State.NOK, "the schema is not that of this version")
    return Finding()


def durability(deployment: Deployment) -> Finding:
    """Judge whether what the database has confirmed survives a power cut."""
    if deployment.database_file is not None:
        mode, synchronous = deployment.ask("PRAGMA journal_mode"), deployment.ask("PRAGMA synchronous")
        well = (mode, synchronous) == ("wal", 2)
        return Finding(State.OK if well else State.NOK, f"journal_mode {mode}, synchronous {synchronous}")
    # What remote standbys confirm is more than `on`.
    found = {name: deployment.ask(f"SHOW {name}") for name in _SAFE}
    wrong = [
        f"{name} is {value}"
        for name, value in found.items()
        if value != _SAFE[name] and (name, value) != ("synchronous_commit", "remote_apply")
    ]
    return Finding(State.NOK, ", ".join(wrong)) if wrong else Finding()


def connections(deployment: Deployment) -> Finding:
    """Judge whether the server has connections for this node."""
    if deployment.database_file is not None:
        return Finding(State.OK, "SQLite needs none")
    settings = deployment.settings
    needed = settings.workers * count_connections(settings) + _CONNECTIONS_BESIDE_THE_WORKERS
    most = int(deployment.ask("SHOW max_connections"))
    used = deployment.ask("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
    detail = f"this node needs {needed}; {used} of {most} are in use"
    return Finding(State.OK if needed <= most else State.NOK, detail)


def clock(deployment: Deployment) -> Finding:
    """Compare the server's clock with ours."""
    if deployment.database_file is not None:
        return Finding(State.OK, "SQLite has none of its own")
    begun = datetime.now(deployment.now.tzinfo)
    theirs = deployment.ask("SELECT clock_timestamp()")
    ended = datetime.now(deployment.now.tzinfo)
    apart = max(begun - theirs, theirs - ended, timedelta(0))
    detail = f"{apart.total_seconds():.1f} s apart"
    return Finding(State.OK if apart <= _CLOCK_DIFFERENCE else State.NOK, detail)


def audit(deployment: Deployment) -> Finding:
    """Write a record as for a message, under the log's head as it was signed, and take it back."""
    # Read first, since a measurement tells a failure of the database by its class alone.
    check_database(deployment.storage.database)
    return _measured(deployment, "audit")


def sources(deployment: Deployment) -> Finding:
    """Ask every source whether it answers."""
    measured = [each for each in deployment.measured.values() if each.kind is Kind.SOURCE]
    unwell = [f"{each.name}: {each.detail}" for each in measured if each.state is not State.OK]
    if unwell:
        return Finding(State.NOK, "; ".join(unwell))
    return Finding(State.OK, f"{len(measured)} sources answer")


def annexes(deployment: Deployment) -> Finding:
    """Judge the annexes in force: that they are proved and readable, and that no two bind one certificate."""
    store = open_annex_store(deployment.storage)
    # First, since a failure of the database is told here in its words.
    histories = read_histories(store.load_after(), store.operators)
    registry = AnnexRegistry(store)
    try:
        registry.open()
        registry.list_active(deployment.now)
    finally:
        registry.close()
    if not registry.clients:
        return Finding(State.NOK, "there are no annexes")
    without_rights = registry.list_without_rights(deployment.now)
    if without_rights:
        return Finding(State.NOK, f"not proved, or not readable by this version: {', '.join(without_rights)}")
    known = [history.find_at(deployment.now) for history in histories.values()]
    in_force = [activation for activation in known if activation is not None]
    binding: defaultdict[str, list[str]] = defaultdict(list)
    for activation in in_force:
        for certificate in activation.certificates:
            binding[certificate].append(activation.client)
    shared = sorted({" and ".join(clients) for clients in binding.values() if len(clients) > 1})
    if shared:
        return Finding(State.NOK, f"one certificate is bound by {'; '.join(shared)}: it names nobody")
    return Finding(State.OK, f"{len(in_force)} in force")


def _measured(deployment: Deployment, name: str) -> Finding:
    component = deployment.measured[name]
    return Finding(component.state, component.detail)
