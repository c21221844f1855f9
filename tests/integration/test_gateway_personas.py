"""Every expectation of every persona, asked through the whole gateway."""

import pytest
from databases import sampled
from gateway_world import (
    OVER_TLS,
    SHAPES,
    STARTED,
    World,
    assert_valid,
    request_xml,
    signature_value,
    signed_names,
)
from lxml import etree

from authz.brussels import brussels_day
from fixtures.persona import Expectation, Persona
from fixtures.personas import load_personas
from services.self_employed import DESCRIPTOR

QUESTIONS = [
    pytest.param(persona, expectation, id=f"{persona.name}-{index}")
    for persona in load_personas(brussels_day(STARTED))
    for index, expectation in enumerate(persona.expectations)
]
SIGNED = {"Body", "Timestamp", "BinarySecurityToken", "Receipt"}


@sampled("persona,expectation", QUESTIONS, every=8)
def test_persona_is_answered_as_expected(world: World, persona: Persona, expectation: Expectation) -> None:
    if expectation.client in SHAPES:
        world.clock.advance(seconds=3)  # The inspection may ask thirty times a minute.
    payload = request_xml(
        expectation.operation, persona.ssin, expectation.customer, expectation.legal_context, expectation.period
    )
    if expectation.client in OVER_TLS:
        reply = world.over_tls(payload, expectation.client)
        assert signed_names(reply, world.own_identity) == SIGNED
    else:
        message = world.sign(payload, expectation.client)
        reply = world.post(message)
        assert signed_names(reply, world.own_identity) == SIGNED | {"SignatureConfirmation"}
        assert reply.confirmed == signature_value(message)
    assert reply.status == "200 OK"
    assert reply.outcome == (expectation.value, expectation.code)
    assert_valid(reply.payload)
    named = {name for name, _ in reply.information}
    rows = DESCRIPTOR.statuses.rows[expectation.operation].values()
    assert any(row.code == expectation.code and named <= set(row.information) for row in rows)
    assert_echoed(reply.payload, persona, expectation)


def assert_echoed(payload: etree._Element, persona: Persona, expectation: Expectation) -> None:
    find = payload.findtext
    assert find("criteria/ssin") == persona.ssin
    assert find("legalContext") == expectation.legal_context
    for name, value in expectation.customer.items():
        assert find(f"informationCustomer/customerIdentification/{name}") == str(value)
    for name, value in (expectation.period or {}).items():
        assert find(f"criteria/period/{name}") == str(value)
