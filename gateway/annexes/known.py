"""What a worker knows of the annexes, in memory: each client's history, and who is looked up by which name.

An annex gives rights when two operators are proved to have signed its activation, when this version can read it, and
when nothing that was added to the client's history later is in doubt: an activation that was altered might have taken
rights away. Each is proved and compiled when it is first needed, and proved again when the operators' keys are others.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from authz.annex import Annex, Role, RoleAnnex
from authz.brussels import brussels_day, day_begin
from gateway.annexes.activation import Activation, NotProved, approval_of, prove
from gateway.annexes.names import Certificate, fingerprint_name, names_of, role_name, serial_name
from gateway.annexes.operators import KnownKeys, OperatorKeys
from gateway.annexes.statement import NOTHING

log = structlog.get_logger(__name__)


class Entry:
    """An activation with what was found out about it."""

    def __init__(
        self,
        activation: Activation,
        read_annex: Callable[[str], Annex | RoleAnnex],
        operators: OperatorKeys,
    ) -> None:
        self.activation = activation
        self.before: Activation | None = None
        """The client's signed activation before this one, once it stands in a history."""
        self._read_annex = read_annex
        self._operators = operators
        self._proved_under: KnownKeys | None = None
        self._proved = False
        self._compiled = False
        self._annex: Annex | RoleAnnex | None = None

    @property
    def is_proved(self) -> bool:
        """Whether two operators signed it as it stands, by the keys known now."""
        known = self._operators.known
        if self._proved_under is not known:
            try:
                prove(self.activation, self.before, self._operators)
                self._proved = True
            except NotProved as fault:
                self._proved = False
                self._log("annex_not_proved", str(fault))
            self._proved_under = known
        return self._proved

    @property
    def is_judged_bad(self) -> bool:
        """Whether it was looked at and gives no rights."""
        return (self._proved_under is not None and not self._proved) or (self._compiled and self._annex is None)

    def annex(self) -> Annex | RoleAnnex | None:
        """Return the annex; None for one that is not proved or that this gateway cannot read."""
        if not self.is_proved:
            return None
        if not self._compiled:
            try:
                self._annex = self._read_annex(self.activation.document)
            except Exception as error:
                self._log("annex_unreadable", str(error))
            self._compiled = True
        return self._annex

    def _log(self, event: str, error: str) -> None:
        told = self.activation
        log.error(event, client=told.client, revision=told.revision, number=told.sequence, error=error)


class History:
    """The activations of one client, immutable."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._by_instant = sorted(entries, key=lambda each: (each.activation.active_from, each.activation.sequence))
        self._by_number = sorted(self._by_instant, key=_number)

    def extended(self, entry: Entry) -> "History":
        """Return the history that has this entry too, which was added later than all others."""
        signed = (each.activation for each in reversed(self._by_number) if each.activation.signatures is not None)
        entry.before = next(signed, None)
        return History([*self._by_instant, entry])

    def find(self, now: datetime) -> Annex | RoleAnnex | None:
        """Return the annex in force at `now`, if nothing added later is in doubt."""
        position = self._position(now)
        if not position:
            return None
        entry = self._by_instant[position - 1]
        later = self._by_number[bisect_right(self._by_number, _number(entry), key=_number) :]
        return entry.annex() if all(each.is_proved for each in later) else None

    def is_without_rights(self, now: datetime) -> bool:
        """Tell whether what is in force, will be, or was added later is known to give no rights."""
        position = max(self._position(now) - 1, 0)
        in_force = self._by_instant[position]
        later = (each for each in self._by_instant[:position] if _number(each) > _number(in_force))
        return any(each.is_judged_bad for each in (*self._by_instant[position:], *later))

    def switches(self) -> Iterator[datetime]:
        """Yield the instants at which another activation comes into force."""
        return (each.activation.active_from for each in self._by_instant)

    def judge_newest(self) -> None:
        """Prove and compile what is or comes into force, rather than leave that to the first request that needs it."""
        for entry in {*self._by_instant[-2:], *self._by_number[-2:]}:
            entry.annex()

    def _position(self, now: datetime) -> int:
        return bisect_right(self._by_instant, now, key=lambda each: each.activation.active_from)


@dataclass(frozen=True, slots=True)
class _Binding:
    """The annexes that bind a certificate from `since` until before `until`, while the operators' keys are these."""

    annexes: tuple[Annex, ...]
    since: datetime
    until: datetime
    keys: KnownKeys


