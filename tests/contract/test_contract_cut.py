"""The contract cut to an annex: well-formed for every annex, and right: it allows what the annex does, and no more."""

from collections import defaultdict
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path

import pytest
import zeep
from annex_packages import ANNEXES, CONTRACTS, compile_schemas, export, write_files
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from lxml import etree

from authz.contract_shape import CRITERIA, NEVER_WITHHELD, find_droppable
from gateway.annex_export.sample import TICKET
from gateway.contract_check import SAMPLES
from gateway.contract_cut import find_dropped, find_refused, list_clauses, list_open_operations
from gateway.contracts import XSD_FOLDER
from gateway.xml.cut import NothingLeft, cut_schemas
from gateway.xml.namespaces import WSDL

OPERATIONS = {
    f"{{{operation.service.namespace}}}{operation.descriptor.name}": operation
    for service in CONTRACTS.services.values()
    for operation in service.operations.values()
}
MESSAGES: Mapping[str, list[etree._Element]] = defaultdict(list)
for path in sorted(SAMPLES.glob("*.xml")):
    message = etree.parse(path, etree.XMLParser(remove_blank_text=True)).getroot()
    MESSAGES[message.tag].append(message)


@pytest.fixture(scope="module", params=sorted(ANNEXES))
def package(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    return request.param, export(tmp_path_factory.mktemp(request.param), ANNEXES[request.param])


def test_the_contract_of_every_demo_annex_has_its_operations_and_no_other(package: tuple[str, Path]) -> None:
    client, directory = package
    compile_schemas(directory)
    granted = [clause.contract for clause in list_clauses(ANNEXES[client], CONTRACTS)]
    expected = {f"{{{each.service.namespace}}}{each.descriptor.name}" for each in granted}
    expected |= {f"{{{each.service.namespace}}}{each.descriptor.name}" for each in list_open_operations(CONTRACTS)}
    found = set()
    for file in (directory / "wsdl").iterdir():
        wsdl = zeep.Client(str(file), settings=zeep.Settings(strict=False)).wsdl
        (service,) = wsdl.services.values()
        (port,) = service.ports.values()
        namespace = etree.parse(file).getroot().get("targetNamespace")
        found |= {f"{{{namespace}}}{name}" for name in port.binding._operations}
        assert port.binding_options["address"].startswith("https://gateway.example/")
        messages = {each.get("name") for each in etree.parse(file).iterfind(f"{{{WSDL}}}message")}
        assert len(messages) == 3 * len(port.binding._operations)
    assert found == expected


def test_every_import_is_relative_and_there(package: tuple[str, Path]) -> None:
    _, directory = package
    for file in (*directory.glob("wsdl/*"), *directory.glob("xsd/*")):
        for node in etree.parse(file).iter("{*}import"):
            assert (file.parent / str(node.get("schemaLocation"))).is_file()


def test_every_operation_has_a_sample_that_its_contract_allows(package: tuple[str, Path]) -> None:
    client, directory = package
    schemas = compile_schemas(directory)
    asked = set()
    for file in (directory / "samples").iterdir():
        sample = etree.parse(file).getroot()
        schemas[str(etree.QName(sample).namespace)].assertValid(sample)
        asked.add(sample.tag)
        assert sample.findtext("informationCustomer/ticket") in (TICKET, None)
    clauses = list_clauses(ANNEXES[client], CONTRACTS)
    assert asked == {each.contract.payload for each in clauses} | {
        each.payload for each in list_open_operations(CONTRACTS)
    }


def test_no_schema_of_a_package_has_a_type_that_nothing_needs(package: tuple[str, Path]) -> None:
    _, directory = package
    schemas = {file: etree.parse(file).getroot() for file in (directory / "xsd").iterdir()}
    named = {
        (schema.get("targetNamespace"), each.get("name"))
        for schema in schemas.values()
        for each in schema.iterchildren("{*}complexType", "{*}simpleType")
    }
    referred = {
        (node.nsmap[prefix], local)
        for schema in schemas.values()
        for node in schema.iter(etree.Element)
        for attribute in ("type", "base")
        if ":" in (name := str(node.get(attribute)))
        for prefix, _, local in [name.partition(":")]
    }
    assert named <= referred


def test_what_one_of_two_clauses_gives_is_in_the_contract() -> None:
    first, second = (each.grant for each in list_clauses(ANNEXES["front-office"], CONTRACTS))
    (operation,) = {
        each.contract.payload: each.contract for each in list_clauses(ANNEXES["front-office"], CONTRACTS)
    }.values()
    assert (find_dropped((first,)), bool(find_dropped((second,)))) == (frozenset(), True)
    assert find_dropped((first, second)) == frozenset()
    assert find_refused(operation, (second,)) == {"criteria/onBehalfOf"}
    assert find_refused(operation, (first, second)) == frozenset()


def paths_of(message: etree._Element) -> dict[str, list[etree._Element]]:
    """Return the elements of a message by their path."""
    found: dict[str, list[etree._Element]] = defaultdict(list)
    for element in message.iterdescendants():
        steps = [element.tag, *(str(each.tag) for each in element.iterancestors())]
        found["/".join(reversed(steps[:-1]))].append(element)
    return found


def without(message: etree._Element, gone: frozenset[str]) -> etree._Element:
    """Return the message without these elements, as a client or the gateway would leave them out."""
    left = deepcopy(message)
    for path, elements in paths_of(left).items():
        for element in elements if path in gone else ():
            parent = element.getparent()
            assert parent is not None
            parent.remove(element)
    return left


@st.composite
def cuts(draw: st.DrawFn) -> tuple[str, frozenset[str], frozenset[str]]:
    """Any operation with parameters that an annex could refuse, and elements of the reply that could go."""
    name = draw(st.sampled_from(sorted(OPERATIONS)))
    shape = OPERATIONS[name].shape()
    optional = [path for path, may in shape.request_paths.items() if may and path.startswith(f"{CRITERIA}/")]
    data = [path for path in shape.reply_paths if path.partition("/")[0] not in NEVER_WITHHELD]
    going = sorted({path for each in data if (path := find_droppable(each, shape.reply_paths))})
    refused = draw(st.frozensets(st.sampled_from(optional), max_size=5)) if optional else frozenset()
    return name, refused, draw(st.frozensets(st.sampled_from(going), max_size=5)) if going else frozenset()


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=cuts())
def test_a_cut_contract_allows_what_is_left_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, cut: tuple[str, frozenset[str], frozenset[str]]
) -> None:
    key, refused, dropped = cut
    operation = OPERATIONS[key]
    namespace, name = operation.service.namespace, operation.descriptor.name
    answered = dropped | (refused if CRITERIA in operation.echo else frozenset())
    gone = {"Request": refused, "Response": answered, "Fault": frozenset[str]()}
    try:
        left = cut_schemas(XSD_FOLDER.glob("*.xsd"), {(namespace, f"{name}{kind}"): gone[kind] for kind in gone})
    except NothingLeft:
        assume(False)
    directory = tmp_path_factory.mktemp("cut")
    write_files(directory, {file: etree.tostring(schema) for file, schema in left.items()})
    schema = etree.XMLSchema(etree.parse(directory / operation.service.wsdl.replace(".wsdl", ".xsd")))
    whole = CONTRACTS.services[operation.service.path].schema
    for kind, paths in gone.items():
        for message in MESSAGES[f"{{{namespace}}}{name}{kind}"]:
            assert schema.validate(message) == paths.isdisjoint(paths_of(message)), (kind, paths)
            reduced = without(message, paths)
            assert schema.validate(reduced) == (not whole.find_errors(reduced)), (kind, paths)
