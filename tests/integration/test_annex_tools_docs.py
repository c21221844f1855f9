"""What docs/annex-tools.md tells to do works, line by line, in a demo world where somebody consulted."""

import os
import re
import shlex
from pathlib import Path

import pytest
import yaml
from docs_examples import DOCS, shown_commands
from gateway_world import ROOT, STARTED, OpenWorld
from typer.testing import CliRunner

from authz.annex_document import read_annex
from authz.annex_yaml import read_yaml
from authz.brussels import brussels_day
from fixtures.personas import load_personas
from gateway.annexes.cases import run_cases
from gateway.cli import app
from gateway.contracts import load_contracts
from gateway.demo_world import ANNEXES

LINES = shown_commands("annex-tools.md")
PAGE = (DOCS / "annex-tools.md").read_text("utf-8")
TEXT = (ANNEXES / "economy.yaml").read_text("utf-8")


def test_every_example_does_what_the_page_says(
    open_own_world: OpenWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = open_own_world()
    (known,) = (each.ssin for each in load_personas(brussels_day(STARTED)) if each.name == "main-occupation")
    world.ask(known, "economy", period={"beginDate": f"{STARTED.year - 4}-01-01"})
    monkeypatch.chdir(tmp_path)
    Path("var").symlink_to(world.settings.state)
    Path("fixtures").symlink_to(ROOT / "fixtures")
    draft = TEXT.replace("maxYearsBack: 5", "maxYearsBack: 3")
    Path("draft.yaml").write_text(
        draft.replace("- career/occupation\n", "- career/occupation\n      - career/nisseReference\n")
    )
    environment = {**os.environ, "KSZ_DATABASE_URL": world.settings.database_url, "COLUMNS": "200"}
    shown = {}
    assert len(LINES) == 9
    for line in LINES:
        done = CliRunner().invoke(app, shlex.split(line), env=environment)
        assert done.exit_code == 0, (line, done.exception, done.stdout)
        shown[line] = done.stdout
    told = "".join(shown.values())
    assert "may reach back 3 years instead of 5 years with criteria/period" in told
    assert "no longer tells career/nisseReference, and with it career" in told
    assert "100 %" in told
    assert known not in told


def test_the_cases_that_the_page_shows_are_cases() -> None:
    (shown,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert len(yaml.safe_load(shown)["cases"]) == 2
    contracts = load_contracts()
    annex = read_annex(TEXT, contracts.shapes())
    report = run_cases(shown, annex, read_yaml(TEXT), contracts)
    assert (report.cases, report.failures) == (2, ())
