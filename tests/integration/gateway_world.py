"""A whole gateway in this process over a demo state, and clients that post bytes to it and read what comes back.

What is read of a reply is read independently of the gateway: parsed anew, validated with a schema of its own, and
its signature checked with cryptography alone.
"""

import base64
import io
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from databases import Databases
from lxml import etree
from sqlalchemy import select

from fixtures.messages import DS, NAMESPACES, NSSO, SOAP, WSSE, ZEEP, Shape, canonical, digest_of, envelope, sign
from gateway.app import GatewayApp
from gateway.audit.keys import MonthKeys
from gateway.audit.reading_key import load_auditor_key
from gateway.audit.record import Sealed
from gateway.audit.sealing import unseal
from gateway.bootstrap import Gateway, build_gateway, open_approvals
from gateway.demo_world import activate, demo_annexes, prepare_demo
from gateway.pipeline import Pipeline
from gateway.pki import Identity, load_identity
from gateway.settings import Settings, load_settings
from gateway.storage.tables import audit_records
from services.user_access import UserAccess

ROOT = Path(__file__).parents[2]
PUBLIC_URL = "https://gateway.example"
SELF_EMPLOYED = "http://kszbcss.fgov.be/intf/SelfEmployedService/v2"
TEST_CONNECTION = "http://kszbcss.fgov.be/intf/TestConnectionService/v1"
SELF_EMPLOYED_PATH = "/SelfEmployedService/v2/consult"
TEST_CONNECTION_PATH = "/TestConnectionService/v1/consult"
DMFA = "http://kszbcss.fgov.be/intf/DmfaConsultationService/v1"
DMFA_PATH = "/DmfaConsultationService/consult"
EMPLOYER_REPERTORY = "http://kszbcss.fgov.be/intf/EmployerRepertoryService/v1"
EMPLOYER_REPERTORY_PATH = "/EmployerRepertoryService/v1/consult"
HEALTH = "http://kszbcss.fgov.be/intf/HealthCheckService/v1"
HEALTH_PATH = "/HealthCheckService/v1/consult"
MANDATE = "http://kszbcss.fgov.be/intf/EmployerMandateConsultationService/v2"
MANDATE_PATH = "/EmployerMandateConsultationService/v2/consult"
DIMONA = "http://kszbcss.fgov.be/intf/DimonaService/v1"
DIMONA_PATH = "/DimonaService/v1/consult"
SCHEMAS = {
    HEALTH: "HealthCheckServiceV1.xsd",
    MANDATE: "EmployerMandateConsultationServiceV2.xsd",
    SELF_EMPLOYED: "SelfEmployedServiceV2.xsd",
    TEST_CONNECTION: "TestConnectionServiceV1.xsd",
    DMFA: "DmfaConsultationServiceV1.xsd",
    EMPLOYER_REPERTORY: "EmployerRepertoryServiceV1.xsd",
    DIMONA: "DimonaServiceV1.xsd",
}
PROXY = "10.0.0.9"
# As many as the tests use at a time.
THREADS = 24
CLIENT_ADDRESS = "192.0.2.7"
WSSE11 = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"

# The demo state is made by the real clock; a moment later nothing of it is in the future.
STARTED = datetime.now(UTC).replace(microsecond=0)

CUSTOMERS: Mapping[str, Mapping[str, Any]] = {
    "pcsa": {"cbeNumber": "0999900150"},
    "economy": {"cbeNumber": "0999900249"},
    "career-account": {"sector": 21, "institution": 0},
    "inspection": {"cbeNumber": "0999900645"},
    "integrator": {"cbeNumber": "0999900447"},
}
CONTEXTS = {
    "pcsa": "PCSA:SOCIAL_INQUIRY",
    "economy": "FPSECO:ACTIVITY_PROOF_AS_SELF_EMPLOYED",
    "career-account": "SIGEDIS:CAREER_ACCOUNT",
    "inspection": "PPSSI:SOCIAL_FRAUD",
    "integrator": "PCSA:SOCIAL_INQUIRY",
}
OVER_TLS = frozenset({"career-account"})
SHAPES = {"inspection": NSSO}


