"""The store: commands side by side never break a rule together, and what was derived from the history is verified."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from user_world import BREWERY, ELS, HUGO, JAN, LIEN, NSSO, PROVIDER, SECRETARIAT, Brewery, appoint, create, register

from authz.employer_access import NamedEmployer, RelationKind
from authz.organisation import Organisation
from authz.user_management.commands import CreateUser, Member, Operator
from authz.user_management.events import UserCreated
from authz.user_management.model import Capacity, Means, Person, Quality
from gateway.employer_access import OwnEmployerAccess
from gateway.storage.database import Database
from gateway.storage.employer_tables import employers
from gateway.storage.user_tables import user_enterprises, user_history, user_identifiers, user_people
from gateway.users.access import ManagedEmployerAccess, StoredAccounts
from gateway.users.documents import UnreadableDocument, read_account, read_event, write_event
from gateway.users.history import Author, HistoryAltered
from gateway.users.store import RuleRefused
from gateway.users.verification import verify_history

CHIEF = Member(BREWERY, f"{BREWERY}-U2", Means.EID)
AUTHOR = Author(f"{BREWERY}-U2", "session")


def create_user(person: str, user_name: str, number: int) -> CreateUser:
    return CreateUser(
        Person(f"Name {number}", "First", person), Quality.EMPLOYER, Capacity.EMPLOYEE, user_name=user_name
    )


def side_by_side(*calls: Callable[[], Any]) -> list[Any]:
    """Make the calls at the same time, and return what each returned or raised."""
    answers: list[Any] = []
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> None:
        start.wait()
        try:
            answers.append(call())
        except Exception as error:
            answers.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_two_nodes_give_a_user_name_once_and_make_a_person_a_user_once(brewery: Brewery) -> None:
    now = datetime.now(UTC)
    with brewery.office.store() as one, brewery.office.store() as other:
        wishes = [
            create_user(ssin, user_name, number)
            for number, (ssin, user_name) in enumerate(
                ((JAN, "same.name"), (LIEN, "Same.Name"), (HUGO, "hugo.one"), (HUGO, "hugo.two"))
            )
        ]
        answers = side_by_side(
            *(
                lambda store=store, wish=wish: store.handle(BREWERY, wish, CHIEF, AUTHOR, now)
                for store, wish in zip((one, other, one, other), wishes, strict=True)
            )
        )
    refused = sorted(each.rule.rule_id for each in answers if isinstance(each, RuleRefused))
    assert refused == ["user-name-free", "user-once"]
    assert len([each for each in answers if not isinstance(each, Exception)]) == 2
    with brewery.office.database() as database, database.read() as connection:
        verify_history(connection)


def test_refused_command_leaves_nothing_behind(brewery: Brewery) -> None:
    with brewery.office.store() as store, store.database.read() as connection:
        before = connection.execute(select(user_history.c.digest)).all()
        with pytest.raises(RuleRefused):
            store.handle(BREWERY, create_user(JAN, "x", 1), Operator("nele"), AUTHOR, datetime.now(UTC))
    with brewery.office.database() as database, database.read() as connection:
        assert connection.execute(select(user_history.c.digest)).all() == before


def test_national_numbers_are_in_no_repr(brewery: Brewery) -> None:
    with brewery.office.store() as store:
        outcome = store.handle(BREWERY, create_user(JAN, "jan.p", 1), CHIEF, AUTHOR, datetime.now(UTC))
    assert JAN not in repr(outcome)
    (event,) = outcome.events
    assert isinstance(event, UserCreated)
    assert read_event(write_event(event)) == event


@pytest.mark.parametrize("text", ["", "[]", '{"event": "Unknown"}', '{"event": "UserBlocked"}', '{"event": []}'])
def test_event_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(UnreadableDocument):
        read_event(text)
    with pytest.raises(UnreadableDocument):
        read_account(text)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            update(user_enterprises).values(version=user_enterprises.c.version - 1),
            f"the account of {BREWERY} is not what its events make it",
        ),
        (delete(user_enterprises), f"the account of {BREWERY} is not what its events make it"),
        (
            insert(user_enterprises).values(enterprise="0000000097", version=1, document={}),
            "the account of 0000000097 has no history",
        ),
        (delete(user_identifiers), "identifiers"),
        (
            insert(user_identifiers).values(kind="certificate", identifier="ab", enterprise=BREWERY, holder="100001"),
            "identifiers",
        ),
        (update(user_people).values(national_number=JAN), "who can log in"),
        (delete(user_people), "who can log in"),
    ],
)
def test_projection_that_somebody_altered_is_found(brewery: Brewery, change: Any, told: str) -> None:
    with brewery.office.database() as database:
        with database.write() as connection:
            verify_history(connection)
            connection.execute(change)
        with database.read() as connection, pytest.raises(HistoryAltered, match=told):
            verify_history(connection)


def test_application_that_somebody_put_into_an_account_is_found(brewery: Brewery) -> None:
    user_id = create(brewery.chief, JAN)
    with brewery.office.database() as database:
        with database.write() as connection:
            document = connection.execute(select(user_enterprises.c.document)).scalar_one()
            document["users"][user_id]["applications"] = ["dmfa"]
            connection.execute(update(user_enterprises).values(document=document))
        with database.read() as connection, pytest.raises(HistoryAltered, match="not what its events make it"):
            verify_history(connection)


# --- Lookups ---------------------------------------------------------------------------------------------------------


def test_accounts_are_found_by_each_of_their_numbers_and_as_they_are_now(brewery: Brewery) -> None:
    with brewery.office.database() as database:
        accounts = StoredAccounts(database)
        account = accounts.find_account(BREWERY)
        assert account is not None
        assert accounts.find_account(BREWERY) is account
        assert accounts.find_account_registered(NSSO) is account
        assert accounts.find_account_of(f"{BREWERY}-U2") is account
        user_id = create(brewery.chief, JAN)
        changed = accounts.find_account_of(user_id)
        assert changed is not None
        assert user_id in changed.users
        assert accounts.find_account(PROVIDER) is None
        assert accounts.find_account_of("unknown") is None


def put_registration(database: Database, enterprise: str, deleted: date | None = None) -> None:
    """Have the register of employers say whose NSSO number it is."""
    with database.write() as connection:
        connection.execute(delete(employers).where(employers.c.registration_number == NSSO))
        connection.execute(
            insert(employers),
            {
                "registration_number": NSSO,
                "register": "NSSO",
                "enterprise_number": enterprise,
                "name": "An employer",
                "natural_person": False,
                "deletion_date": deleted,
                "document": {},
            },
        )


def test_a_secretariat_acts_by_no_registration_that_was_struck_off_or_is_anothers_by_now(brewery: Brewery) -> None:
    operator, day = brewery.operator, datetime(2026, 5, 1, tzinfo=UTC).date()
    register(operator, SECRETARIAT, "recognised_social_secretariat", name="Secretariaat")
    operator.do("affiliation", "record", SECRETARIAT, "--enterprise", BREWERY, "--begin", "2026-01-01")
    employer = NamedEmployer(nsso_registration_number=NSSO)
    with brewery.office.database() as database:
        access = ManagedEmployerAccess(OwnEmployerAccess(database), StoredAccounts(database), "dimona")

        def may_act() -> bool:
            return access.find_relation(Organisation(cbe_number=SECRETARIAT), employer, day) is not None

        assert not may_act(), "the register does not know the employer"
        put_registration(database, BREWERY)
        assert may_act()
        put_registration(database, BREWERY, deleted=day - timedelta(days=1))
        assert not may_act()
        put_registration(database, PROVIDER)
        assert not may_act()


def test_secretariat_and_mandatary_may_act_while_it_lasts_and_nobody_else(brewery: Brewery) -> None:
    operator, chief = brewery.operator, brewery.chief
    register(operator, PROVIDER, "service_provider", name="Boekhouder")
    register(operator, SECRETARIAT, "recognised_social_secretariat", name="Secretariaat")
    appoint(operator, ELS, PROVIDER)
    employer = NamedEmployer(nsso_registration_number=NSSO)
    day, later = datetime(2026, 5, 1, tzinfo=UTC).date(), datetime(2026, 9, 1, tzinfo=UTC).date()
    with brewery.office.database() as database:
        put_registration(database, BREWERY)
        access = ManagedEmployerAccess(OwnEmployerAccess(database), StoredAccounts(database), "dimona")

        def kind(number: str, on: Any = day) -> RelationKind | None:
            relation = access.find_relation(Organisation(cbe_number=number), employer, on)
            return relation.kind if relation is not None else None

        assert kind(PROVIDER) is None
        assert kind(SECRETARIAT) is None
        begin = ("--begin", "2026-01-01")
        operator.do("affiliation", "record", SECRETARIAT, "--enterprise", BREWERY, *begin, "--end", "2026-06-30")
        (event,) = chief.do(
            *("mandate", "register", PROVIDER, "--group", "employment", "--begin", "2026Q1", "--agreement", "--json")
        )
        assert kind(PROVIDER) is None, "a provisional mandate opens nothing"
        operator.do("mandate", "activate", event["mandate"]["mandate_id"], "--enterprise", BREWERY)
        assert kind(SECRETARIAT) is RelationKind.RECOGNISED_SECRETARIAT
        assert kind(SECRETARIAT, later) is None
        assert kind(PROVIDER, later) is RelationKind.MANDATARY
        # What is an employer's own is for the register of employers to say.
        assert kind(BREWERY) is RelationKind.OWN
        assert access.find_relation(Organisation(sector=21, institution=0), employer, day) is None
