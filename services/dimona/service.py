"""DimonaService as Spyne knows it: one bare rpc per operation, in the contract's namespace.

The dispatch seam passes a Consultation in place of a parsed element and takes an Outcome in place of a reply.
The ports are the application's: `ctx.app.config.repository` and `ctx.app.config.page_tokens`.
"""

from typing import Any

from spyne import AnyXml, Service, rpc

from services.consultation import Consultation, Outcome
from services.dimona import operations

NAMESPACE = "http://kszbcss.fgov.be/intf/DimonaService/v1"


class Dimona(Service):  # type: ignore[misc]  # Spyne is untyped.
    """Takes declarations of employment, and consults them and the periods that follow from them."""

    @rpc(  # type: ignore[untyped-decorator]  # As above.
        AnyXml,
        _returns=AnyXml,
        _body_style="bare",
        _in_message_name=f"{{{NAMESPACE}}}submitDeclarationsRequest",
        _out_message_name=f"{{{NAMESPACE}}}submitDeclarationsResponse",
    )
    def submit_declarations(ctx: Any, consultation: Consultation) -> Outcome:
        """Judge and record the declarations of an employer."""
        return operations.submit_declarations(consultation, ctx.app.config.repository)

    @rpc(  # type: ignore[untyped-decorator]  # As above.
        AnyXml,
        _returns=AnyXml,
        _body_style="bare",
        _in_message_name=f"{{{NAMESPACE}}}consultDeclarationsRequest",
        _out_message_name=f"{{{NAMESPACE}}}consultDeclarationsResponse",
    )
    def consult_declarations(ctx: Any, consultation: Consultation) -> Outcome:
        """Tell accepted declarations."""
        config = ctx.app.config
        return operations.consult_declarations(consultation, config.repository, config.page_tokens)

    @rpc(  # type: ignore[untyped-decorator]  # As above.
        AnyXml,
        _returns=AnyXml,
        _body_style="bare",
        _in_message_name=f"{{{NAMESPACE}}}consultPeriodsRequest",
        _out_message_name=f"{{{NAMESPACE}}}consultPeriodsResponse",
    )
    def consult_periods(ctx: Any, consultation: Consultation) -> Outcome:
        """Tell periods of employment."""
        config = ctx.app.config
        return operations.consult_periods(consultation, config.repository, config.page_tokens)

    @rpc(  # type: ignore[untyped-decorator]  # As above.
        AnyXml,
        _returns=AnyXml,
        _body_style="bare",
        _in_message_name=f"{{{NAMESPACE}}}checkEmploymentRequest",
        _out_message_name=f"{{{NAMESPACE}}}checkEmploymentResponse",
    )
    def check_employment(ctx: Any, consultation: Consultation) -> Outcome:
        """Tell of each worker whether he was in service."""
        return operations.check_employment(consultation, ctx.app.config.repository)
