"""Assembles the attestations of a reply: what the register keeps as a document is put in as it is.

The elements that no register behind this gateway holds are data, `unsupported.yaml`.
"""

from collections.abc import Iterable
from importlib.resources import files

import yaml

from services.consultation import Values
from services.dmfa.attestation import Attestation

UNSUPPORTED: tuple[str, ...] = tuple(
    yaml.safe_load(files("services.dmfa").joinpath("unsupported.yaml").read_text("utf-8"))
)


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
