"""Checks the committed contracts: WSDL, XSD and service declarations agree, and the samples are valid."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from lxml import etree

from gateway.contracts import (
    COMMITTED_ADDRESS,
    COMMITTED_SCHEMAS,
    XSD_FOLDER,
    Contracts,
    ServiceContract,
    load_contracts,
)
from gateway.xml.namespaces import WSDL, WSDL_SOAP, XSD
from gateway.xml.validation import Schema

SAMPLES = Path(str(files("fixtures"))) / "samples"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked; `problem` is empty when it is well."""

    subject: str
    problem: str = ""


def check_contracts(samples: Path = SAMPLES) -> list[Finding]:
    """Return every check that was made, with its problem if it has one."""
    try:
        contracts = load_contracts()
    except (etree.LxmlError, KeyError, OSError) as error:
        return [Finding("wsdl and xsd", f"cannot be compiled: {error}")]
    return [
        *(finding for service in contracts.services.values() for finding in _check_service(service)),
        *(_check_schema_imports(path) for path in sorted(XSD_FOLDER.glob("*.xsd"))),
        *(_check_sample(path, contracts) for path in sorted(samples.glob("*.xml"))),
    ]


def _check_service(service: ServiceContract) -> Iterator[Finding]:
    descriptor = service.descriptor
    wsdl = etree.fromstring(service.wsdl)
    declared = {operation.descriptor.name for operation in service.operations.values()}
    for part in ("portType", "binding"):
        named = {str(node.get("name")) for node in wsdl.iterfind(f"{{{WSDL}}}{part}/{{{WSDL}}}operation")}
        difference = ", ".join(sorted(named ^ declared))
        yield Finding(
            f"{descriptor.wsdl}: {part}",
            f"operations differ from the service's declaration: {difference}" if difference else "",
        )
    address = wsdl.find(f".//{{{WSDL_SOAP}}}address")
    expected = COMMITTED_ADDRESS + descriptor.path.lstrip("/")
    found = address.get("location") if address is not None else None
    yield Finding(f"{descriptor.wsdl}: address", "" if found == expected else f"is {found}, not {expected}")
    for node in wsdl.iter(f"{{{XSD}}}import", f"{{{XSD}}}include"):
        location = str(node.get("schemaLocation"))
        known = location.startswith(COMMITTED_SCHEMAS) and (XSD_FOLDER / Path(location).name).exists()
        yield Finding(f"{descriptor.wsdl}: {location}", "" if known else "there is no such XSD in xsd/")


def _check_schema_imports(path: Path) -> Finding:
    missing = [
        str(node.get("schemaLocation"))
        for node in etree.parse(path).iter(f"{{{XSD}}}import", f"{{{XSD}}}include")
        if not (path.parent / str(node.get("schemaLocation"))).exists()
    ]
    return Finding(path.name, f"imports what does not exist: {', '.join(missing)}" if missing else "")


def _check_sample(path: Path, contracts: Contracts) -> Finding:
    sample = etree.parse(path).getroot()
    namespace = etree.QName(sample).namespace
    of_services = (each.schema for each in contracts.services.values() if each.descriptor.namespace == namespace)
    schema = next(of_services, None) or _find_header_schema(path, namespace)
    if schema is None:
        return Finding(path.name, f"neither a service nor a header block has the namespace {namespace}")
    return Finding(path.name, "; ".join(f"{where}: {what}" for where, what in schema.find_errors(sample)))


def _find_header_schema(sample: Path, namespace: str | None) -> Schema | None:
    """Return the schema that a sample's name begins with, if it is that of header blocks, which no service imports."""
    schema = XSD_FOLDER / f"{sample.name.partition('.')[0]}.xsd"
    if not schema.exists() or etree.parse(schema).getroot().get("targetNamespace") != namespace:
        return None
    return Schema(schema)
