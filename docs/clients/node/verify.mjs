// Verifies a reply of the gateway: who signed it, that its Body is what was signed, and that it answers our request.
// soap itself verifies nothing.

import { DOMParser } from "@xmldom/xmldom";
import { SignedXml } from "xml-crypto";

const SOAP = "http://schemas.xmlsoap.org/soap/envelope/";
const DS = "http://www.w3.org/2000/09/xmldsig#";
const WSSE11 = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd";
const WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";

const parse = (text) => new DOMParser().parseFromString(text, "text/xml").documentElement;

function only(element, namespace, name) {
  const found = Array.from(element.getElementsByTagNameNS(namespace, name));
  if (found.length !== 1) throw new Error(`The message has ${found.length} elements ${name}, not one.`);
  return found[0];
}

/** Throw unless `reply` is signed with the gateway's certificate (PEM) and confirms the signature of `request`. */
export function verifyReply(reply, request, certificate) {
  const envelope = parse(reply);
  const signature = new SignedXml({
    idMode: "wssecurity",
    publicCert: certificate,
    // xml-crypto would believe a certificate that the message itself brings in KeyInfo.
    getCertFromKeyInfo: () => null,
  });
  signature.loadSignature(only(envelope, DS, "Signature"));
  if (!signature.checkSignature(reply)) throw new Error("The reply was changed after it was signed.");

  // Only what getSignedReferences returns was verified: our Body and the confirmation must be among it.
  const signed = signature.getSignedReferences().map(parse);
  const idOf = (element) => element.getAttributeNS(WSU, "Id");
  const body = Array.from(envelope.childNodes).find((node) => node.namespaceURI === SOAP && node.localName === "Body");
  const isSigned = (element) =>
    signed.some((each) => each.localName === element.localName && idOf(each) === idOf(element));
  const confirmation = only(envelope, WSSE11, "SignatureConfirmation");
  if (!isSigned(body) || !isSigned(confirmation)) throw new Error("The signature does not cover the reply's Body.");
  const ours = only(parse(request), DS, "SignatureValue").textContent;
  if (confirmation.getAttribute("Value") !== ours) throw new Error("This is the answer to another message.");
}
