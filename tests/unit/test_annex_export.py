"""The documents of an export: whole in both languages, readable by everybody, and nothing in them from elsewhere."""

import json
import re
import string
from collections.abc import Iterator, Mapping
from errno import ENOSPC
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from annex_packages import ANNEXES, CONTRACTS, DEPLOYMENT, SHAPES, TODAY
from lxml import etree, html
from typer.testing import CliRunner, Result

from authz.annex_document import read_any_annex
from gateway.annex_export.package import make_package
from gateway.annex_export.texts import Language, load_texts
from gateway.cli import app
from gateway.xml.cut import NothingLeft

PACKAGES = {client: make_package(annex, CONTRACTS, DEPLOYMENT, TODAY) for client, annex in ANNEXES.items()}
DOCUMENTS = {
    (client, language): package[f"annex-{language}.html"].decode()
    for client, package in PACKAGES.items()
    for language in Language
}
EVERY = pytest.mark.parametrize("document", DOCUMENTS.values(), ids=[f"{c}-{each}" for c, each in DOCUMENTS])


def text_of(client: str, language: Language) -> str:
    """Return what a reader sees, without the invitations to break a line."""
    page = html.fromstring(DOCUMENTS[client, language].replace("<wbr>", "").encode())
    return re.sub(r"[ \n]+", " ", " ".join(page.find("body").itertext()))


def leaves(words: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(words, Mapping):
        for name, word in words.items():
            yield from leaves(word, f"{path}/{name}")
    else:
        yield path, words


def fields(text: object) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(str(text)) if name}


def test_both_languages_say_the_same_things_with_the_same_values() -> None:
    dutch, french = (dict(leaves(load_texts(language).words)) for language in Language)
    assert dutch.keys() == french.keys()
    assert {path: fields(text) for path, text in dutch.items()} == {path: fields(text) for path, text in french.items()}


def test_every_operation_has_a_title() -> None:
    operations = {f"{service} {operation}" for service, shapes in SHAPES.items() for operation in shapes}
    for language in Language:
        assert set(load_texts(language).words["titles"]) == operations


