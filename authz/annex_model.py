"""The words of an annex document: its keys, their types and bounds, each with its meaning.

The descriptions are the reference of the annex (docs/annex.md) and the remedies of its errors. What needs the
contracts, or two parts of the document at once, is checked in `authz.annex_document`.
"""

import re
from datetime import date
from typing import Annotated, Any, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from authz.annex import AuthenticationMethod, ClientKind, IntegrationRule, Role
from authz.enterprise import has_valid_cbe_check_digits
from authz.organisation import Organisation


def _check_cbe(number: str) -> str:
    if not has_valid_cbe_check_digits(number):
        message = "no enterprise number: ten digits, of which the last two are 97 - (the first eight modulo 97)"
        raise PydanticCustomError("cbe_number", message)
    return number


def _check_unique(values: list[Any]) -> list[Any]:
    if len(set(values)) != len(values):
        raise PydanticCustomError("twice", "the same entry stands in the list twice")
    return values


def _check_year(day: date) -> date:
    if not 2000 <= day.year <= 2199:
        raise PydanticCustomError("year", "not a year from 2000 to 2199")
    return day


def _written(pattern: str, wanted: str) -> AfterValidator:
    """Return the check that a text is written as the pattern says; what is wanted is told in words."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise PydanticCustomError("written", wanted)
        return text

    return AfterValidator(check)


Text = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]
ClientName = Annotated[
    str,
    _written(
        "[a-z][a-z0-9-]{0,63}", "a client's name is up to 64 small letters, digits and hyphens, the first a letter"
    ),
]
Fingerprint = Annotated[str, _written("[0-9a-f]{64}", "a fingerprint is 64 hex digits, in small letters")]
Issuer = Annotated[
    str,
    StringConstraints(max_length=512),
    _written("[A-Za-z0-9.]+=(?s:.)+", "an issuer begins with an attribute, such as CN=Example CA,O=Example,C=BE"),
]
Context = Annotated[
    str,
    StringConstraints(max_length=64),
    _written(
        r"[a-zA-Z0-9][a-zA-Z0-9_:+\- ]*[a-zA-Z0-9_:+\-]",
        "a context is letters, digits and _ : + -, two or more, with spaces only between them",
    ),
]
CbeNumber = Annotated[str, AfterValidator(_check_cbe)]
Day = Annotated[date, AfterValidator(_check_year)]
Unique = AfterValidator(_check_unique)


class Part(BaseModel):
    """What all parts share: no other keys than those named, no text where a number is meant."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, alias_generator=to_camel)


class OrganisationPart(Part):
    """An organisation: an enterprise number, or a sector with an institution of the network."""

    cbe_number: CbeNumber | None = Field(
        None, description="Enterprise number, ten digits between quotes; or else sector and institution"
    )
    sector: int | None = Field(None, ge=0, le=999, description="Sector of the network of social security, 0 to 999")
    institution: int | None = Field(None, ge=0, le=999, description="Institution within the sector, 0 to 999")

    @model_validator(mode="after")
    def _check_one_form(self) -> Self:
        try:
            self.to_organisation()
        except ValueError as error:
            raise PydanticCustomError("organisation", "neither a cbeNumber nor a sector with institution") from error
        return self

    def to_organisation(self) -> Organisation:
        """Return the organisation itself."""
        return Organisation(self.cbe_number, self.sector, self.institution)


class NamedOrganisationPart(OrganisationPart):
    """An organisation with its name."""

    name: Text = Field(description="The organisation's name, for people who read the annex, the audit or a list")


class AuthenticationPart(Part):
    """How the client proves who it is."""

    methods: Annotated[list[Annotated[AuthenticationMethod, Field(strict=False)]], Unique] = Field(
        min_length=1, description="`x509Token` (signed messages), `mutualTLS` (client certificate), or both"
    )
    sign_token: bool = Field(
        False, description="Whether the signature must also cover the BinarySecurityToken (the NSSO profile)"
    )
    unsigned_replies: bool = Field(
        False,
        description="Whether what answers an unsigned message leaves unsigned too: the client cannot prove it "
        "afterwards. Only where `methods` has `mutualTLS`; a signed message always has a signed answer",
    )


class CertificatePart(Part):
    """One certificate of the client: by issuer and serial, or by fingerprint."""

    sha256: Fingerprint | None = Field(None, description="SHA-256 of the certificate's DER, 64 lower-case hex digits")
    issuer: Issuer | None = Field(None, description="The issuer as RFC 4514 writes it; with serial")
    serial: int | None = Field(None, ge=1, lt=2**160, description="The serial number in decimal digits; with issuer")

    @model_validator(mode="after")
    def _check_one_form(self) -> Self:
        by_serial = (self.issuer is not None, self.serial is not None)
        if by_serial not in ((True, True), (False, False)) or by_serial[0] == (self.sha256 is not None):
            raise PydanticCustomError("certificate", "bound neither by issuer and serial nor by sha256 alone")
        return self


class QuotaPart(Part):
    """How many requests the client may make; what is absent has no limit."""

    per_minute: int | None = Field(None, ge=1, le=1_000_000, description="Requests in a minute")
    per_day: int | None = Field(None, ge=1, le=100_000_000, description="Requests in a day, counted in UTC")


