"""Writes the generated documentation: `python -m gateway.docs`, or `make docs`. Tests compare it with what is there.

A page is generated whole, or it is written by hand and has generated sections, each from `<!-- generated: NAME -->` to
`<!-- end -->`. Whatever is generated comes from what the code itself uses; no fact is stated here.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from inspect import getdoc
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup, TyperOption

import gateway.pipeline
from authz.annex_reference import render_annex_reference
from authz.contract_shape import ContractShape
from authz.rules import PERSON_RULES, REQUEST_RULES
from authz.user_management.reference import render_user_management_rules
from fixtures.attacks import HOSTILE
from fixtures.employers import load_employers
from fixtures.world import PERSONAS
from gateway.catalogue import Entry, load_catalogue, render_markdown
from gateway.cli import app
from gateway.contracts import load_contracts
from gateway.doctor.checks import CHECKS
from gateway.settings_reference import render_settings
from services.dimona.anomalies import ANOMALIES
from services.dimona.codes import OCCUPATION_FORMS, WORKER_TYPES, CodeRow, WorkerType
from services.registry import load_services
from services.statuses import render_status_table

ROOT = Path(__file__).resolve().parent.parent

_SECTION = re.compile(r"(?P<begin><!-- generated: (?P<name>.+?) -->\n)(?P<text>.*?)(?P<end><!-- end -->)", re.DOTALL)


class UnknownSection(Exception):
    """A page marks a section that nothing generates."""


def main() -> None:
    """Write every page that is not as it should be, and name it."""
    for path, text in generate_pages().items():
        file = ROOT / path
        if not file.is_file() or file.read_text("utf-8") != text:
            file.write_text(text, "utf-8")
            sys.stdout.write(f"{path}\n")


def generate_pages() -> Mapping[str, str]:
    """Return the text of every page with something generated, by its path in the repository."""
    whole = {
        "docs/annex.md": render_annex_reference(),
        "docs/cli.md": render_commands(),
        "docs/errors.md": render_markdown(load_catalogue()),
        "docs/settings.md": render_settings(),
        "docs/user-management-rules.md": render_user_management_rules(),
    }
    sections = make_sections()
    return whole | {path: _fill(text, sections) for path, text in _hand_written(whole) if _SECTION.search(text)}


def find_pages() -> list[Path]:
    """Return every page of ours, sorted; what a package manager put under docs is not."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    return sorted(page for page in found if "node_modules" not in page.parts)


def make_sections() -> Mapping[str, Callable[[], str]]:
    """Return what writes each section, by the section's name."""
    sections: dict[str, Callable[[], str]] = {
        "stages": render_stages,
        "checks": render_checks,
        "checks of the doctor": render_doctor,
        "security faults": render_security_faults,
        "attacks": render_attacks,
        "employers": render_employers,
        "anomalies": render_anomalies,
        "worker types": render_worker_types,
        "forms of occupation": render_occupation_forms,
    }
    for service in load_services():
        sections[f"statuses of {service.name}"] = partial(render_status_table, service.statuses)
        sections[f"elements of {service.name}"] = partial(render_elements, service.name)
    for name in PERSONAS:
        sections[f"personas of {name}"] = partial(render_personas, name)
    return sections


def render_stages() -> str:
    """Return the table of the stages, from the pipeline's own docstring."""
    lines = (getdoc(gateway.pipeline) or "").splitlines()
    return "".join(f"{line}\n" for line in lines if line.startswith("|"))


def render_checks() -> str:
    """Return the checks of a decision in their order: those of the request, then those of each person."""
    of_request = ((f"`{rule.name}`", "the request", rule.asks) for rule in REQUEST_RULES)
    of_person = ((f"`{rule.name}`", "each person", rule.asks) for rule in PERSON_RULES)
    return _table(("check", "of", "what it asks"), (*of_request, *of_person))


def render_doctor() -> str:
    """Return what the doctor checks, in its order."""
    return _table(("check", "asks", "to mend"), ((each.name, each.asks, each.remedy) for each in CHECKS))


def render_security_faults() -> str:
    """Return the codes by which a message's proof is refused, with what to do."""
    found: Iterator[Entry] = (entry for entry in load_catalogue() if entry.code.startswith(("wsse:", "wsu:")))
    rows = ((f"`{entry.code}`", entry.texts["en"].cause, entry.texts["en"].remedy) for entry in found)
    return _table(("faultcode", "likely cause", "what to do"), rows)


def render_attacks() -> str:
    """Return every message that is kept to be refused, with the code that it gets."""
    rows = ((f"`{attack.name}`", attack.tries, f"`{' '.join(attack.answer)}`") for attack in HOSTILE.values())
    return _table(("message", "what it tries", "answered with"), rows)


def render_anomalies() -> str:
    """Return why a declaration is refused, in the order of its fields."""
    rows = ((f"`{row.code}`", f"`{row.field}`", row.EN) for row in ANOMALIES.values())
    return _table(("code", "field", "meaning"), rows)


