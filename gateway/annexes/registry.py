"""The annexes in force, in a worker's memory: from a certificate to its client's annex, and from a role to its own.

A thread looks for new revisions twice a second and reads them before they come into force. While the
database does not answer, the annexes known stay in force by the clock; `age` tells for how long nobody has
looked.
"""

import threading
import time
from bisect import bisect_right
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError

from authz.annex import Annex, Role, RoleAnnex
from gateway.annexes.names import fingerprint_name, names_of, role_name, serial_name
from gateway.annexes.store import Activation, AnnexStore
from gateway.storage.forking import call_in_child

log = structlog.get_logger()


class AnnexesUnavailable(Exception):
    """No annex is known, because the database has not answered since this process started."""


class Certificate(Protocol):
    """What of a certificate names a client."""

    @property
    def sha256(self) -> str:
        """The SHA-256 of its DER, in hex."""
        ...

    @property
    def issuer(self) -> str:
        """The issuer's name as RFC 4514 writes it."""
        ...

    @property
    def serial(self) -> int:
        """The serial number that the issuer gave."""
        ...


class AnnexRegistry:
    """Looks annexes up; thread-safe, never waits for the database once it has been read."""

    def __init__(
        self,
        store: AnnexStore,
        *,
        poll_seconds: float = 0.5,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read nothing yet: the first use does, and starts the thread that goes on looking."""
        self._store = store
        self._poll_seconds = poll_seconds
        self._monotonic = monotonic
        self._known = _Known({}, {})
        self._sequence = 0
        self._looked_at: float | None = None
        self._refreshing = threading.Lock()
        self._poller: threading.Thread | None = None
        self._stop = threading.Event()
        self._token = call_in_child(self._forget_thread)

    def find(self, certificate: Certificate, now: datetime) -> Annex | None:
        """Return the annex that is in force and active at `now` and binds this certificate.

        None when there is none, or when annexes of two clients claim the certificate: then it names nobody.
        AnnexesUnavailable when nothing could be read yet.
        """
        found = self._list_binding(certificate, now)
        return found[0] if len(found) == 1 else None

    def is_bound(self, certificate: Certificate, now: datetime) -> bool:
        """Tell whether any annex that is in force and active at `now` binds this certificate, or several do."""
        return bool(self._list_binding(certificate, now))

    def find_for_role(self, role: Role, now: datetime) -> RoleAnnex | None:
        """Return the annex that is in force and active at `now` for this role; AnnexesUnavailable as in `find`."""
        self.open()
        return self._known.find_for_role(role, now)

    def open(self) -> None:
        """Read the annexes and go on looking, if that has not begun; AnnexesUnavailable when they cannot be read."""
        if self._poller is None:
            self._start()

    def list_active(self, now: datetime) -> list[Annex]:
        """Return the clients' annexes that are in force and active at `now`; AnnexesUnavailable as in `find`."""
        self.open()
        return self._known.list_active(now)

    def refresh(self) -> None:
        """Read what was added since the last look. SQLAlchemyError when the database does not answer."""
        with self._refreshing:
            new = list(self._store.load_after(self._sequence))
            if new:
                self._known = self._known.extended([_Entry(each, self._store.read_annex) for each in new])
                self._sequence = new[-1].sequence
            self._looked_at = self._monotonic()

    @property
    def age(self) -> float:
        """The seconds since the database was last asked with success; infinite before the first time."""
        return float("inf") if self._looked_at is None else self._monotonic() - self._looked_at

    @property
    def clients(self) -> int:
        """How many clients have or had an annex."""
        return self._known.clients

    def close(self) -> None:
        """Stop looking for revisions."""
        self._stop.set()
        if self._poller is not None:
            self._poller.join()

    def _list_binding(self, certificate: Certificate, now: datetime) -> list[Annex]:
        self.open()
        names = fingerprint_name(certificate.sha256), serial_name(certificate.issuer, certificate.serial)
        return self._known.list_binding(names, now)

    def _start(self) -> None:
        if self._looked_at is None:
            try:
                self.refresh()
            except SQLAlchemyError as error:
                raise AnnexesUnavailable(f"the annexes cannot be read: {type(error).__name__}") from None
        with self._refreshing:
            if self._poller is None:
                self._poller = threading.Thread(target=self._poll, name="annex-registry", daemon=True)
                self._poller.start()

    def _poll(self) -> None:
        answered = True
        known = None
        while True:
            if known is not self._known:
                known = self._known
                known.compile_newest()
            if self._stop.wait(self._poll_seconds):
                return
            try:
                self.refresh()
                answered = True
            except Exception as error:
                if answered:
                    log.warning("annexes_not_refreshed", error=type(error).__name__)
                answered = False

    def _forget_thread(self) -> None:
        self._refreshing = threading.Lock()
        self._poller = None
        self._stop = threading.Event()


class _Entry:
    """An activation, compiled when it is first needed."""

    def __init__(self, activation: Activation, read_annex: Callable[[str], Annex | RoleAnnex]) -> None:
        self.activation = activation
        self._read_annex = read_annex
        self._compiled = False
        self._annex: Annex | RoleAnnex | None = None

    def annex(self) -> Annex | RoleAnnex | None:
        """Return the annex; None for one that this gateway cannot read: its client then has no rights."""
        if not self._compiled:
            try:
                self._annex = self._read_annex(self.activation.document)
            except Exception as error:
                log.error(
                    "annex_unreadable",
                    client=self.activation.client,
                    revision=self.activation.revision,
                    error=str(error),
                )
            self._compiled = True
        return self._annex


class _Known:
    """A state of the registry, immutable: each client's history, and who binds which certificate or role."""

    def __init__(self, histories: dict[str, list[_Entry]], clients: dict[str, frozenset[str]]) -> None:
        self._histories = histories
        self._clients = clients

    def extended(self, entries: list[_Entry]) -> "_Known":
        """Return the state that has these entries too."""
        histories, clients = dict(self._histories), dict(self._clients)
        for entry in entries:
            added = entry.activation
            history = [*histories.get(added.client, ()), entry]
            history.sort(key=lambda each: (each.activation.active_from, each.activation.sequence))
            histories[added.client] = history
            for name in added.certificates:
                clients[name] = clients.get(name, frozenset()) | {added.client}
        return _Known(histories, clients)

    def list_binding(self, names: tuple[str, ...], now: datetime) -> list[Annex]:
        """Return the annexes in force that bind a certificate with one of these names."""
        return [annex for annex in self._list_claiming(names, now) if isinstance(annex, Annex)]

    def find_for_role(self, role: Role, now: datetime) -> RoleAnnex | None:
        """Return the annex in force for the role: the store sees to it that there is one at a time."""
        claiming = self._list_claiming((role_name(role),), now)
        return next((annex for annex in claiming if isinstance(annex, RoleAnnex)), None)

    def _list_claiming(self, names: tuple[str, ...], now: datetime) -> list[Annex | RoleAnnex]:
        claimants = {client for name in names for client in self._clients.get(name, ())}
        return [
            annex
            for client in claimants
            if (annex := self._in_force(client, now)) is not None
            and annex.is_active(now)
            and not names_of(annex).isdisjoint(names)
        ]

    @property
    def clients(self) -> int:
        """How many clients have a history."""
        return len(self._histories)

    def list_active(self, now: datetime) -> list[Annex]:
        """Return every client's annex in force, by the name of the client."""
        annexes = (self._in_force(client, now) for client in sorted(self._histories))
        return [annex for annex in annexes if isinstance(annex, Annex) and annex.is_active(now)]

    def compile_newest(self) -> None:
        """Compile what is or comes into force, rather than leave that to the first request that needs it."""
        for history in self._histories.values():
            for entry in history[-2:]:
                entry.annex()

    def _in_force(self, client: str, now: datetime) -> Annex | RoleAnnex | None:
        history = self._histories[client]
        position = bisect_right(history, now, key=lambda each: each.activation.active_from)
        return history[position - 1].annex() if position else None
