"""The header blocks of dry runs: `dryRun`, by which a client asks whether its request would pass, and `explanation`.

Owns their form (`xsd/DryRunV1.xsd`) and which block may be obeyed; what a dry run does stands in `gateway.pipeline`.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from lxml import etree

from authz.answer import Permit
from authz.explanation import Check, Explanation
from gateway.contracts import XSD_FOLDER
from gateway.wss.faults import SecurityCode, SecurityFault
from gateway.wss.names import ACTOR_ATTRIBUTE, HEADER_TAG, NEXT_ACTOR
from gateway.wss.sign import HeaderBlock
from gateway.xml.binding import compile_reader, compile_writer
from gateway.xml.model import Element, SchemaModel
from gateway.xml.parse import MUST_UNDERSTAND
from gateway.xml.validation import Schema

NAMESPACE = "urn:ksz-gateway:dry-run:v1"
DRY_RUN_TAG = f"{{{NAMESPACE}}}dryRun"
EXPLANATION_TAG = f"{{{NAMESPACE}}}explanation"
_SCHEMA = XSD_FOLDER / "DryRunV1.xsd"
_ID = "explanation"


def find_dry_run(envelope: etree._Element, verified: Collection[etree._Element]) -> etree._Element | None:
    """Return the block that asks for a dry run, None without one; SecurityFault unless it is one that was verified.

    A block that is not obeyed would have a consultation made that the client did not want: every one in the message
    counts, wherever it stands, but one in the Header that is addressed to another SOAP node (SOAP 1.1 §4.2.2).
    """
    ours = [block for block in envelope.iter(DRY_RUN_TAG) if not _is_for_another(block, envelope)]
    if not ours:
        return None
    if len(ours) > 1:
        raise _invalid("The message has more than one dryRun block. Send one.")
    (block,) = ours
    if not any(block is each for each in verified):
        raise _invalid(
            "A dryRun block must be a child of the SOAP Header and be covered by the message's signature: "
            "give it a wsu:Id and sign it beside Body and Timestamp, or leave it out."
        )
    return block


def make_dry_run() -> etree._Element:
    """Return the block as a client sends it: who does not know it must not consult either."""
    block = etree.Element(DRY_RUN_TAG, {MUST_UNDERSTAND: "1"}, nsmap={"dry": NAMESPACE})
    block.text = "true"
    return block


def says_true(block: etree._Element) -> bool:
    """Tell whether a block that was found holds what its XSD lets it hold."""
    return not _schema().find_errors(block)


def write_explanation(explanation: Explanation, decided_at: datetime) -> HeaderBlock:
    """Write an explanation as the block that answers a dry run."""
    decision = explanation.decision
    permit, denial = (decision, None) if isinstance(decision, Permit) else (None, decision)
    values = _without_empty(
        {
            "decision": "PERMITTED" if permit else "REFUSED",
            "decidedAt": decided_at,
            "annexRevision": decision.revision,
            "clause": decision.clause,
            "allowed": denial and denial.allowed,
            "check": [_check_values(check) for check in explanation.checks],
            "withheld": permit and permit.withheld,
            "dropped": permit and permit.dropped,
        }
    )
    return HeaderBlock.identify(_ID, _writer()(values))


def read_explanation(envelope: etree._Element) -> Mapping[str, Any] | None:
    """Return the values of the explanation in a reply, None without one."""
    block = envelope.find(f"{HEADER_TAG}/{EXPLANATION_TAG}")
    return None if block is None else compile_reader(_element("explanation"))(block)


def _check_values(check: Check) -> Mapping[str, Any]:
    return _without_empty(
        {
            "name": check.name,
            "ssin": check.subject,
            "result": check.result.name,
            "clause": check.clause,
            "allowed": check.allowed,
        }
    )


def _without_empty(values: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in values.items() if value}


def _is_for_another(block: etree._Element, envelope: etree._Element) -> bool:
    header = envelope.find(HEADER_TAG)
    return block.getparent() is header and block.get(ACTOR_ATTRIBUTE, "").strip() not in ("", NEXT_ACTOR)


def _invalid(reason: str) -> SecurityFault:
    return SecurityFault(SecurityCode.INVALID_SECURITY, reason)


@cache
def _schema() -> Schema:
    return Schema(_SCHEMA)


@cache
def _writer() -> Callable[[Mapping[str, Any]], str]:
    return compile_writer(_element("explanation"), NAMESPACE, "dry")


@cache
def _element(name: str) -> Element:
    return SchemaModel((_SCHEMA,)).get_element(NAMESPACE, name)
