"""The contracts as the gateway uses them: committed WSDL and XSD files, compiled schemas and bindings.

Owns everything that follows from `wsdl/` and `xsd/` and a service's descriptor. Knows no annex and no request.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from lxml import etree

from authz.contract_shape import ContractShape, Reservation
from gateway.xml.binding import compile_reader, compile_writer
from gateway.xml.model import ComplexType, Element, SchemaModel, SimpleType
from gateway.xml.namespaces import WSDL, WSDL_SOAP
from gateway.xml.validation import Schema
from services.descriptor import OperationDescriptor, ServiceDescriptor
from services.registry import load_services

COMMITTED_ADDRESS = "https://localhost/"
COMMITTED_SCHEMAS = "../xsd/"

WSDL_FOLDER = Path(str(files("wsdl")))
XSD_FOLDER = Path(str(files("xsd")))

# What a dry run that would pass is called in the tables of statuses.
DRY_RUN_CASE = "dry_run"

# What every reply repeats from its request, before the status.
_ECHO = ("informationCustomer", "legalContext", "criteria")


@dataclass(frozen=True, slots=True)
class OperationContract:
    """One operation with its compiled messages.

    `forms` tell in words how values in the request are written, by path: of those that a pattern restricts.
    `data_elements` are the elements of the reply that carry data, in the contract's order: neither echo nor status.
    """

    service: ServiceDescriptor
    descriptor: OperationDescriptor
    soap_action: str
    request: Element
    forms: Mapping[str, str]
    response: Element
    read_request: Callable[[etree._Element], Mapping[str, Any]]
    write_response: Callable[[Mapping[str, Any]], str]
    write_fault: Callable[[Mapping[str, Any]], str]
    echo: tuple[str, ...]
    has_information_cbss: bool
    has_status: bool
    has_data_filters: bool
    data_elements: tuple[str, ...]

    @property
    def payload(self) -> str:
        """The qualified name, in Clark notation, of the operation's request."""
        return f"{{{self.service.namespace}}}{self.request.name}"

    @property
    def can_run_dry(self) -> bool:
        """Tell whether a client may ask for a dry run: where the reply has a status to say that it would pass."""
        return DRY_RUN_CASE in self.service.statuses.rows[self.descriptor.name]

    def shape(self) -> ContractShape:
        """Tell authz which paths a request and a reply's data have, and which a message may be without."""
        return ContractShape(
            request_paths={path: element.optional for path, element in self.request.paths()},
            reply_paths={
                path: element.droppable
                for path, element in self.response.paths()
                if path.partition("/")[0] in self.data_elements
            },
            has_data_filters=self.has_data_filters,
            consults_persons=self.descriptor.consults_persons,
            notifies=self.descriptor.notifies,
            names_employer=self.descriptor.employer is not None,
            repeated=frozenset(path for path, element in self.request.paths() if element.many),
            reserved={
                reserved.legal_context: Reservation(reserved.client, reserved.deliberation)
                for reserved in self.descriptor.reserved
            },
            kinds=self.descriptor.kinds,
            application=self.service.application,
        )


@dataclass(frozen=True, slots=True)
class ServiceContract:
    """One service with its operations by the qualified name of their request, its schema and its WSDL."""

    descriptor: ServiceDescriptor
    schema: Schema
    operations: Mapping[str, OperationContract]
    wsdl: bytes

    def published_wsdl(self, public_url: str) -> bytes:
        """Return the committed WSDL with the addresses and schema locations of this deployment, and nothing else."""
        root = public_url.rstrip("/").encode()
        return self.wsdl.replace(f'"{COMMITTED_ADDRESS}'.encode(), b'"' + root + b"/").replace(
            f'"{COMMITTED_SCHEMAS}'.encode(), b'"' + root + b"/xsd/"
        )


@dataclass(frozen=True, slots=True)
class Contracts:
    """All services, by the path at which they are called."""

    services: Mapping[str, ServiceContract]

    def shapes(self) -> Mapping[str, Mapping[str, ContractShape]]:
        """Return what an annex may name: by service, by operation."""
        return {
            service.descriptor.name: {
                operation.descriptor.name: operation.shape() for operation in service.operations.values()
            }
            for service in self.services.values()
        }


def load_contracts(services: tuple[ServiceDescriptor, ...] | None = None) -> Contracts:
    """Compile the contracts of these services, by default of all; UnsupportedSchema or lxml's errors for a broken file.

    Those of all are compiled once: workers inherit them from the process that forked them.
    """
    return _load_all_contracts() if services is None else _compile_contracts(services)


@cache
def _load_all_contracts() -> Contracts:
    return _compile_contracts(load_services())


def _compile_contracts(services: tuple[ServiceDescriptor, ...]) -> Contracts:
    model = SchemaModel(tuple(sorted(XSD_FOLDER.glob("*.xsd"))))
    return Contracts({service.path: _service_contract(service, model) for service in services})


def find_schema_document(name: str) -> bytes | None:
    """Return a committed XSD by its file name, None when there is none of that name."""
    for path in XSD_FOLDER.glob("*.xsd"):
        if path.name == name:
            return path.read_bytes()
    return None


def _service_contract(service: ServiceDescriptor, model: SchemaModel) -> ServiceContract:
    wsdl = (WSDL_FOLDER / service.wsdl).read_bytes()
    actions = _soap_actions(wsdl)
    operations = (
        _operation_contract(service, operation, model, actions[operation.name]) for operation in service.operations
    )
    return ServiceContract(
        descriptor=service,
        schema=Schema((XSD_FOLDER / service.wsdl).with_suffix(".xsd")),
        operations={operation.payload: operation for operation in operations},
        wsdl=wsdl,
    )


def _operation_contract(
    service: ServiceDescriptor, descriptor: OperationDescriptor, model: SchemaModel, soap_action: str
) -> OperationContract:
    request, response, fault = (
        model.get_element(service.namespace, f"{descriptor.name}{suffix}")
        for suffix in ("Request", "Response", "Fault")
    )
    asked, answered = _children(request), _children(response)
    echo = tuple(name for name in _ECHO if name in asked and name in answered)
    return OperationContract(
        service=service,
        descriptor=descriptor,
        soap_action=soap_action,
        request=request,
        forms={
            path: element.type.form
            for path, element in request.paths()
            if isinstance(element.type, SimpleType) and element.type.form
        },
        response=response,
        read_request=compile_reader(request),
        write_response=compile_writer(response, service.namespace, "ns"),
        write_fault=compile_writer(fault, service.namespace, "ns"),
        echo=echo,
        has_information_cbss="informationCBSS" in answered,
        has_status="status" in answered,
        has_data_filters="dataFilters" in answered,
        data_elements=tuple(name for name in answered if name not in (*_ECHO, "informationCBSS", "status")),
    )


def _children(message: Element) -> list[str]:
    return [child.name for child in message.type.elements] if isinstance(message.type, ComplexType) else []


def _soap_actions(wsdl: bytes) -> Mapping[str, str]:
    bound = etree.fromstring(wsdl).iterfind(f"{{{WSDL}}}binding/{{{WSDL}}}operation")
    return {
        str(operation.get("name")): str(soap.get("soapAction"))
        for operation in bound
        for soap in operation.iterfind(f"{{{WSDL_SOAP}}}operation")
    }
