"""An annex, compiled: what one client may do, in the shape that a decision looks things up in.

A role annex says it for whoever has a role, instead of for one client; a decision sees it made out to one of them.

Values only. `authz.annex_document` makes them from the YAML document, `authz.decision` reads them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from authz.brussels import brussels_day
from authz.employer_access import RelationKind
from authz.organisation import Organisation

GrantKey = tuple[str, str, str | None]
"""Service (`SelfEmployedService/v2`), operation, and legal context (None where the contract has none)."""

EXEMPT = "; exempt from integration control: "
"""What parts the deliberation of a grant from the clause that exempts it."""


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


class Role(StrEnum):
    """For whom there may be one annex instead of one each.

    A technical user sends the messages of an enterprise; User Management knows its certificate and its services.
    """

    TECHNICAL_USER = "technicalUser"


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
    to what this grant gives. `application` is the one of User Management whose technical users may be granted it,
    empty where there is none.
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
    application: str = ""


@dataclass(frozen=True, slots=True)
class RoleHolder:
    """Who has a role: as which client, for which organisation, and how far.

    `client` is never given to another. `applications` are those of User Management that it was configured for;
    `acts_as` are the only relations in which it may act for an employer.
    """

    client: str
    organisation: Organisation
    name: str
    applications: frozenset[str]
    acts_as: frozenset[RelationKind]


@dataclass(frozen=True, slots=True)
class Annex:
    """What one client may do. What is not named here is not granted.

    `revision` is the SHA-256 of the document's text. `valid_from` and `valid_until` are days in Brussels, the
    last one included. `represents` holds every organisation that the client may name as customer, its own if
    it may. `holder` is who a role annex was made out to, None for an annex of one client. `name` is the client's own,
    for people. `unsigned_replies` leaves what answers an unsigned message unsigned.
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
    holder: RoleHolder | None = None
    name: str = ""
    unsigned_replies: bool = False

    def is_active(self, now: datetime) -> bool:
        """Tell whether the annex holds on the day that it is in Brussels at `now` (aware)."""
        return _holds_on(brussels_day(now), self.valid_from, self.valid_until)


@dataclass(frozen=True, slots=True)
class RoleAnnex:
    """What everybody who has a role may do: an annex without identity and certificates. Of the kind `enterprise`.

    `client` names the annex itself, never who sends a message; the grants are for nobody yet.
    """

    revision: str
    client: str
    role: Role
    methods: frozenset[AuthenticationMethod]
    sign_token: bool
    valid_from: date
    valid_until: date | None = None
    quota: Quota = Quota()
    grants: Mapping[GrantKey, tuple[Grant, ...]] = field(default_factory=dict)
    unsigned_replies: bool = False

    def is_active(self, now: datetime) -> bool:
        """Tell whether the annex holds on the day that it is in Brussels at `now` (aware)."""
        return _holds_on(brussels_day(now), self.valid_from, self.valid_until)

    def make_out_to(self, holder: RoleHolder) -> Annex:
        """Return the annex of one who has the role: for its own organisation, with the grants of its applications.

        It binds no certificate: who the holder is was found by the certificate already.
        """
        customers = frozenset({holder.organisation})
        grants = {
            key: tuple(replace(grant, customers=customers) for grant in clauses)
            for key, clauses in self.grants.items()
            if all(grant.application in holder.applications for grant in clauses)
        }
        return Annex(
            revision=self.revision,
            client=holder.client,
            kind=ClientKind.ENTERPRISE,
            identity=holder.organisation,
            certificates=(),
            methods=self.methods,
            sign_token=self.sign_token,
            represents={holder.organisation: RepresentedOrganisation(holder.name)},
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            quota=self.quota,
            grants=grants,
            holder=holder,
            name=holder.name,
            unsigned_replies=self.unsigned_replies,
        )


def _holds_on(today: date, valid_from: date, valid_until: date | None) -> bool:
    return valid_from <= today and (valid_until is None or today <= valid_until)
