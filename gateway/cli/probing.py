"""Asking a gateway how it is, and judging the answer as Nagios does.

It needs nothing but the client's key, the authority and the gateway's certificate: no database, no WSDL, no annex.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from time import perf_counter
from typing import Any
from xml.sax.saxutils import escape

import requests
import zeep.exceptions
from lxml import etree

from authz.annex import AuthenticationMethod
from gateway.cli.output import Problem
from gateway.client import ClientIdentity, MessageSecurity, ReplyNotTrusted
from gateway.settings import Settings
from gateway.xml.namespaces import SOAP
from services.health import Level
from services.health_check import DESCRIPTOR


class Status(IntEnum):
    """The exit codes of a plugin."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """Milliseconds from which on an answer is slow, None never; `timeout` in seconds."""

    warning: int | None
    critical: int | None
    timeout: int


@dataclass(frozen=True, slots=True)
class Result:
    """What to tell: `components` are the reply's, by name; `milliseconds` None without an answer."""

    status: Status
    text: str
    milliseconds: int | None = None
    limits: Limits | None = None
    components: tuple[Mapping[str, str], ...] = ()

    def to_line(self) -> str:
        """Return the one line of the plugin, with performance data after the bar."""
        # A bar or a line break in the text would end it.
        text = " ".join(self.text.replace("|", "/").split())
        performance = " ".join(self._performance())
        return f"KSZ {self.status.name} - {text}" + (f" | {performance}" if performance else "")

    def to_document(self) -> Mapping[str, Any]:
        """Return the same for a program."""
        return {
            "status": self.status.name,
            "text": self.text,
            "milliseconds": self.milliseconds,
            "components": list(self.components),
        }

    def _performance(self) -> list[str]:
        if self.milliseconds is None or self.limits is None:
            return []
        bounds = f"{_bound(self.limits.warning)};{_bound(self.limits.critical)}"
        measured = [each for each in self.components if "latency" in each]
        return [
            f"time={self.milliseconds}ms;{bounds};0",
            *(f"'{each['name']}'={each['latency']}ms;;;0" for each in measured),
        ]


def ask(settings: Settings, client: str, level: str, service: str | None, url: str | None, limits: Limits) -> Result:
    """Ask and judge; Problem when the probe has not what it needs to ask."""
    if level not in tuple(Level):
        raise Problem(f"--level {level}: there are {', '.join(Level)}.")
    identity = _identity(settings, client)
    try:
        security = MessageSecurity(identity, lambda: datetime.now(UTC))
    except (OSError, ValueError) as error:
        raise Problem(f"the keys of {client} cannot be read ({error}).") from None
    if not identity.authority.is_file():
        raise Problem(f"{identity.authority}: there is no authority to know the gateway by.")
    message, _ = security.apply(_envelope(level, service), {})
    address = (url or settings.public_url).rstrip("/") + DESCRIPTOR.path
    started = perf_counter()
    try:
        content = _post(address, etree.tostring(message), str(identity.authority), limits.timeout)
        envelope = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
    except requests.RequestException as error:
        return Result(Status.CRITICAL, f"{address} does not answer ({type(error).__name__})")
    except etree.XMLSyntaxError:
        return Result(Status.CRITICAL, f"{address} does not answer in SOAP")
    return _judge(envelope, security, level, round((perf_counter() - started) * 1000), limits)


def _identity(settings: Settings, client: str) -> ClientIdentity:
    folder = settings.state / "pki" / "clients"
    return ClientIdentity(
        certificate=folder / f"{Path(client).name}.pem",
        key=folder / f"{Path(client).name}.key",
        authority=settings.client_ca,
        gateway_certificate=settings.signing_certificate,
        method=AuthenticationMethod.X509_TOKEN,
    )


def _envelope(level: str, service: str | None) -> etree._Element:
    named = f"<service>{escape(service)}</service>" if service else ""
    return etree.fromstring(
        f'<s:Envelope xmlns:s="{SOAP}"><s:Body><h:HealthCheckRequest xmlns:h="{DESCRIPTOR.namespace}"><criteria>'
        f"<level>{level}</level>{named}</criteria></h:HealthCheckRequest></s:Body></s:Envelope>"
    )


def _post(address: str, message: bytes, authority: str, timeout: int) -> bytes:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = authority
        headers = {"Content-Type": "text/xml; charset=utf-8"}
        return session.post(address, message, headers=headers, timeout=timeout).content


def _judge(
    envelope: etree._Element, security: MessageSecurity, level: str, milliseconds: int, limits: Limits
) -> Result:
    fault = envelope.findtext(f"{{{SOAP}}}Body/{{{SOAP}}}Fault/faultstring")
    if fault is not None:
        # A gateway that refuses our proof may be well; one that fails is not.
        status = Status.UNKNOWN if fault.startswith(("wsse:", "wsu:", "GTW")) else Status.CRITICAL
        return Result(status, fault, milliseconds, limits)
    (reply,) = envelope.iterfind(f"{{{SOAP}}}Body/*")
    overall = reply.findtext("health/overall")
    if overall is None:
        code, why = reply.findtext("status/code"), reply.findtext("status/description")
        return Result(Status.UNKNOWN, f"{code}: {why}", milliseconds, limits)
    components = tuple({str(part.tag): part.text or "" for part in each} for each in reply.iterfind("health/component"))
    status, text = _judge_components(components, overall, level)
    status, text = _judge_signature(envelope, security, status, text)
    if status < Status.CRITICAL and limits.critical is not None and milliseconds > limits.critical:
        status, text = Status.CRITICAL, f"{text}; slow: {milliseconds} ms"
    elif status < Status.WARNING and limits.warning is not None and milliseconds > limits.warning:
        status, text = Status.WARNING, f"{text}; slow: {milliseconds} ms"
    return Result(status, text, milliseconds, limits, components)


def _judge_components(components: tuple[Mapping[str, str], ...], overall: str, level: str) -> tuple[Status, str]:
    ailing = [each for each in components if each["state"] != "OK"]
    # The worst first: what reads the line may cut it off.
    ailing.sort(key=lambda each: each["state"] != "NOK")
    told = "; ".join(f"{each['name']} {each['state']} ({each.get('detail', 'no detail')})" for each in ailing)
    if overall != "OK":
        return Status.CRITICAL, f"{level}: {told}"
    if ailing:
        return Status.WARNING, f"{level}: {told}"
    return Status.OK, f"{level}: {len(components)} components OK" if components else f"{level}: the gateway answers"


def _judge_signature(
    envelope: etree._Element, security: MessageSecurity, status: Status, text: str
) -> tuple[Status, str]:
    """A gateway may say unsigned that it is not well; nobody is believed unsigned that it is."""
    try:
        security.verify(envelope)
    except (zeep.exceptions.SignatureVerificationFailed, ReplyNotTrusted):
        return max(status, Status.CRITICAL), f"the reply is not signed by the gateway; {text}"
    return status, text


def _bound(limit: int | None) -> str:
    return "" if limit is None else str(limit)
