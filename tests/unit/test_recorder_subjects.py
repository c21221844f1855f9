"""Whom a record is about: every person asked about, dealt with or told about, each once; and no number in a ticket."""

from dataclasses import replace
from typing import Any

import pytest
from stage_world import FakeFacts, in_file, make_answered, make_valid

from gateway.established import Disclosed, Established
from gateway.recorder import make_record
from gateway.refusal import Fault, Refusal
from gateway.replies import Message
from gateway.stages.screen import screen
from services.consultation import Outcome

ONE, TWO, THREE = "80631500121", "80631500319", "80631500418"
BROKEN = Fault("MSG00003", "broken")


def found(*ssins: str, concerned: tuple[str, ...] = ()) -> Outcome:
    items = [{"worker": {"ssin": ssin}} for ssin in ssins]
    return Outcome("data_found", {"periods": {"period": items}}, concerned=concerned)


def record(outcome: Outcome, refusal: Refusal | None = None, **request: Any) -> tuple[str | None, tuple[str, ...]]:
    answered = make_answered(outcome, **request)
    screened = screen(answered, FakeFacts({ssin: in_file() for ssin in (ONE, TWO)}))
    return about(Disclosed(screened, {}, (), ()), refusal)


def about(established: Established, refusal: Refusal | None = None) -> tuple[str | None, tuple[str, ...]]:
    made = make_record(established, Message("", "fault" if refusal else "reply", "", ""), refusal)
    return made.subject, made.further_subjects


@pytest.mark.parametrize(
    ("outcome", "request_", "subjects"),
    [
        (found(), {}, (None, ())),
        (found(ONE), {"subjects": (ONE,)}, (ONE, ())),
        (Outcome("no_data"), {"subjects": (TWO, ONE)}, (TWO, (ONE,))),
        (found(TWO, ONE, TWO), {}, (TWO, (ONE,))),
        (found(THREE, ONE), {}, (ONE, ())),
        (found(TWO), {"subjects": (ONE, TWO)}, (ONE, (TWO,))),
        (found(concerned=(THREE, ONE, THREE)), {}, (THREE, (ONE,))),
        (found(ONE, TWO, concerned=(THREE,)), {"subjects": (TWO,)}, (TWO, (THREE,))),
    ],
    ids=[
        "nobody",
        "the one asked about and told about",
        "those asked about",
        "those told about",
        "nobody who was left out",
        "those asked about, though nothing was found of them",
        "those dealt with",
        "all of them",
    ],
)
def test_the_record_is_about(outcome: Outcome, request_: dict[str, Any], subjects: tuple[str | None, tuple]) -> None:
    assert record(outcome, **request_) == subjects


def test_whoever_was_found_but_not_told_because_the_reply_failed_is_not_told_about() -> None:
    assert record(found(ONE, TWO, concerned=(THREE,)), BROKEN) == (THREE, ())


def test_how_many_were_left_out_is_recorded() -> None:
    answered = make_answered(found(ONE, THREE, THREE))
    screened = screen(answered, FakeFacts({ONE: in_file()}))
    disclosed = Disclosed(screened, {}, (), ())
    assert make_record(disclosed, Message("", "reply", "", ""), None).left_out == 2
    assert make_record(answered, Message("", "fault", "", ""), BROKEN).left_out is None


@pytest.mark.parametrize(
    ("ticket", "kept"),
    [
        ("5f0c6a52-8a3e-4f0b-9d1e-2b7c54f1a906", True),
        # Digits of neighbouring groups, and of one group, that pass for an SSIN: both are UUIDs as they are drawn.
        ("8063150c-0121-4806-8315-00121abcdef0", True),
        ("5f0c6a52-8a3e-4f0b-9d1e-280631500121", True),
        ("5F0C6A52-8A3E-4F0B-9D1E-280631500121", True),
        # Filled up to look like one: no version, no variant, no UUID at all.
        ("00000000-0000-0000-0000-080631500121", False),
        ("5f0c6a52-8a3e-0f0b-9d1e-280631500121", False),
        ("5f0c6a52-8a3e-4f0b-0d1e-280631500121", False),
        ("5f0c6a528a3e4f0b9d1e280631500121", False),
        ("80631500121", False),
        ("806315-001.21", False),
        ("file 806315 00121/3", False),
        ("file 12", True),
    ],
)
def test_the_clients_ticket_is_kept_unless_it_holds_a_persons_number(ticket: str, kept: bool) -> None:
    valid = make_valid({})
    customer = {**valid.values["informationCustomer"], "ticket": ticket}
    asking = replace(valid, values={**valid.values, "informationCustomer": customer})
    made = make_record(asking, Message("", "fault", "", ""), BROKEN)
    assert made.customer_ticket == (ticket if kept else None)