@dataclass
class Clock:
    """A clock that moves when told."""

    now: datetime = STARTED + timedelta(minutes=1)
    _moving: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **amount: float) -> datetime:
        """Move on, and return a moment that no other thread is given."""
        with self._moving:
            self.now += timedelta(**amount)
            return self.now


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back over HTTP, parsed when asked."""

    status: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def envelope(self) -> etree._Element:
        return etree.fromstring(self.content)

    @property
    def payload(self) -> etree._Element:
        """The Body's only child."""
        (payload,) = self.envelope[-1]
        return payload

    @property
    def is_signed(self) -> bool:
        return self.envelope.find(f".//{{{DS}}}Signature") is not None

    @property
    def is_fault(self) -> bool:
        return self.payload.tag == f"{{{SOAP}}}Fault"

    @property
    def outcome(self) -> tuple[str, str]:
        """Value and code of the status; `fault` and the code for a fault."""
        payload = self.payload
        if payload.tag == f"{{{SOAP}}}Fault":
            return "fault", str(payload.findtext("faultstring")).partition(": ")[0]
        return str(payload.findtext("status/value")), str(payload.findtext("status/code"))

    @property
    def faultcode(self) -> str:
        return str(self.payload.findtext("faultcode"))

    @property
    def faultstring(self) -> str:
        return str(self.payload.findtext("faultstring"))

    @property
    def detail(self) -> etree._Element | None:
        """The operation's own fault element."""
        return self.payload.find("detail/*")

    @property
    def information(self) -> list[tuple[str, str]]:
        """The information fields of the status or of the fault's detail."""
        return [
            (str(each.findtext("fieldName")), str(each.findtext("fieldValue")))
            for each in self.payload.iter("information")
        ]

    @property
    def confirmed(self) -> str | None:
        """The SignatureValue that the reply confirms."""
        found = self.envelope.find(f".//{{{WSSE11}}}SignatureConfirmation")
        return None if found is None else found.get("Value")


@cache
def fresh_schema(namespace: str) -> etree.XMLSchema:
    """Return a schema compiled by the tests themselves."""
    return etree.XMLSchema(etree.parse(ROOT / "xsd" / SCHEMAS[namespace]))


def assert_valid(element: etree._Element) -> None:
    """Validate a reply or a fault's detail, taken out of its envelope."""
    alone = etree.fromstring(etree.tostring(element))
    fresh_schema(etree.QName(alone).namespace).assertValid(alone)


def signature_value(message: bytes) -> str:
    """Return the SignatureValue of a request."""
    return str(etree.fromstring(message).findtext(".//ds:SignatureValue", namespaces=NAMESPACES))


def signed_names(reply: Reply, identity: Identity) -> set[str]:
    """Verify the reply's signature under the gateway's key; return the local names of what it covers."""
    root = reply.envelope
    signature = root.find(f".//{{{DS}}}Signature")
    assert signature is not None
    info = signature[0]
    value = base64.b64decode(str(signature.findtext(f"{{{DS}}}SignatureValue")))
    identity.key.public_key().verify(value, canonical(info), padding.PKCS1v15(), SHA256())
    names = set()
    identified = {
        value: node
        for node in root.iter("*")
        for name, value in node.attrib.items()
        if etree.QName(name).localname == "Id"
    }
    for reference in info.iter(f"{{{DS}}}Reference"):
        target = identified[str(reference.get("URI")).removeprefix("#")]
        assert digest_of(canonical(target)) == reference.findtext(f"{{{DS}}}DigestValue")
        names.add(etree.QName(target).localname)
    token = str(root.findtext(f".//{{{WSSE}}}BinarySecurityToken"))
    assert base64.b64decode(token) == identity.certificate.public_bytes(Encoding.DER)
    return names


