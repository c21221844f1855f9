"""Hand-written registers of attestations and page tokens: the ports of DmfaConsultationService over plain values."""

from collections.abc import Iterable
from dataclasses import replace

from fixtures.attestations import SyntheticOutage
from services.dmfa.attestation import Attestation, AttestationPage, AttestationSearch, MissingDelivery
from services.paging import PageScope


class FakeDmfaRepository:
    """Answers from the versions given; `fault`, when set, is raised in place of any answer."""

    def __init__(self, attestations: Iterable[Attestation] = (), outages: Iterable[SyntheticOutage] = ()) -> None:
        self.attestations = tuple(sorted(attestations, key=lambda each: each.position))
        self.outages = tuple(outages)
        self.fault: Exception | None = None
        self.asked: list[AttestationSearch] = []

    def find_attestations(self, search: AttestationSearch, limit: int) -> AttestationPage:
        self.asked.append(search)
        if self.fault is not None:
            raise self.fault
        found = [each for each in self.attestations if _meets(each, replace(search, after=None))]
        missing = [each for each in found if self._is_out(each)]
        told = [
            each for each in found if each not in missing and (search.after is None or each.position > search.after)
        ]
        deliveries = sorted({(each.source, each.position.quarter) for each in missing})
        return AttestationPage(
            tuple(told[:limit]), len(told) > limit, tuple(MissingDelivery(*delivery) for delivery in deliveries)
        )

    def _is_out(self, attestation: Attestation) -> bool:
        return any(
            outage.source == attestation.source
            and outage.begin_quarter <= attestation.position.quarter <= outage.end_quarter
            for outage in self.outages
        )


class FakePageTokens:
    """Tokens that anybody can read: position and scope side by side."""

    def issue(self, scope: PageScope, position: str) -> str:
        return f"{position}|{hash(scope)}"

    def find_position(self, scope: PageScope, token: str) -> str | None:
        position, _, made_for = token.partition("|")
        return position if made_for == str(hash(scope)) else None


def _meets(attestation: Attestation, search: AttestationSearch) -> bool:
    declaration = attestation.document["attEmployerDeclaration"]
    record = declaration.get("attNaturalPerson", {}).get("attWorkerRecord", {})
    return all(
        (
            attestation.ssin == search.ssin,
            search.begin_quarter <= attestation.position.quarter <= search.end_quarter,
            not search.latest_only or attestation.next_version is None,
            search.provincial_or_local in (None, declaration.get("provincialOrLocalAuthority", False)),
            not search.sector_indicators or declaration.get("sectorIndicator") in search.sector_indicators,
            search.attestation_id in (None, attestation.position.attestation_id),
            search.attestation_version in (None, attestation.position.version),
            search.nsso_registration_number in (None, declaration["nssoRegistrationNumber"]),
            search.enterprise_number in (None, declaration.get("enterpriseNumber")),
            search.employer_class in (None, record.get("employerClass")),
            search.worker_code in (None, record.get("workerCode")),
        )
    )
