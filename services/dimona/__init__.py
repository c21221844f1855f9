"""DimonaService v1: employers declare that workers begin and end, and whoever may know asks who works where."""

from services.descriptor import ListedPersons, OperationDescriptor, ServiceDescriptor
from services.dimona.service import NAMESPACE, Dimona
from services.statuses import load_statuses

DESCRIPTOR = ServiceDescriptor(
    name="DimonaService/v1",
    path="/DimonaService/v1/consult",
    wsdl="DimonaServiceV1.wsdl",
    namespace=NAMESPACE,
    spyne_service=Dimona,
    operations=(
        OperationDescriptor("submitDeclarations", employer="criteria/employer"),
        OperationDescriptor(
            "consultDeclarations",
            subject="criteria/worker/ssin",
            period="criteria/receptionPeriod",
            employer="criteria/employer",
            persons=ListedPersons("declarations/declaration", "worker/ssin", "no_data"),
        ),
        OperationDescriptor(
            "consultPeriods",
            subject="criteria/worker/ssin",
            period="criteria/period",
            employer="criteria/employer",
            persons=ListedPersons("employmentPeriods/employmentPeriod", "worker/ssin", "no_data"),
            notifies=True,
        ),
        OperationDescriptor(
            "checkEmployment",
            subject="criteria/worker/ssin",
            period="criteria/period",
            employer="criteria/employer",
        ),
    ),
    statuses=load_statuses(__name__),
    application="dimona",
)
