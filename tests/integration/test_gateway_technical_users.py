"""Technical users through the whole gateway: found in User Management, held to one annex for all of them."""

from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from gateway_world import (
    HEALTH_PATH,
    TEST_CONNECTION_PATH,
    OpenWorld,
    Reply,
    World,
    echo_xml,
    signed_names,
)
from sqlalchemy.exc import OperationalError
from test_gateway_dimona import ANNA, BAKERY, OWN, SIGNED, TODAY, ask, begin, name_employer, results, submit
from test_health_check import health_xml

from authz.annex import RoleHolder
from authz.user_management.commands import (
    ConfigureTechnicalUser,
    DeleteTechnicalUser,
    Member,
    Operator,
    ReplaceTechnicalUser,
    UpdateEnterprise,
)
from authz.user_management.model import (
    Certificate,
    CertificateKind,
    Channel,
    EnterpriseAccount,
    Means,
    Quality,
    TechnicalUser,
)
from fixtures.employers import get_employer
from fixtures.users import load_users
from gateway.annexes.approval import AnnexRefused
from gateway.bootstrap import open_approvals, open_user_store
from gateway.demo_world import ANNEXES, activate, certify_client
from gateway.users.access import StoredAccounts
from gateway.users.certificates import register
from gateway.users.history import Author
from gateway.users.store import RuleRefused

NUMBERS = load_users().enterprises
ROLE_ANNEX = (ANNEXES / "technical-users.yaml").read_text("utf-8")
SENDER = "brewery-messages"
DIMONA_SENDER = frozenset({"dimona"})


def consult(world: World, client: str = SENDER, **changes: Any) -> Reply:
    world.clock.advance(seconds=1)
    return ask(world, "consultPeriods", client, changes.pop("criteria", OWN), **changes)


def is_refused(reply: Reply) -> bool:
    """Tell whether the caller is nobody: what a stranger is told, and unsigned."""
    return reply.faultcode == "wsse:FailedAuthentication" and "no technical user" in reply.faultstring


def account_of(world: World, enterprise: str) -> EnterpriseAccount:
    account = StoredAccounts(world.gateway.storage.database).find_account(NUMBERS[enterprise])
    assert account is not None
    return account


def sender_of(world: World, client: str, enterprise: str = "brewery") -> TechnicalUser:
    """Return the technical user whose certificate is the development certificate of this name."""
    fingerprint = certificate_of(world, client).fingerprint
    users = account_of(world, enterprise).technical_users.values()
    (found,) = (each for each in users if each.certificate.fingerprint == fingerprint)
    return found


def certificate_of(world: World, client: str) -> Certificate:
    return register(world.identity(client).certificate)


def manage(world: World, command: Any, enterprise: str = "brewery", quality: Quality = Quality.EMPLOYER) -> None:
    """Give the command as the access manager of the quality."""
    manager = account_of(world, enterprise).manager_of(quality)
    assert manager is not None
    actor = Member(NUMBERS[enterprise], manager, Means.EID)
    store = open_user_store(world.gateway.storage, world.settings)
    store.handle(NUMBERS[enterprise], command, actor, Author("tests"), world.clock())


def put(world: World, sender: TechnicalUser, **changes: Any) -> None:
    """Put something else behind a sender number of the brewery."""
    sender = replace(sender, **changes)
    contact = sender.contact_name, sender.channel, sender.certificate, sender.services
    manage(world, ReplaceTechnicalUser(sender.sender_number, *contact))


def configure(world: World, certificate: Certificate, enterprise: str, quality: Quality = Quality.EMPLOYER) -> None:
    command = ConfigureTechnicalUser(quality, "ICT", Channel.WEB_SERVICE, certificate, DIMONA_SENDER)
    manage(world, command, enterprise, quality)


def test_a_technical_user_is_answered_without_an_annex_of_its_own(world: World) -> None:
    reply = consult(world)
    assert reply.outcome == ("DATA_FOUND", "MSG00000")
    assert signed_names(reply, world.own_identity) == SIGNED


def test_the_audit_names_the_technical_user_its_certificate_and_the_clause_of_the_role_annex(world: World) -> None:
    consult(world)
    record, sender = world.records()[-1], sender_of(world, SENDER)
    assert record["client"] == f"technical-user:{sender.sender_number}"
    assert record["certificate"] == sender.certificate.fingerprint
    assert record["annex_revision"] == sha256(ROLE_ANNEX.encode()).hexdigest()
    assert record["annex_clause"] == "operations[2]"
    assert record["organisation"] == f"cbe:{NUMBERS['brewery']}"
    assert record["legal_context"] == "NSSO:EMPLOYER_DECLARATION"
    # What the role annex was made out to is what the decision saw: it can be decided again.
    facts = world.unseal(record)["facts"]
    assert facts["holder"]["client"] == record["client"]
    assert facts["holder"]["applications"] == ["dimona"]


