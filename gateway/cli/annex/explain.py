"""`annex explain`: why a request is permitted or refused, check by check."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from authz.annex import Annex
from authz.answer import Deny, Permit
from authz.explanation import Explanation, explain
from gateway.bootstrap import Storage, opened_storage
from gateway.cli.annex.question import Question, ask_again, ask_now, read_draft, read_file, write_request
from gateway.cli.asking import Asked, find_annex
from gateway.cli.audit.auditor import AuditorKeyOption, PasswordStdinOption, auditing
from gateway.cli.checks import result_cell
from gateway.cli.output import (
    JsonOption,
    Problem,
    StateOption,
    console,
    get_settings,
    parse_moment,
    print_json,
    print_table,
    to_text,
)
from gateway.contracts import Contracts, load_contracts
from gateway.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain")(explain_)


def explain_(
    service: Annotated[str | None, typer.Argument(metavar="SERVICE", help="Such as SelfEmployedService.")] = None,
    operation: Annotated[str | None, typer.Argument(metavar="OPERATION", help="Such as consultCareer.")] = None,
    client: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Client that asks: ksz-gateway clients lists them; or a technical user."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Request to explain: a SOAP message, or the element in its Body alone."),
    ] = None,
    ssin: Annotated[str | None, typer.Option(help="Person asked about.")] = None,
    legal_context: Annotated[str | None, typer.Option(help="Default: the first that the annex grants.")] = None,
    begin: Annotated[str | None, typer.Option(help="Begin of the period: 2015-01-01, or 2015Q1 for quarters.")] = None,
    end: Annotated[str | None, typer.Option(help="End of the period.")] = None,
    customer: Annotated[
        str | None,
        typer.Option(metavar="CBE|SECTOR/INSTITUTION", help="Organisation to speak for. Default: the client's own."),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="PATH=VALUE", help="Any other element of the request, as for call; may be repeated."
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="When: a time with its zone, or as a day of Brussels begins.",
            show_default="now",
        ),
    ] = None,
    draft: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Annex to explain it under.", show_default="the one in force at that time"),
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(
            metavar="TICKET|POSITION", help="Exchange in the audit to explain, as it was decided; needs --auditor-key."
        ),
    ] = None,
    auditor_key: AuditorKeyOption = None,
    password_stdin: PasswordStdinOption = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explain a request: every check in its order, the clause that decided, and what would have been allowed.

    The request is in a file, or made of the operation and options as ksz-gateway call makes it: it is checked against
    its XSD, and decided on what the registers say, as the gateway would; nothing is consulted.

    Or it is that of a record: it is decided again on the recorded facts, at the recorded time, under the revision of
    the annex that decided. Reading a record is itself recorded.
    """
    settings = get_settings(state=state)
    asked = Asked(ssin, legal_context, begin, end, on_behalf_of=customer, settings=tuple(set_ or ()))
    if [file, service and operation, record].count(None) != 2:
        raise Problem("name one thing to explain: SERVICE and OPERATION, or --file, or --record.")
    if service is None and asked != Asked():
        raise Problem("a file or a record has the whole request: leave out the other options about it.")
    if record is not None and (client, at) != (None, None):
        raise Problem("a record says who asked and when: leave out --client and --at.")
    contracts = load_contracts()
    with opened_storage(settings) as storage:
        if record is not None:
            with auditing(storage, settings, auditor_key, password_stdin=password_stdin) as reader:
                question = ask_again(storage, contracts, record, reader)
            if draft is not None:
                question = question.under(_read_draft_of(question.annex, draft, contracts))
        else:
            moment = parse_moment(at) if at else datetime.now(UTC)
            annex = _find_annex(storage, settings, contracts, client, draft, moment)
            if file is not None:
                payload = read_file(file)
            else:
                payload = write_request(contracts, annex, service or "", operation or "", asked)
            question = ask_now(storage, contracts, annex, payload, moment)
    explanation = explain(question.annex, question.request, question.facts, question.at, settings.environment)
    if as_json:
        print_json(to_document(question, explanation))
    else:
        show(question, explanation)


