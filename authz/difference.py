"""A difference between two annexes, and an annex as it is compared: compiled, with the document that has its lines.

Values only; `authz.annex_difference` and `authz.grant_difference` make the differences.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from authz.annex import Annex, CertificateBinding, ClientKind, RepresentedOrganisation, RoleAnnex
from authz.annex_yaml import YamlDocument, show_path
from authz.organisation import Organisation


class Effect(StrEnum):
    """What a difference does to the client."""

    ALLOWS = "allows"
    FORBIDS = "forbids"
    NEUTRAL = "neutral"


class Side(StrEnum):
    """Which of the two annexes."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference, in words. `about` names the grant that it is of, empty for what is of the annex as a whole.

    `clause` and `line` are its place, in the annex after or, where that no longer has it, in the one before: `side`
    tells which.
    """

    effect: Effect
    about: str
    text: str
    side: Side
    clause: str
    line: int


@dataclass(frozen=True, slots=True)
class ComparedAnnex:
    """One of the two annexes."""

    side: Side
    annex: Annex | RoleAnnex
    document: YamlDocument

    def say(self, effect: Effect, text: str, *place: str | int, about: str = "") -> Difference:
        """Return a difference at a place of this annex's document."""
        return Difference(effect, about, text, self.side, show_path(place), self.document.line_of(place))

    @property
    def values(self) -> Mapping[str, Any]:
        """The document's own values."""
        values: Mapping[str, Any] = self.document.values
        return values

    @property
    def kind(self) -> ClientKind:
        """The kind of whoever has the annex."""
        return self.annex.kind if isinstance(self.annex, Annex) else ClientKind.ENTERPRISE

    @property
    def identity(self) -> Organisation | None:
        """The client itself, None for a role."""
        return self.annex.identity if isinstance(self.annex, Annex) else None

    @property
    def certificates(self) -> tuple[CertificateBinding, ...]:
        """The client's certificates, none for a role."""
        return self.annex.certificates if isinstance(self.annex, Annex) else ()

    @property
    def represents(self) -> Mapping[Organisation, RepresentedOrganisation]:
        """The organisations that it may name as customer, none for a role."""
        return self.annex.represents if isinstance(self.annex, Annex) else {}
