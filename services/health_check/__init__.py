"""HealthCheckService v1: how the gateway is, as a whole or for one service."""

from services.descriptor import ServiceDescriptor
from services.health import HEALTH_CHECK
from services.health_check.service import NAMESPACE, HealthCheckService
from services.statuses import load_statuses

DESCRIPTOR = ServiceDescriptor(
    name="HealthCheckService/v1",
    path="/HealthCheckService/v1/consult",
    wsdl="HealthCheckServiceV1.wsdl",
    namespace=NAMESPACE,
    spyne_service=HealthCheckService,
    operations=(HEALTH_CHECK,),
    statuses=load_statuses(__name__),
)
