"""`users appointment …`: the ticketed request for a chief access manager, from the form to the approval."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from authz.brussels import brussels_day
from authz.user_management.commands import (
    ApproveAppointment,
    Command,
    ReceiveOriginal,
    RefuseAppointment,
    RequestAppointment,
)
from authz.user_management.model import Capacity, Contact, Medium, Person, Signatory
from gateway.cli.output import JsonOption, StateOption, parse_date, print_json, print_table
from gateway.cli.users.acting import EnterpriseOption, acting, show_events
from gateway.users.credentials import prepare_password
from gateway.users.documents import to_document
from gateway.users.letters import Outbox, make_password
from gateway.users.store import Provisional

app = typer.Typer(help="Requests for a chief access manager.", no_args_is_help=True)

TicketArgument = Annotated[str, typer.Argument(metavar="TICKET", help="Ticket of the request.")]


@app.command()
def request(
    name: Annotated[str, typer.Option(help="Surname of the manager.")],
    first_name: Annotated[str, typer.Option(help="First name of the manager.")],
    capacity: Annotated[
        Capacity, typer.Option(metavar="CAPACITY", help="Of the manager: employee, director, manager or partner.")
    ],
    signatory_name: Annotated[str, typer.Option(help="Surname of who signs the form.")],
    signatory_first_name: Annotated[str, typer.Option(help="First name of who signs.")],
    signatory_national_number: Annotated[str, typer.Option(help="National number of who signs.")],
    signatory_capacity: Annotated[
        Capacity, typer.Option(metavar="CAPACITY", help="Of who signs: director, manager or partner.")
    ],
    national_number: Annotated[
        str | None, typer.Option(help="National number of the manager; without one, credentials are sent.")
    ] = None,
    email: Annotated[str | None, typer.Option(help="E-mail address of the manager.")] = None,
    phone: Annotated[str | None, typer.Option(help="Telephone of the manager.")] = None,
    proof: Annotated[str | None, typer.Option(help="Proof of capacity, of who signs and does not work there.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Yes, replace the present manager.")] = False,
    enterprise: EnterpriseOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask for a (new) chief access manager, and get a ticket; then sign the form and send the original."""
    signatory = Signatory(
        Person(signatory_name, signatory_first_name, signatory_national_number),
        signatory_capacity,
        works_here=proof is None,
        proof=proof,
    )
    manager = Person(name, first_name, national_number)
    _run(RequestAppointment(manager, capacity, Contact(email, phone), signatory, replace), enterprise, state, as_json)


@app.command()
def receive(
    ticket: TicketArgument,
    received_on: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="Day on which the form came in: 2026-06-30.", show_default="(today)"),
    ] = None,
    medium: Annotated[Medium, typer.Option(metavar="MEDIUM", help="original, fax, copy or email.")] = Medium.ORIGINAL,
    enterprise: EnterpriseOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Note that the signed form came in: only an original counts. Approval is due within five working days."""
    day = brussels_day(datetime.now(UTC)) if received_on is None else parse_date(received_on)
    _run(ReceiveOriginal(ticket, medium, day), enterprise, state, as_json)


@app.command()
def approve(
    ticket: TicketArgument,
    delay_explained: Annotated[str | None, typer.Option(metavar="TEXT", help="Why it took longer than that.")] = None,
    enterprise: EnterpriseOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the manager who was asked for chief access manager.

    One without national number gets a user name and a provisional password, in the outbox directory of the state.
    """
    password = make_password()
    with acting(state, enterprise) as command:
        outbox = Outbox(command.settings.state / "outbox")
        provisional = Provisional(
            prepare_password(password, chosen_by_holder=False, now=command.now),
            lambda user_name, contact: outbox.deliver(user_name, contact, password),
        )
        show_events(command.run(ApproveAppointment(ticket, delay_explained), provisional), as_json)


@app.command()
def refuse(
    ticket: TicketArgument,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why there will be no such manager.")],
    enterprise: EnterpriseOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Close a request without a manager."""
    _run(RefuseAppointment(ticket, reason), enterprise, state, as_json)


@app.command("list")
def list_(enterprise: EnterpriseOption = None, state: StateOption = None, as_json: JsonOption = False) -> None:
    """List the requests of an enterprise."""
    with acting(state, enterprise) as command:
        command.require_chief_or_operator()
        found = [to_document(each) for each in command.account().appointments.values()]
    if as_json:
        print_json(found)
        return
    print_table(
        ("ticket", "manager", "requested", "status", "due"),
        (
            (
                each["ticket"],
                f"{each['manager']['first_name']} {each['manager']['name']}",
                each["requested_on"],
                each["status"],
                each["due"] or "",
            )
            for each in found
        ),
    )


def _run(wanted: Command, enterprise: str | None, state: Path | None, as_json: bool) -> None:
    with acting(state, enterprise) as command:
        show_events(command.run(wanted), as_json)
