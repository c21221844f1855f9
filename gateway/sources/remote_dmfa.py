"""The registers of attestations behind DmfaConsultationService as another institution's service.

Implements `services.dmfa.repository`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from gateway.sources.remote import About, Answer, RemoteSource
from gateway.sources.remote_pages import Pages, RemotePage
from gateway.sources.remote_persons import about_person
from gateway.sources.remote_quarters import read_quarters
from gateway.sources.remote_statuses import FOUND, expect
from services.consultation import Values, present
from services.dmfa.attestation import (
    NSSO,
    PROVINCIAL_AND_LOCAL,
    Attestation,
    AttestationPage,
    AttestationSearch,
    MissingDelivery,
    Position,
)
from services.paging import NEXT

_NO_DATA, _SOURCE_MISSING, _UNAVAILABLE = "MSG00100", "HAN20200", "MSG00020"


class RemoteDmfaRepository:
    """Asks the source, page by page."""

    def __init__(self, source: RemoteSource) -> None:
        self._source = source
        self._pages = Pages()

    def probe(self) -> None:
        """Ask for nobody: return if the source answers."""
        self._source.probe()

    def find_attestations(self, search: AttestationSearch, limit: int) -> AttestationPage:
        """Ask for as many pages as `limit` takes, within one deadline; each tells what is missing of the whole."""
        until = self._source.begin()
        missing: list[MissingDelivery] = []

        def ask(token: str | None) -> RemotePage[Attestation]:
            criteria = _write_criteria(search) | ({NEXT: token} if token else {})
            operation = "consultDmfaAttestationsBySsin"
            answer = self._source.ask(operation, criteria, _about_attestations(search.ssin), until)
            missing[:] = _read_missing(answer)
            if not (answer.code == _UNAVAILABLE and missing):
                expect(answer, FOUND | {_NO_DATA, _SOURCE_MISSING})
            found = answer.values.get("dmfaAttestations", {}).get("dmfaAttestation", ())
            return RemotePage(tuple(_read_attestation(search.ssin, each) for each in found), answer.values.get(NEXT))

        question = replace(search, after=None)
        items, more = self._pages.read(question, search.after, limit, ask, lambda each: each.position)
        return AttestationPage(items, more, tuple(missing))

    def close(self) -> None:
        """Take no more questions."""
        self._source.close()


def _about_attestations(ssin: str) -> About:
    """Return the check of a reply: the person asked about, and every attestation's worker, are the same."""
    about = about_person(ssin)

    def check(values: Values) -> bool:
        attestations = values.get("dmfaAttestations", {}).get("dmfaAttestation", ())
        workers = (each.get("attEmployerDeclaration", {}).get("attNaturalPerson", {}) for each in attestations)
        return about(values) and all(worker.get("ssin", ssin) == ssin for worker in workers)

    return check


def _write_criteria(search: AttestationSearch) -> dict[str, Any]:
    return present(
        ssin=search.ssin,
        quarterPeriod={"beginQuarter": search.begin_quarter, "endQuarter": search.end_quarter},
        resultsAction="RESULTS_ONLINE_ONLY",
        latestSituationOnly=search.latest_only,
        provincialOrLocalAuthority=search.provincial_or_local,
        sectorIndicators={"sectorIndicator": list(search.sector_indicators)} if search.sector_indicators else None,
        attestationId=search.attestation_id,
        attestationVersion=search.attestation_version,
        nssoRegistrationNumber=search.nsso_registration_number,
        enterpriseNumber=search.enterprise_number,
        employerClass=search.employer_class,
        workerCode=search.worker_code,
    )


def _read_missing(answer: Answer) -> Iterator[MissingDelivery]:
    """Yield what a status says is missing: a register, and then its quarters."""
    source = ""
    for name, text in _missing_fields(answer):
        if name == "source":
            source = text
        else:
            yield from (MissingDelivery(source, quarter) for quarter in read_quarters(text))


def _missing_fields(answer: Answer) -> Iterable[tuple[str, str]]:
    if answer.code not in (_SOURCE_MISSING, _UNAVAILABLE):
        return ()
    return (each for each in answer.information if each[0] in ("source", "quarters"))


def _read_attestation(ssin: str, values: Values) -> Attestation:
    """Return the version; which register keeps it, the declaration says."""
    information, links = values["attestationInformation"], values.get("attestationVersionLink", {})
    beside = ("attestationInformation", "attestationVersionLink")
    document = {name: value for name, value in values.items() if name not in beside}
    declaration = document.get("attEmployerDeclaration", {})
    position = Position(declaration.get("quarter", ""), information["attestationId"], information["attestationVersion"])
    return Attestation(
        ssin=ssin,
        source=PROVINCIAL_AND_LOCAL if declaration.get("provincialOrLocalAuthority") else NSSO,
        position=position,
        previous_version=links.get("previousAttestationVersion"),
        next_version=links.get("nextAttestationVersion"),
        status=information["attestationStatus"],
        creation_date=information["creationDate"],
        document=document,
    )
