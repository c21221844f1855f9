"""The `ssin` element of a reply, in the form of SsinWithCanceledAndReplacesStatusType."""

from services.consultation import Values


def make_own_ssin(ssin: str) -> Values:
    """Return the element for a number that is in force."""
    return {"#text": ssin, "@canceled": False}


def make_subject(case: str, ssin: str, successor: str | None) -> Values:
    """Return the `ssin` element that a refusal about the person carries.

    A replaced number is told as the successor, with the number that it replaces; a cancelled one as
    cancelled. Other refusals say nothing about the number.
    """
    if case == "ssin_replaced" and successor is not None:
        return {"ssin": {"#text": successor, "@canceled": False, "@replaces": ssin}}
    if case in ("ssin_cancelled", "person_deceased"):
        return {"ssin": {"#text": ssin, "@canceled": case == "ssin_cancelled"}}
    return {}