class Known:
    """A state of the registry, immutable but for what was looked up once, which is remembered."""

    def __init__(
        self,
        operators: OperatorKeys,
        histories: Mapping[str, History] | None = None,
        clients: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self._operators = operators
        self._histories = histories or {}
        self._clients = clients or {}
        self._bindings: dict[str, _Binding] = {}

    def extended(self, entries: Iterable[Entry]) -> "Known":
        """Return the state that has these entries too."""
        histories, clients = dict(self._histories), dict(self._clients)
        for entry in entries:
            added = entry.activation
            history = histories.get(added.client)
            histories[added.client] = History([entry]) if history is None else history.extended(entry)
            for name in added.certificates:
                clients[name] = clients.get(name, frozenset()) | {added.client}
        return Known(self._operators, histories, clients)

    def list_binding(self, certificate: Certificate, now: datetime) -> tuple[Annex, ...]:
        """Return the annexes in force that bind the certificate."""
        keys = self._operators.known
        binding = self._bindings.get(certificate.sha256)
        if binding is None or binding.keys is not keys or not binding.since <= now < binding.until:
            binding = self._bind(certificate, now, keys)
            if binding.annexes:
                # Only what an annex binds is remembered: certificates that mean nothing here come without end.
                self._bindings[certificate.sha256] = binding
        return binding.annexes

    def find_for_role(self, role: Role, now: datetime) -> RoleAnnex | None:
        """Return the annex in force for the role: the approval sees to it that there is one at a time."""
        claiming = self._list_claiming((role_name(role),), now)
        return next((annex for annex in claiming if isinstance(annex, RoleAnnex)), None)

    @property
    def clients(self) -> int:
        """How many clients have a history."""
        return len(self._histories)

    def list_active(self, now: datetime) -> list[Annex | RoleAnnex]:
        """Return every annex in force, those for a role too, by name."""
        annexes = (self._histories[client].find(now) for client in sorted(self._histories))
        return [annex for annex in annexes if annex is not None and annex.is_active(now)]

    def list_without_rights(self, now: datetime) -> list[str]:
        """Return the clients whose annex was found to give no rights, by name."""
        return sorted(client for client, history in self._histories.items() if history.is_without_rights(now))

    def judge_newest(self) -> None:
        """Prove and compile ahead what is or comes into force."""
        for history in self._histories.values():
            history.judge_newest()

    def _bind(self, certificate: Certificate, now: datetime, keys: KnownKeys) -> _Binding:
        names = fingerprint_name(certificate.sha256), serial_name(certificate.issuer, certificate.serial)
        annexes = tuple(annex for annex in self._list_claiming(names, now) if isinstance(annex, Annex))
        today = brussels_day(now)
        begin, end = day_begin(today), day_begin(today + timedelta(days=1))
        switches = [each for client in self._find_claimants(names) for each in self._histories[client].switches()]
        since = max((each for each in switches if begin < each <= now), default=begin)
        until = min((each for each in switches if now < each < end), default=end)
        return _Binding(annexes, since, until, keys)

    def _list_claiming(self, names: tuple[str, ...], now: datetime) -> list[Annex | RoleAnnex]:
        return [
            annex
            for client in self._find_claimants(names)
            if (annex := self._histories[client].find(now)) is not None
            and annex.is_active(now)
            and not names_of(annex).isdisjoint(names)
        ]

    def _find_claimants(self, names: tuple[str, ...]) -> set[str]:
        return {client for name in names for client in self._clients.get(name, ())}


class Chain:
    """Follows the activations in their order; where one does not follow the one before it, another is missing."""

    def __init__(self) -> None:
        self._newest = NOTHING
        self.gaps: tuple[int, ...] = ()

    def add(self, activation: Activation) -> None:
        """Take the next activation; one from before they were signed is no part of the chain."""
        signed = activation.signatures
        if signed is None:
            return
        if signed.follows != self._newest:
            self.gaps = (*self.gaps, activation.sequence)
            log.error("annex_activation_missing", before=activation.sequence)
        self._newest = approval_of(activation, signed).digest


def _number(entry: Entry) -> int:
    return entry.activation.sequence
