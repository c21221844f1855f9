"""Consults career and contributions with signed messages, and reads a fault. Arguments: URL PKI CLIENT CBE_NUMBER SSIN."""

import json
import sys
from pathlib import Path

import requests
import zeep
from ksz_signature import KszSignature

url, pki, client, cbe_number, ssin = sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]
session = requests.Session()
session.trust_env = False  # REQUESTS_CA_BUNDLE would win over the next line.
session.verify = str(pki / "ca.pem")
zeep_client = zeep.Client(
    f"{url}/SelfEmployedService/v2/consult?wsdl",
    wsse=KszSignature(pki / "clients" / f"{client}.key", pki / "clients" / f"{client}.pem", pki / "gateway.pem"),
    transport=zeep.Transport(session=session, operation_timeout=30),
)
