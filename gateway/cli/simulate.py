"""`simulate`: play the sources of a gateway, well or badly."""

import signal
import threading
from typing import Annotated

import typer

from gateway.cli.output import JsonOption, Problem, StateOption, console, get_settings, print_json, print_table


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(simulate)


def simulate(
    state: StateOption = None,
    bind: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where to serve; on this machine alone.")
    ] = "127.0.0.1:8543",
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[SERVICE:]FAULT[=PERCENT%]",
            help="What to do wrong, how often, and where: hang, hang=10%, DimonaService/v1:refuse. May be repeated.",
        ),
    ] = None,
    faults: Annotated[bool, typer.Option("--faults", help="List the faults, and serve nothing.")] = False,
    print_settings: Annotated[
        bool,
        typer.Option("--print-settings", help="Print the lines of gateway.toml that ask these sources; serve nothing."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Play the sources of a gateway with the demo data, each fund too, until stopped with Ctrl-C.

    They are the same SOAP services as the gateway's own, signed with a key of their own, and answer the gateway of
    this state alone. What they do wrong can be changed while they run: PUT rules to /faults, one a line.
    """
    from gateway.address import AddressUnusable, check_form, check_free, split_tcp
    from gateway.logs import configure_logs
    from gateway.simulator.app import list_paths
    from gateway.simulator.faults import MEANINGS, NoSuchFault, read_rule
    from gateway.simulator.opening import make_settings, opened_simulator
    from gateway.source_settings import is_loopback

    if faults:
        _print_faults({name.value: meaning for name, meaning in MEANINGS.items()}, as_json=as_json)
        return
    settings = get_settings(state=state)
    try:
        rules = [read_rule(line) for line in fault or ()]
        address = split_tcp(check_form(bind))
        if not is_loopback(address[0]):
            raise Problem(f"{bind}: sources that are only played are served on this machine alone: 127.0.0.1:PORT.")
        if not print_settings:
            check_free(bind)
    except (NoSuchFault, AddressUnusable, ValueError) as problem:
        raise Problem(str(problem)) from None
    url = f"http://{bind}"
    if print_settings:
        typer.echo(make_settings(settings, url))
        return
    configure_logs("warning", "console")
    with opened_simulator(settings, address, rules) as server:
        served = {name: url + path for name, path in list_paths().items()}
        if as_json:
            print_json({"sources": served, "faults": f"{url}/faults", "rules": [str(rule) for rule in rules]})
        else:
            print_table(("source", "address"), served.items())
            wrong = ", ".join(map(str, rules)) or "nothing"
            console.print(f"Wrong on purpose: {wrong}. Change it: PUT {url}/faults. Stop with Ctrl-C.", soft_wrap=True)
        server.start()
        _wait()


def _print_faults(meanings: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        print_json(meanings)
    else:
        print_table(("fault", "a source"), meanings.items())


def _wait() -> None:
    """Return when a signal says stop."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()
