"""Assembles the attestations of a reply: what the register keeps as a document is put in as it is.

The elements that no register behind this gateway holds are data, `unsupported.yaml`.
"""

from collections.abc import Iterable

from services.consultation import Values
from services.dmfa.attestation import Attestation
from services.package_data import read_yaml

UNSUPPORTED: tuple[str, ...] = tuple(read_yaml("services.dmfa", "unsupported.yaml"))


def make_attestations(attestations: Iterable[Attestation]) -> list[Values]:
    """Return the `dmfaAttestation` elements, in the order given."""
    return [_make_attestation(attestation) for attestation in attestations]


def _make_attestation(attestation: Attestation) -> Values:
    values: dict[str, Values] = {
        "attestationInformation": {
            "attestationId": attestation.position.attestation_id,
            "attestationVersion": attestation.position.version,
            "attestationStatus": attestation.status,
            "creationDate": attestation.creation_date,
        }
    }
    links = {
        name: version
        for name, version in (
            ("previousAttestationVersion", attestation.previous_version),
            ("nextAttestationVersion", attestation.next_version),
        )
        if version is not None
    }
    if links:
        values["attestationVersionLink"] = links
    return {**values, **attestation.document}
