"""The whole check of User Management: the chain of the history, and each projection against what its events make."""

from contextlib import closing
from itertools import groupby

from sqlalchemy import Connection

from authz.user_management.history import BrokenHistory, fold
from authz.user_management.model import EnterpriseAccount
from gateway.users.documents import read_event
from gateway.users.history import Head, HistoryAltered, read_whole_history, verify_chain
from gateway.users.projection import (
    find_snapshot,
    identifiers_of,
    is_for_ever,
    list_enterprises,
    people_of,
    stored_identifiers,
    stored_people,
)


def verify_history(connection: Connection, kept: Head | None = None) -> Head:
    """Check everything, and return where the history ends; see `verify_chain` for `kept`.

    HistoryAltered says which event or account is wrong; UnreadableDocument. Holds one account in memory at a time.
    """
    head = verify_chain(connection, kept)
    numbers = set()
    with closing(read_whole_history(connection)) as entries:
        for number, of_enterprise in groupby(entries, key=lambda entry: entry.enterprise):
            texts = [entry.event for entry in of_enterprise]
            if number:
                numbers.add(number)
                _verify_account(connection, number, texts)
    with closing(list_enterprises(connection)) as accounts:
        for number in accounts:
            if number not in numbers:
                raise HistoryAltered(f"the account of {number} has no history")
    return head


def _verify_account(connection: Connection, number: str, texts: list[str]) -> None:
    try:
        account = fold(read_event(text) for text in texts)
    except (BrokenHistory, KeyError) as error:
        raise HistoryAltered(f"the events of {number} do not follow from each other") from error
    snapshot = find_snapshot(connection, number)
    if snapshot is None or snapshot.version != len(texts) or snapshot.account != account:
        raise HistoryAltered(f"the account of {number} is not what its events make it")
    _verify_derived(connection, number, snapshot.account)


def _verify_derived(connection: Connection, number: str, account: EnterpriseAccount) -> None:
    wanted, stored = set(identifiers_of(account)), stored_identifiers(connection, number)
    if wanted - stored or any(not is_for_ever(each) for each in stored - wanted):
        raise HistoryAltered(f"the identifiers of {number} are not those of its account")
    if set(people_of(account)) != stored_people(connection, number):
        raise HistoryAltered(f"who can log in for {number} is not as its account says")
