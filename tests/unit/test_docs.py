"""The documentation says what the code does: generated pages are up to date, names and links lead somewhere."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel
from typer.core import TyperGroup

import gateway.docs
from authz.annex import Annex, ClientKind
from authz.annex_document import read_annex
from authz.annex_model import GrantPart, HeaderPart, find_part, keys_of
from authz.annex_reference import render_annex_reference
from authz.answer import Deny, Permit
from authz.decision import decide
from authz.employer_access import NamedEmployer
from authz.integration import Inscription, Period, PersonFacts
from authz.organisation import Organisation
from authz.question import AccessFacts, AccessRequest
from authz.rules import PERSON_RULES, REQUEST_RULES
from authz.ssin import Environment
from gateway.catalogue import load_catalogue
from gateway.cli import app
from gateway.contracts import load_contracts
from gateway.docs import ROOT, UnknownSection, find_pages, generate_pages, make_sections
from gateway.pipeline import Pipeline
from gateway.settings import PREFIX, Settings
from services.descriptor import ServiceDescriptor
from services.registry import load_services

PAGES = find_pages()
SERVICES = load_services()
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)

_PROSE = re.compile(r"^( *)```.*?^\1```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_QUOTED = re.compile(r"`([^`\n]+)`")
_FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"var", "build"}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def read(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


def prose(page: Path) -> str:
    return _PROSE.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", generate_pages())
def test_generated_page_is_up_to_date(path: str) -> None:
    assert read(path) == generate_pages()[path], "run make docs"


def test_every_generated_section_stands_in_a_page() -> None:
    marked = {name for page in PAGES for name in re.findall(r"<!-- generated: (.+?) -->", page.read_text("utf-8"))}
    without_status = {f"statuses of {service.name}" for service in SERVICES if not any(service.statuses.rows.values())}
    assert marked == set(make_sections()) - without_status


def test_section_that_nothing_generates_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.docs._hand_written", lambda whole: [("x.md", "<!-- generated: x -->\n<!-- end -->")])
    with pytest.raises(UnknownSection, match=r"^x: there are stages"):
        generate_pages()


def test_pages_that_are_behind_are_written_again_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for page in PAGES:
        (tmp_path / relative(page)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(page, tmp_path / relative(page))
    readme = (tmp_path / "README.md").read_text("utf-8")
    (tmp_path / "README.md").write_text(readme.replace("| receive ", "| deceive "), "utf-8")
    (tmp_path / "docs" / "cli.md").unlink()
    monkeypatch.setattr(gateway.docs, "ROOT", tmp_path)
    gateway.docs.main()
    assert capsys.readouterr().out == "docs/cli.md\nREADME.md\n"
    assert (tmp_path / "README.md").read_text("utf-8") == readme
    assert (tmp_path / "docs" / "cli.md").read_text("utf-8") == read("docs/cli.md")


@pytest.mark.parametrize("name", Settings.model_fields)
def test_setting_is_documented(name: str) -> None:
    description = Settings.model_fields[name].description
    assert description
    assert f"| `{name}` | `{PREFIX}{name.upper()}` |" in read("docs/settings.md")
    assert description in read("docs/settings.md")


@pytest.mark.parametrize("code", [entry.code for entry in load_catalogue()])
def test_error_code_is_documented(code: str) -> None:
    assert f"\n## {code}\n" in read("docs/errors.md")


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(command, TyperGroup):
        yield name, command
        return
    for child in command.commands.values():
        yield from commands(child, f"{name} {child.name}")


COMMANDS = dict(commands(typer.main.get_command(app), "ksz-gateway"))


@pytest.mark.parametrize("name", COMMANDS)
def test_command_is_documented_with_every_option(name: str) -> None:
    assert COMMANDS[name].help
    (section,) = re.findall(rf"^## {name}\n(.*?)(?=^## |\Z)", read("docs/cli.md"), re.DOTALL | re.MULTILINE)
    for parameter in COMMANDS[name].params:
        assert parameter.help, f"{parameter.name} has no help"
        assert parameter.help in section
        for option in parameter.opts if parameter.opts[0].startswith("-") else ():
            assert f"`{option}" in section


def keys(part: type[BaseModel]) -> Iterator[str]:
    for key, field in keys_of(part).items():
        yield key
        inner = find_part(field.annotation)
        if inner is not None:
            yield from keys(inner)


@pytest.mark.parametrize("key", sorted({"operations", *keys(HeaderPart), *keys(GrantPart)}))
def test_annex_key_is_documented(key: str) -> None:
    assert f"| `{key}` |" in render_annex_reference()


@pytest.mark.parametrize("page", ["README.md", "docs/request.md"])
def test_stages_are_documented_in_the_order_in_which_they_run(page: str) -> None:
    (table,) = re.findall(r"<!-- generated: stages -->\n(.*?)<!-- end -->", read(page), re.DOTALL)
    documented = re.findall(r"^\| (\w+) ", table, re.MULTILINE)[1:]
    run = [name for name in Pipeline._run.__code__.co_names if (ROOT / "gateway" / "stages" / f"{name}.py").is_file()]
    assert documented == [*run, "respond"]
    assert {path.stem for path in (ROOT / "gateway" / "stages").glob("[a-z]*.py")} == set(run)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_service_has_a_page_with_every_status_in_order(service: ServiceDescriptor) -> None:
    slug = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", service.name.partition("Service/")[0]).lower()
    text = read(f"docs/services/{slug}.md")
    assert service.path in text
    for operation in service.operations:
        assert f"`{operation.name}`" in text
        rows = [(status.cause, status.value, status.code) for status in service.statuses.rows[operation.name].values()]
        assert re.findall(rf"^\| {operation.name} \| (.+?) \| (\w+) \| (\w+) \|", text, re.MULTILINE) == rows


def test_example_commands_of_the_services_have_the_options_they_use() -> None:
    for page in PAGES:
        for line in re.findall(r"^ *\.venv/bin/(ksz-gateway .+)$", page.read_text("utf-8"), re.MULTILINE):
            name = max((name for name in COMMANDS if line.startswith(name)), key=len)
            known = {option for parameter in COMMANDS[name].params for option in parameter.opts}
            assert set(re.findall(r"--[a-z-]+", line)) <= known, line


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(prose(page)):
        path, _, anchor = target.partition("#")
        if path.startswith("https://"):
            continue
        file = (page.parent / path) if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_files_that_are_named_exist(page: Path) -> None:
    for quoted in _QUOTED.findall(prose(page)):
        if quoted.partition("/")[0] in _FOLDERS and re.fullmatch(r"[\w./-]+", quoted) and "/" in quoted:
            assert (ROOT / quoted).exists(), quoted


@pytest.mark.parametrize("page", [page for page in PAGES if relative(page).startswith("docs/")], ids=relative)
def test_page_is_reached_from_the_index(page: Path) -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / target).resolve() for target in _LINK.findall(index.read_text("utf-8"))}
    assert page == index or page in linked


# --- The order of the checks -----------------------------------------------------------------------------------------

CLIENT = Organisation(cbe_number="0999900150")
SERVICE, OPERATION, CONTEXT = "SelfEmployedService/v2", "consultCareer", "PCSA:SOCIAL_INQUIRY"
GOOD = AccessRequest(
    service=SERVICE,
    operation=OPERATION,
    customer=CLIENT,
    legal_context=CONTEXT,
    parameters={"criteria/ssin": "75631290176"},
    subjects=("75631290176",),
    period=Period(date(2020, 1, 1)),
)
INSCRIBED = Inscription(CLIENT.key, "PCSA:FILE", date(2000, 1, 1))
KNOWN = PersonFacts(known=True, client_inscriptions=(INSCRIBED,), supplier_inscriptions=(INSCRIBED,))


OF_AN_EMPLOYER, OF_A_SUPPLIER = "employer_not_accessible", "not_integrated_at_supplier"
OF_NO_PERSON = ("credentials_mismatch", "operation_not_granted", "parameters_not_granted", OF_AN_EMPLOYER)


def repairs() -> Iterator[tuple[ClientKind, AccessRequest, PersonFacts]]:
    """Yield a request with everything wrong, then with one thing after the other put right, in the documented order.

    An employer that is not accessible is put right by asking as an institution, which needs no relation with it.
    """
    kind = ClientKind.ENTERPRISE
    request = replace(
        GOOD,
        customer=Organisation(cbe_number="0999900249"),
        legal_context="PCSA:NONE",
        parameters={"criteria/ssin": "75631290177", "criteria/notGranted": "x"},
        subjects=("75631290177",),
        employer=NamedEmployer(enterprise_number="0999900249"),
        needs_relation=True,
    )
    facts = PersonFacts(
        known=False, cancelled=True, replaced_by="82710590203", deceased_on=date(2020, 1, 1), supplier_inscriptions=()
    )
    yield kind, request, facts
    yield kind, (request := replace(request, customer=GOOD.customer)), facts
    yield kind, (request := replace(request, legal_context=GOOD.legal_context)), facts
    yield kind, (request := replace(request, parameters={"criteria/ssin": "75631290177"})), facts
    yield (kind := ClientKind.INSTITUTION), request, facts
    yield kind, (request := replace(request, parameters=GOOD.parameters, subjects=GOOD.subjects)), facts
    yield kind, request, (facts := replace(facts, known=True))
    yield kind, request, (facts := replace(facts, client_inscriptions=KNOWN.client_inscriptions))
    yield kind, request, (facts := replace(facts, replaced_by=None))
    yield kind, request, (facts := replace(facts, cancelled=False))
    yield kind, request, (facts := replace(facts, deceased_on=None))
    yield kind, request, replace(facts, supplier_inscriptions=KNOWN.supplier_inscriptions)


@pytest.fixture(scope="module")
def annex() -> Annex:
    return read_annex(read("fixtures/annexes/pcsa.yaml"), load_contracts().shapes())


def test_checks_are_made_in_the_order_of_the_status_tables(annex: Annex) -> None:
    *denials, last = [
        decide(
            replace(annex, kind=kind),
            request,
            AccessFacts(dict.fromkeys(request.subjects, person)),
            NOW,
            Environment.TEST,
        )
        for kind, request, person in repairs()
    ]
    cases = [denial.case for denial in denials if isinstance(denial, Deny)]
    assert isinstance(last, Permit)
    assert len(cases) == len(denials) == len(REQUEST_RULES) + len(PERSON_RULES)
    for service in SERVICES:
        for operation in service.operations:
            rows = service.statuses.rows.get(operation.name, {})
            # Nothing is checked of a person or an employer whom the request does not name, nor of a supplier without.
            made = cases if operation.subject else [case for case in cases if case in OF_NO_PERSON]
            made = made if operation.employer else [case for case in made if case != OF_AN_EMPLOYER]
            made = made if service.supplier else [case for case in made if case != OF_A_SUPPLIER]
            assert not rows or list(rows)[: len(made)] == made


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_a_test_that_a_page_names_exists(page: Path) -> None:
    for file, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page.read_text("utf-8")):
        assert f"\ndef {name}(" in read(file), f"{file}::{name}"
