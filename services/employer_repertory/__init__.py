"""EmployerRepertoryService v1: what the registers of employers hold of one employer (deliberation 07/039)."""

from services.descriptor import OperationDescriptor, ServiceDescriptor
from services.employer_repertory.natural_persons import RESERVED
from services.employer_repertory.service import NAMESPACE, EmployerRepertory
from services.statuses import load_statuses

DESCRIPTOR = ServiceDescriptor(
    name="EmployerRepertoryService/v1",
    path="/EmployerRepertoryService/v1/consult",
    wsdl="EmployerRepertoryServiceV1.wsdl",
    namespace=NAMESPACE,
    spyne_service=EmployerRepertory,
    operations=(OperationDescriptor("consultEmployer", employer="criteria", reserved=(RESERVED,)),),
    statuses=load_statuses(__name__),
)
