"""The two operations: which page of attestations is told, and which case that is.

Pure functions of a consultation that is already authorised and of the ports. They decide nothing about who may
ask. Faults of the source pass through as they are raised.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from services.calendar import render_quarters
from services.consultation import Consultation, Outcome, SourceAnswerInvalid, SourceUnavailable
from services.criterion import UnusableCriterion
from services.dmfa.attestation import Attestation, AttestationPage, AttestationSearch, MissingDelivery
from services.dmfa.criteria import read_criteria, render_position
from services.dmfa.reply import UNSUPPORTED, make_attestations
from services.dmfa.repository import DmfaRepository
from services.paging import NEXT, PageTokens, get_scope
from services.subject import make_own_ssin

# What one reply holds; the contract sets no bound, a reader's patience does.
PAGE = 25
MAX_FIELD_LENGTH = 256

Information = tuple[tuple[str, str], ...]


def consult_attestations(consultation: Consultation, repository: DmfaRepository, tokens: PageTokens) -> Outcome:
    """Answer with a page of the versions that meet every criterion, by quarter, attestation and version.

    What a register did not deliver makes the answer a partial one, which names the register and the quarters;
    with nothing left to tell, the source is unavailable. Further pages hold what follows the last version told, so
    that none is told twice or skipped when versions are added in between.
    """
    search = read_criteria(consultation, tokens)
    if isinstance(search, UnusableCriterion):
        return search.to_outcome()
    if consultation.values["criteria"]["resultsAction"] != "RESULTS_ONLINE_ONLY":
        return Outcome("not_implemented")
    page = repository.find_attestations(search, PAGE)
    _refuse(_find_contradiction(page, search))
    missing = _missing_fields(page.missing)
    if not page.attestations:
        if missing:
            raise SourceUnavailable("a register gave no answer", missing)
        return Outcome("no_data")
    data: dict[str, Any] = {
        "ssin": make_own_ssin(search.ssin),
        "unsupportedData": {"unsupportedElement": list(UNSUPPORTED)},
        "dmfaAttestations": {"dmfaAttestation": make_attestations(page.attestations)},
    }
    if page.more:
        data[NEXT] = tokens.issue(get_scope(consultation), render_position(page.attestations[-1].position))
    if missing:
        return Outcome("source_missing", data, missing)
    if page.more:
        return Outcome(
            "page_found", data, (("next", "more attestations follow: ask again with this value in criteria"),)
        )
    return Outcome("data_found", data)


def consult_personnel(consultation: Consultation) -> Outcome:
    """Promise nothing: only a batch could answer, and nobody would deliver it."""
    return Outcome("not_implemented")


def _find_contradiction(page: AttestationPage, search: AttestationSearch) -> str | None:
    """Say how a page contradicts the question or itself, without personal data."""
    for attestation in page.attestations:
        contradiction = _find_contradiction_in(attestation, search)
        if contradiction is not None:
            return contradiction
    positions = [attestation.position for attestation in page.attestations]
    if any(first >= second for first, second in pairwise(positions)):
        return "attestations out of order"
    if search.after is not None and positions and positions[0] <= search.after:
        return "attestations of an earlier page"
    return None


def _find_contradiction_in(attestation: Attestation, search: AttestationSearch) -> str | None:
    declaration = attestation.document.get("attEmployerDeclaration")
    if attestation.ssin != search.ssin:
        return "an attestation of another SSIN"
    if not search.begin_quarter <= attestation.position.quarter <= search.end_quarter:
        return "a quarter that was not asked"
    if not isinstance(declaration, dict):
        return "an attestation without a declaration"
    if declaration.get("quarter") != attestation.position.quarter:
        return "a declaration of another quarter"
    if declaration.get("attNaturalPerson", {"ssin": search.ssin}).get("ssin") != search.ssin:
        return "a declaration about another SSIN"
    return None


def _refuse(contradiction: str | None) -> None:
    if contradiction is not None:
        raise SourceAnswerInvalid.giving(contradiction)


def _missing_fields(missing: Iterable[MissingDelivery]) -> Information:
    quarters: dict[str, list[str]] = {}
    for delivery in missing:
        quarters.setdefault(delivery.source, []).append(delivery.quarter)
    return tuple(
        field
        for source, asked in sorted(quarters.items())
        for field in (("source", source), ("quarters", render_quarters(asked, MAX_FIELD_LENGTH)))
    )
