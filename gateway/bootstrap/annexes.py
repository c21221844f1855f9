"""Opens the annexes: their store, who approves them, and which are in force."""

from datetime import datetime

from authz.annex import Annex, Role, RoleAnnex
from authz.annex_document import read_any_annex
from authz.contract_shape import Contracts as Shapes
from gateway.annexes.activation import Activation
from gateway.annexes.approval import Approvals
from gateway.annexes.history import list_unsigned
from gateway.annexes.known import Entry, Known
from gateway.annexes.store import AnnexStore, read_history
from gateway.bootstrap.cannot_start import database_answering
from gateway.bootstrap.registers import open_registers
from gateway.bootstrap.storage import Storage
from gateway.clock import system_clock
from gateway.contracts import load_contracts
from gateway.settings import Settings
from gateway.storage.database import Database


def open_annex_store(storage: Storage) -> AnnexStore:
    """Return the store of annexes, which reads them against this version's contracts."""
    return make_annex_store(storage, load_contracts().shapes())


def open_approvals(storage: Storage) -> Approvals:
    """Return what has annexes proposed and approved."""
    return Approvals(open_annex_store(storage), storage.commit, storage.trail)


def make_annex_store(storage: Storage, shapes: Shapes) -> AnnexStore:
    """Return the store, which reads annexes against these contracts."""
    return AnnexStore(storage.database, lambda text: read_any_annex(text, shapes), storage.annex_operators)


def list_annexes(storage: Storage, now: datetime) -> list[Annex]:
    """Return the clients' annexes in force at `now`, by the name of their client."""
    return [annex for annex in list_all_annexes(storage, now) if isinstance(annex, Annex)]


def find_technical_user(storage: Storage, fingerprint: str, now: datetime) -> Annex | None:
    """Return the annex in force for the technical user who sends with this certificate; None if there is none."""
    holder = open_registers(storage).technical_users.find(fingerprint, now)
    if holder is None:
        return None
    for annex in list_all_annexes(storage, now):
        if isinstance(annex, RoleAnnex) and annex.role is Role.TECHNICAL_USER:
            return annex.make_out_to(holder)
    return None


def list_all_annexes(storage: Storage, now: datetime) -> list[Annex | RoleAnnex]:
    """Return the annexes in force at `now` as workers find them, those for a role too, by name."""
    store = open_annex_store(storage)
    entries = (Entry(activation, store.read_annex, store.operators) for activation in store.load_after())
    return Known(store.operators).extended(entries).list_active(now)


def list_unsigned_annexes(settings: Settings) -> list[Activation]:
    """Return, without their documents, the annexes from before activations were signed: they give no rights."""
    database = Database(settings.database_url)
    try:
        with database_answering(), database.read() as connection:
            return list_unsigned(read_history(connection), system_clock())
    finally:
        database.close()
