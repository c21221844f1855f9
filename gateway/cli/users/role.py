"""`users role …`: activate qualities, and appoint who manages what."""

from pathlib import Path
from typing import Annotated

import typer

from authz.user_management.commands import (
    ActivateQuality,
    AppointAccessManager,
    AppointCoAccessManager,
    AppointCoChief,
    Command,
)
from authz.user_management.model import Quality
from gateway.cli.output import JsonOption, Problem, StateOption, print_json, print_table
from gateway.cli.users.acting import EnterpriseOption, acting, show_events

app = typer.Typer(help="Qualities, and who manages each.", no_args_is_help=True)

QualityArgument = Annotated[Quality, typer.Argument(metavar="QUALITY", help="Such as employer or service_provider.")]
HolderArgument = Annotated[str | None, typer.Argument(metavar="[USER]", help="User id of the new holder.")]
NobodyOption = Annotated[bool, typer.Option("--none", help="Nobody any more; for a manager, the chief again.")]


@app.command()
def activate(quality: QualityArgument, state: StateOption = None, as_json: JsonOption = False) -> None:
    """Start to use a quality that your enterprise has. Example: [cyan]ksz-gateway users role activate employer[/]"""
    _run(ActivateQuality(quality), state, as_json)


@app.command()
def co_chief(
    user_id: HolderArgument = None, nobody: NobodyOption = False, state: StateOption = None, as_json: JsonOption = False
) -> None:
    """Let a user help the chief access manager."""
    _run(AppointCoChief(_holder(user_id, nobody)), state, as_json)


@app.command()
def manager(
    quality: QualityArgument,
    user_id: HolderArgument = None,
    nobody: NobodyOption = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a user manage a quality."""
    _run(AppointAccessManager(quality, _holder(user_id, nobody)), state, as_json)


@app.command()
def co_manager(
    quality: QualityArgument,
    user_id: HolderArgument = None,
    nobody: NobodyOption = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a user help the access manager of a quality."""
    _run(AppointCoAccessManager(quality, _holder(user_id, nobody)), state, as_json)


@app.command("list")
def list_(enterprise: EnterpriseOption = None, state: StateOption = None, as_json: JsonOption = False) -> None:
    """List the qualities of an enterprise with their managers."""
    with acting(state, enterprise) as command:
        account = command.account()
    rows = [
        {
            "quality": quality.value,
            "activated": quality in account.qualities,
            "manager": account.manager_of(quality),
            "coManager": account.qualities[quality].co_manager if quality in account.qualities else None,
        }
        for quality in sorted(account.enterprise.qualities)
    ]
    if as_json:
        print_json({"chief": account.chief, "coChief": account.co_chief, "qualities": rows})
        return
    print_table(
        ("quality", "activated", "access manager", "co-access-manager"),
        (
            (row["quality"], "yes" if row["activated"] else "no", row["manager"] or "", row["coManager"] or "")
            for row in rows
        ),
        title=f"Chief access manager: {account.chief or 'nobody'}; co-chief: {account.co_chief or 'nobody'}",
    )


def _holder(user_id: str | None, nobody: bool) -> str | None:
    if (user_id is None) is not nobody:
        raise Problem("name a user, or nobody with --none.")
    return user_id


def _run(wanted: Command, state: Path | None, as_json: bool) -> None:
    with acting(state) as command:
        show_events(command.run(wanted), as_json)
