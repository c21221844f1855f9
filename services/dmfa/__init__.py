"""DmfaConsultationService v1: what employers declared of a worker, quarter by quarter, as attestations of the NSSO."""

from services.descriptor import OperationDescriptor, ServiceDescriptor
from services.dmfa.service import NAMESPACE, DmfaConsultation
from services.statuses import load_statuses
from services.subject import make_subject

RSZ_CBE_NUMBER = "0206731645"

DESCRIPTOR = ServiceDescriptor(
    name="DmfaConsultationService/v1",
    path="/DmfaConsultationService/consult",
    wsdl="DmfaConsultationServiceV1.wsdl",
    namespace=NAMESPACE,
    spyne_service=DmfaConsultation,
    operations=(
        OperationDescriptor("consultDmfaAttestationsBySsin", subject="criteria/ssin", period="criteria/quarterPeriod"),
        OperationDescriptor("consultPersonnelByEmployer", period="criteria/quarterPeriod"),
    ),
    statuses=load_statuses(__name__),
    supplier={"cbeNumber": RSZ_CBE_NUMBER},
    subject_data=make_subject,
)
