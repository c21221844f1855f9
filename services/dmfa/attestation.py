"""What the registers of attestations hold and how they are searched: frozen values, no XML, no SQL.

An attestation tells what one employer declared of one worker in one quarter. It is corrected by a new version of
the whole, never in place: its versions form a chain. `document` is the attestation as the register keeps it, by
the names of the contract: `attEmployerDeclaration`, and `attAnomalies` where there are any. What varies with the
versions around it (the links) and what names the version stand beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

# SourceType of DmfaCommonV1: who keeps the attestations of private and federal employers, and who those of
# provincial and local ones.
NSSO = "RSZ_ONSS"
PROVINCIAL_AND_LOCAL = "DIBISS_ORPSS"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """The place of a version among those of a person: by quarter, attestation, version."""

    quarter: str
    attestation_id: int
    version: int


@dataclass(frozen=True, slots=True)
class Attestation:
    """One version. `status` is CREATION, MODIFICATION, CANCELLATION or REACTIVATION."""

    ssin: str
    source: str
    position: Position
    previous_version: int | None
    next_version: int | None
    status: str
    creation_date: date
    document: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class AttestationSearch:
    """Which versions of which person; what is None does not narrow. Quarters are inclusive.

    `latest_only`: versions that no other followed. `provincial_or_local`: employers that are such an authority,
    or those that are not. `after`: versions beyond that place.
    """

    ssin: str = field(repr=False)
    begin_quarter: str
    end_quarter: str
    latest_only: bool
    provincial_or_local: bool | None = None
    sector_indicators: tuple[str, ...] = ()
    attestation_id: int | None = None
    attestation_version: int | None = None
    nsso_registration_number: str | None = None
    enterprise_number: str | None = None
    employer_class: int | None = None
    worker_code: int | None = None
    after: Position | None = None


@dataclass(frozen=True, slots=True)
class MissingDelivery:
    """A quarter that a register should have delivered for the answer, and did not."""

    source: str
    quarter: str


@dataclass(frozen=True, slots=True)
class AttestationPage:
    """Versions in the order of their positions; `more` when others follow; what is missing of the whole answer."""

    attestations: tuple[Attestation, ...]
    more: bool = False
    missing: tuple[MissingDelivery, ...] = ()
