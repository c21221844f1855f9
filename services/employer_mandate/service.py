"""EmployerMandateConsultationService as Spyne knows it: one bare rpc per operation, in the contract's namespace.

The ports are the application's: `ctx.app.config.repository`, which is User Management, and `ctx.app.config.health`.
"""

from typing import Any

from spyne import AnyXml, Service, rpc

from services.consultation import Consultation, Outcome
from services.employer_mandate import operations
from services.health import check_health

NAME = "EmployerMandateConsultationService/v2"
NAMESPACE = "http://kszbcss.fgov.be/intf/EmployerMandateConsultationService/v2"


class EmployerMandateConsultation(Service):  # type: ignore[misc]  # Spyne is untyped.
    """Answers support applications who reaches the data of an employer."""

    @rpc(  # type: ignore[untyped-decorator]  # As above.
        AnyXml,
        _returns=AnyXml,
        _body_style="bare",
        _in_message_name=f"{{{NAMESPACE}}}CheckUnauthenticatedUserAccessRequest",
        _out_message_name=f"{{{NAMESPACE}}}CheckUnauthenticatedUserAccessResponse",
    )
    def check_unauthenticated_user_access(ctx: Any, consultation: Consultation) -> Outcome:
        """Tell whether a user has access."""
        return operations.check_user_access(consultation, ctx.app.config.repository)

    @rpc(  # type: ignore[untyped-decorator]  # As above.
        AnyXml,
        _returns=AnyXml,
        _body_style="bare",
        _in_message_name=f"{{{NAMESPACE}}}HealthCheckRequest",
        _out_message_name=f"{{{NAMESPACE}}}HealthCheckResponse",
    )
    def health_check(ctx: Any, consultation: Consultation) -> Outcome:
        """Tell how this service is."""
        return check_health(consultation, ctx.app.config.health, NAME)
