"""`audit search`: find records by what stands in the open, or by the person."""

from typing import Annotated

import typer

from gateway.audit.keys import MonthKeys
from gateway.audit.record import RecordKind, RecordOutcome
from gateway.audit.search import Criteria
from gateway.audit.search import search as find
from gateway.bootstrap import opened_storage
from gateway.cli.audit.auditor import AuditorKeyOption, PasswordStdinOption, auditing, parse_ssin, show_trouble
from gateway.cli.audit.documents import COLUMNS, to_document, to_row
from gateway.cli.audit.periods import SinceOption, UntilOption, parse_period
from gateway.cli.output import (
    JsonOption,
    StateOption,
    console,
    get_settings,
    parse_organisation,
    print_json,
    print_table,
)

# The database's integers end there.
_LAST_POSITION = 2**63 - 1


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(search)


def search(
    client: Annotated[str | None, typer.Option(help="Of this client; of a change, of this account.")] = None,
    organisation: Annotated[
        str | None, typer.Option(metavar="CBE|SECTOR/INSTITUTION", help="On behalf of this organisation.")
    ] = None,
    service: Annotated[str | None, typer.Option(help="Of this service, such as SelfEmployedService/v2.")] = None,
    operation: Annotated[str | None, typer.Option(help="Of this operation.")] = None,
    outcome: Annotated[RecordOutcome | None, typer.Option(help="That ended so.")] = None,
    code: Annotated[str | None, typer.Option(help="That ended with this code, such as MSG00012.")] = None,
    kind: Annotated[RecordKind | None, typer.Option(help="Of this kind.")] = None,
    ticket: Annotated[str | None, typer.Option(help="With this ticketCBSS.")] = None,
    customer_ticket: Annotated[str | None, typer.Option(help="With this ticket of the client's own.")] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    person: Annotated[str | None, typer.Option(metavar="SSIN", help="About this person.")] = None,
    auditor_key: AuditorKeyOption = None,
    password_stdin: PasswordStdinOption = False,
    limit: Annotated[int, typer.Option(min=1, max=10000, help="At most so many.")] = 50,
    before: Annotated[
        int | None, typer.Option(min=0, max=_LAST_POSITION, help="Only positions before this one: the next page.")
    ] = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find records, the newest first: replies, refusals, faults and changes.

    A person is found with the auditor's key, in the months whose keys are there; that search is itself recorded.
    """
    begin, end = parse_period(since, until)
    criteria = Criteria(
        client=client,
        organisation=parse_organisation(organisation).key if organisation else None,
        service=service,
        operation=operation,
        outcome=outcome,
        code=code,
        kinds=(kind,) if kind else (),
        ticket_cbss=ticket,
        customer_ticket=customer_ticket,
        since=begin,
        until=end,
        person=None if person is None else parse_ssin(person),
    )
    settings = get_settings(state=state)
    with opened_storage(settings) as storage:
        if person is None:
            with storage.database.read() as connection:
                found = list(find(connection, criteria, MonthKeys(settings.audit_keys), limit=limit, before=before))
        else:
            with auditing(storage, settings, auditor_key, password_stdin=password_stdin) as reader:
                opened = list(reader.find(criteria, "audit search", limit=limit, before=before))
            show_trouble(opened)
            found = [one.row for one in opened]
    if as_json:
        print_json([to_document(row) for row in found])
        return
    if not found:
        console.print("No record agrees.")
        return
    print_table(COLUMNS, map(to_row, found))
    if len(found) == limit:
        console.print(f"There may be more: --before {found[-1]['position']}")