class ParameterPart(Part):
    """What is demanded of a search parameter; nothing, if empty."""

    required: bool = Field(False, description="Whether it must be sent")
    max_years_back: int | None = Field(
        None,
        ge=1,
        le=100,
        description="How many years before today its date or quarter may lie; it must then be sent. "
        "Of a period, its begin counts",
    )


class IntegrationPart(Part):
    """Which inscription the organisation must have of the person."""

    contexts: Annotated[list[Context], Unique] = Field(
        min_length=1, max_length=100, description="Inscription contexts, one of which the person must have"
    )
    days_before: int = Field(
        0, ge=0, le=3660, description="The inscription may end this many days before the period asked begins"
    )
    days_after: int = Field(
        0, ge=0, le=3660, description="The inscription may begin this many days after the period asked ends"
    )

    def to_rule(self) -> IntegrationRule:
        """Return the rule itself."""
        return IntegrationRule(frozenset(self.contexts), self.days_before, self.days_after)


class GrantPart(Part):
    """One operation that the client may call, under which legal contexts and how far."""

    service: Name = Field(description="The service with its version, such as `SelfEmployedService/v2`")
    operation: Name = Field(description="The operation, such as `consultCareer`")
    legal_contexts: Annotated[list[Context], Unique] = Field(
        default_factory=list,
        max_length=100,
        description="Legal contexts under which it may be called; absent only where the contract has none",
    )
    deliberation: Text = Field(description="The deliberation, law or agreement that allows it; the audit names it")
    on_behalf_of: list[OrganisationPart] | None = Field(
        None,
        min_length=1,
        max_length=5000,
        description="The represented organisations for which it holds; all of them if absent",
    )
    parameters: dict[str, ParameterPart | None] = Field(
        default_factory=dict,
        description="The optional search parameters that may be sent, by path (`criteria/period`), with "
        "their demands. A path grants everything beneath it; mandatory parameters need not be named",
    )
    withheld: Annotated[list[str], Unique] = Field(
        default_factory=list,
        max_length=500,
        description="The reply's elements that are withheld, by path (`career/occupation`)",
    )
    integration: IntegrationPart | None = Field(
        None, description="Integration control; must be stated where the operation consults persons"
    )
    integration_exemption: Text | None = Field(
        None,
        description="In place of `integration`: the clause of the deliberation that exempts from it",
    )
    notified: bool = Field(
        False,
        description="Whether the client is notified of each declaration about a person in its file; only where the "
        "operation notifies (consultPeriods of DimonaService/v1), and with `integration`, which says whose file counts",
    )


class HeaderPart(Part):
    """An annex without its operations."""

    client: ClientName = Field(description="Short name of the client: lower case, digits and hyphens")
    kind: Annotated[ClientKind, Field(strict=False)] = Field(
        description="`institution`, `integrator` (speaks for other organisations), `enterprise` (an employer or its "
        "provider: only for employers for which it may act), `supportApplication` or `monitoringProbe`; the last two "
        "consult no persons"
    )
    role: Annotated[Role, Field(strict=False)] | None = Field(
        None,
        description="For whom the annex is, instead of for one client: `technicalUser`, who proves itself by the "
        "certificate registered in User Management. Only with kind `enterprise`",
    )
    identity: NamedOrganisationPart | None = Field(
        None, description="The client itself; must be stated, unless there is a role"
    )
    valid_from: Day = Field(description="First day on which the annex holds, in Brussels (2024-01-01, no quotes)")
    valid_until: Day | None = Field(None, description="Last day on which it holds; open if absent")
    authentication: AuthenticationPart = Field(description="How the client proves who it is")
    certificates: Annotated[list[CertificatePart], Unique] | None = Field(
        None,
        min_length=1,
        max_length=50,
        description="The client's certificates, several while one replaces another; must be stated, unless there is a "
        "role",
    )
    represents_itself: bool = Field(True, description="Whether the client may name itself as customer")
    represents: list[NamedOrganisationPart] = Field(
        default_factory=list, max_length=5000, description="The organisations that an integrator speaks for"
    )
    quota: QuotaPart | None = Field(None, description="How many requests the client may make; without limit if absent")


OPERATIONS = "The operations that the client may call. What is not named here is not granted; the list may be empty"
"""The meaning of `operations`, the one key of the document that is read entry by entry."""


def keys_of(part: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the keys of a part as documents write them, with their meaning."""
    return {field.alias or name: field for name, field in part.model_fields.items()}


def find_part(annotation: Any) -> type[BaseModel] | None:
    """Return the part that a key holds, itself or as its entries; None for a plain value."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((part for argument in get_args(annotation) if (part := find_part(argument))), None)


def find_meaning(part: type[BaseModel], steps: tuple[str | int, ...]) -> str:
    """Return the meaning of the innermost known key on the way, empty if there is none."""
    meaning, inside = "", part
    for step in steps:
        if (key := keys_of(inside).get(str(step))) is not None:
            meaning = key.description or ""
            inside = find_part(key.annotation) or inside
    return meaning
