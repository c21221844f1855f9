"""The annexes that commands name: by file, by client, or by client and revision."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from authz.annex import Annex, RoleAnnex
from authz.annex_document import AnnexInvalid, read_any_annex
from authz.contract_shape import Contracts
from gateway.annexes.activation import Activation
from gateway.annexes.history import History
from gateway.annexes.store import AnnexStore
from gateway.cli.annex.documents import read_document, usable
from gateway.cli.output import Problem


@dataclass(frozen=True, slots=True)
class NamedAnnex:
    """An annex with the name that people know it by."""

    name: str
    text: str


def get_history(histories: dict[str, History], client: str) -> History:
    """Return the history of a client; Problem for one that has none."""
    if client not in histories:
        raise Problem(f"{client} has no annex; there are {', '.join(histories) or 'none'}.")
    return histories[client]


def get_activation(history: History, revision: str | None, at: datetime) -> Activation:
    """Return the revision that begins so, proved or not, or without one what is in force at that moment; Problem."""
    if revision is None:
        if objection := history.find_objection(at):
            raise Problem(f"{history.client} has no rights: {objection}. What is stored: annex show --revision.")
        found = history.find_at(at)
        if found is None:
            raise Problem(f"{history.client} has no annex in force at {at:%Y-%m-%d %H:%M:%S} UTC.")
        return found
    matching = history.find_revisions(revision)
    if len(matching) != 1:
        known = ", ".join(dict.fromkeys(each.revision[:12] for each in history.activations))
        told = "several revisions begin" if matching else "no revision begins"
        raise Problem(f"{told} with {revision}; those of {history.client} are {known}.")
    return matching[0]


def read_named(name: str, histories: dict[str, History], now: datetime) -> NamedAnnex:
    """Return the annex in a file, or CLIENT's in force, or CLIENT@REVISION; Problem."""
    if Path(name).is_file() or "/" in name or name.endswith(".yaml"):
        return NamedAnnex(name, read_document(Path(name)))
    client, _, revision = name.partition("@")
    history = get_history(histories, client)
    activation = get_activation(history, revision or None, now)
    mark = " (not proved)" if history.proofs.find_doubt(activation) else ""
    return NamedAnnex(f"{client}@{activation.revision[:12]}{mark}", activation.document)


def compile_stored(activation: Activation, store: AnnexStore) -> Annex | RoleAnnex:
    """Compile a stored annex; Problem for one that this version cannot read."""
    try:
        return store.read_annex(activation.document)
    except AnnexInvalid as invalid:
        raise Problem(f"activation {activation.sequence} cannot be read: {invalid.problems[0]}") from None


def compile_file(file: Path, contracts: Contracts) -> Annex | RoleAnnex:
    """Read an annex in a file; prints what is wrong with it, then Problem."""
    with usable(file):
        return read_any_annex(read_document(file), contracts)
