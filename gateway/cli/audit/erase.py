"""`audit erase`: make the persons of a month that is past its retention unreadable, everywhere and for good."""

from datetime import UTC, datetime
from getpass import getuser
from typing import Annotated

import typer

from gateway.audit.erasure import ErasureRefused, check_erasable, erase_month
from gateway.audit.keys import AuditKeysUnusable, MonthKeys
from gateway.audit.trail import AuditUnavailable
from gateway.bootstrap import opened_storage
from gateway.cli.audit.periods import parse_month
from gateway.cli.output import Problem, StateOption, console, get_settings
from gateway.cli.terminal import confirm


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(erase)


def erase(
    month: Annotated[str, typer.Argument(metavar="MONTH", help="Such as 2016-01.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    state: StateOption = None,
) -> None:
    """Erase the persons of a month past its retention, by destroying its keys; the log still verifies.

    The records stay, with what stands in the open. The erasure is itself recorded. It cannot be undone.
    """
    settings, now = get_settings(state=state), datetime.now(UTC)
    with opened_storage(settings) as storage:
        keys = MonthKeys(settings.audit_keys)
        try:
            check_erasable(parse_month(month), keys, settings.audit_retention_years, now)
        except ErasureRefused as refused:
            raise Problem(f"{refused}.") from None
        if not yes and not confirm(f"Nobody will read the persons of {month} again. Destroy its keys?"):
            raise Problem(f"{month} stays as it is.")
        try:
            erase_month(month, keys, storage.trail, getuser(), now)
        except (AuditUnavailable, AuditKeysUnusable) as error:
            raise Problem(f"{month} is not erased: {error}. Mend that, and run it again.") from None
    console.print(
        f"{month} is erased here. Destroy its file in every backup of {settings.audit_keys} too.", soft_wrap=True
    )
