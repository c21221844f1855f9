"""Consults with signed messages, and reads a fault's detail. Arguments: URL PKI CLIENT CBE_NUMBER SSIN."""

import json
import sys
from datetime import date
from pathlib import Path

import requests
import zeep
from ksz_signature import KszSignature

url, pki, name, cbe_number, ssin = sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]
session = requests.Session()
session.trust_env = False  # REQUESTS_CA_BUNDLE would win over the next line.
session.verify = str(pki / "ca.pem")
client = zeep.Client(
    f"{url}/SelfEmployedService/v2/consult?wsdl",
    wsse=KszSignature(pki / "clients" / f"{name}.key", pki / "clients" / f"{name}.pem", pki / "gateway.pem"),
    transport=zeep.Transport(session=session, operation_timeout=30),
)


def consult(operation, ssin, **period):
    who = {"customerIdentification": {"cbeNumber": cbe_number}}
    criteria = {"ssin": ssin, "period": period}
    return client.service[operation](informationCustomer=who, legalContext="PCSA:SOCIAL_INQUIRY", criteria=criteria)


career = consult("consultCareer", ssin, beginDate=date(2015, 1, 1))
contributions = consult("consultContributions", ssin, beginQuarter="2018Q1", endQuarter="2018Q4")
try:
    consult("consultCareer", "not a number", beginDate=date(2015, 1, 1))
    sys.exit("The gateway answered what it should have refused.")
except zeep.exceptions.Fault as raised:
    reason = client.wsdl.types.deserialize(raised.detail[0]).detail[0]
    fault = {"faultcode": raised.code, "faultstring": raised.message, "code": reason.reasonCode}
    fault["fields"] = [each.fieldName for each in reason.information]

affiliations = career.career.affiliations.affiliation if career.career else []
begins = [str(each.period.beginDate) for one in affiliations for each in one.careerSegments.careerSegment]
quarters = [each.quarter for each in contributions.contributions.contribution] if contributions.contributions else []
found = {"value": career.status.value, "code": career.status.code, "begins": begins}
paid = {"value": contributions.status.value, "code": contributions.status.code, "quarters": quarters}
print(json.dumps({"career": found, "contributions": paid, "fault": fault}))
