"""An annex, compiled: what one client may do, in the shape that a decision looks things up in.

Values only. `authz.annex_document` makes them from the YAML document, `authz.decision` reads them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from authz.brussels import brussels_day
from authz.organisation import Organisation

GrantKey = tuple[str, str, str | None]
"""Service (`SelfEmployedService/v2`), operation, and legal context (None where the contract has none)."""


class ClientKind(StrEnum):
    """What a client is.

    Institutions and integrators consult persons, integrators speak for others. An enterprise is an employer, a
    recognised social secretariat or another provider: it consults persons only through an employer for which it may
    act.
    """

    INSTITUTION = "institution"
    SUPPORT_APPLICATION = "supportApplication"
    MONITORING_PROBE = "monitoringProbe"
    INTEGRATOR = "integrator"
    ENTERPRISE = "enterprise"


class AuthenticationMethod(StrEnum):
    """How a client proves who it is: a signed message with an X.509 token, or its TLS certificate."""

    X509_TOKEN = "x509Token"  # noqa: S105 - the name of a method, no secret
    MUTUAL_TLS = "mutualTLS"


@dataclass(frozen=True, slots=True)
class CertificateBinding:
    """One certificate: `sha256` (lower-case hex, of its DER), or `issuer` (RFC 4514) and `serial`."""

    sha256: str | None = None
    issuer: str | None = None
    serial: int | None = None


@dataclass(frozen=True, slots=True)
class RepresentedOrganisation:
    """An organisation that the client's certificates may name as customer; `name` is for people."""

    name: str


@dataclass(frozen=True, slots=True)
class Quota:
    """How many requests the client may make; None is no limit."""

    per_minute: int | None = None
    per_day: int | None = None


@dataclass(frozen=True, slots=True)
class ParameterRule:
    """What a grant demands of one search parameter (`path`, an element of the request).

    `required`: it must be sent. `max_years_back`: it must be sent, and the date or quarter in `bounded`, the
    element that begins it, may reach no further back than that many years before today.
    """

    clause: str
    path: str
    required: bool = False
    max_years_back: int | None = None
    bounded: str = ""


@dataclass(frozen=True, slots=True)
class IntegrationRule:
    """Inscription contexts, of which the customer must have one for the person; tolerance in days."""

    contexts: frozenset[str]
    days_before: int = 0
    days_after: int = 0


@dataclass(frozen=True, slots=True)
class Grant:
    """One clause of an annex: an operation under legal contexts, and how far it goes.

    `clause` is its place in the document (`operations[0]`). `customers` are the organisations for which it
    holds. `parameters` are the leaf elements that the request may carry. `withheld` are the reply's paths as
    the annex withholds them, `dropped` those that really go: a mandatory element goes with its nearest
    optional ancestor. `integration` is None only where the operation consults no person or the deliberation
    exempts it. `notified`: the client is told of each declaration about a person whom `integration` covers, cut
    to what this grant gives.
    """

    clause: str
    customers: frozenset[Organisation]
    parameters: frozenset[str] = frozenset()
    rules: tuple[ParameterRule, ...] = ()
    withheld: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    integration: IntegrationRule | None = None
    deliberation: str = ""
    notified: bool = False


@dataclass(frozen=True, slots=True)
class Annex:
    """What one client may do. What is not named here is not granted.

    `revision` is the SHA-256 of the document's text. `valid_from` and `valid_until` are days in Brussels, the
    last one included. `represents` holds every organisation that the client may name as customer, its own if
    it may.
    """

    revision: str
    client: str
    kind: ClientKind
    identity: Organisation
    certificates: tuple[CertificateBinding, ...]
    methods: frozenset[AuthenticationMethod]
    sign_token: bool
    represents: Mapping[Organisation, RepresentedOrganisation]
    valid_from: date
    valid_until: date | None = None
    quota: Quota = Quota()
    grants: Mapping[GrantKey, tuple[Grant, ...]] = field(default_factory=dict)

    def is_active(self, now: datetime) -> bool:
        """Tell whether the annex holds on the day that it is in Brussels at `now` (aware)."""
        today = brussels_day(now)
        return self.valid_from <= today and (self.valid_until is None or today <= self.valid_until)