@EVERY
def test_a_document_can_be_read_by_everybody(document: str) -> None:
    page = html.fromstring(document.encode())
    assert page.get("lang") in set(Language)
    assert page.findtext("head/title")
    levels = [int(heading.tag[1]) for heading in page.iter("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for table in page.iter("table"):
        assert table.findtext("caption")
        columns = table.findall("thead/tr/th")
        assert all(column.get("scope") == "col" and column.text_content() for column in columns)
        assert {len(row) for row in table.findall("tbody/tr")} == {len(columns)}
        assert all(head.get("scope") == "row" for head in table.findall("tbody/tr/th"))
    ids = [element.get("id") for element in page.iter(etree.Element) if element.get("id")]
    assert len(set(ids)) == len(ids)
    named = {element.get("aria-labelledby") for element in page.iter(etree.Element)} - {None}
    assert named <= set(ids)


@EVERY
def test_a_document_brings_nothing_from_elsewhere_and_names_nobody(document: str) -> None:
    page = html.fromstring(document.encode())
    assert not list(page.iter("script", "link", "img", "iframe", "object"))
    assert not [name for element in page.iter(etree.Element) for name in element.attrib if name in ("src", "style")]
    assert not re.search(r"url\(|@import|\{\{|\{%", document)
    assert not re.search(r"(?<![0-9a-f])\d{11}(?![0-9a-f])", document)


@pytest.mark.parametrize("package", PACKAGES.values(), ids=PACKAGES)
def test_every_file_that_a_document_links_to_is_in_the_package(package: Mapping[str, bytes]) -> None:
    for language in Language:
        page = html.fromstring(package[f"annex-{language}.html"])
        targets = {str(link.get("href")) for link in page.iter("a")}
        inside = {target.removeprefix("#") for target in targets if target.startswith("#")}
        assert inside <= {element.get("id") for element in page.iter(etree.Element)}
        assert {target for target in targets if not target.startswith("#")} == set(package) - {f"annex-{language}.html"}


def test_text_is_dark_enough_on_white() -> None:
    style = files("gateway.annex_export").joinpath("document.css.j2").read_text("utf-8")
    colours = dict(re.findall(r"--(\w+): #([0-9a-f]{6})", style))

    def luminance(colour: str) -> float:
        parts = (int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4))
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    for name in ("ink", "soft", "accent"):
        # WCAG 2.2 §1.4.6, on the darker of the two backgrounds.
        assert (luminance(colours["faint"]) + 0.05) / (luminance(colours[name]) + 0.05) >= 7, name


def test_an_annex_is_told_in_words() -> None:
    economy = text_of("economy", Language.DUTCH)
    for told in (
        "vanaf 1 januari 2024, voor onbepaalde tijd",
        "6.000 vragen per minuut, 1.000.000 vragen per dag (UTC)",
        "Demonstration deliberation 24/002",
        "FPSECO:ACTIVITY_PROOF_AS_SELF_EMPLOYED",
        "moet de persoon in haar bestand hebben onder FPSECO:APPLICANT",
        "period/beginDate De eerste dag. Verplicht; niet vroeger dan 5 jaar vóór de dag van de vraag",
        "career/occupation",
        "MSG00006",
        "https://gateway.example/SelfEmployedService/v2/consult",
        "http://kszbcss.fgov.be/SelfEmployedService/consultCareer",
        ANNEXES["economy"].revision,
    ):
        assert told in economy, told
    pcsa = text_of("pcsa", Language.FRENCH)
    assert "hoogstens" not in pcsa
    assert "au plus 30 jours avant le début" in pcsa
    assert "6 000 demandes par minute".replace(" ", "\N{NARROW NO-BREAK SPACE}", 1) in pcsa
    assert "à partir du 1er janvier 2024" in pcsa


def test_an_integrator_sees_for_whom_each_clause_holds() -> None:
    told = text_of("integrator", Language.FRENCH)
    assert (
        "Au nom de Public centre for social action of Voorbeeldgem; Demonstration office of professional cards" in told
    )
    assert "Au nom de Demonstration office of professional cards" in told
    assert "numéro d'entreprise 0999.900.447" in told


def test_a_reserved_context_an_exemption_and_a_notification_are_told() -> None:
    assert (
        "FRONTOFFICE:EMPLOYMENT_MEASURES is aan deze klant voorbehouden en berust uitsluitend op Deliberation 07/039."
        in text_of("front-office", Language.DUTCH)
    )
    brewery = text_of("brewery", Language.DUTCH)
    assert (
        "Vrijgesteld van integratiecontrole: An employer and whoever declares for it know its own personnel." in brewery
    )
    assert "De klant moet die dag mogen optreden voor de werkgever die de vraag noemt." in brewery
    assert "ongevraagd een mededeling" in text_of("unemployment", Language.DUTCH)
    assert "ongevraagd een mededeling" not in brewery


def test_that_replies_are_unsigned_is_told_in_both_languages() -> None:
    text = annex_text("career-account").replace("[mutualTLS]", "[mutualTLS]\n  unsignedReplies: true")
    package = make_package(read_any_annex(text, SHAPES), CONTRACTS, DEPLOYMENT, TODAY)
    for language, told in (("nl", "ondertekent zijn antwoorden daarop niet"), ("fr", "ne signe pas les réponses")):
        assert told in package[f"annex-{language}.html"].decode()
        assert told not in DOCUMENTS["career-account", Language(language)]


def test_an_annex_for_a_role_names_no_client() -> None:
    told = text_of("technical-users", Language.DUTCH)
    assert "Bijlage: Technische gebruikers van ondernemingen" in told
    assert "Elke technische gebruiker van een onderneming" in told


def annex_text(client: str) -> str:
    return files("fixtures").joinpath("annexes", f"{client}.yaml").read_text("utf-8")


def test_what_goes_with_a_withheld_element_is_told() -> None:
    text = annex_text("economy").replace("- career/occupation", "- career/nisseReference")
    text = text.replace("      - career/affiliations/affiliation/signatureDate\n", "")
    package = make_package(read_any_annex(text, SHAPES), CONTRACTS, DEPLOYMENT, TODAY, (Language.DUTCH,))
    page = html.fromstring(package["annex-nl.html"])
    rows = [" ".join(row.text_content().split()) for row in page.iter("tr")]
    assert any(row.startswith("career/nisseReference") and row.endswith("career") for row in rows)
    assert "annex-fr.html" not in package
    assert b'name="nisseReference"' not in b"".join(package.values())


def test_what_an_annex_says_cannot_become_markup() -> None:
    name = 'Office \\"}</style><script>alert(1)</script>'
    text = annex_text("economy").replace("name: Demonstration ministry of economy", f'name: "{name}"')
    text = text.replace("Demonstration deliberation 24/002", "<b>24/002</b>")
    package = make_package(read_any_annex(text, SHAPES), CONTRACTS, DEPLOYMENT, TODAY)
    for language in Language:
        page = html.fromstring(package[f"annex-{language}.html"])
        assert not list(page.iter("script", "b"))
        assert len(list(page.iter("style"))) == 1
        assert "<script>" in page.findtext(".//h1")


def test_an_operation_that_nobody_could_call_is_not_exported(tmp_path: Path) -> None:
    text = annex_text("labour-statistics").replace("      criteria/enterpriseNumber: { required: false }\n", "")
    text = text.replace("    parameters:\n", "")
    with pytest.raises(NothingLeft, match="consultEmployerRequest"):
        make_package(read_any_annex(text, SHAPES), CONTRACTS, DEPLOYMENT, TODAY)
    (tmp_path / "annex.yaml").write_text(text, "utf-8")
    refused = run(tmp_path, str(tmp_path / "annex.yaml"))
    assert "no consultEmployerRequest could be valid with what the annex grants" in str(refused.exception)
    assert not (tmp_path / "out").exists()


def run(directory: Path, *arguments: str) -> Result:
    """Run `annex export` into `out` of the directory."""
    words = ["annex", "export", *arguments, "--out", str(directory / "out"), "--state", str(directory)]
    return CliRunner().invoke(app, words)


def test_an_integrator_that_does_not_represent_itself_keeps_its_name() -> None:
    text = annex_text("integrator").replace("represents:", "representsItself: false\nrepresents:", 1)
    package = make_package(read_any_annex(text, SHAPES), CONTRACTS, DEPLOYMENT, TODAY)
    assert html.fromstring(package["annex-fr.html"]).findtext(".//h1") == "Annexe : Demonstration service bus"


def test_a_draft_is_exported_from_its_file_in_the_languages_named(tmp_path: Path) -> None:
    done = run(tmp_path, str(files("fixtures").joinpath("annexes", "probe.yaml")), "--language", "fr", "--json")
    assert done.exit_code == 0, done.exception
    written = {Path(each) for each in json.loads(done.stdout)}
    assert written == {each for each in (tmp_path / "out").rglob("*") if each.is_file()}
    assert [each.name for each in (tmp_path / "out").glob("*.html")] == ["annex-fr.html"]


def test_a_draft_with_mistakes_is_not_exported(tmp_path: Path) -> None:
    (tmp_path / "annex.yaml").write_text(annex_text("probe").replace("kind: ", "kin: "), "utf-8")
    refused = run(tmp_path, str(tmp_path / "annex.yaml"))
    assert "problems found: " in str(refused.exception)
    assert "annex.yaml:3: kin: no key of an annex here" in refused.stderr


def test_a_directory_that_is_not_empty_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "kept").touch()
    refused = run(tmp_path, str(files("fixtures").joinpath("annexes", "probe.yaml")))
    assert "is not empty" in str(refused.exception)
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["kept"]


