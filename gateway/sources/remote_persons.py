"""Whether a reply is about the person who was asked about."""

from gateway.sources.remote import About
from services.consultation import Values


def about_person(ssin: str) -> About:
    """Return the check of a reply with an `ssin` element and an echo of `criteria`: both name the person asked about.

    A replaced number may be told as its successor, with the number that it replaces.
    """

    def check(values: Values) -> bool:
        told = values.get("ssin", {"#text": ssin})
        return values["criteria"].get("ssin") == ssin and ssin in (told["#text"], told.get("@replaces"))

    return check
