"""The namespaces, tags and algorithm identifiers of SOAP 1.1, WS-Security 1.0 and 1.1, and XML Signature."""

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSSE11 = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
DS = "http://www.w3.org/2000/09/xmldsig#"
XML = "http://www.w3.org/XML/1998/namespace"
NEXT_ACTOR = "http://schemas.xmlsoap.org/soap/actor/next"

EXCLUSIVE_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED_SIGNATURE = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
STR_TRANSFORM = (
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#STR-Transform"
)
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"

X509_V3 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3"
BASE64_BINARY = (
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
)

ENVELOPE_TAG = f"{{{SOAP}}}Envelope"
HEADER_TAG = f"{{{SOAP}}}Header"
BODY_TAG = f"{{{SOAP}}}Body"
ACTOR_ATTRIBUTE = f"{{{SOAP}}}actor"
SECURITY_TAG = f"{{{WSSE}}}Security"
TOKEN_TAG = f"{{{WSSE}}}BinarySecurityToken"
TOKEN_REFERENCE_TAG = f"{{{WSSE}}}SecurityTokenReference"
DIRECT_REFERENCE_TAG = f"{{{WSSE}}}Reference"
TIMESTAMP_TAG = f"{{{WSU}}}Timestamp"
CREATED_TAG = f"{{{WSU}}}Created"
EXPIRES_TAG = f"{{{WSU}}}Expires"
SIGNATURE_TAG = f"{{{DS}}}Signature"
WSU_ID = f"{{{WSU}}}Id"
XML_ID = f"{{{XML}}}id"
