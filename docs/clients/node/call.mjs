// Calls an operation with a signed message, and prints what came back as JSON; ends with 2 for a fault.
//
//   node call.mjs ADDRESS OPERATION REQUEST.json PKI CLIENT [RECEIVED.xml]

import { readFileSync, writeFileSync } from "node:fs";
import { Agent } from "node:https";
import axios from "axios";
import soap from "soap";
import { verifyReply } from "./verify.mjs";

const [address, operation, request, pki, client, kept] = process.argv.slice(2);
const read = (name) => readFileSync(name, "utf8");

// One HTTP client for the WSDL, its schemas and the calls. It trusts the gateway's authority and no other.
const http = axios.create({ httpsAgent: new Agent({ ca: read(`${pki}/ca.pem`), keepAlive: true }), proxy: false });
const service = await soap.createClientAsync(`${address}?wsdl`, {
  request: http,
  preserveWhitespace: true, // soap would trim every text.
  customDeserializer: { date: (text) => text }, // soap would make a Date at midnight UTC of an xsd:date.
});
const [key, certificate] = ["key", "pem"].map((kind) => read(`${pki}/clients/${client}.${kind}`));
service.setSecurity(new soap.WSSecurityCert(key, certificate, ""));

async function call(message) {
  try {
    const [reply, received, , sent] = await service[`${operation}Async`](message, { timeout: 30_000 });
    return { received, sent, answer: { reply } };
  } catch (error) {
    if (!error.root) throw error; // Of the connection: the gateway said nothing.
    const { faultcode: code, faultstring: message, detail } = error.root.Envelope.Body.Fault;
    const fault = { code, message, detail: detail?.[`${operation}Fault`] ?? null };
    // A fault to somebody whom the gateway does not know is unsigned.
    const sent = error.root.Envelope.Header && service.lastRequest;
    return { received: error.body, sent, answer: { fault } };
  }
}

const { received, sent, answer } = await call(JSON.parse(read(request)));
if (sent) verifyReply(received, sent, read(`${pki}/gateway.pem`));
if (kept) writeFileSync(kept, received);
console.log(JSON.stringify(answer));
process.exitCode = answer.fault ? 2 : 0;
http.defaults.httpsAgent.destroy();
