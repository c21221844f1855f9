"""The seam with Spyne: publishes the committed WSDLs and routes a verified request to its operation.

Spyne keeps what it is for (services declared with `@rpc`, the routing by the name of the message, the WSDL as the
application's interface document). It neither parses nor serialises here: the request arrives as values and the outcome
leaves as values, because stock serialisation is most of the cost of a stock request.
"""

import logging
import math
from collections.abc import Mapping
from typing import Any

import spyne.const
from spyne import Application
from spyne.context import MethodContext
from spyne.interface import InterfaceDocuments
from spyne.interface.wsdl import Wsdl11
from spyne.protocol.soap import Soap11
from spyne.server import ServerBase

from gateway.contracts import OperationContract, ServiceContract
from services.consultation import Consultation, Outcome

# Spyne runs a full garbage collection after a request, once a second, to undo reference cycles of its own
# serialisation, which never runs here.
spyne.const.MIN_GC_INTERVAL = math.inf

for _name in ("spyne", "spyne.application", "spyne.protocol", "spyne.protocol.xml", "spyne.util.appreg"):
    # These print messages' bodies.
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)


class _ValuesProtocol(Soap11):
    """Soap11 that takes a request already read, and leaves the operation's answer as it is."""

    def create_in_document(self, ctx: Any, charset: str | None = None) -> None:
        """The envelope was parsed and verified before."""

    def decompose_incoming_envelope(self, ctx: Any, message: str = Soap11.REQUEST) -> None:
        """Route by the qualified name of the payload, as Soap11 does."""
        ctx.method_request_string = ctx.in_document


class _CommittedWsdl(Wsdl11):
    """The interface document of an application is the WSDL in the repository, not one made from Python classes."""

    def build_interface_document(self, url: str) -> None:
        """Take the committed text, at the address of this deployment."""
        self._document: bytes = self.interface.app.config.contract.published_wsdl(url)

    def get_interface_document(self) -> bytes:
        """Return the WSDL, UTF-8."""
        return self._document


class _CommittedDocuments(InterfaceDocuments):
    def __init__(self, interface: Any) -> None:
        super().__init__(interface)
        self.wsdl11 = _CommittedWsdl(interface)


class _Server(ServerBase):
    transport = "gateway"


class _Application(Application):
    """An application whose operations' exceptions reach the pipeline.

    Spyne itself would turn every one of them into an anonymous "Internal Error".
    """

    def call_wrapper(self, ctx: Any) -> Any:
        """Call the operation; keep what it raised in the context."""
        try:
            return super().call_wrapper(ctx)
        except Exception as error:
            ctx.udc.raised = error
            return None


class _Config:
    """What a Spyne service finds in `ctx.app.config`: its contract for the WSDL, its repository and its other ports.

    Each port is an attribute by its own name.
    """

    def __init__(self, contract: ServiceContract, repository: object, ports: Mapping[str, object]) -> None:
        self.__dict__.update(ports)
        self.contract = contract
        self.repository = repository


class _Call:
    """What one call carries besides the request: the exception that its operation raised."""

    raised: Exception | None = None


class ServiceEndpoint:
    """One published service: its WSDL and the way to call its operations."""

    def __init__(self, contract: ServiceContract, repository: object, public_url: str, **ports: object) -> None:
        protocol = _ValuesProtocol()
        application = _Application(
            [contract.descriptor.spyne_service],
            contract.descriptor.namespace,
            name=contract.descriptor.name.partition("/")[0],
            in_protocol=protocol,
            out_protocol=_ValuesProtocol(),
            config=_Config(contract, repository, ports),
            documents_container=_CommittedDocuments,
        )
        self._server = _Server(application)
        application.interface.docs.wsdl11.build_interface_document(public_url)
        self.contract = contract
        self._routed = {payload: self._route(payload) for payload in contract.operations}
        self.wsdl: bytes = application.interface.docs.wsdl11.get_interface_document()

    def call(self, operation: OperationContract, consultation: Consultation) -> Outcome:
        """Call the operation; whatever it raises comes out unchanged."""
        context = self._routed[operation.payload].copy()
        context.udc = call = _Call()
        context.in_object = consultation
        try:
            self._server.get_out_object(context)
            if call.raised is not None:
                raise call.raised
            if context.out_error is not None:
                raise context.out_error
            outcome: Outcome
            (outcome,) = context.out_object
            return outcome
        finally:
            context.close()

    def _route(self, payload: str) -> MethodContext:
        """Return Spyne's context for a message of this name: each call has a copy, which costs less than one anew."""
        context = MethodContext(self._server, MethodContext.SERVER)
        context.in_document = payload
        (routed,) = self._server.generate_contexts(context)
        if routed.in_error is not None:
            raise routed.in_error
        return routed
