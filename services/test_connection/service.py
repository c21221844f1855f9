"""TestConnectionService as Spyne knows it; the dispatch seam passes a Consultation and takes an Outcome."""

from typing import Any

from spyne import AnyXml, Service, rpc

from services.consultation import Consultation, Outcome
from services.test_connection import operations

NAMESPACE = "http://kszbcss.fgov.be/intf/TestConnectionService/v1"


class TestConnection(Service):  # type: ignore[misc]  # Spyne is untyped.
    """Lets a new client try its connection, its certificate and its signature."""

    __test__ = False

    @rpc(  # type: ignore[untyped-decorator]  # As above.
        AnyXml,
        _returns=AnyXml,
        _body_style="bare",
        _in_message_name=f"{{{NAMESPACE}}}sendTestMessageRequest",
        _out_message_name=f"{{{NAMESPACE}}}sendTestMessageResponse",
    )
    def send_test_message(ctx: Any, consultation: Consultation) -> Outcome:
        """Echo a text."""
        return operations.send_test_message(consultation)
