"""Quarters as the information of a status tells them: `2019Q1-2019Q3, 2021Q2`."""

import re
from collections.abc import Iterator

from services.calendar import get_next_quarter
from services.consultation import SourceAnswerInvalid

_QUARTERS = re.compile(r"([12]\d{3}Q[1-4])(?:-([12]\d{3}Q[1-4]))?")
# Of one person, in one answer of a source that has lost count.
_MOST_QUARTERS = 400


def read_quarters(text: str) -> Iterator[str]:
    """Yield the quarters that `services.calendar.render_quarters` wrote; SourceAnswerInvalid for another text."""
    told = 0
    for run in text.split(", "):
        found = _QUARTERS.fullmatch(run)
        if found is None or (found[2] or found[1]) < found[1]:
            raise SourceAnswerInvalid.giving("quarters that are none")
        quarter, last = found[1], found[2] or found[1]
        while quarter <= last:
            told += 1
            if told > _MOST_QUARTERS:
                raise SourceAnswerInvalid.giving("more quarters than anybody has")
            yield quarter
            quarter = get_next_quarter(quarter)
