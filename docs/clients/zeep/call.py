"""Calls an operation with a signed message, and prints what came back as JSON; ends with 2 for a fault.

Arguments: ADDRESS OPERATION REQUEST.json PKI CLIENT [RECEIVED.xml]
"""

import json
import sys
from pathlib import Path

import requests
import zeep
from ksz_signature import KszSignature
from lxml import etree
from zeep.helpers import serialize_object
from zeep.plugins import HistoryPlugin

address, operation, request, pki, name, *kept = sys.argv[1:]
clients = Path(pki, "clients")
session = requests.Session()
session.trust_env = False  # REQUESTS_CA_BUNDLE would win over the next line.
session.verify = f"{pki}/ca.pem"
history = HistoryPlugin(maxlen=1)
client = zeep.Client(
    f"{address}?wsdl",
    wsse=KszSignature(clients / f"{name}.key", clients / f"{name}.pem", Path(pki, "gateway.pem")),
    transport=zeep.Transport(session=session, timeout=30, operation_timeout=30),
    # A strict zeep stumbles over a choice of groups in the middle of a type, as the criteria of DmfA are.
    settings=zeep.Settings(strict=False),
    plugins=[history],
)
fault = None
try:
    reply = client.service[operation](**json.loads(Path(request).read_text("utf-8")))
    answer = {"reply": serialize_object(reply, dict)}
except zeep.exceptions.Fault as raised:
    fault = raised
    detail = None if fault.detail is None else client.wsdl.types.deserialize(fault.detail[0])
    answer = {"fault": {"code": fault.code, "message": fault.message, "detail": serialize_object(detail, dict)}}
for file in kept:
    Path(file).write_bytes(etree.tostring(history.last_received["envelope"]))
print(json.dumps(answer, default=str))
sys.exit(2 if fault else 0)
