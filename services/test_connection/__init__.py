"""TestConnectionService v1: the first thing that a new client calls; it consults nobody."""

from services.descriptor import OperationDescriptor, ServiceDescriptor
from services.statuses import load_statuses
from services.test_connection.service import NAMESPACE, TestConnection

DESCRIPTOR = ServiceDescriptor(
    name="TestConnectionService/v1",
    path="/TestConnectionService/v1/consult",
    wsdl="TestConnectionServiceV1.wsdl",
    namespace=NAMESPACE,
    spyne_service=TestConnection,
    operations=(OperationDescriptor("sendTestMessage", needs_grant=False),),
    statuses=load_statuses(__name__),
)
