"""Puts synthetic attestations into the database, in chunks: a million pass through and are never held at once.

For demo and test worlds only. Inserts; who loads a version twice gets the database's IntegrityError.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from fixtures.attestations import SyntheticOutage
from gateway.storage.dmfa_tables import dmfa_attestations, dmfa_outages
from services.dmfa.attestation import Attestation

CHUNK = 1000


def load_attestations(connection: Connection, attestations: Iterable[Attestation], chunk: int = CHUNK) -> int:
    """Insert versions with the keys that their documents hold; return how many."""
    stream, loaded = iter(attestations), 0
    while part := [_row(attestation) for attestation in islice(stream, chunk)]:
        connection.execute(dmfa_attestations.insert(), part)
        loaded += len(part)
    return loaded


def load_outages(connection: Connection, outages: Iterable[SyntheticOutage]) -> None:
    """Insert the quarters that registers have not delivered."""
    rows = [
        {"source": outage.source, "begin_quarter": outage.begin_quarter, "end_quarter": outage.end_quarter}
        for outage in outages
    ]
    if rows:
        connection.execute(dmfa_outages.insert(), rows)


def _row(attestation: Attestation) -> dict[str, Any]:
    declaration = attestation.document.get("attEmployerDeclaration", {})
    record = declaration.get("attNaturalPerson", {}).get("attWorkerRecord", {})
    return {
        "ssin": attestation.ssin,
        "quarter": attestation.position.quarter,
        "attestation_id": attestation.position.attestation_id,
        "version": attestation.position.version,
        "previous_version": attestation.previous_version,
        "next_version": attestation.next_version,
        "status": attestation.status,
        "creation_date": attestation.creation_date,
        "source": attestation.source,
        "nsso_number": declaration.get("nssoRegistrationNumber", ""),
        "enterprise_number": declaration.get("enterpriseNumber"),
        "sector_indicator": declaration.get("sectorIndicator"),
        "provincial_or_local": declaration.get("provincialOrLocalAuthority", False),
        "employer_class": record.get("employerClass"),
        "worker_code": record.get("workerCode"),
        "document": attestation.document,
    }
