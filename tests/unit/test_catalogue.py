"""The error catalogue is complete, fits the contracts, and is what the documentation says."""

import json
import re
from html import unescape
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from lxml import etree

from gateway.catalogue import (
    LANGUAGES,
    CatalogueError,
    Kind,
    load_catalogue,
    read_catalogue,
    render_html,
    render_markdown,
)
from gateway.wss.faults import SecurityCode

ROOT = Path(__file__).parents[2]
CATALOGUE = load_catalogue()
CODES = list(CATALOGUE.entries)
SPECIMEN = {
    "code": "GTW99999",
    "kind": "fault",
    "meaning": {"en": "a < b", "nl": "twee & drie", "fr": '"quatre"'},
    "cause": {"en": "cause", "nl": "oorzaak", "fr": "raison"},
    "remedy": {"en": "remedy", "nl": "remedie", "fr": "remède"},
}


def changed(**fields: object) -> str:
    return yaml.safe_dump([SPECIMEN | fields])


def test_every_code_of_the_contracts_and_of_the_gateway_has_an_entry() -> None:
    numbers = [*range(10), 11, 12, 13, 14, 15, 16, 20, 21, 23, 25, 27, 100]
    expected = {f"MSG{number:05d}" for number in numbers}
    expected |= {f"SES00{number}00" for number in range(1, 7)} | {"HAN20200"}
    expected |= {f"GTW{number:05d}" for number in (1, 2, 3, 4, 5, *range(10, 21))}
    expected |= {code.value for code in SecurityCode}
    assert set(CODES) == expected


def test_every_code_that_the_program_gives_has_an_entry() -> None:
    sources = [
        path.read_text("utf-8")
        for package in ("gateway", "services", "authz")
        for path in (ROOT / package).rglob("*")
        if path.suffix == ".py" or path.name == "statuses.yaml"
    ]
    given = {code for text in sources for code in re.findall(r"\b(?:MSG|SES|GTW|HAN)\d{5}\b", text)}
    assert len(given) > 5
    assert given <= set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_an_entry_says_meaning_cause_and_remedy_in_sentences_of_each_language(code: str) -> None:
    entry = CATALOGUE.get(code)
    assert set(entry.texts) == {"en", "nl", "fr"}
    said = [getattr(texts, aspect) for texts in entry.texts.values() for aspect in ("meaning", "cause", "remedy")]
    assert all(re.fullmatch(r"\S.*\.", text) for text in said)
    assert len(set(said)) == len(said)


@pytest.mark.parametrize("code", CODES)
def test_meaning_remedy_and_address_fit_a_description_of_the_contract(code: str) -> None:
    english = CATALOGUE.get(code).texts["en"]
    pointer = f" (https://gateway.example.test:8443/errors/{code})"
    assert len(f"{english.meaning} {english.remedy}{pointer}") <= 256


@pytest.mark.parametrize("code", [code for code in CODES if ":" not in code])
def test_a_code_fits_the_code_of_the_contract(code: str) -> None:
    assert len(code) <= 16


def test_security_codes_are_faults_and_codes_of_services_statuses() -> None:
    kinds = {code: CATALOGUE.get(code).kind for code in CODES}
    assert all(kind is Kind.FAULT for code, kind in kinds.items() if ":" in code)
    assert all(kind is Kind.STATUS for code, kind in kinds.items() if code.startswith(("SES", "HAN")))
    faults = {code for code, kind in kinds.items() if code.startswith("MSG") and kind is Kind.FAULT}
    assert faults == {"MSG00001", "MSG00002", "MSG00003", "MSG00004"}


def test_an_unknown_code_is_not_got() -> None:
    assert "MSG99999" not in CATALOGUE
    with pytest.raises(KeyError):
        CATALOGUE.get("MSG99999")


def test_a_specimen_entry_is_read() -> None:
    assert read_catalogue(changed()).get("GTW99999").texts["fr"].remedy == "remède"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (changed(meaning={"en": "x", "nl": "x"}), "GTW99999: meaning must have a text in each"),
        (
            changed(cause={"en": "x", "nl": "x", "fr": "x", "de": "x"}),
            "GTW99999: cause must have a text in each",
        ),
        (changed(remedy={"en": "x", "nl": " ", "fr": "x"}), "GTW99999: remedy has no text in nl"),
        (changed(remedy="x"), "GTW99999: remedy must have a text"),
        (changed(kind="warning"), "GTW99999: kind is status or fault"),
        (changed(hint="x"), "GTW99999: missing or unknown: hint"),
        (changed(code=""), "an entry has no code"),
        (yaml.safe_dump([{"code": "X", "kind": "fault"}]), "X: missing or unknown: cause, meaning, remedy"),
        (yaml.safe_dump([SPECIMEN, SPECIMEN]), "more than one entry has the code GTW99999"),
    ],
)
def test_incomplete_data_are_refused(text: str, complaint: str) -> None:
    with pytest.raises(CatalogueError, match=re.escape(complaint)):
        read_catalogue(text)


def test_the_page_of_the_documentation_is_that_of_the_catalogue() -> None:
    assert (ROOT / "docs/errors.md").read_text("utf-8") == render_markdown(CATALOGUE), (
        "run: python -m gateway.catalogue > docs/errors.md"
    )


def test_every_line_of_the_table_of_contents_leads_to_a_heading() -> None:
    page = render_markdown(CATALOGUE)
    headings = {re.sub(r"[^\w\- ]", "", line).lower() for line in re.findall(r"^## (.*)$", page, re.MULTILINE)}
    links = re.findall(r"\]\(#([^)]*)\)", page)
    assert len(links) == len(CODES)
    assert set(links) == headings


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_list_of_codes_is_served_in_each_language(language: str) -> None:
    page = etree.HTML(render_html(CATALOGUE, language, None))
    assert page.get("lang") == language
    assert page.xpath("//a/@href") == [f"/errors/{code}" for code in CODES]
    assert page.xpath("count(//h1)") == 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", CODES)
def test_the_page_of_a_code_says_all_that_the_entry_says(code: str, language: str) -> None:
    page = render_html(CATALOGUE, language, code)
    texts = CATALOGUE.get(code).texts[language]
    assert f'<html lang="{language}">' in page
    assert all(text in unescape(page) for text in (code, texts.meaning, texts.cause, texts.remedy))


def test_texts_are_escaped_in_pages() -> None:
    catalogue = read_catalogue(changed(code="<b>"))
    for code in ("<b>", None):
        assert "<b>" not in render_html(catalogue, "en", code)
        assert "a &lt; b" in render_html(catalogue, "en", code)
    assert "twee &amp; drie" in render_html(catalogue, "nl", "<b>")
    assert 'href="/errors/%3Cb%3E"' in render_html(catalogue, "en", None)


def test_a_page_for_an_unknown_code_or_language_is_not_made() -> None:
    with pytest.raises(KeyError):
        render_html(CATALOGUE, "en", "MSG99999")
    with pytest.raises(KeyError):
        render_html(CATALOGUE, "de", None)


def test_a_program_reads_what_the_data_file_says() -> None:
    written = yaml.safe_load(files("gateway.catalogue").joinpath("catalogue.yaml").read_text("utf-8"))
    assert json.loads(json.dumps(CATALOGUE.to_document())) == written
