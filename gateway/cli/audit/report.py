"""`audit report`: signs of misuse, per client."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import typer

from authz.brussels import brussels_day, day_begin
from gateway.audit import misuse
from gateway.audit.exchanges import read_exchanges
from gateway.audit.misuse import Activity, Sign, Thresholds
from gateway.bootstrap import opened_storage
from gateway.cli.audit.periods import SinceOption, UntilOption, check_order
from gateway.cli.output import JsonOption, StateOption, console, get_settings, parse_day, print_json, print_table

_LAST_DAYS = 30


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(report)


def report(
    since: SinceOption = None,
    until: UntilOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report per client what a security adviser should ask about: hours, volume, persons, refusals.

    Of the last 30 days, unless told otherwise. No person is shown, and no key is needed.
    """
    last = parse_day(until) if until else brussels_day(datetime.now(UTC))
    first = parse_day(since) if since else last - timedelta(days=_LAST_DAYS - 1)
    check_order(first, last)
    thresholds = Thresholds.load()
    begin, end = day_begin(misuse.earliest(first, thresholds)), day_begin(last + timedelta(days=1))
    with opened_storage(get_settings(state=state)) as storage, storage.database.read() as connection:
        found = misuse.report(read_exchanges(connection, begin, end), first, thresholds)
    if as_json:
        print_json(_to_document(found, first, last))
        return
    print_table(
        ("client", "exchanges", "off hours", "refused", "codes"),
        ((name, *_to_row(activity)) for name, activity in found.clients.items()),
        title=f"{first} to {last}",
    )
    if not found.signs:
        console.print("Nothing is unusual.")
        return
    print_table(("sign", "client", "what"), ((sign.kind, sign.client, sign.what) for sign in found.signs))


def _to_row(activity: Activity) -> tuple[object, ...]:
    codes = ", ".join(f"{code} {count}" for code, count in activity.codes.most_common())
    return (activity.exchanges, activity.off_hours, activity.refused, codes)


def _to_document(found: misuse.Report, first: date, last: date) -> dict[str, Any]:
    return {
        "since": first,
        "until": last,
        "clients": [
            {
                "client": name,
                "exchanges": activity.exchanges,
                "offHours": activity.off_hours,
                "refused": activity.refused,
                "codes": dict(activity.codes.most_common()),
            }
            for name, activity in found.clients.items()
        ],
        "signs": [_sign_document(sign) for sign in found.signs],
    }


def _sign_document(sign: Sign) -> dict[str, Any]:
    return {"sign": sign.kind, "client": sign.client, "count": sign.count, "what": sign.what}
