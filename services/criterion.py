"""What is wrong with a criterion that the XSD let pass, and how a reply says so (MSG00008)."""

from dataclasses import dataclass

from services.consultation import Outcome


@dataclass(frozen=True, slots=True)
class UnusableCriterion:
    """`path` is the element of the request that has to be mended, `reason` says how."""

    path: str
    reason: str

    def to_outcome(self) -> Outcome:
        """Return the case `criterion_unusable`, with the field and the reason."""
        return Outcome("criterion_unusable", information=(("field", self.path), ("details", self.reason)))
