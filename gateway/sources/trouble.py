"""What can go wrong between the gateway and a remote source, before a meaning of its answer is looked at.

    Trouble
        NotSent             nothing of the question left: the source did not do anything
            NotReached      no connection
            Busy            every place for calls is taken
            CircuitOpen     the source failed too often just now
        BrokenOff           the connection ended before the answer did
        Late                the deadline passed
        NotServed           the source says that it does not serve us, or not now
        BadAnswer           what came back is no signed answer to this question
            WrongPerson     it is one about another person

A port's callers never see these: `gateway.sources.remote` tells them as the faults of `services.consultation`.
"""


class Trouble(Exception):
    """A call that did not bring an answer; the text quotes nothing of any message. `word` is for the metrics."""

    word = "failed"


class NotSent(Trouble):
    """The source was not asked."""


class NotReached(NotSent):
    word = "unreachable"


class Busy(NotSent):
    word = "busy"


class CircuitOpen(NotSent):
    word = "circuit_open"


class BrokenOff(Trouble):
    word = "broken_off"


class Late(Trouble):
    word = "late"


class NotServed(Trouble):
    word = "not_served"


class BadAnswer(Trouble):
    word = "bad_answer"


class WrongPerson(BadAnswer):
    word = "wrong_person"
