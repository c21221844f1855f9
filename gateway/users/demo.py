"""The synthetic accounts, put into a database by import and by commands, as operators and managers would.

For the demo world only.
"""

import io
from collections.abc import Mapping
from datetime import datetime

from authz.user_management.commands import Command, ConfigureTechnicalUser, Member, SwitchPasswordLogin
from authz.user_management.model import Certificate, Channel, FixedNetwork, Means, Quality
from fixtures.users import UserWorld
from gateway.users.bulk import Refusal, import_file
from gateway.users.history import Author
from gateway.users.projection import find_snapshot
from gateway.users.store import UserStore

_AUTHOR = Author("demo")


class SyntheticWorldRefused(Exception):
    """A rule refuses a part of the synthetic world: one of the two is wrong."""


def load_users(store: UserStore, world: UserWorld, certificates: Mapping[str, Certificate], now: datetime) -> int:
    """Put the world in; return the number of enterprises. `certificates` are those of the technical users, by client.

    SyntheticWorldRefused; CommitError, AuditUnavailable.
    """

    def refuse(refusal: Refusal) -> None:
        raise SyntheticWorldRefused(f"{refusal.file}, line {refusal.line}: {refusal.reason}")

    for kind, text in world.files:
        import_file(kind, io.BytesIO(text.encode()), store, _AUTHOR, now, refuse=refuse)
    for each in world.technical_users:
        command = ConfigureTechnicalUser(
            Quality(each.quality),
            each.contact,
            Channel(each.channel),
            certificates[each.client],
            frozenset(each.services),
            FixedNetwork(each.network) if each.network is not None else None,
        )
        _as_manager(store, each.enterprise, command, now, Quality(each.quality))
    for enterprise in world.without_passwords:
        _as_manager(store, enterprise, SwitchPasswordLogin(False), now)
    return len(world.enterprises)


def _as_manager(
    store: UserStore, enterprise: str, command: Command, now: datetime, quality: Quality | None = None
) -> None:
    """Give the command as the access manager of the quality, or as the chief."""
    with store.database.read() as connection:
        snapshot = find_snapshot(connection, enterprise)
    manager = None
    if snapshot is not None:
        manager = snapshot.account.chief if quality is None else snapshot.account.manager_of(quality)
    if manager is None:
        raise SyntheticWorldRefused(f"{enterprise} has no manager to give the command")
    store.handle(enterprise, command, Member(enterprise, manager, Means.EID), _AUTHOR, now)
