"""Resolve: the name of the payload is the operation; a SOAPAction, if sent, must agree; it is meant, or a dry run."""

from lxml import etree

from gateway.contracts import OperationContract
from gateway.dry_run import says_true
from gateway.established import Admitted, Arrived, Resolved, get
from gateway.refusal import Fault


def resolve(admitted: Admitted) -> Resolved:
    """Find the operation at the endpoint that was called; GTW00016 when there is none, GTW00017, GTW00012, GTW00020."""
    arrived = get(admitted, Arrived)
    contract = arrived.endpoint.contract
    operation = contract.operations.get(admitted.previous.payload.tag)
    if operation is None:
        known = ", ".join(sorted(one.request.name for one in contract.operations.values()))
        raise Fault("GTW00016", f"This endpoint answers {known} in the namespace {contract.descriptor.namespace}.")
    action = (arrived.soap_action or "").strip().strip('"')
    if action not in ("", operation.soap_action):
        raise Fault("GTW00017", f"The SOAPAction of this message is {operation.soap_action}, or leave it empty.")
    if len(arrived.body or b"") > operation.descriptor.max_bytes:
        most = operation.descriptor.max_bytes
        raise Fault("GTW00012", f"The message is larger than {most} bytes: send less in each.", http_status=413)
    block = admitted.previous.dry_run
    if block is not None:
        _check_dry_run(block, operation)
    return Resolved(admitted, operation, dry_run=block is not None)


def _check_dry_run(block: etree._Element, operation: OperationContract) -> None:
    if not says_true(block):
        raise Fault("GTW00020", "A dryRun header block holds true and nothing else; to consult, leave it out.")
    if not operation.can_run_dry:
        name = operation.descriptor.name
        raise Fault("GTW00020", f"{name} consults nobody and has no dry run: call it without the dryRun header block.")
