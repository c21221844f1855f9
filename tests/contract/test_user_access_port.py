"""What User Management answers through its port, asked here and at another institution: every case of the rules."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pytest
from lxml import etree

from gateway.contracts import XSD_FOLDER
from gateway.simulator.server import SimulatorServer
from gateway.sources.remote_user_access import RemoteUserAccess
from gateway.wss.sign import HeaderBlock
from services.consultation import (
    SourceAnswerInvalid,
    SourceCommunicationFailed,
    SourceFault,
    SourceUnavailable,
)
from services.employer import EmployerReference, Register
from services.user_access import (
    AccessGiven,
    AccessPath,
    AccessQuestion,
    AccessRefused,
    Mandate,
    NoAccessReason,
    UserAccess,
)
from tests.remote_source import SetClock, ask, played, remotely, sign_as
from tests.unit.fakes_user_access import Cases, FakeUserAccess
from tests.unit.test_authz_user_access_cases import ALL, TODAY, make_case_world
from tests.unit.user_management_world import resolve

SERVICE = "EmployerMandateConsultationService/v2"
DAY = date(2026, 4, 1)
QUESTION = AccessQuestion("U0000000123", EmployerReference(enterprise_number="0999910345"), "dimona", DAY)
BOTH = AccessQuestion("U0000000123", EmployerReference(Register.NSSO, "0192020132", "0999930141"), "dimona", DAY)
MANDATE = Mandate("0999900249", date(2025, 1, 1), date(2026, 12, 31))
PROVIDED = AccessGiven(AccessPath.SERVICE_PROVIDER, MANDATE)


@pytest.fixture(scope="module")
def own() -> Cases:
    return Cases()


@pytest.fixture(scope="module")
def remote(own: Cases) -> Iterator[UserAccess]:
    with remotely(SERVICE, own) as users:
        yield users


NAMED = [case for case in ALL if case.values[0]["entity"]]  # type: ignore[index, call-overload]


@pytest.mark.parametrize("case", NAMED)
def test_another_institution_tells_what_our_own_accounts_tell(
    own: Cases, remote: UserAccess, case: Mapping[str, Any]
) -> None:
    own.accounts = make_case_world(case)
    question = AccessQuestion(
        resolve(case["user"]), refer_to(case["entity"]), case["application"], case.get("day", TODAY)
    )
    answer = own.check_access(question)
    assert remote.check_access(question) == answer
    if isinstance(answer, AccessGiven):
        assert answer.path == case["access"]
    else:
        assert answer.reason == case["reason"]


def refer_to(entity: Mapping[str, str]) -> EmployerReference:
    named = resolve(entity)
    for register in Register:
        if f"{register.lower()}_registration_number" in named:
            number = named[f"{register.lower()}_registration_number"]
            return EmployerReference(register, number, named.get("enterprise_number"))
    return EmployerReference(enterprise_number=named["enterprise_number"])


# --- What another institution can answer besides ---------------------------------------------------------------------


class Retelling:
    """Signs as the source, and says something else than it was given, as the contract allows."""

    def __init__(self, *changes: tuple[str, str]) -> None:
        self._changes = changes

    def sign(self, body: str, confirm: bytes | None, now: datetime, blocks: Sequence[HeaderBlock] = ()) -> bytes:
        for old, new in self._changes:
            assert old in body
            body = body.replace(old, new)
        return sign_as("source").sign(body, confirm, now, blocks)


class Asked:
    """A remote User Management that answers as it is told to, and what its guard counts."""

    def __init__(self, users: FakeUserAccess, clock: SetClock, server: SimulatorServer) -> None:
        self.users = users
        self.server = server
        self.source = ask(SERVICE, server, clock)
        self.remote = RemoteUserAccess(self.source)

    def details(self, question: AccessQuestion = QUESTION) -> str:
        with pytest.raises(SourceAnswerInvalid) as raised:
            self.remote.check_access(question)
        return dict(raised.value.information)["details"]


@pytest.fixture
def asked(request: pytest.FixtureRequest) -> Iterator[Asked]:
    """Opened with the changes of the test's parameter, if it has one."""
    clock, users = SetClock(), FakeUserAccess(answer=PROVIDED)
    with played(SERVICE, users, clock, signer=Retelling(*getattr(request, "param", ()))) as server:
        opened = Asked(users, clock, server)
        yield opened
        opened.remote.close()


@pytest.mark.parametrize("path", AccessPath)
@pytest.mark.parametrize("end", [None, DAY], ids=["open", "until that day"])
def test_every_path_is_told_with_its_mandate(asked: Asked, path: AccessPath, end: date | None) -> None:
    own = path in (AccessPath.MANAGER, AccessPath.USER)
    asked.users.answer = AccessGiven(path, None if own else Mandate("0999900249", DAY, end))
    assert asked.remote.check_access(QUESTION) == asked.users.answer
    assert asked.users.asked == [QUESTION]


@pytest.mark.parametrize("reason", NoAccessReason)
def test_every_reason_is_told(asked: Asked, reason: NoAccessReason) -> None:
    asked.users.answer = AccessRefused(reason)
    assert asked.remote.check_access(QUESTION) == AccessRefused(reason)


