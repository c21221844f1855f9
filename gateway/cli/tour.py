"""`tour`: what `make run` and `make demo` show: the gateway prepared, started, called, and answering."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from lxml import etree
from rich.markup import escape

from fixtures.persona import Persona
from fixtures.personas import load_personas
from gateway.cli.asking import Asked
from gateway.cli.demo import unwritable
from gateway.cli.output import Problem, StateOption, console, get_settings
from gateway.demo_world import prepare_demo
from gateway.serve import CannotServe, check_addresses
from gateway.settings import Settings
from gateway.xml.namespaces import SOAP

LOG = "gateway.log"

_START_SECONDS = 30
_SERVICE = "SelfEmployedService/v2"
# One call of each kind of client that is no institution: client, what it does, and the call.
_OTHER_KINDS = (
    (
        "brewery",
        "An employer asks whether somebody is in its service",
        "DimonaService/v1",
        "checkEmployment",
        "90641296048",
        (
            "employer/enterpriseNumber=0999930141",
            "period/beginDate=2026-01-01",
            "period/endDate=2026-12-31",
        ),
    ),
    (
        "support",
        "A support application asks whether a user reaches an employer's data",
        "EmployerMandateConsultationService/v2",
        "CheckUnauthenticatedUserAccess",
        None,
        (
            "technicalUserId=0999930240-U2",
            "entity/enterpriseNumber=0999930240",
            "application=employer-repertory-secured",
        ),
    ),
    (
        "probe",
        "A monitoring probe asks how the gateway and its sources are",
        "HealthCheckService/v1",
        "HealthCheck",
        None,
        ("level=DEEP",),
    ),
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(tour)


def tour(
    state: StateOption = None,
    keep_serving: Annotated[
        bool, typer.Option("--keep-serving", help="One consultation, then serve until Ctrl-C.")
    ] = False,
) -> None:
    """Prepare a demo world, start the gateway, and show it at work."""
    settings = get_settings(state=state)
    try:
        check_addresses(settings)
        with console.status("Preparing the demo world (keys, database, synthetic persons) ..."):
            prepare_demo(settings)
    except CannotServe as reason:
        raise Problem(str(reason)) from None
    except OSError as error:
        raise unwritable(settings, error) from None
    with _running_gateway(settings) as process:
        console.print(
            f"The gateway serves at [bold]{settings.public_url}[/] (log: {settings.state / LOG}), "
            f"its management port at http://{settings.management_bind}.\n",
            soft_wrap=True,
        )
        _show_consultation(settings)
        if keep_serving:
            _show_what_next(settings)
            process.wait()
        else:
            _show_refusals(settings)
            _show_other_kinds(settings)
            _show_broken_messages(settings)
    if not keep_serving:
        console.print("The gateway is stopped. `make run` keeps it serving.")


def _show_consultation(settings: Settings) -> None:
    persona = _find_persona("main-occupation")
    _say(
        "A public institution consults a career: signed by the client, over TLS, and the reply signed by the gateway",
        f"Client pcsa asks consultCareer about {persona.ssin}: {persona.description}",
    )
    _call(settings, "pcsa", _SERVICE, "consultCareer", Asked(ssin=persona.ssin, begin="2015-01-01"))


def _show_refusals(settings: Settings) -> None:
    persona = _find_persona("main-occupation")
    _say(
        "Another one asks more than its annex grants",
        "Client economy, which may look back five years and sees no occupation, asks for a period since 2010.",
    )
    _call(settings, "economy", _SERVICE, "consultCareer", Asked(ssin=persona.ssin, begin="2010-01-01"))
    stranger = _find_persona("not-in-the-file")
    _say("A person whom the institution does not have in its file", f"Client pcsa asks about {stranger.ssin}.")
    _call(settings, "pcsa", _SERVICE, "consultCareer", Asked(ssin=stranger.ssin, begin="2015-01-01"))


def _show_other_kinds(settings: Settings) -> None:
    for client, title, service, operation, ssin, criteria in _OTHER_KINDS:
        _say(title, f"Client {client} calls {operation}.")
        _call(settings, client, service, operation, Asked(ssin=ssin, settings=criteria))


def _call(gateway: Settings, client: str, service: str, operation: str, asked: Asked) -> None:
    # Imported here, and requests below: to print a help text, or to serve, zeep is not needed.
    from gateway.cli.calling import Caller, show_call

    with Caller(gateway, client) as caller:
        show_call(caller.call(service, operation, asked))


def _show_broken_messages(settings: Settings) -> None:
    import requests

    _say("Broken messages", "One that is no XML, and one that nobody signed.")
    for content in ("<Envelope", f'<s:Envelope xmlns:s="{SOAP}"><s:Body><x/></s:Body></s:Envelope>'):
        reply = requests.post(
            f"{settings.public_url}/{_SERVICE}/consult",
            content,
            headers={"Content-Type": "text/xml; charset=utf-8"},
            verify=str(settings.client_ca),
            timeout=10,
        )
        fault = etree.fromstring(reply.content).findtext(".//faultstring")
        console.print(f"  HTTP {reply.status_code}: [cyan]{escape(str(fault))}[/]", soft_wrap=True)
    console.print()


def _show_what_next(settings: Settings) -> None:
    state, ssin = f"--state {settings.state}", _find_persona("main-occupation").ssin
    command = Path(sys.argv[0])
    console.print("[bold]Try next[/], in another terminal:")
    for what, line in (
        ("whom to ask about, and what each client is answered", f"{command} personas"),
        ("who may ask what", f"{command} clients {state}"),
        (
            "were the contributions paid?",
            f"{command} call SelfEmployedService consultContributions --client pcsa --ssin {ssin} "
            f"--begin 2020Q1 {state}",
        ),
        ("the contract", f"curl --cacert {settings.client_ca} '{settings.public_url}/{_SERVICE}/consult?wsdl'"),
        ("every error code, explained", f"curl --cacert {settings.client_ca} {settings.public_url}/errors"),
    ):
        console.print(f"  # {what}\n  {line}", markup=False, soft_wrap=True)
    console.print("\nCtrl-C stops the gateway.")


def _say(title: str, text: str) -> None:
    console.print(f"[bold]{title}[/]\n{text}\n", soft_wrap=True)


def _find_persona(name: str) -> Persona:
    return next(persona for persona in load_personas() if persona.name == name)


@contextmanager
def _running_gateway(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    with (settings.state / LOG).open("ab") as log:
        # A group of its own: Ctrl-C reaches us alone, and we stop the gateway in good order.
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve", "--state", str(settings.state)],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    # Whatever tells us to stop, a script that closes our terminal included, must not leave the gateway behind.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        _wait_until_ready(settings, process)
        yield process
    except KeyboardInterrupt:
        console.print("\nStopping: requests in hand are finished first.")
    finally:
        process.terminate()
        process.wait(timeout=40)


def _wait_until_ready(settings: Settings, process: subprocess.Popen[bytes]) -> None:
    import requests

    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Problem(f"the gateway did not start: {settings.state / LOG} says why.")
        try:
            if requests.get(f"http://{settings.management_bind}/ready", timeout=2).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise Problem(f"the gateway was not ready within {_START_SECONDS} seconds: {settings.state / LOG} says why.")
