"""Microseconds per decision, beside pycasbin and cedarpy on the same grants: `python -m bench.decisions`.

Each annex grants one operation under three legal contexts, with the parameters that may be sent and the files of
which one must hold the person. A decision is: may this client ask this of this person? Ours finds the annex by the
certificate and makes the whole decision of `authz.decide`, which checks more: validity, SSIN, representation, dates.
The others are given one policy per grant, parsed and indexed before the clock starts, and asked for no more than
client, operation, legal context, parameters and files. Each also as its users make it fast: casbin's FastEnforcer,
which looks policies up by client and legal context, and Cedar with only the policies of the client that asks.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple, cast

import casbin
import cedarpy
from casbin.model import FastModel, Model
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from authz.annex import Annex, CertificateBinding
from authz.annex_document import read_annex, revision_of
from authz.answer import Permit
from authz.decision import decide
from authz.integration import Inscription, PersonFacts
from authz.organisation import Organisation
from authz.question import AccessFacts, AccessRequest
from authz.ssin import Environment
from bench.world import ISSUER, annex_document
from fixtures.persons import make_ssin
from gateway.annexes.activation import Activation, Signatures, newest_digest
from gateway.annexes.names import serial_name
from gateway.annexes.operators import Operator, OperatorKey, OperatorKeys
from gateway.annexes.registry import AnnexRegistry
from gateway.annexes.statement import NOTHING, Approval, Order
from gateway.annexes.store import AnnexStore
from gateway.contracts import load_contracts
from services.self_employed import RSVZ_CBE_NUMBER

SIZES = (10, 1_000, 10_000)
_SECONDS, _MOST, _LEAST = 2.0, 10_000, 5
_CONTEXTS = ("BENCH:CONTRIBUTIONS", "BENCH:CAREER", "BENCH:CONTROL")
_SERVICE, _OPERATION = "SelfEmployedService/v2", "consultContributions"
_SENT = ("criteria/ssin", "criteria/period/beginQuarter", "criteria/period/endQuarter")
_FILE = "BENCH:FILE"
_SSIN = make_ssin(date(1970, 5, 17), 7)
_NOW = datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Decisions:
    """What one engine needed, with so many annexes."""

    engine: str
    annexes: int
    microseconds: float


class _Asked(NamedTuple):
    """A request: by which client, under which legal context."""

    client: int
    legal_context: str


Engine = Callable[[_Asked], bool]


def measure() -> list[Decisions]:
    """Time every engine at every size; RuntimeError for one that decides wrongly."""
    return [
        Decisions(name, annexes, microseconds)
        for name, build in _ENGINES.items()
        for annexes, microseconds in _time({annexes: build(annexes) for annexes in SIZES}).items()
    ]


def _time(engines: Mapping[int, Engine]) -> dict[int, float]:
    """Return the median microseconds of a decision at each size, for clients drawn at random; the sizes take turns."""
    for annexes, engine in engines.items():
        if not engine(_Asked(annexes - 1, _CONTEXTS[0])) or engine(_Asked(0, "NOT:GRANTED")):
            raise RuntimeError("an engine does not decide what the grants say")
    random = Random(1)  # noqa: S311 - who asks in a benchmark is no secret
    times: dict[int, list[float]] = {annexes: [] for annexes in engines}
    started = perf_counter()
    for number in range(_MOST):
        if number >= _LEAST and perf_counter() - started > _SECONDS:
            break
        for annexes, engine in engines.items():
            asked = _Asked(random.randrange(annexes), random.choice(_CONTEXTS))
            begun = perf_counter()
            engine(asked)
            times[annexes].append(perf_counter() - begun)
    return {annexes: median(each) * 1e6 for annexes, each in times.items()}


class _Certificate(NamedTuple):
    """What of a certificate names a client."""

    issuer: str
    serial: int
    sha256: str


class _Annexes:
    """Stands in for the store: annexes, signed by two operators, that differ in client and certificate alone."""

    def __init__(self, count: int, annex: Annex) -> None:
        self._count = count
        self._annex = annex
        self._signers = [Operator(name, Ed25519PrivateKey.generate()) for name in ("an", "bram")]
        self.operators = OperatorKeys(Path("there-is-no-such-directory"))
        self.operators.known = {each.name: (OperatorKey(each.name, each.key.public_key()),) for each in self._signers}

    def load_after(self, sequence: int = 0) -> Iterator[Activation]:
        follows = NOTHING
        for number in range(sequence, self._count):
            activation = self._activate(number, follows)
            follows = newest_digest([activation])
            yield activation

    def read_annex(self, document: str) -> Annex:
        binding = CertificateBinding(issuer=ISSUER, serial=int(document))
        return replace(self._annex, client=f"bench-{document}", certificates=(binding,))

    def _activate(self, number: int, follows: str) -> Activation:
        proposer, approver = self._signers
        names, document = frozenset({serial_name(ISSUER, number)}), str(number)
        order = Order(f"bench-{number}", revision_of(document), names, None, NOTHING, proposer.name, _NOW)
        approval = Approval(order, number + 1, _NOW, follows, approver.name, _NOW)
        signatures = Signatures(
            after=order.after,
            follows=follows,
            ordered_for=None,
            proposed_by=proposer.name,
            proposed_at=_NOW,
            proposal_signature=proposer.sign(order.octets()),
            approved_by=approver.name,
            approval_signature=approver.sign(approval.octets()),
        )
        return Activation(number + 1, order.revision, order.client, names, _NOW, _NOW, document, signatures)


def _ours(annexes: int) -> Engine:
    annex = read_annex(annex_document(0, _CONTEXTS), load_contracts().shapes())
    registry = AnnexRegistry(cast(AnnexStore, _Annexes(annexes, annex)))
    registry.refresh()
    certificates = [_Certificate(ISSUER, number, f"{number:064x}") for number in range(annexes)]
    for certificate in certificates:
        registry.find(certificate, _NOW)
    supplier = Organisation.from_values({"cbeNumber": RSVZ_CBE_NUMBER})
    person = PersonFacts(
        known=True,
        client_inscriptions=(Inscription(annex.identity.key, _FILE, date(2000, 1, 1), None),),
        supplier_inscriptions=(Inscription(supplier.key, "RSVZ:INSURED", date(2000, 1, 1), None),),
    )
    facts = AccessFacts({_SSIN: person})
    requests = {
        context: AccessRequest(
            service=_SERVICE,
            operation=_OPERATION,
            customer=annex.identity,
            legal_context=context,
            parameters=dict.fromkeys(_SENT, "2025Q1"),
            subjects=(_SSIN,),
        )
        for context in (*_CONTEXTS, "NOT:GRANTED")
    }

    def engine(asked: _Asked) -> bool:
        found = registry.find(certificates[asked.client], _NOW)
        if found is None:
            return False
        return isinstance(decide(found, requests[asked.legal_context], facts, _NOW, Environment.TEST), Permit)

    return engine


_CLIENT_AND_CONTEXT = (0, 2)
_MODEL = """
[request_definition]
r = client, operation, context, sent, files
[policy_definition]
p = client, operation, context, parameters, files
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.client == p.client && r.operation == p.operation && r.context == p.context \
&& within(r.sent, p.parameters) && shares(r.files, p.files)
"""


def _casbin(enforcer_of: Callable[[Any], Any], model_of: Callable[[], Any]) -> Callable[[int], Engine]:
    def build(annexes: int) -> Engine:
        model = model_of()
        model.load_model_from_text(_MODEL)
        enforcer = enforcer_of(model)
        enforcer.add_function("within", lambda sent, allowed: set(sent.split()) <= set(allowed.split()))
        enforcer.add_function("shares", lambda held, asked: not set(held.split()).isdisjoint(asked.split()))
        sent = " ".join(_SENT)
        # Straight into the model: `add_policy` counts a FastModel's policies each time.
        policies = model.model["p"]["p"].policy
        for number in range(annexes):
            for context in _CONTEXTS:
                policies.append([f"bench-{number}", _OPERATION, context, sent, _FILE])
        return lambda asked: bool(
            enforcer.enforce(f"bench-{asked.client}", _OPERATION, asked.legal_context, sent, _FILE)
        )

    return build


def _cedar_policies(number: int) -> str:
    parameters = ", ".join(f'"{each}"' for each in _SENT)
    return "".join(
        f'permit (principal == Client::"bench-{number}", action == Action::"{_OPERATION}", '
        f'resource == LegalContext::"{context}") when '
        f'{{ [{parameters}].containsAll(context.sent) && ["{_FILE}"].containsAny(context.files) }};\n'
        for context in _CONTEXTS
    )


def _ask_cedar(asked: _Asked, policies: Any, entities: Any) -> bool:
    request = {
        "principal": f'Client::"bench-{asked.client}"',
        "action": f'Action::"{_OPERATION}"',
        "resource": f'LegalContext::"{asked.legal_context}"',
        "context": {"sent": list(_SENT), "files": [_FILE]},
    }
    return bool(cedarpy.is_authorized(request, policies, entities).allowed)


def _cedar(annexes: int) -> Engine:
    policies = cedarpy.PolicySet.from_str("".join(_cedar_policies(number) for number in range(annexes)))
    entities = cedarpy.Entities.from_json_str("[]")
    return lambda asked: _ask_cedar(asked, policies, entities)


def _cedar_by_client(annexes: int) -> Engine:
    policies = [cedarpy.PolicySet.from_str(_cedar_policies(number)) for number in range(annexes)]
    entities = cedarpy.Entities.from_json_str("[]")
    return lambda asked: _ask_cedar(asked, policies[asked.client], entities)


_ENGINES: dict[str, Callable[[int], Engine]] = {
    "ours": _ours,
    "pycasbin, FastEnforcer": _casbin(
        partial(casbin.FastEnforcer, cache_key_order=_CLIENT_AND_CONTEXT), lambda: FastModel(_CLIENT_AND_CONTEXT)
    ),
    "pycasbin": _casbin(casbin.Enforcer, Model),
    "cedarpy, the client's policies alone": _cedar_by_client,
    "cedarpy": _cedar,
}


if __name__ == "__main__":
    for each in measure():
        print(f"{each.microseconds:10.1f}  {each.annexes:6}  {each.engine}")
