"""HealthCheckService as Spyne knows it; the port is the application's: `ctx.app.config.health`."""

from typing import Any

from spyne import AnyXml, Service, rpc

from services.consultation import Consultation, Outcome
from services.health import check_health

NAMESPACE = "http://kszbcss.fgov.be/intf/HealthCheckService/v1"


class HealthCheckService(Service):  # type: ignore[misc]  # Spyne is untyped.
    """Tells monitoring how the gateway is."""

    @rpc(  # type: ignore[untyped-decorator]  # As above.
        AnyXml,
        _returns=AnyXml,
        _body_style="bare",
        _in_message_name=f"{{{NAMESPACE}}}HealthCheckRequest",
        _out_message_name=f"{{{NAMESPACE}}}HealthCheckResponse",
    )
    def health_check(ctx: Any, consultation: Consultation) -> Outcome:
        """Tell how the gateway is."""
        return check_health(consultation, ctx.app.config.health)
