"""EmployerMandateConsultationService v2: who reaches an employer's data, and is the service well."""

from services.descriptor import OperationDescriptor, ServiceDescriptor
from services.employer_mandate.service import NAME, NAMESPACE, EmployerMandateConsultation
from services.health import HEALTH_CHECK
from services.statuses import load_statuses

DESCRIPTOR = ServiceDescriptor(
    name=NAME,
    path="/EmployerMandateConsultationService/v2/consult",
    wsdl="EmployerMandateConsultationServiceV2.wsdl",
    namespace=NAMESPACE,
    spyne_service=EmployerMandateConsultation,
    operations=(
        OperationDescriptor("CheckUnauthenticatedUserAccess", kinds=frozenset({"supportApplication"})),
        HEALTH_CHECK,
    ),
    statuses=load_statuses(__name__),
)