def test_a_technical_user_may_connect_with_its_certificate_instead(world: World) -> None:
    reply = world.over_tls(echo_xml("over TLS"), SENDER, TEST_CONNECTION_PATH)
    assert not reply.is_fault
    assert b"over TLS" in reply.content
    assert world.records()[-1]["authentication_method"] == "mutualTLS"


@pytest.mark.parametrize(
    ("payload", "path"), [(echo_xml(), TEST_CONNECTION_PATH), (health_xml("PING"), HEALTH_PATH)], ids=["echo", "PING"]
)
def test_what_is_everybodys_is_a_technical_users_too(world: World, payload: str, path: str) -> None:
    reply = world.post(world.sign(payload, SENDER), path)
    assert not reply.is_fault
    assert reply.is_signed


def test_a_deeper_health_check_is_not_granted(world: World) -> None:
    reply = world.post(world.sign(health_xml("DEEP"), SENDER), HEALTH_PATH)
    assert reply.outcome == ("NO_RESULT", "MSG00013")


def test_another_enterprises_employer_is_refused(world: World) -> None:
    assert consult(world, criteria={"employer": name_employer(BAKERY)}).outcome[1] == "MSG00015"


def test_a_technical_user_represents_its_own_enterprise_alone(world: World) -> None:
    assert consult(world, customer=NUMBERS["bakery"]).outcome[1] == "MSG00014"


def test_a_secretariat_sends_for_whoever_is_affiliated_and_not_for_itself(world: World) -> None:
    assert consult(world, "secretariat-messages").outcome[1] != "MSG00015"
    left = {"employer": name_employer(BAKERY)}
    assert consult(world, "secretariat-messages", criteria=left).outcome[1] == "MSG00015"
    itself = {"employer": name_employer(get_employer("secretariat"))}
    reply = consult(world, "secretariat-messages", criteria=itself)
    assert reply.outcome[1] == "MSG00015"
    assert "as recognised secretariat" in dict(reply.information)["details"]


def test_who_sends_over_sftp_cannot_call(world: World) -> None:
    reply = consult(world, "brewery-sftp")
    assert is_refused(reply)
    assert not reply.is_signed


