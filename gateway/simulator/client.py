"""The gateway as its sources know it: one client, by its certificate, who may ask all that the contracts have.

To User Management it is a support application, to every other source an institution.
"""

from datetime import date, datetime
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from authz.annex import Annex, ClientKind, Role, RoleAnnex
from authz.annex_document import read_annex
from authz.contract_shape import CRITERIA, Contracts, ContractShape
from authz.contract_shape import LEGAL_CONTEXT as CONTEXT_ELEMENT
from gateway.annexes.names import Certificate

CLIENT = "gateway"
CBE_NUMBER = "0999900051"
LEGAL_CONTEXT = "GATEWAY:CONSULTATION"
_EXEMPTION = "The gateway controls the integration of persons before it asks"
_KINDS = (ClientKind.INSTITUTION, ClientKind.SUPPORT_APPLICATION)


class OneClient:
    """The annexes of a source: one."""

    def __init__(self, annex: Annex) -> None:
        self._annex = annex

    def find(self, certificate: Certificate, now: datetime) -> Annex | None:
        """Return the annex, if it binds this certificate."""
        return self._annex if self.is_bound(certificate, now) else None

    def is_bound(self, certificate: Certificate, now: datetime) -> bool:
        """Tell whether it is the gateway's certificate."""
        return any(binding.sha256 == certificate.sha256 for binding in self._annex.certificates)

    def find_for_role(self, role: Role, now: datetime) -> RoleAnnex | None:
        """Return None: a source has no other clients."""
        return None


def make_annex(certificate_pem: bytes, shapes: Contracts, service: str) -> Annex:
    """Return what the gateway may ask of this service; ValueError when there is no certificate in the PEM text."""
    operations = shapes[service]
    kinds = (
        kind for kind in _KINDS if all(shape.kinds is None or kind in shape.kinds for shape in operations.values())
    )
    fingerprint = x509.load_pem_x509_certificate(certificate_pem).fingerprint(SHA256()).hex()
    document = {
        "client": CLIENT,
        "kind": next(kinds).value,
        "identity": {"cbeNumber": CBE_NUMBER, "name": "The gateway"},
        "validFrom": date(2020, 1, 1),
        "authentication": {"methods": ["x509Token"], "signToken": True},
        "certificates": [{"sha256": fingerprint}],
        "operations": [_grant(service, operation, shape) for operation, shape in operations.items()],
    }
    return read_annex(yaml.safe_dump(document, sort_keys=False), shapes)


def _grant(service: str, operation: str, shape: ContractShape) -> dict[str, Any]:
    optional = [path for path in shape.request_paths if path.startswith(f"{CRITERIA}/") and path.count("/") == 1]
    grant: dict[str, Any] = {
        "service": service,
        "operation": operation,
        "deliberation": "Simulated: the source has none",
        "parameters": {path: {"required": False} for path in optional},
    }
    if CONTEXT_ELEMENT in shape.request_paths:
        grant["legalContexts"] = [LEGAL_CONTEXT]
    if shape.consults_persons:
        grant["integrationExemption"] = _EXEMPTION
    return grant