def test_the_paths_and_reasons_are_those_of_the_contract() -> None:
    schema = etree.parse(XSD_FOLDER / "EmployerMandateConsultationV2.xsd")
    for name, values in (("PathType", AccessPath), ("ReasonCodeType", NoAccessReason)):
        (declared,) = schema.iterfind(f".//{{*}}simpleType[@name='{name}']")
        assert [each.get("value") for each in declared.iter("{*}enumeration")] == list(values)


def test_an_entity_is_asked_by_each_of_its_numbers(asked: Asked) -> None:
    assert asked.remote.check_access(BOTH) == PROVIDED
    registered, enterprise = (question.entity for question in asked.users.asked)
    assert registered == EmployerReference(Register.NSSO, "0192020132")
    assert enterprise == EmployerReference(enterprise_number="0999930141")


def test_numbers_by_which_access_is_not_the_same_are_not_those_of_one_entity(asked: Asked) -> None:
    asked.users.answer = None
    asked.users.reachable = {"U0000000123": {"0192020132"}}
    assert asked.remote.check_access(BOTH) == AccessRefused(NoAccessReason.ENTITY_UNKNOWN)
    asked.users.reachable = {"U0000000123": {"0999930141"}}
    assert asked.remote.check_access(BOTH) == AccessRefused(NoAccessReason.NO_MANDATE)
    assert len(asked.users.asked) == 3


_NEITHER = "neither access with what gives it nor a reason why there is none"


@pytest.mark.parametrize(
    ("answer", "details"),
    [
        (AccessGiven(AccessPath.USER, MANDATE), _NEITHER),
        (AccessGiven(AccessPath.SERVICE_PROVIDER), _NEITHER),
        (
            AccessGiven(AccessPath.SERVICE_PROVIDER, Mandate("0999900249", date(2026, 4, 2))),
            "access by a mandate that does not hold on that day",
        ),
        (
            AccessGiven(AccessPath.SERVICE_PROVIDER, Mandate("0999900249", date(2025, 1, 1), date(2026, 3, 31))),
            "access by a mandate that does not hold on that day",
        ),
        (
            AccessGiven(AccessPath.SERVICE_PROVIDER, Mandate("0999900248", date(2025, 1, 1))),
            "access by the mandate of a number that no enterprise has",
        ),
    ],
)
def test_access_that_contradicts_itself_is_none(asked: Asked, answer: AccessGiven, details: str) -> None:
    asked.users.answer = answer
    assert asked.details() == details


_VALIDITY = "<validity><beginDate>2025-01-01</beginDate><endDate>2026-12-31</endDate></validity>"
_ACCESS = (
    f"<userAccess><access>true</access><path>SERVICE_PROVIDER</path><mandate><provider>0999900249</provider>{_VALIDITY}"
    "</mandate></userAccess>"
)


@pytest.mark.parametrize(
    ("asked", "details"),
    [
        ([("<access>true", "<access>false")], _NEITHER),
        ([("<path>SERVICE_PROVIDER</path>", "")], _NEITHER),
        ([(_ACCESS, "")], _NEITHER),
        ([(_VALIDITY, "")], "access by a mandate that does not hold on that day"),
        ([("SERVICE_PROVIDER", "FRIEND")], "the answer is not valid against its XSD"),
        ([("MSG00000", "MSG00005")], "status MSG00005, which does not answer the question"),
        ([("MSG00000", "MSG00008")], "status MSG00008, which does not answer the question"),
    ],
    indirect=["asked"],
)
def test_what_is_no_answer_gives_no_access(asked: Asked, details: str) -> None:
    assert asked.details() == details


@pytest.mark.parametrize(
    "asked",
    [
        [("U0000000123", "U0000000124")],
        [("0999910345", "0999930141")],
        [("<application>dimona", "<application>dmfa")],
        [("<referenceDate>2026-04-01", "<referenceDate>2026-04-02")],
        [("<referenceDate>2026-04-01</referenceDate>", "")],
    ],
    ids=["user", "entity", "application", "day", "no day"],
    indirect=True,
)
def test_an_answer_about_another_user_entity_application_or_day_is_refused_and_alarmed(asked: Asked) -> None:
    assert asked.details() == "an answer about another person"
    assert asked.source.guard.counts == {"wrong_person": 1}
    assert "another person" in asked.source.guard.look().detail


def test_the_simulator_answers_about_another_user(asked: Asked) -> None:
    asked.server.faults.replace("wrong-person")
    assert asked.details() == "an answer about another person"


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (SourceUnavailable("away"), SourceUnavailable),
        (SourceAnswerInvalid.giving("nonsense"), SourceAnswerInvalid),
        (SourceCommunicationFailed("broke off"), SourceUnavailable),
        (ZeroDivisionError(), SourceUnavailable),
    ],
)
def test_what_fails_behind_the_source_gives_no_access(asked: Asked, fault: Exception, told: type[SourceFault]) -> None:
    asked.users.fault = fault
    with pytest.raises(told):
        asked.remote.check_access(QUESTION)


def test_a_connection_that_breaks_off_is_a_failed_communication(asked: Asked) -> None:
    asked.server.faults.replace("close")
    with pytest.raises(SourceCommunicationFailed):
        asked.remote.check_access(QUESTION)
    assert asked.source.guard.counts == {"broken_off": 2}


def test_its_probe_asks_about_nobody(asked: Asked) -> None:
    asked.remote.probe()
    assert asked.users.asked == []
    asked.server.close()
    with pytest.raises(SourceUnavailable):
        asked.remote.probe()