def test_what_the_enterprise_changes_counts_at_the_next_request(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    sender = sender_of(world, SENDER)
    assert not consult(world).is_fault
    put(world, sender, services=frozenset({"social-risks"}))
    assert consult(world).outcome == ("NO_RESULT", "MSG00013")
    put(
        world, sender, channel=Channel.SFTP, certificate=replace(sender.certificate, kind=CertificateKind.EID_SIGNATURE)
    )
    assert is_refused(consult(world))
    certify_client(world.settings, "brewery-renewed")
    put(world, sender, certificate=certificate_of(world, "brewery-renewed"))
    assert is_refused(consult(world))
    payload = world.sign(health_xml("PING"), "brewery-renewed")
    assert not world.post(payload, HEALTH_PATH).is_fault
    put(world, sender)
    assert not consult(world).is_fault
    manage(world, DeleteTechnicalUser(sender.sender_number, confirmed=True))
    assert is_refused(consult(world))
    configure(world, sender.certificate, "brewery")
    assert not consult(world).is_fault
    # A sender number is never given again: quota, pages and tickets of the former stay its own.
    assert world.records()[-1]["client"] != f"technical-user:{sender.sender_number}"


def test_who_is_struck_off_calls_no_more(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    assert not consult(world).is_fault
    enterprise = replace(account_of(world, "brewery").enterprise, struck_off_on=TODAY)
    store = open_user_store(world.gateway.storage, world.settings)
    store.handle(enterprise.number, UpdateEnterprise(enterprise), Operator("desk"), Author("desk"), world.clock())
    assert is_refused(consult(world))


def test_an_annex_that_binds_the_certificate_goes_before(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    configure(world, certificate_of(world, "brewery"), "secretariat", Quality.RECOGNISED_SOCIAL_SECRETARIAT)
    assert not consult(world, "brewery").is_fault
    assert world.records()[-1]["client"] == "brewery"


def test_a_certificate_that_two_annexes_bind_does_not_become_a_technical_users(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    text = (ANNEXES / "brewery.yaml").read_text("utf-8")
    certificate = world.identity(SENDER).certificate
    by_serial = text.replace("serial: 1107", f"serial: {certificate.serial_number}")
    issuer_and_serial = by_serial[by_serial.index("  - issuer") : by_serial.index("quota")]
    by_fingerprint = f'  - sha256: "{certificate_of(world, SENDER).fingerprint}"\n'
    approvals = open_approvals(world.gateway.storage)
    for client, binding in (("first", issuer_and_serial), ("second", by_fingerprint)):
        document = by_serial.replace("client: brewery", f"client: {client}").replace(issuer_and_serial, binding)
        activation = activate(approvals, document, now=world.clock())
    world.gateway.annexes.refresh()
    world.clock.now = activation.active_from
    assert is_refused(consult(world))


def test_a_certificate_is_registered_by_one_enterprise(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    with pytest.raises(RuleRefused) as refused:
        configure(world, certificate_of(world, SENDER), "secretariat", Quality.RECOGNISED_SOCIAL_SECRETARIAT)
    assert refused.value.rule.rule_id == "certificate-of-one"


def test_a_copy_of_a_message_is_refused(world: World) -> None:
    message = world.sign(echo_xml(), SENDER)
    assert not world.post(message, TEST_CONNECTION_PATH).is_fault
    again = world.post(message, TEST_CONNECTION_PATH)
    assert again.is_fault
    assert not again.is_signed


def test_a_page_of_one_technical_user_is_of_no_use_to_another(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    days = range(-60, -30)
    declared = [begin(ANNA, day, endingDate=TODAY + timedelta(days=day)) for day in days]
    assert results(submit(world, *declared, ticket="many", client=SENDER)) == ["ACCEPTED"] * len(days)
    # The brewery has a second technical user, who may ask just the same.
    put(world, sender_of(world, "brewery-sftp"), channel=Channel.WEB_SERVICE, services=DIMONA_SENDER)
    question = OWN | {"period": {"beginDate": TODAY - timedelta(days=61)}}
    token = consult(world, criteria=question).payload.findtext("next")
    assert token
    assert consult(world, criteria=question | {"next": token}).outcome == ("DATA_FOUND", "MSG00000")
    assert not consult(world, "brewery-sftp", criteria=question).is_fault
    assert consult(world, "brewery-sftp", criteria=question | {"next": token}).outcome == ("NO_RESULT", "MSG00008")


def test_each_technical_user_has_the_quota_for_itself(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    tight = ROLE_ANNEX.replace("perMinute: 6000", "perMinute: 2")
    activation = activate(open_approvals(world.gateway.storage), tight, now=world.clock())
    world.gateway.annexes.refresh()
    world.clock.now = (activation.active_from + timedelta(minutes=1)).replace(second=0)
    assert [consult(world).is_fault for _ in range(3)] == [False, False, True]
    assert not consult(world, "secretariat-messages").is_fault


def test_there_is_one_annex_for_the_role_at_a_time(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    other = ROLE_ANNEX.replace("client: technical-users", "client: senders")
    approvals = open_approvals(world.gateway.storage)
    with pytest.raises(AnnexRefused, match="technical-users is the annex for the role technicalUser"):
        activate(approvals, other, now=world.clock())


def test_without_an_annex_for_the_role_technical_users_are_strangers(open_own_world: OpenWorld) -> None:
    world = open_own_world()
    ended = ROLE_ANNEX.replace("validFrom: 2024-01-01", "validFrom: 2024-01-01\nvalidUntil: 2024-12-31")
    activation = activate(open_approvals(world.gateway.storage), ended, now=world.clock())
    world.gateway.annexes.refresh()
    world.clock.now = activation.active_from
    assert is_refused(consult(world))


class CountedTechnicalUsers:
    """Nobody is a technical user; counts who was asked about."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def find(self, fingerprint: str, now: datetime) -> RoleHolder | None:
        self.asked.append(fingerprint)
        return None


def test_the_database_is_asked_only_for_a_proved_certificate_that_no_annex_binds(world: World) -> None:
    counted = CountedTechnicalUsers()
    counting = world.with_part(technical_users=counted)
    assert not consult(counting, "brewery").is_fault
    forged = counting.sign(echo_xml("one"), SENDER).replace(b">one<", b">two<")
    assert counting.post(forged, TEST_CONNECTION_PATH).is_fault
    assert counted.asked == []
    assert is_refused(consult(counting))
    assert counted.asked == [certificate_of(world, SENDER).fingerprint]


class UnreadableUserManagement:
    """User Management whose database is away."""

    def find(self, fingerprint: str, now: datetime) -> RoleHolder | None:
        raise OperationalError("SELECT", {}, Exception("gone"))


@pytest.mark.parametrize("payload", [echo_xml(), health_xml("PING")], ids=["echo", "PING"])
def test_who_cannot_be_looked_up_is_told_so_and_not_taken_for_a_stranger(world: World, payload: str) -> None:
    broken = world.with_part(technical_users=UnreadableUserManagement())
    path = HEALTH_PATH if "HealthCheck" in payload else TEST_CONNECTION_PATH
    reply = broken.post(broken.sign(payload, SENDER), path)
    assert reply.outcome == ("fault", "MSG00001")
    assert reply.faultcode == "soapenv:Server"
    assert not reply.is_signed
    # Clients with an annex are in memory.
    assert not broken.post(broken.sign(payload, "brewery"), path).is_fault
