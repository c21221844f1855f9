"""`audit person`: who consulted a person, for that person's right of access."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from gateway.audit.reading import Consultation
from gateway.audit.record import RecordKind
from gateway.audit.search import Criteria
from gateway.bootstrap import opened_storage
from gateway.cli.audit.auditor import AuditorKeyOption, PasswordStdinOption, auditing, parse_ssin, show_trouble
from gateway.cli.audit.periods import SinceOption, UntilOption, parse_period
from gateway.cli.output import (
    JsonOption,
    StateOption,
    console,
    get_settings,
    print_json,
    print_table,
    to_moment,
    to_text,
)

# In which somebody is told about a person: by a dry run, whether it would pass; an auditor is served as others are.
_KINDS = (
    RecordKind.EXCHANGE,
    RecordKind.DRY_RUN,
    RecordKind.NOTIFICATION_PULL,
    RecordKind.AUDIT_CONSULTATION,
)
_TOLD = (
    "received_at",
    "kind",
    "client",
    "organisation",
    "service",
    "operation",
    "legal_context",
    "deliberation",
    "outcome",
    "code",
    "criteria",
    "delivered",
    "ticket_cbss",
)
_COLUMNS = ("when", "kind", "client", "organisation", "operation", "legal context", "deliberation", "outcome")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(person)


def person(
    ssin: Annotated[str, typer.Argument(metavar="SSIN", help="The person.")],
    since: SinceOption = None,
    until: UntilOption = None,
    auditor_key: AuditorKeyOption = None,
    password_stdin: PasswordStdinOption = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """List when somebody asked or was told about a person: who, for whom, why, with what result.

    Exchanges, dry runs, notifications that were pulled, and who looked the person up or read of him in the audit, over
    all months whose keys are there. Looking somebody up is a consultation, and so is itself recorded.
    """
    begin, end = parse_period(since, until)
    criteria = Criteria(person=parse_ssin(ssin), kinds=_KINDS, since=begin, until=end)
    settings = get_settings(state=state)
    with (
        opened_storage(settings) as storage,
        auditing(storage, settings, auditor_key, password_stdin=password_stdin) as reader,
    ):
        found = list(reader.find(criteria, "audit person"))
    now = datetime.now(UTC)
    if as_json:
        print_json({"person": ssin, "at": now, "consultations": [_to_document(each) for each in reversed(found)]})
        return
    console.print(f"Who consulted {ssin}, as recorded until {to_text(now)}: {len(found)}", soft_wrap=True)
    print_table(_COLUMNS, (_to_row(each) for each in reversed(found)))
    show_trouble(found)


def _to_document(each: Consultation) -> dict[str, Any]:
    return {name: each.row[name] for name in _TOLD} | {"trouble": each.trouble}


def _to_row(each: Consultation) -> tuple[str, ...]:
    row = each.row
    operation = "/".join(filter(None, (row["service"], row["operation"])))
    outcome = " ".join(filter(None, (row["outcome"], row["code"])))
    shown = (
        row["kind"],
        row["client"],
        row["organisation"],
        operation,
        row["legal_context"],
        row["deliberation"],
        outcome,
    )
    return (to_moment(row["received_at"]), *(value or "" for value in shown))