def to_document(question: Question, explanation: Explanation) -> dict[str, Any]:
    """Return the explanation as a document for programs."""
    request, decision = question.request, explanation.decision
    return {
        "client": question.annex.client,
        "annexRevision": decision.revision,
        "annexProved": question.proved,
        "service": request.service,
        "operation": request.operation,
        "legalContext": request.legal_context,
        "customer": request.customer.to_values() if request.customer else None,
        "at": question.at,
        "decision": "permitted" if isinstance(decision, Permit) else "refused",
        "status": _status(question, decision),
        "clause": decision.clause,
        "checks": [
            {
                "name": check.name,
                "asks": check.asks,
                "ssin": check.subject,
                "result": check.result,
                "clause": check.clause,
                "allowed": check.allowed,
            }
            for check in explanation.checks
        ],
        **(_permitted(question, decision) if isinstance(decision, Permit) else _refused(decision)),
    }


def show(question: Question, explanation: Explanation) -> None:
    """Print the explanation for people: a line for each check, then the decision and what it rests on."""
    request, decision = question.request, explanation.decision
    asked = [question.annex.client, request.service, request.operation, request.legal_context]
    console.print(f"[bold]{escape(' '.join(filter(None, asked)))}[/] at {to_text(question.at)}", soft_wrap=True)
    rows = (
        (
            check.name,
            check.subject or "",
            result_cell(check.result),
            check.clause,
            f"allowed: {check.allowed}" if check.allowed else check.asks,
        )
        for check in explanation.checks
    )
    print_table(("check", "person", "result", "clause", "what it asks"), rows)
    document = to_document(question, explanation)
    status = document["status"]
    told = f" {status['value']} {status['code']}" if status else ""
    console.print(f"[bold]{document['decision']}[/]{told}, by {escape(decision.clause or 'no clause')}", soft_wrap=True)
    if not question.proved:
        console.print("[red]Two operators are not proved to have signed the annex that decided.[/]", soft_wrap=True)
    for name in ("allowed", "deliberation", "withheld", "dropped", "personsFound"):
        if document.get(name):
            console.print(f"  {name}: {escape(', '.join(_texts(document[name])))}", soft_wrap=True)
    for name, value in decision.information if isinstance(decision, Deny) else ():
        console.print(f"  {name}: {escape(value)}", soft_wrap=True)


def _texts(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _status(question: Question, decision: Permit | Deny) -> Mapping[str, str] | None:
    """Return what a refusal answers with; None for a permit, whose answer is the source's."""
    if isinstance(decision, Permit):
        return None
    status = question.operation.service.statuses.get_status(question.request.operation, decision.case)
    return {"value": status.value, "code": status.code}


def _refused(denial: Deny) -> Mapping[str, Any]:
    information = [{"name": name, "value": value} for name, value in denial.information]
    return {"allowed": denial.allowed, "information": information}


def _permitted(question: Question, permit: Permit) -> Mapping[str, Any]:
    """Return what is granted; where the request names nobody, the persons found must have `personsFound`."""
    rule = None if question.request.subjects else permit.integration
    return {
        "deliberation": permit.deliberation,
        "withheld": permit.withheld,
        "dropped": permit.dropped,
        "personsFound": f"an inscription under {' or '.join(sorted(rule.contexts))}" if rule else "",
    }


def _find_annex(
    storage: Storage, settings: Settings, contracts: Contracts, client: str | None, draft: Path | None, at: datetime
) -> Annex:
    if client is not None:
        in_force = find_annex(storage, settings, client, at)
        return in_force if draft is None else _read_draft_of(in_force, draft, contracts)
    if draft is None:
        raise Problem("name who asks, with --client.")
    return read_draft(draft, contracts, None)


def _read_draft_of(annex: Annex, draft: Path, contracts: Contracts) -> Annex:
    drafted = read_draft(draft, contracts, annex.holder)
    if drafted.client != annex.client:
        raise Problem(f"{draft} is the annex of {drafted.client}, not of {annex.client}.")
    return drafted
