"""Messages that leave: replies and faults, made of values, in the contract's form. They are signed and sent elsewhere.

Every message is valid against its XSD before anyone sees it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lxml import etree

from gateway.catalogue import Catalogue
from gateway.contracts import DRY_RUN_CASE, OperationContract
from gateway.established import Arrived, Disclosed, Established, Resolved, Valid, find, get
from gateway.refusal import Fault, NoResult
from gateway.wss.sign import HeaderBlock
from gateway.xml.binding import escape_text
from services.consultation import Values

AUTHOR = "KSZ-GATEWAY"
_LONGEST_TEXT = 256


class InvalidReply(Exception):
    """What we were about to send is not valid against the contract: a mistake of ours or of a source's data."""


@dataclass(frozen=True, slots=True)
class Message:
    """The Body's only child, as canonical text, with what the record says of it.

    `outcome` is `reply`, `refusal` (a reply without result, by decision) or `fault`; `value` and `code` are the
    status's, `value` is empty for a fault. `blocks` go into the Header, signed where the message is.
    """

    body: str
    outcome: str
    value: str
    code: str
    http_status: int = 200
    blocks: tuple[HeaderBlock, ...] = ()
    retry_after_seconds: int = 0

    def with_blocks(self, blocks: tuple[HeaderBlock, ...]) -> "Message":
        """Return the message with these header blocks too."""
        return replace(self, blocks=(*self.blocks, *blocks))


class Replies:
    """Writes messages. `public_url` is where clients find the error catalogue."""

    def __init__(self, catalogue: Catalogue, public_url: str, clock: Callable[[], datetime]) -> None:
        self._catalogue = catalogue
        self._errors = public_url.rstrip("/") + "/errors/"
        self._clock = clock

    def answer(self, disclosed: Disclosed) -> Message:
        """Write the reply of an operation; InvalidReply when the source's data do not fit the contract."""
        outcome = disclosed.previous.outcome
        kind = "refusal" if outcome.refused else "reply"
        return self._reply(get(disclosed, Valid), outcome.case, outcome.information, disclosed.data, kind)

    def no_result(self, valid: Valid, refusal: NoResult) -> Message:
        """Write the reply of a denial, with what the contract lets it say about the person."""
        denial = refusal.denial
        person = refusal.facts.persons.get(denial.subject) if denial.subject else None
        successor = person.replaced_by if person else None
        service = valid.previous.operation.service
        data = service.subject_data(denial.case, denial.subject or "", successor)
        return self._reply(valid, denial.case, denial.information, data, "refusal")

    def dry_run(self, valid: Valid) -> Message:
        """Write the reply of a dry run that nothing refuses."""
        return self._reply(valid, DRY_RUN_CASE, (), {}, "reply")

    def fault(self, established: Established, fault: Fault) -> Message:
        """Write a fault, with the operation's own detail once the operation is known."""
        text = self._text(fault.code, fault.told)
        resolved = find(established, Resolved)
        detail = self._detail(established, resolved.operation, fault, text) if resolved else ""
        return Message(
            body=(
                f"<soapenv:Fault><faultcode>{fault.faultcode}</faultcode>"
                f"<faultstring>{escape_text(f'{fault.code}: {text}')}</faultstring>{detail}</soapenv:Fault>"
            ),
            outcome="fault",
            value="",
            code=fault.code,
            http_status=fault.http_status,
            retry_after_seconds=fault.retry_after_seconds,
        )

    def _reply(
        self, valid: Valid, case: str, information: tuple[tuple[str, str], ...], data: Values, outcome: str
    ) -> Message:
        operation = valid.previous.operation
        values: dict[str, Any] = {name: valid.values[name] for name in operation.echo}
        if operation.has_information_cbss:
            values["informationCBSS"] = self._information_cbss(valid)
        value = code = ""
        if operation.has_status:
            status = operation.service.statuses.get_status(operation.descriptor.name, case)
            value, code = status.value, status.code
            values["status"] = {
                "value": value,
                "code": code,
                "description": self._description(value, code),
                "information": _information(information),
            }
        body = operation.write_response(values | dict(data))
        self._check(valid, body)
        return Message(body, outcome, value, code)

    def _detail(self, established: Established, operation: OperationContract, fault: Fault, text: str) -> str:
        valid = find(established, Valid)
        values: dict[str, Any] = {
            "informationCBSS": self._information_cbss(established),
            "detail": [
                {
                    "severity": "FATAL",
                    "reasonCode": fault.code,
                    "diagnostic": text,
                    "authorCode": AUTHOR,
                    "information": _information(fault.information),
                }
            ],
        }
        if valid and "informationCustomer" in valid.values:
            values["informationCustomer"] = valid.values["informationCustomer"]
        detail = operation.write_fault(values)
        self._check(established, detail)
        return f"<detail>{detail}</detail>"

    def _information_cbss(self, established: Established) -> Mapping[str, Any]:
        arrived = get(established, Arrived)
        return {
            "ticketCBSS": arrived.ticket,
            "timestampReceive": arrived.received_at,
            "timestampReply": self._clock(),
        }

    def _description(self, value: str, code: str) -> str:
        texts = self._catalogue.get(code).texts["en"]
        return self._text(code, texts.meaning if value == "DATA_FOUND" else f"{texts.meaning} {texts.remedy}")

    def _text(self, code: str, text: str) -> str:
        """Add where the catalogue explains the code, if both fit within what the contracts hold."""
        pointed = f"{text} ({self._errors}{code})"
        return pointed if len(pointed) <= _LONGEST_TEXT else text[:_LONGEST_TEXT]

    def _check(self, established: Established, body: str) -> None:
        errors = get(established, Arrived).endpoint.contract.schema.find_errors(etree.fromstring(body.encode()))
        if errors:
            raise InvalidReply("; ".join(f"{path}: {message}" for path, message in errors))


def _information(fields: tuple[tuple[str, str], ...]) -> list[Mapping[str, str]]:
    return [{"fieldName": name, "fieldValue": value} for name, value in fields]
