"""Calling the gateway as one of its clients, and showing what came back."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import requests
import zeep.helpers
from lxml import etree
from rich.markup import escape

from authz.annex import Annex, AuthenticationMethod
from gateway.bootstrap import CannotStart, opened_storage
from gateway.cli.asking import Asked, find_annex, find_operation, make_request
from gateway.cli.checks import show_dry_run
from gateway.cli.output import Problem, console, to_text
from gateway.client import Call, ClientIdentity, GatewayClient
from gateway.contracts import Contracts, load_contracts
from gateway.settings import Settings


class Caller:
    """One client's view of a running gateway. A context manager: it holds connections."""

    def __init__(self, settings: Settings, client: str, url: str | None = None) -> None:
        self._url = (url or settings.public_url).rstrip("/")
        self._contracts: Contracts = load_contracts()
        self._annex = _find_annex(settings, client)
        folder = settings.state / "pki" / "clients"
        self._identity = ClientIdentity(
            certificate=folder / f"{client}.pem",
            key=folder / f"{client}.key",
            authority=settings.client_ca,
            gateway_certificate=settings.signing_certificate,
            method=min(self._annex.methods, key=lambda method: method is not AuthenticationMethod.X509_TOKEN),
        )
        self._open: list[GatewayClient] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._open:
            client.close()

    def call(self, service: str, operation: str, asked: Asked, *, dry_run: bool = False) -> Call:
        """Call an operation with the criteria asked; a call without a ticket gets one of its own."""
        contract = find_operation(self._contracts, service, operation)
        request = make_request(contract, self._annex, asked)
        try:
            client = GatewayClient(f"{self._url}{contract.service.path}?wsdl", self._identity)
            self._open.append(client)
            return client.call(contract.descriptor.name, request, dry_run=dry_run)
        except requests.RequestException as error:
            raise Problem(f"{self._url} does not answer ({type(error).__name__}): is the gateway running?") from None
        except zeep.exceptions.Error as error:
            raise Problem(
                f"the request is not whole: {error}. Give it with --set, or with --ssin or --begin where they fit; "
                f"docs/services lists the elements of {operation}."
            ) from None


def show_call(call: Call, *, show_xml: bool = False) -> None:
    """Print the reply as indented lines, or the fault with its detail; with `show_xml` the two messages too."""
    if show_xml:
        for title, message in (("Sent", call.sent), ("Received", call.received)):
            if message is not None:
                console.print(f"[bold]{title}[/]")
                _print_xml(message)
    if call.fault is not None:
        console.print(f"[bold red]Fault[/] {escape(f'{call.fault.code}: {call.fault.message}')}", soft_wrap=True)
        if call.fault.detail is not None and not show_xml:
            _print_xml(call.fault.detail)
        return
    reply = to_document(call)
    if call.explanation is not None:
        show_dry_run(reply["status"], call.explanation)
        return
    for line in _lines(reply if isinstance(reply, Mapping) else {"reply": reply}):
        console.print(line, soft_wrap=True)
    console.print()


def to_document(call: Call) -> Any:
    """Return the reply, or the fault, as plain values."""
    if call.fault is not None:
        detail = call.fault.detail
        return {
            "fault": {
                "code": call.fault.code,
                "message": call.fault.message,
                "detail": etree.tostring(detail).decode() if detail is not None else None,
            }
        }
    reply = zeep.helpers.serialize_object(call.reply, dict)
    return reply if call.explanation is None else {**reply, "explanation": call.explanation}


def _lines(values: Mapping[str, Any], indent: str = "  ") -> Iterator[str]:
    """Yield a line for each element; the texts of a code, one per language, share one."""
    for name, value in values.items():
        items = [item for item in (value if isinstance(value, list) else [value]) if item is not None]
        if items and all(isinstance(item, Mapping) and "_value_1" in item for item in items):
            yield f"{indent}{name}: [cyan]{escape(', '.join(map(_with_attributes, items)))}[/]"
            continue
        for item in items:
            if isinstance(item, Mapping):
                yield f"{indent}{name}"
                yield from _lines(item, f"{indent}  ")
            else:
                yield f"{indent}{name}: [cyan]{escape(to_text(item))}[/]"


def _with_attributes(item: Mapping[str, Any]) -> str:
    attributes = " ".join(str(value) for name, value in item.items() if name == "language")
    others = " ".join(
        f"{name}={to_text(value)}"
        for name, value in item.items()
        if name not in ("_value_1", "language") and value is not None
    )
    return " ".join(part for part in (str(item["_value_1"]), attributes and f"({attributes})", others) if part)


def _print_xml(element: etree._Element) -> None:
    console.print(etree.tostring(element, pretty_print=True).decode(), markup=False, soft_wrap=True)


def _find_annex(settings: Settings, client: str) -> Annex:
    try:
        with opened_storage(settings) as storage:
            return find_annex(storage, settings, client, datetime.now(UTC))
    except CannotStart as reason:
        raise Problem(str(reason)) from None
