"""The package as a whole: every file by its path, made of the annex and the contracts. Writes nothing."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from importlib.resources import files
from typing import Any

from lxml import etree

from authz.annex import Annex, AuthenticationMethod, RoleAnnex
from gateway.annex_export.document import Deployment, PackageFile, render_document, templates
from gateway.annex_export.sample import Sample, find_sample
from gateway.annex_export.texts import Language
from gateway.catalogue import load_catalogue
from gateway.contract_cut import cut_contract, list_clauses, list_open_operations
from gateway.contracts import Contracts, OperationContract
from gateway.xml.namespaces import WSDL

_SIGNATURE = "python/ksz_signature.py"


def make_package(
    annex: Annex | RoleAnnex,
    contracts: Contracts,
    deployment: Deployment,
    today: date,
    languages: tuple[Language, ...] = tuple(Language),
) -> Mapping[str, bytes]:
    """Return the files of the package; NothingLeft when the annex grants an operation that nobody could call by it."""
    contract = cut_contract(annex, contracts, deployment.public_url)
    made: dict[str, bytes] = {}
    listed: list[PackageFile] = []
    for operation, sample in _samples(annex, contracts, today):
        name, subject = operation.descriptor.name, f"{operation.service.name} {operation.descriptor.name}"
        stem = operation.service.wsdl.removesuffix(".wsdl")
        sample_path, program_path = f"samples/{stem}.{name}Request.xml", f"python/{stem}_{name}.py"
        made[sample_path] = sample.xml
        made[program_path] = _program(annex, operation, sample, contract, deployment)
        listed += [PackageFile(sample_path, "sample_file", subject), PackageFile(program_path, "program_file", subject)]
    if _signs(annex):
        made[_SIGNATURE] = files("gateway.annex_export").joinpath("ksz_signature.py").read_bytes()
        listed.append(PackageFile(_SIGNATURE, "signature_file"))
    services = {f"wsdl/{each.descriptor.wsdl}": each.descriptor.name for each in contracts.services.values()}
    schemas = [PackageFile(path, "schema_file") for path in contract if path not in services]
    listed = [*(PackageFile(path, "contract_file", services[path]) for path in contract if path in services), *listed]
    catalogue = load_catalogue()
    for language in languages:
        others = [PackageFile(_document(other), "document_file") for other in languages if other is not language]
        page = render_document(annex, contracts, catalogue, deployment, [*others, *listed, *schemas], language, today)
        made[_document(language)] = page.encode()
    return {**made, **contract}


def _document(language: Language) -> str:
    return f"annex-{language}.html"


def _samples(annex: Annex | RoleAnnex, contracts: Contracts, today: date) -> Iterator[tuple[OperationContract, Sample]]:
    """Yield each operation that the client may call with an example, made for the first clause that grants it."""
    clauses = {clause.contract.payload: clause for clause in reversed(list_clauses(annex, contracts))}
    operations = [*(clause.contract for clause in reversed(clauses.values())), *list_open_operations(contracts)]
    for operation in {operation.payload: operation for operation in operations}.values():
        sample = find_sample(annex, operation, clauses.get(operation.payload), contracts, today)
        if sample is not None:
            yield operation, sample


def _signs(annex: Annex | RoleAnnex) -> bool:
    return AuthenticationMethod.X509_TOKEN in annex.methods


def _program(
    annex: Annex | RoleAnnex,
    operation: OperationContract,
    sample: Sample,
    contract: Mapping[str, bytes],
    deployment: Deployment,
) -> bytes:
    """Return the program that sends the sample: signed if the annex has signed messages, else over mutual TLS."""
    wsdl = etree.fromstring(contract[f"wsdl/{operation.service.wsdl}"])
    (binding,) = wsdl.iterfind(f"{{{WSDL}}}binding")
    text = (
        templates()
        .get_template("call.py.j2")
        .render(
            operation=operation.descriptor.name,
            service=operation.service.name,
            wsdl=operation.service.wsdl,
            binding=_literal(f"{{{operation.service.namespace}}}{binding.get('name')}"),
            request=_literal(sample.values),
            endpoint=_literal(deployment.public_url + operation.service.path),
            has_customer="informationCustomer" in sample.values,
            signs=_signs(annex),
            sign_token=annex.sign_token,
        )
    )
    return text.encode()


def _literal(value: Any, depth: int = 0) -> str:
    """Return values as Python writes them, an element a line; days as text, as zeep takes them too."""
    if isinstance(value, Mapping):
        inner = "    " * (depth + 1)
        lines = (f"{inner}{_literal(name)}: {_literal(each, depth + 1)},\n" for name, each in value.items())
        return f"{{\n{''.join(lines)}{'    ' * depth}}}"
    if isinstance(value, list):
        return f"[{', '.join(_literal(each, depth) for each in value)}]"
    if isinstance(value, bool):
        return repr(value)
    return json.dumps(value if isinstance(value, int) else str(value), ensure_ascii=False)
