"""The rules by which simulated sources do wrong."""

import pytest

from gateway.simulator.faults import MEANINGS, Fault, Faults, NoSuchFault, Rule, read_rule


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("hang", Rule(Fault.HANG)),
        ("hang=10%", Rule(Fault.HANG, 0.1)),
        ("wrong-person=0.5%", Rule(Fault.WRONG_PERSON, 0.005)),
        ("SelfEmployedService/v2:close=100%", Rule(Fault.CLOSE, 1.0, "SelfEmployedService/v2")),
    ],
)
def test_a_rule_is_read_and_told(text: str, rule: Rule) -> None:
    assert read_rule(text) == rule
    assert read_rule(str(rule)) == rule


@pytest.mark.parametrize("text", ["", "sleep", "hang=101%", "hang=", "hang 10%", "a:b:hang", "hang=-1%"])
def test_anything_else_is_refused_with_what_there_is(text: str) -> None:
    with pytest.raises(NoSuchFault, match="slow, refuse"):
        read_rule(text)


def test_a_rule_holds_for_its_share_of_the_calls_to_its_place() -> None:
    faults = Faults([read_rule("funds/003:hang=25%")], seed=1)
    picked = [faults.pick("/funds/003/SelfEmployedService/v2/consult") for _ in range(4000)]
    assert 900 < picked.count(Fault.HANG) < 1100
    assert {faults.pick("/funds/004/SelfEmployedService/v2/consult") for _ in range(50)} == {None}


def test_rules_are_replaced_all_at_once_or_not() -> None:
    faults = Faults([read_rule("hang")])
    with pytest.raises(NoSuchFault):
        faults.replace("close", "sleep")
    assert faults.pick("/") is Fault.HANG
    faults.replace()
    assert faults.pick("/") is None


def test_each_fault_is_explained() -> None:
    assert set(MEANINGS) == set(Fault)
