"""Targets: annexes as operators write them, two of them compared, and the golden cases beside them."""

from collections.abc import Iterator
from contextlib import contextmanager

from authz.annex_difference import compare_annexes
from authz.annex_document import AnnexInvalid, read_any_annex
from authz.annex_yaml import read_yaml
from authz.decision_cases import CasesInvalid
from fuzz.target import Tried, Try, randomness, try_reading
from fuzz.texts import change_file, words_of
from gateway.annexes.cases import cases_beside, run_cases
from gateway.contracts import load_contracts
from gateway.demo_world import annex_files


@contextmanager
def open_annexes() -> Iterator[Try]:
    """Read a changed annex, and compare it with any other, either way."""
    shapes = load_contracts().shapes()
    texts = [path.read_text("utf-8") for path in annex_files()]
    words = words_of(texts)

    def attempt(seed: int, number: int) -> Tried:
        random = randomness("annexes", seed, number)
        content = change_file(random, random.choice(texts), words)
        pair = [content.decode("utf-8", "replace"), random.choice(texts)]
        random.shuffle(pair)

        def read() -> str:
            return "differ" if compare_annexes(pair[0], pair[1], shapes) else "the same"

        return try_reading(content, read, (AnnexInvalid,))

    yield attempt


@contextmanager
def open_cases() -> Iterator[Try]:
    """Decide the changed cases of an annex."""
    contracts = load_contracts()
    files = [path for path in annex_files() if cases_beside(path).exists()]
    annexes = [path.read_text("utf-8") for path in files]
    compiled = [(read_any_annex(text, contracts.shapes()), read_yaml(text)) for text in annexes]
    cases = [cases_beside(path).read_text("utf-8") for path in files]
    words = words_of([*cases, *annexes])

    def attempt(seed: int, number: int) -> Tried:
        random = randomness("cases", seed, number)
        at = random.randrange(len(cases))
        annex, document = compiled[at]
        content = change_file(random, cases[at], words)

        def read() -> str:
            report = run_cases(content.decode("utf-8", "replace"), annex, document, contracts)
            return "decided otherwise" if report.failures else "decided"

        return try_reading(content, read, (CasesInvalid,))

    yield attempt
