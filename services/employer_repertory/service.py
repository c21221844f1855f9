"""EmployerRepertoryService as Spyne knows it: one bare rpc, in the contract's namespace.

The dispatch seam passes a Consultation in place of a parsed element and takes an Outcome in place of a reply.
The ports are the application's: `ctx.app.config.repository` and `ctx.app.config.user_access`.
"""

from typing import Any

from spyne import AnyXml, Service, rpc

from services.consultation import Consultation, Outcome
from services.employer_repertory import operations

NAMESPACE = "http://kszbcss.fgov.be/intf/EmployerRepertoryService/v1"


class EmployerRepertory(Service):  # type: ignore[misc]  # Spyne is untyped.
    """Consults the registers of employers."""

    @rpc(  # type: ignore[untyped-decorator]  # As above.
        AnyXml,
        _returns=AnyXml,
        _body_style="bare",
        _in_message_name=f"{{{NAMESPACE}}}consultEmployerRequest",
        _out_message_name=f"{{{NAMESPACE}}}consultEmployerResponse",
    )
    def consult_employer(ctx: Any, consultation: Consultation) -> Outcome:
        """Tell the registrations of an employer."""
        config = ctx.app.config
        return operations.consult_employer(consultation, config.repository, config.user_access)
