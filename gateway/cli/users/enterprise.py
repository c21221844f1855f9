"""`users enterprise …`: the accounts of enterprises, as the registers know them; and what they can use."""

from pathlib import Path
from typing import Annotated

import typer

from authz.user_management.applications import load_applications
from authz.user_management.commands import RegisterEnterprise, UpdateEnterprise
from authz.user_management.model import Administration, Enterprise, Quality, Region
from gateway.cli.output import JsonOption, StateOption, console, parse_date, print_json, print_table
from gateway.cli.users.acting import EnterpriseOption, acting, show_events
from gateway.users.documents import to_document
from gateway.users.projection import list_enterprises

app = typer.Typer(help="Accounts of enterprises, kept by operators.", no_args_is_help=True)

NumberArgument = Annotated[str, typer.Argument(metavar="NUMBER", help="Enterprise number, ten digits.")]
NameOption = Annotated[str, typer.Option(help="Name.")]
FormOption = Annotated[str, typer.Option(metavar="FORM", help="Legal form, such as BV.")]
QualityOption = Annotated[
    list[Quality] | None,
    typer.Option("--quality", metavar="QUALITY", help="Quality that it has by law or registration; may be repeated."),
]
NssoOption = Annotated[str | None, typer.Option("--nsso", metavar="NUMBER", help="NSSO registration number.")]
PpoOption = Annotated[str | None, typer.Option("--nsso-ppo", metavar="NUMBER", help="NSSO-PPO registration number.")]
StruckOffOption = Annotated[str | None, typer.Option(metavar="DAY", help="Day from which it no longer exists.")]
AdministrationOption = Annotated[
    Administration | None,
    typer.Option(metavar="KIND", help="Local administration: municipality, province or other_local."),
]
RegionOption = Annotated[
    Region | None, typer.Option(metavar="REGION", help="Of a local administration: brussels, flanders, wallonia.")
]


@app.command()
def register(
    number: NumberArgument,
    name: NameOption,
    legal_form: FormOption,
    quality: QualityOption = None,
    nsso: NssoOption = None,
    nsso_ppo: PpoOption = None,
    struck_off_on: StruckOffOption = None,
    administration: AdministrationOption = None,
    region: RegionOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Open the account of an enterprise."""
    enterprise = _read(number, name, legal_form, quality, nsso, nsso_ppo, struck_off_on, administration, region)
    _run(RegisterEnterprise(enterprise), number, state, as_json)


@app.command()
def update(
    number: NumberArgument,
    name: NameOption,
    legal_form: FormOption,
    quality: QualityOption = None,
    nsso: NssoOption = None,
    nsso_ppo: PpoOption = None,
    struck_off_on: StruckOffOption = None,
    administration: AdministrationOption = None,
    region: RegionOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put what the registers say now, whole: what is not named is gone."""
    enterprise = _read(number, name, legal_form, quality, nsso, nsso_ppo, struck_off_on, administration, region)
    _run(UpdateEnterprise(enterprise), number, state, as_json)


@app.command()
def show(enterprise: EnterpriseOption = None, state: StateOption = None, as_json: JsonOption = False) -> None:
    """Show what the registers say of an enterprise, and whether it is activated here."""
    with acting(state, enterprise) as command:
        account = command.account()
    document = {
        **to_document(account.enterprise),
        "activated": account.activated,
        "passwordLogin": account.password_login,
        "users": len(account.users),
    }
    if as_json:
        print_json(document)
        return
    for name, value in document.items():
        if value is not None:
            text = ", ".join(value) if isinstance(value, list) else value
            console.print(f"{name}: {text}", markup=False, soft_wrap=True)


@app.command("list")
def list_(state: StateOption = None, as_json: JsonOption = False) -> None:
    """List the numbers of all enterprises with an account."""
    with acting(state) as command:
        command.require_operator()
        with command.store.database.read() as connection:
            numbers = list(list_enterprises(connection))
    if as_json:
        print_json(numbers)
    else:
        for number in numbers:
            console.print(number)


@app.command()
def applications(state: StateOption = None, as_json: JsonOption = False) -> None:
    """List the secured applications: for whom each is, and what access to it takes."""
    with acting(state):
        found = [to_document(each) for each in load_applications().values()]
    if as_json:
        print_json(found)
        return
    print_table(
        ("application", "name", "access", "for", "mandate group"),
        (
            (each["application_id"], each["name"], each["access"], each["audience"], each["group"] or "")
            for each in found
        ),
    )


def _read(
    number: str,
    name: str,
    legal_form: str,
    quality: list[Quality] | None,
    nsso: str | None,
    nsso_ppo: str | None,
    struck_off_on: str | None,
    administration: Administration | None,
    region: Region | None,
) -> Enterprise:
    return Enterprise(
        number,
        name,
        legal_form,
        frozenset({Quality.ENTERPRISE, *(quality or ())}),
        nsso,
        nsso_ppo,
        parse_date(struck_off_on) if struck_off_on is not None else None,
        administration,
        region,
    )


def _run(wanted: RegisterEnterprise | UpdateEnterprise, number: str, state: Path | None, as_json: bool) -> None:
    with acting(state, number) as command:
        show_events(command.run(wanted), as_json)
