"""Technical users: who is found by a certificate, what the role annex gives to it, and as what it may act."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from authz_shapes import CONTRACTS, STAFF
from test_authz_annex_document import ROLE

from authz.annex import ClientKind, RoleAnnex, RoleHolder
from authz.annex_document import read_any_annex
from authz.answer import Deny, Permit
from authz.decision import decide
from authz.employer_access import EmployerRelation, NamedEmployer, RelationKind
from authz.organisation import Organisation
from authz.question import AccessFacts, AccessRequest
from authz.ssin import Environment
from authz.user_management.model import (
    Certificate,
    CertificateKind,
    Channel,
    Enterprise,
    EnterpriseAccount,
    Quality,
    TechnicalUser,
)
from authz.user_management.technical_caller import find_technical_caller

DAY = date(2024, 6, 1)
NOON = datetime(2024, 6, 1, 10, 0, tzinfo=UTC)
FINGERPRINT = "0f" * 32
NUMBER = "0999930141"
SENDER = TechnicalUser(
    sender_number="100001",
    quality=Quality.EMPLOYER,
    contact_name="ICT",
    channel=Channel.WEB_SERVICE,
    certificate=Certificate(FINGERPRINT, CertificateKind.OTHER, date(2026, 1, 1)),
    services=frozenset({"staffing"}),
)
ALL_QUALITIES = frozenset(Quality)


def account(sender: TechnicalUser = SENDER, **changes: object) -> EnterpriseAccount:
    enterprise = Enterprise(NUMBER, "Brouwerij", "NV", qualities=ALL_QUALITIES)
    return EnterpriseAccount(replace(enterprise, **changes), technical_users={sender.sender_number: sender})


def find(fingerprint: str = FINGERPRINT, sender: TechnicalUser = SENDER, **changes: object) -> RoleHolder | None:
    return find_technical_caller(account(sender, **changes), fingerprint, DAY)


def holder(sender: TechnicalUser = SENDER) -> RoleHolder:
    found = find(sender=sender)
    assert found is not None
    return found


def test_a_technical_user_is_found_by_its_certificate() -> None:
    assert find() == RoleHolder(
        client="technical-user:100001",
        organisation=Organisation(cbe_number=NUMBER),
        name="Brouwerij",
        applications=frozenset({"staffing"}),
        acts_as=frozenset({RelationKind.OWN}),
    )


def test_another_certificate_is_nobodys() -> None:
    assert find("1e" * 32) is None


@pytest.mark.parametrize("channel", [Channel.SFTP, Channel.FTP])
def test_only_the_web_service_channel_calls(channel: Channel) -> None:
    assert find(sender=replace(SENDER, channel=channel)) is None


@pytest.mark.parametrize(("day", "found"), [(date(2024, 6, 1), False), (date(2024, 6, 2), True)])
def test_an_enterprise_calls_until_the_day_it_is_struck_off(day: date, found: bool) -> None:
    assert (find(struck_off_on=day) is not None) is found


def test_who_lost_the_quality_calls_no_more() -> None:
    assert find(qualities=ALL_QUALITIES - {Quality.EMPLOYER}) is None


ACTS_AS = {
    Quality.EMPLOYER: {RelationKind.OWN},
    Quality.RECOGNISED_SOCIAL_SECRETARIAT: {RelationKind.RECOGNISED_SECRETARIAT},
    Quality.SERVICE_PROVIDER: {RelationKind.MANDATARY},
    Quality.TELECOM_OPERATOR: set(),
    Quality.ENTERPRISE: set(),
}


@pytest.mark.parametrize("quality", Quality)
def test_a_technical_user_acts_in_its_quality_alone(quality: Quality) -> None:
    assert holder(replace(SENDER, quality=quality)).acts_as == ACTS_AS[quality]


def role_annex() -> RoleAnnex:
    annex = read_any_annex(ROLE, CONTRACTS)
    assert isinstance(annex, RoleAnnex)
    return annex


def test_the_role_annex_is_made_out_to_the_technical_user_for_its_own_enterprise() -> None:
    annex = role_annex().make_out_to(holder())
    own = Organisation(cbe_number=NUMBER)
    assert (annex.client, annex.kind, annex.identity) == ("technical-user:100001", ClientKind.ENTERPRISE, own)
    assert (annex.revision, annex.quota, set(annex.represents)) == (role_annex().revision, role_annex().quota, {own})
    (grant,) = annex.grants[(STAFF, "consultStaff", "STAFF:INQUIRY")]
    assert grant.customers == {own}
    assert annex.certificates == ()


def test_a_service_that_is_not_configured_is_not_granted() -> None:
    assert role_annex().make_out_to(replace(holder(), applications=frozenset({"dmfa"}))).grants == {}


@pytest.mark.parametrize("relation", RelationKind)
@pytest.mark.parametrize("quality", [*ACTS_AS])
def test_a_relation_of_another_quality_does_not_count(quality: Quality, relation: RelationKind) -> None:
    annex = role_annex().make_out_to(holder(replace(SENDER, quality=quality)))
    request = AccessRequest(
        STAFF,
        "consultStaff",
        annex.identity,
        "STAFF:INQUIRY",
        employer=NamedEmployer(enterprise_number="0999930240"),
        needs_relation=True,
    )
    facts = AccessFacts(relation=EmployerRelation(relation), holder=annex.holder)
    decision = decide(annex, request, facts, NOON, Environment.TEST)
    if relation in ACTS_AS[quality]:
        assert isinstance(decision, Permit)
    else:
        assert isinstance(decision, Deny)
        assert (decision.case, decision.revision) == ("employer_not_accessible", annex.revision)


def test_the_role_annex_holds_from_its_first_day_on() -> None:
    assert not role_annex().is_active(datetime(2023, 12, 31, 22, 59, tzinfo=UTC))
    assert role_annex().is_active(datetime(2023, 12, 31, 23, 0, tzinfo=UTC))
