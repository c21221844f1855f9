"""SelfEmployedService v2: the career (ARZA) and the contributions of a self-employed person."""

from services.descriptor import OperationDescriptor, ServiceDescriptor
from services.self_employed.service import NAMESPACE, SelfEmployed
from services.statuses import load_statuses
from services.subject import make_subject

RSVZ_CBE_NUMBER = "0208044709"

DESCRIPTOR = ServiceDescriptor(
    name="SelfEmployedService/v2",
    path="/SelfEmployedService/v2/consult",
    wsdl="SelfEmployedServiceV2.wsdl",
    namespace=NAMESPACE,
    spyne_service=SelfEmployed,
    operations=(
        OperationDescriptor("consultCareer", subject="criteria/ssin", period="criteria/period"),
        OperationDescriptor("consultContributions", subject="criteria/ssin", period="criteria/period"),
    ),
    statuses=load_statuses(__name__),
    supplier={"cbeNumber": RSVZ_CBE_NUMBER},
    subject_data=make_subject,
)
