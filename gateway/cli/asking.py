"""What a command asks as a client: the operation, the client's annex, and the request that the options make."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from authz.annex import Annex
from authz.organisation import Organisation
from gateway.bootstrap import Storage, find_technical_user, list_annexes
from gateway.cli.criteria import fill_options, fill_request
from gateway.cli.output import Problem, parse_organisation, to_text
from gateway.contracts import Contracts, OperationContract
from gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class Asked:
    """The options that make a request; what is not given is taken from the annex, or left out.

    Each of `settings` is `path=value`, the path being that of an element of the request.
    """

    ssin: str | None = None
    legal_context: str | None = None
    begin: str | None = None
    end: str | None = None
    text: str | None = None
    on_behalf_of: str | None = None
    ticket: str | None = None
    settings: Iterable[str] = ()


def find_operation(contracts: Contracts, service: str, operation: str) -> OperationContract:
    """Return the operation, the service named with or without its version; Problem when there is none."""
    for contract in contracts.services.values():
        if service in (contract.descriptor.name, contract.descriptor.name.partition("/")[0]):
            for found in contract.operations.values():
                if found.descriptor.name == operation:
                    return found
            names = ", ".join(found.descriptor.name for found in contract.operations.values())
            raise Problem(f"{service} has no operation {operation}; it has {names}.")
    names = ", ".join(contract.descriptor.name for contract in contracts.services.values())
    raise Problem(f"there is no service {service}; there are {names}.")


def find_annex(storage: Storage, settings: Settings, client: str, now: datetime) -> Annex:
    """Return the annex of a client in force at `now`, or the one made out to a technical user; Problem if none is.

    A technical user is called by the name of its certificate among those of the clients.
    """
    annexes = list_annexes(storage, now)
    for annex in annexes:
        if annex.client == client:
            return annex
    technical_user = _find_technical_user(storage, settings, client, now)
    if technical_user is not None:
        return technical_user
    known = ", ".join(annex.client for annex in annexes) or f"none at {to_text(now)}"
    raise Problem(f"there is no client {client}; there are {known}.")


def make_request(contract: OperationContract, annex: Annex, asked: Asked) -> dict[str, Any]:
    """Return the values of the request; Problem for what the contract does not have or the annex does not say."""
    paths = {path for path, _ in contract.request.paths()}
    request: dict[str, Any] = {}
    if "informationCustomer" in paths:
        request["informationCustomer"] = {
            "ticket": asked.ticket or str(uuid4()),
            "timestampSent": datetime.now(UTC),
            "customerIdentification": _customer(annex, asked.on_behalf_of).to_values(),
        }
    if "legalContext" in paths:
        request["legalContext"] = asked.legal_context or _granted_context(annex, contract)
    fill_request(contract, request, asked.settings)
    fill_options(contract, request, asked.ssin, asked.begin, asked.end, asked.text)
    return request


def _customer(annex: Annex, on_behalf_of: str | None) -> Organisation:
    if on_behalf_of is None:
        return annex.identity if annex.identity in annex.represents else next(iter(annex.represents))
    return parse_organisation(on_behalf_of)


def _granted_context(annex: Annex, contract: OperationContract) -> str:
    wanted = (contract.service.name, contract.descriptor.name)
    for service, operation, legal_context in annex.grants:
        if (service, operation) == wanted and legal_context:
            return legal_context
    raise Problem(
        f"the annex of {annex.client} grants no legal context for {wanted[1]}; "
        "to ask all the same, name one with --legal-context."
    )


def _find_technical_user(storage: Storage, settings: Settings, client: str, now: datetime) -> Annex | None:
    path = settings.state / "pki" / "clients" / f"{client}.pem"
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return None
    return find_technical_user(storage, certificate.fingerprint(SHA256()).hex(), now)
