"""Whom a record is about: every person asked about, dealt with or told about, each once."""

from typing import Any

import pytest
from stage_world import FakeFacts, in_file, make_answered

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
