"""Every sample message is valid against its schema, and every message of every contract has a sample."""

import re
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from authz.enterprise import has_valid_cbe_check_digits
from authz.ssin import has_valid_check_digits, is_synthetic
from services.employer_numbers import has_valid_nsso_check_digits

ROOT = Path(__file__).parents[2]
XSD = "{http://www.w3.org/2001/XMLSchema}"
SAMPLES = sorted((ROOT / "fixtures/samples").glob("*.xml"))
SERVICE_SCHEMAS = sorted(
    path for path in (ROOT / "xsd").glob("*.xsd") if etree.parse(path).find(f"{XSD}element") is not None
)

REGISTRATION_NUMBERS = ("nssoRegistrationNumber", "nssoPpoRegistrationNumber", "registrationNumber")


@cache
def load_schema(service: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(ROOT / "xsd" / f"{service}.xsd"))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_the_message_that_its_name_says_and_valid(sample: Path) -> None:
    service, element = sample.name.split(".")[:2]
    message = etree.parse(sample)
    assert etree.QName(message.getroot()).localname == element
    schema = load_schema(service)
    assert schema.validate(message), schema.error_log


@pytest.mark.parametrize("schema", SERVICE_SCHEMAS, ids=lambda path: path.stem)
def test_every_message_of_a_contract_has_a_sample(schema: Path) -> None:
    messages = {element.get("name") for element in etree.parse(schema).iterfind(f"{XSD}element")}
    shown = {path.name.split(".")[1] for path in SAMPLES if path.name.startswith(f"{schema.stem}.")}
    assert shown == messages


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_an_element_that_the_contract_does_not_have_makes_a_sample_invalid(sample: Path) -> None:
    message = etree.parse(sample)
    etree.SubElement(message.getroot(), "unheardOf")
    assert not load_schema(sample.name.split(".")[0]).validate(message)


def find_texts(pattern: str, *but: str) -> set[str]:
    """All texts of the samples that are such a number, in attributes and in elements, `but` not in those."""
    return {
        text
        for sample in SAMPLES
        for node in etree.parse(sample).iter("*")
        if node.tag not in but
        for text in (node.text or "", *map(str, node.attrib.values()))
        if re.fullmatch(pattern, text)
    }


def test_samples_name_nobody() -> None:
    numbers = find_texts(r"\d{11}")
    assert len(numbers) > 1
    assert all(has_valid_check_digits(number) and is_synthetic(number) for number in numbers)


def test_enterprise_numbers_of_samples_have_check_digits() -> None:
    numbers = find_texts(r"[01]\d{9}", *REGISTRATION_NUMBERS, "fieldValue")
    assert len(numbers) > 1
    assert all(has_valid_cbe_check_digits(number) for number in numbers)


def test_nsso_numbers_of_samples_have_check_digits() -> None:
    numbers = {str(node.text) for sample in SAMPLES for node in etree.parse(sample).iter(*REGISTRATION_NUMBERS)}
    assert len(numbers) > 1
    assert all(has_valid_nsso_check_digits(number) for number in numbers)