def test_a_package_that_cannot_be_written_whole_is_not_there_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes

    def fill_the_disk(path: Path, content: bytes) -> int:
        if path.suffix == ".py":
            raise OSError(ENOSPC, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", fill_the_disk)
    refused = run(tmp_path, str(files("fixtures").joinpath("annexes", "pcsa.yaml")))
    assert f"{tmp_path / 'out'} cannot be written: No space left on device" in str(refused.exception)
    assert list(tmp_path.iterdir()) == []


def test_a_package_is_one_file_too(tmp_path: Path) -> None:
    annex = str(files("fixtures").joinpath("annexes", "probe.yaml"))
    done = run(tmp_path, annex, "--zip", "--json")
    assert done.exit_code == 0, done.exception
    assert json.loads(done.stdout) == [str(tmp_path / "out")]
    package = make_package(read_any_annex(annex_text("probe"), SHAPES), CONTRACTS, DEPLOYMENT, TODAY)
    with ZipFile(tmp_path / "out") as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == set(package)
    assert [each.name for each in tmp_path.iterdir()] == ["out"]
    assert "an export replaces nothing" in str(run(tmp_path, annex, "--zip").exception)


def test_days_of_a_sample_lie_within_the_bounds() -> None:
    text = annex_text("economy").replace("maxYearsBack: 5", "maxYearsBack: 1")
    package = make_package(read_any_annex(text, SHAPES), CONTRACTS, DEPLOYMENT, TODAY)
    sample = etree.fromstring(package["samples/SelfEmployedServiceV2.consultCareerRequest.xml"])
    assert sample.findtext("criteria/period/beginDate") == TODAY.replace(year=TODAY.year - 1).isoformat()
