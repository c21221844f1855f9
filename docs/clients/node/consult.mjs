// Consults career and contributions of a person with a signed message, and reads the detail of a fault.
//
//   node consult.mjs URL PKI CLIENT CBE_NUMBER SSIN

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent } from "node:https";
import axios from "axios";
import soap from "soap";
import { verifyReply } from "./verify.mjs";

const [url, pki, client, cbeNumber, ssin] = process.argv.slice(2);
const read = (name) => readFileSync(`${pki}/${name}`, "utf8");

// One HTTP client for the WSDL, its schemas and the calls. It trusts the gateway's authority and no other.
const request = axios.create({ httpsAgent: new Agent({ ca: read("ca.pem"), keepAlive: true }), proxy: false });
const service = await soap.createClientAsync(`${url}/SelfEmployedService/v2/consult?wsdl`, {
  request,
  customDeserializer: { date: (text) => text }, // soap would make a Date at midnight UTC of an xsd:date.
});
service.setSecurity(new soap.WSSecurityCert(read(`clients/${client}.key`), read(`clients/${client}.pem`), ""));
const gateway = read("gateway.pem");

async function consult(operation, criteria) {
  // The ticket tells two equal questions of one second apart: without it the second is refused as a repetition.
  const informationCustomer = { ticket: randomUUID(), customerIdentification: { cbeNumber } };
  const message = { informationCustomer, legalContext: "PCSA:SOCIAL_INQUIRY", criteria: { ssin, ...criteria } };
  const [reply, received, , sent] = await service[`${operation}Async`](message, { timeout: 30_000 });
  verifyReply(received, sent, gateway);
  return reply;
}

async function readFault(operation, criteria) {
  try {
    await consult(operation, criteria);
  } catch (error) {
    if (!error.root) throw error;
    verifyReply(error.body, service.lastRequest, gateway);
    const { faultcode, faultstring, detail } = error.root.Envelope.Body.Fault;
    const [first] = [detail[`${operation}Fault`].detail].flat();
    const fields = [first.information ?? []].flat().map((each) => each.fieldName);
    return { faultcode, faultstring, code: first.reasonCode, fields };
  }
  throw new Error("The gateway answered what it should have refused.");
}

const career = await consult("consultCareer", { period: { beginDate: "2015-01-01" } });
const contributions = await consult("consultContributions", {
  period: { beginQuarter: "2018Q1", endQuarter: "2018Q4" },
});
const fault = await readFault("consultCareer", { ssin: "not a number" });

const status = ({ status: { value, code } }) => ({ value, code });
const segments = (career.career?.affiliations.affiliation ?? []).flatMap((each) => each.careerSegments.careerSegment);
console.log(
  JSON.stringify({
    career: { ...status(career), begins: segments.map((each) => each.period.beginDate) },
    contributions: {
      ...status(contributions),
      quarters: (contributions.contributions?.contribution ?? []).map((each) => each.quarter),
    },
    fault,
  }),
);
request.defaults.httpsAgent.destroy();
