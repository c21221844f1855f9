"""`tour`: what `make run` and `make demo` show: the gateway prepared, started, called, and answering."""

import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import requests
import typer
from rich.rule import Rule

from gateway.cli.calling import Caller, show_call
from gateway.cli.output import Problem, StateOption, console, get_settings
from gateway.settings import Settings

_START_SECONDS = 30
_CAREER = "SelfEmployedService/v2"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(tour)


def tour(
    state: StateOption = None,
    keep_serving: Annotated[bool, typer.Option("--keep-serving", help="One consultation, then serve until Ctrl-C.")] = False,
) -> None:
    """Prepare a demo world, start the gateway, and show it at work."""
    from gateway.demo_world import prepare_demo
    from gateway.serve import CannotServe, check_addresses

    settings = get_settings(state=state)
    try:
        check_addresses(settings)
    except CannotServe as reason:
        raise Problem(str(reason)) from None
    with console.status("Preparing the demo world (keys, database, synthetic persons) ..."):
        prepare_demo(settings)
    with _running_gateway(settings) as process:
        console.print(f"The gateway serves at [bold]{settings.public_url}[/], management at http://{settings.management_bind}.")
        _show_consultation(settings)
        if not keep_serving:
            _show_refusal(settings)
            _show_broken_message(settings)
            return
        _show_what_next(settings)
        process.wait()


def _show_consultation(settings: Settings) -> None:
    console.print(Rule("A public institution consults a career (signed, over TLS)", align="left"))
    persona = _persona("main-occupation")
    console.print(f"Client [bold]pcsa[/] asks consultCareer about {persona.ssin}: {persona.description}\n")
    with Caller(settings, "pcsa") as caller:
        show_call(caller.call(_CAREER, "consultCareer", ssin=persona.ssin, begin="2015-01-01"))


def _show_refusal(settings: Settings) -> None:
    console.print(Rule("Another one asks more than its annex allows", align="left"))
    persona = _persona("main-occupation")
    console.print("Client [bold]economy[/] asks for a period further back than five years.\n")
    with Caller(settings, "economy") as caller:
        show_call(caller.call(_CAREER, "consultCareer", ssin=persona.ssin, begin="2010-01-01"))
    console.print(Rule("A person whom the institution does not have in its file", align="left"))
    stranger = _persona("not-integrated")
    with Caller(settings, "pcsa") as caller:
        show_call(caller.call(_CAREER, "consultCareer", ssin=stranger.ssin, begin="2015-01-01"))


def _show_broken_message(settings: Settings) -> None:
    console.print(Rule("A message that is broken, and one that nobody signed", align="left"))
    url = f"{settings.public_url}/{_CAREER}/consult"
    soap = "http://schemas.xmlsoap.org/soap/envelope/"
    for content in ("<Envelope", f'<s:Envelope xmlns:s="{soap}"><s:Body><x/></s:Body></s:Envelope>'):
        reply = requests.post(
            url, content, headers={"Content-Type": "text/xml; charset=utf-8"}, verify=str(settings.client_ca), timeout=10
        )
        console.print(f"HTTP {reply.status_code}: ", reply.text.partition("<faultstring>")[2].partition("<")[0], markup=False)


def _show_what_next(settings: Settings) -> None:
    state = f" --state {settings.state}"
    console.print(Rule("Try next, in another terminal", align="left"))
    for line in (
        f"ksz-gateway personas{state}                       whom to ask about, and what each client is answered",
        f"ksz-gateway clients{state}                        who may ask what",
        f"ksz-gateway call SelfEmployedService consultContributions --client pcsa --ssin {_persona('main-occupation').ssin} --begin 2020Q1{state}",
        f"curl --cacert {settings.client_ca} '{settings.public_url}/{_CAREER}/consult?wsdl'",
        f"{settings.public_url}/errors                    every error code, in English, Dutch and French",
    ):
        console.print(f"  {line}", markup=False, soft_wrap=True)
    console.print("\nCtrl-C stops the gateway.")


def _persona(name: str):  # type: ignore[no-untyped-def]
    from fixtures.personas import load_personas

    return next(persona for persona in load_personas() if persona.name == name)


@contextmanager
def _running_gateway(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-m", "gateway", "serve", "--state", str(settings.state)])
    try:
        _wait_until_ready(settings, process)
        yield process
    except KeyboardInterrupt:
        console.print("\nStopping.")
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=40)
        except KeyboardInterrupt:
            process.kill()
            process.wait()


def _wait_until_ready(settings: Settings, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Problem("the gateway did not start; it says why above.")
        try:
            with urllib.request.urlopen(f"http://{settings.management_bind}/ready", timeout=2):  # noqa: S310 - loopback
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise Problem(f"the gateway was not ready within {_START_SECONDS} seconds.")