def request_xml(
    operation: str,
    ssin: str,
    customer: Mapping[str, Any],
    legal_context: str,
    period: Mapping[str, Any] | None = None,
    ticket: str | None = None,
) -> str:
    """Return the payload of a consultation."""
    criteria = f"<ssin>{ssin}</ssin>"
    if period:
        criteria += f"<period>{_elements(period)}</period>"
    sent = f"<ticket>{ticket}</ticket>" if ticket is not None else ""
    return (
        f'<v2:{operation}Request xmlns:v2="{SELF_EMPLOYED}"><informationCustomer>{sent}'
        f"<customerIdentification>{_elements(customer)}</customerIdentification></informationCustomer>"
        f"<legalContext>{legal_context}</legalContext><criteria>{criteria}</criteria></v2:{operation}Request>"
    )


def echo_xml(text: str = "hello") -> str:
    """Return the payload of TestConnectionService."""
    return f'<t:sendTestMessageRequest xmlns:t="{TEST_CONNECTION}"><echo>{text}</echo></t:sendTestMessageRequest>'


def _elements(values: Mapping[str, Any]) -> str:
    return "".join(f"<{name}>{value}</{name}>" for name, value in values.items())


@dataclass
class World:
    """A gateway with its clock and the identities of everybody."""

    settings: Settings
    gateway: Gateway
    clock: Clock
    databases: Databases
    app: GatewayApp = field(init=False)
    pipeline: Pipeline = field(init=False)

    def __post_init__(self) -> None:
        self.app = self.gateway.app
        self.pipeline = self.gateway.pipeline

    def with_part(self, **parts: Any) -> "World":
        """Return this world with other parts in its pipeline."""
        changed = World(self.settings, self.gateway, self.clock, self.databases)
        changed.pipeline = replace(self.pipeline, **parts)
        changed.app = GatewayApp(
            self.app._endpoints,
            changed.pipeline,
            self.app._catalogue,
            self.app._peers,
            self.settings.max_message_bytes,
            self.clock,
        )
        return changed

    def identity(self, client: str) -> Identity:
        return _identity(self.settings.state / "pki" / "clients" / client)

    @property
    def own_identity(self) -> Identity:
        return _identity(self.settings.state / "pki" / "gateway")

    def post(self, body: bytes, path: str = SELF_EMPLOYED_PATH, method: str = "POST", **environ: Any) -> Reply:
        """Send a request; `environ` are WSGI variables."""
        started: list[Any] = []
        variables = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "CONTENT_TYPE": "text/xml; charset=utf-8",
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_ADDR": CLIENT_ADDRESS,
            "wsgi.input": io.BytesIO(body),
        }
        chunks = self.app(variables | environ, lambda status, headers: started.append((status, headers)))
        ((status, headers),) = started
        return Reply(status, dict(headers), b"".join(chunks))

    def sign(self, payload: str, client: str = "pcsa", shape: Shape | None = None, headers: str = "") -> bytes:
        """Return the payload in an envelope signed by the client, a moment later than the one before it."""
        now = self.clock.advance(milliseconds=1)
        return sign(envelope(payload, headers), self.identity(client), now, shape or SHAPES.get(client, ZEEP))

    def over_tls(self, payload: str, client: str = "career-account", path: str = SELF_EMPLOYED_PATH) -> Reply:
        """Send an unsigned message; a trusted proxy hands over the client's certificate."""
        return self.post(envelope(payload), path, **self.handed_over(client))

    def handed_over(self, client: str) -> dict[str, str]:
        """Return what the trusted proxy adds for a client that connects with its certificate."""
        der = self.identity(client).certificate.public_bytes(Encoding.DER)
        return {
            "REMOTE_ADDR": PROXY,
            "HTTP_X_FORWARDED_FOR": CLIENT_ADDRESS,
            "HTTP_X_CLIENT_CERT": base64.b64encode(der).decode(),
        }

    def send(self, payload: str, client: str = "pcsa") -> Reply:
        """Send the payload as the client's annex wants it authenticated."""
        return self.over_tls(payload, client) if client in OVER_TLS else self.post(self.sign(payload, client))

    def ask(
        self,
        ssin: str,
        client: str = "pcsa",
        operation: str = "consultCareer",
        period: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> Reply:
        """Consult as the client with its usual customer and legal context, or those in `changes`."""
        payload = request_xml(
            operation,
            ssin,
            changes.pop("customer", CUSTOMERS.get(client, CUSTOMERS["pcsa"])),
            changes.pop("legal_context", CONTEXTS.get(client, CONTEXTS["pcsa"])),
            period,
            **changes,
        )
        return self.send(payload, client)

    def records(self) -> list[Mapping[str, Any]]:
        """Return the audit's rows of exchanges, oldest first."""
        query = select(audit_records).where(audit_records.c.kind.in_(["exchange", "signature failure"]))
        with self.gateway.storage.database.read() as connection:
            return [dict(row) for row in connection.execute(query.order_by(audit_records.c.position)).mappings()]

    def unseal(self, record: Mapping[str, Any]) -> Sealed:
        """Return the sealed part of a row of the audit, as the auditor reads it."""
        auditor_key = load_auditor_key(self.settings.state / "pki" / "auditor.key")
        return unseal(record, MonthKeys(self.settings.audit_keys), auditor_key)

    def change_annex(self, client: str, *changes: tuple[str, str]) -> None:
        """Put the client's annex of the demo in force with texts of it replaced."""
        (text,) = (each for each in demo_annexes() if f"client: {client}\n" in each)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        now = self.clock()
        activate(open_approvals(self.gateway.storage), text, now=now, active_from=now + timedelta(seconds=10))
        self.gateway.annexes.refresh()
        self.clock.advance(seconds=10)

    @contextmanager
    def without_database(self) -> Iterator[None]:
        """Take the database away."""
        self.gateway.storage.database.close()
        with self.databases.away(self.settings.database_url):
            yield
            self.gateway.storage.database.close()

    def rows(self, table: Any) -> list[Mapping[str, Any]]:
        with self.gateway.storage.database.read() as connection:
            return [dict(row) for row in connection.execute(select(table)).mappings()]


OpenWorld = Callable[..., World]


@cache
def _identity(path: Path) -> Identity:
    return load_identity(path)


@dataclass(frozen=True, slots=True)
class DemoState:
    """A demo state and its database, which nobody uses: worlds are opened on copies of both."""

    directory: Path
    database_url: str
    databases: Databases


@contextmanager
def prepared_state(databases: Databases, directory: Path) -> Iterator[DemoState]:
    """Make a demo state in the directory, until the block ends."""
    with databases.empty(directory) as url:
        prepare_demo(load_settings(state=directory, database_url=url))
        yield DemoState(directory, url, databases)


@contextmanager
def open_world(
    state: DemoState,
    directory: Path,
    repository: object | None = None,
    service: str = "SelfEmployedService/v2",
    **settings: Any,
) -> Iterator[World]:
    """Open a gateway on a copy of a demo state; `repository` replaces the source of the service."""
    shutil.copytree(state.directory, directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns("ksz.db*"))
    with (
        state.databases.copy(state.database_url, directory) as url,
        opened_node(directory, url, state.databases, repository, service, **settings) as world,
    ):
        yield world


@contextmanager
def opened_node(
    directory: Path,
    database_url: str,
    databases: Databases,
    repository: object | None = None,
    service: str = "SelfEmployedService/v2",
    clock: Clock | None = None,
    user_access: UserAccess | None = None,
    **settings: Any,
) -> Iterator[World]:
    """Open a gateway on a state and a database that are there; several may be opened on the same."""
    clock = clock or Clock()
    # The tests of a moment are more than one address may send in one.
    unlimited = {"address_rate": 0, "client_rate": 0}
    usual = {"public_url": PUBLIC_URL, "trusted_proxies": (PROXY,), "threads": THREADS, **unlimited}
    loaded = load_settings(**usual | {"state": directory, "database_url": database_url} | settings)
    replaced = {"EmployerMandateConsultationService/v2": user_access, service: repository}
    gateway = build_gateway(loaded, clock, {name: source for name, source in replaced.items() if source is not None})
    try:
        yield World(loaded, gateway, clock, databases)
    finally:
        gateway.close()
