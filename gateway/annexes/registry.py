"""The annexes in force, in a worker's memory: from a certificate to its client's annex, and from a role to its own.

A thread looks for new revisions twice a second and reads them before they come into force. While the
database does not answer, the annexes known stay in force by the clock; `age` tells for how long nobody has
looked.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from authz.annex import Annex, Role, RoleAnnex
from gateway.annexes.activation import Activation
from gateway.annexes.known import Chain, Entry, Known
from gateway.annexes.names import Certificate
from gateway.annexes.operators import KnownKeys
from gateway.annexes.store import AnnexStore
from gateway.storage.forking import call_in_child

log = structlog.get_logger()


class AnnexesUnavailable(Exception):
    """No annex is known, because the database has not answered since this process started."""


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
        self._known = Known(store.operators)
        self._chain = Chain()
        self._sequence = 0
        self._unchained: deque[Activation] = deque()
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
        return [annex for annex in self._known.list_active(now) if isinstance(annex, Annex)]

    def refresh(self) -> None:
        """Read what was added since the last look. SQLAlchemyError when the database does not answer."""
        with self._refreshing:
            new = list(self._store.load_after(self._sequence))
            if new:
                entries = [Entry(each, self._store.read_annex, self._store.operators) for each in new]
                self._known = self._known.extended(entries)
                self._sequence = new[-1].sequence
                self._unchained.extend(new)
            self._looked_at = self._monotonic()

    @property
    def age(self) -> float:
        """The seconds since the database was last asked with success; infinite before the first time."""
        return float("inf") if self._looked_at is None else self._monotonic() - self._looked_at

    @property
    def clients(self) -> int:
        """How many clients have or had an annex."""
        return self._known.clients

    def list_without_rights(self, now: datetime) -> list[str]:
        """Return the clients whose annex in force, or one to come, was found to give no rights, by name."""
        return self._known.list_without_rights(now)

    @property
    def gaps(self) -> tuple[int, ...]:
        """The numbers of the activations before which another one was taken away."""
        return self._chain.gaps

    def close(self) -> None:
        """Stop looking for revisions."""
        self._stop.set()
        if self._poller is not None:
            self._poller.join()

    def _list_binding(self, certificate: Certificate, now: datetime) -> tuple[Annex, ...]:
        self.open()
        return self._known.list_binding(certificate, now)

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
        judged: tuple[Known, KnownKeys] | None = None
        while True:
            if judged is None or judged[0] is not self._known or judged[1] is not self._store.operators.known:
                judged = self._known, self._store.operators.known
                self._known.judge_newest()
                while self._unchained:
                    self._chain.add(self._unchained.popleft())
            if self._stop.wait(self._poll_seconds):
                return
            try:
                # The keys first: who was made an operator before an approval is known before the activation is.
                self._store.operators.look()
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