def render_worker_types() -> str:
    """Return the worker types, with what each demands of a period."""
    rows = ((f"`{code}`", row.EN, _demands_of_type(row)) for code, row in WORKER_TYPES.items())
    return _table(("code", "meaning", "its periods"), rows)


def render_occupation_forms() -> str:
    """Return the forms of occupation, with what each demands of a period."""
    rows = ((f"`{code}`", row.EN, ", ".join(_demands_of_code(row))) for code, row in OCCUPATION_FORMS.items())
    return _table(("code", "meaning", "its periods"), rows)


def render_personas(service: str) -> str:
    """Return the synthetic persons of a service that were made by hand, one situation each."""
    named = (persona for persona in PERSONAS[service](None) if not persona.name.startswith("generated-"))
    rows = ((f"`{persona.ssin}`", persona.name, persona.description) for persona in named)
    return _table(("ssin", "name", "situation"), rows)


def render_employers() -> str:
    """Return the synthetic employers that were made by hand, one situation each."""
    named = (employer for employer in load_employers() if not employer.key.startswith("generated-"))
    rows = (
        (
            employer.key,
            f"`{employer.registration_number}` ({employer.register.value})",
            f"`{employer.enterprise_number}`" if employer.enterprise_number else "-",
            employer.description,
        )
        for employer in named
    )
    return _table(("employer", "registration number", "enterprise number", "situation"), rows)


def render_elements(service: str) -> str:
    """Return the elements of each operation's request and reply, by the paths that annexes call them."""
    blocks = []
    for operation, shape in load_contracts().shapes()[service].items():
        blocks.append(f"### {operation}\n\n{_table(('element', 'of', 'mandatory'), _elements(shape))}")
    return "\n".join(blocks)


def render_commands() -> str:
    """Return docs/cli.md, from the command itself."""
    root = typer.main.get_command(app)
    head = (
        "# The command `ksz-gateway`\n\n"
        "`make` installs it as `.venv/bin/ksz-gateway`. What it cannot do is one line on standard error and exit code\n"
        "1; a wrong option is exit code 2. It obeys the same [settings](settings.md) as the gateway.\n"
    )
    return "\n".join((head, *_commands(root, "ksz-gateway")))


def _commands(command: Any, name: str) -> Iterator[str]:
    if isinstance(command, TyperGroup):
        for child in command.commands.values():
            yield from _commands(child, f"{name} {child.name}")
        return
    parameters = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
    rows = ((_call_of(parameter), _default_of(parameter), parameter.help or "") for parameter in parameters)
    table = "\n" + _table(("argument or option", "default", "meaning"), rows) if parameters else ""
    yield f"## {name}\n\n{_unwrap(command.help or '')}\n{table}"


def _call_of(parameter: Any) -> str:
    if not isinstance(parameter, TyperOption):
        return f"`{parameter.metavar or parameter.name.upper()}`"
    value = "" if parameter.is_flag else f" {parameter.metavar or parameter.name.upper()}"
    return f"`{', '.join(parameter.opts)}{value}`".replace("|", "\\|")


def _default_of(parameter: Any) -> str:
    if parameter.required:
        return "required"
    return parameter.show_default if isinstance(parameter.show_default, str) else ""


def _unwrap(text: str) -> str:
    """Join the lines of each paragraph."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _demands_of_type(row: WorkerType) -> str:
    if not row.declarable:
        return "are consulted, and never declared any more"
    demands = [*_demands_of_code(row)]
    if row.forms:
        demands.append(f"say one of the forms {', '.join(row.forms)}")
    if row.planned_hours:
        demands.append("say plannedHours, 1 to 999")
    return ", ".join(demands) or "-"


def _demands_of_code(row: CodeRow) -> Iterator[str]:
    if row.span is not None:
        yield f"lie inside one {row.span}"
    if row.hours is not None:
        yield "say hours of the day" if row.hours == "required" else "say no hours of the day"


def _elements(shape: ContractShape) -> Iterator[tuple[str, str, str]]:
    for message, paths in (("request", shape.request_paths), ("reply", shape.reply_paths)):
        for path, optional in paths.items():
            yield f"`{path}`", message, "no" if optional else "yes"


def _hand_written(whole: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for file in find_pages():
        path = file.relative_to(ROOT).as_posix()
        if path not in whole:
            yield path, file.read_text("utf-8")


def _fill(text: str, sections: Mapping[str, Callable[[], str]]) -> str:
    def fill(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in sections:
            raise UnknownSection(f"{name}: there are {', '.join(sections)}")
        return f"{match['begin']}{sections[name]()}{match['end']}"

    return _SECTION.sub(fill, text)


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (columns, ("---",) * len(columns), *rows)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


if __name__ == "__main__":
    main()
