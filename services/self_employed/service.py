"""SelfEmployedService as Spyne knows it: one bare rpc per operation, in the contract's namespace.

The dispatch seam passes a Consultation in place of a parsed element and takes an Outcome in place of a reply.
The repository is the application's, `ctx.app.config.repository`.
"""

from typing import Any

from spyne import AnyXml, Service, rpc

from services.consultation import Consultation, Outcome
from services.self_employed import operations

NAMESPACE = "http://kszbcss.fgov.be/intf/SelfEmployedService/v2"


class SelfEmployed(Service):  # type: ignore[misc]  # Spyne is untyped.
    """Consults the ARZA register and the contribution accounts of the self-employed."""

    @rpc(  # type: ignore[untyped-decorator]  # As above.
        AnyXml,
        _returns=AnyXml,
        _body_style="bare",
        _in_message_name=f"{{{NAMESPACE}}}consultCareerRequest",
        _out_message_name=f"{{{NAMESPACE}}}consultCareerResponse",
    )
    def consult_career(ctx: Any, consultation: Consultation) -> Outcome:
        """Tell the periods in which a person was subject to the social statute of the self-employed."""
        return operations.consult_career(consultation, ctx.app.config.repository)

    @rpc(  # type: ignore[untyped-decorator]  # As above.
        AnyXml,
        _returns=AnyXml,
        _body_style="bare",
        _in_message_name=f"{{{NAMESPACE}}}consultContributionsRequest",
        _out_message_name=f"{{{NAMESPACE}}}consultContributionsResponse",
    )
    def consult_contributions(ctx: Any, consultation: Consultation) -> Outcome:
        """Tell what the social insurance funds know of the payment of quarterly contributions."""
        return operations.consult_contributions(consultation, ctx.app.config.repository)
