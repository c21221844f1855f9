"""What docs/audit.md tells to do works, line by line and in its order, in a world in which something was done."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from audit_world import Auditor
from docs_examples import DOCS, shown_commands
from gateway_world import OpenWorld
from test_audit_commands import SSIN, consult, record_long_ago

from gateway.audit.misuse import Thresholds

PAGE = (DOCS / "audit.md").read_text("utf-8")
COMMANDS = (DOCS / "cli.md").read_text("utf-8")
LINES = shown_commands("audit.md")
SCRIPT = ".venv/bin/python docs/verify_proof.py "


@pytest.fixture
def auditor(open_own_world: OpenWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Auditor:
    world = open_own_world()
    record_long_ago(world)
    consult(world)
    monkeypatch.chdir(tmp_path)
    Path("var").symlink_to(world.settings.state)
    Path("reply.xml").write_bytes(world.ask(SSIN).content)
    return Auditor.of(world)


def test_every_example_does_what_the_page_says(auditor: Auditor) -> None:
    assert len(LINES) > 15
    for line in LINES:
        command, *words = shlex.split(line)
        assert command == "audit"
        auditor.do(*words)
    assert {line.split()[1] for line in LINES} == set(
        re.findall(r"^## ksz-gateway audit (\w+)$", COMMANDS, re.MULTILINE)
    )
    (call,) = re.findall(rf"^{re.escape(SCRIPT)}(.+)$", PAGE, re.MULTILINE)
    script = [sys.executable, "-I", str(DOCS / "verify_proof.py"), *shlex.split(call)]
    proved = subprocess.run(script, capture_output=True, text=True, check=True)
    assert "of the log" in proved.stdout


def test_the_thresholds_are_those_of_the_code() -> None:
    each = Thresholds.load()
    assert (each.off_hours["share"], each.refusals["share"]) == (0.2, 0.2), "a fifth, says the page"
    assert (each.persons["clients"], each.volume["spreads"], each.volume["fewest_days"]) == (3, 6, 5)
    assert each.volume["earlier_days"] == 28
    for told in (
        f"| {each.off_hours['least']} or more exchanges",
        f"outside {each.working_hours['begin']} to {each.working_hours['end']} h",
        f"a day of {each.volume['least']} or more",
        f"{each.persons['times']} times or more about one person",
        "three or more clients",
        f"a fifth or more of {each.refusals['least']} or more exchanges refused",
    ):
        assert told in PAGE
