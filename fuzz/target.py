"""What a target of the fuzzers is: something that tries the input of a number, and says what came of it."""

import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from random import Random
from traceback import extract_tb

# Far above what any input may cost, so that a busy machine is no finding; of CPU time.
SLOW_SECONDS = 1.0
# Of time, for what waits and burns none: a lock, a sleep. No input may wait for anything.
HUNG_SECONDS = 30.0
_SSIN = re.compile(r"(?<![\w-])[0-9]{11}(?![\w-])")


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of an input: `code` is the answer, `passed` whether verification let it in, `problems` are findings."""

    content: bytes
    code: str
    passed: bool
    problems: tuple[str, ...] = ()


Try = Callable[[int, int], Tried]
"""Makes the input of a seed and a number, and tries it."""


@dataclass(frozen=True, slots=True)
class Target:
    """`of_hundred` is its part of a run over all targets, `least` the share of its inputs that must pass."""

    about: str
    of_hundred: int
    least: float
    open: Callable[[], AbstractContextManager[Try]]


def randomness(name: str, seed: int, number: int) -> Random:
    """Return what the input of this number is made from: the same whenever it is asked for. Not for secrets."""
    return Random(f"{name}:{seed}:{number}")  # noqa: S311


def try_reading(
    content: bytes, read: Callable[[], object], refusals: tuple[type[Exception], ...], *, about_persons: bool = False
) -> Tried:
    """Read an input: a result, or one of the refusals, within a second; whatever else is raised is a finding.

    What is `about_persons` must not be quoted in the refusal, whose text is shown and logged.
    """
    started, problems, passed = time.process_time(), [], False
    try:
        result = read()
        code, passed = "read" if result is None else str(result), True
    except refusals as refusal:
        code = type(refusal).__name__
        if about_persons and names_person(str(refusal)):
            problems.append(f"the refusal quotes a number: {refusal}")
    except Exception as error:
        code = "none"
        problems.append(describe_error(error))
    seconds = time.process_time() - started
    if seconds > SLOW_SECONDS:
        problems.append(f"took {seconds:.2f} s of CPU")
    return Tried(content, code, passed, tuple(problems))


def describe_error(error: Exception) -> str:
    """Return an exception with where it was raised."""
    *_, last = extract_tb(error.__traceback__)
    return f"raised {type(error).__name__}: {error} ({last.filename}:{last.lineno})"


def names_person(text: str) -> bool:
    """Tell whether what may be a person's number stands in a text."""
    return _SSIN.search(text) is not None
