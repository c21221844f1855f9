"""A remote source's contract: messages written by zeep from the committed WSDL, replies read as our own are written.

Nothing is fetched: documents come from `wsdl/` and `xsd/` and nowhere else. What is read was validated before.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lxml import etree

from gateway.contracts import WSDL_FOLDER, XSD_FOLDER, ServiceContract
from gateway.sources.trouble import BadAnswer, NotSent
from gateway.xml.binding import Unreadable, compile_reader
from gateway.xml.namespaces import SOAP
from gateway.xml.validation import Schema
from services.consultation import Values


class _CommittedDocuments:
    """What zeep takes for its transport: reads the committed files, and can do nothing else."""

    def load(self, url: str) -> bytes:
        """Return a file of the contracts; PermissionError for anything else."""
        path = Path(url).resolve()
        if path.parent not in (WSDL_FOLDER.resolve(), XSD_FOLDER.resolve()):
            raise PermissionError(f"{url} is no file of the contracts")
        return path.read_bytes()


class RemoteContract:
    """The messages of one service, both ways. Threads share it."""

    def __init__(self, contract: ServiceContract) -> None:
        """Load the WSDL, and compile a schema of our own: no answer, however slow to check, keeps requests waiting."""
        descriptor = contract.descriptor
        # Imported only here: it takes a fifth of a second, and most gateways ask nobody else.
        import zeep

        self._unwritable = (zeep.exceptions.Error, TypeError)
        # A strict zeep stumbles over a choice of groups in the middle of a type, as the criteria of DmfA are.
        self._zeep = zeep.Client(
            str(WSDL_FOLDER / descriptor.wsdl),
            transport=_CommittedDocuments(),
            settings=zeep.Settings(strict=False, forbid_dtd=True, forbid_external=True),
        )
        self._schema = Schema((XSD_FOLDER / descriptor.wsdl).with_suffix(".xsd"))
        operations = {each.descriptor.name: each for each in contract.operations.values()}
        self._actions = {name: each.soap_action for name, each in operations.items()}
        self._replies: Mapping[str, tuple[str, Callable[[etree._Element], Values]]] = {
            name: (f"{{{descriptor.namespace}}}{each.response.name}", compile_reader(each.response))
            for name, each in operations.items()
        }

    def soap_action(self, operation: str) -> str:
        """Return the operation's SOAPAction."""
        return self._actions[operation]

    def write(self, operation: str, values: Values) -> str:
        """Return the request as the canonical text of the Body's element; NotSent when the contract cannot say it."""
        try:
            envelope = self._zeep.create_message(self._zeep.service, operation, **values)
        except self._unwritable:
            # Without its text, which may quote the values; the port asks what the contract has no question for.
            raise NotSent("the contract cannot say what is asked") from None
        (payload,) = envelope.iterfind(f"{{{SOAP}}}Body/*")
        return etree.tostring(payload, method="c14n", exclusive=True).decode()

    def read(self, operation: str, payload: etree._Element) -> dict[str, Any]:
        """Return the values of a reply; BadAnswer when it is no valid reply of the operation."""
        name, read = self._replies[operation]
        if payload.tag != name:
            raise BadAnswer("the answer is no reply of the operation")
        if self._schema.find_errors(payload, 1):
            raise BadAnswer("the answer is not valid against its XSD")
        try:
            return dict(read(payload))
        except Unreadable:
            raise BadAnswer("the answer holds what no value can be made of") from None
