"""What the README and the docs tell a user to do works, word for word, against a running gateway."""

import os
import re
import shlex
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.personas import load_personas
from gateway.storage.database import Database
from tests.e2e.conftest import PATIENCE, RunningGateway, run_command, serving

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
ENVIRONMENT = Path(sys.prefix)
# The worker whom the README has the brewery declare.
NEW_WORKER = "90722496827"


def code_blocks(heading: str, language: str, page: str = README) -> list[str]:
    """Return the code blocks of one section, without their indentation."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
    blocks = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", section, re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(text) for _, text in blocks]


class Reader:
    """Somebody in a directory with the README, the state at `var` and the environment at `.venv`."""

    def __init__(self, directory: Path, gateway: RunningGateway) -> None:
        self.directory = directory
        self.gateway = gateway
        (directory / "var").symlink_to(gateway.state)
        (directory / ".venv").symlink_to(ENVIRONMENT)

    def write(self, name: str, content: str) -> None:
        (self.directory / name).write_text(content, "utf-8")

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run one line of the README; only the gateway's address is another."""
        environment = os.environ | {"REQUESTS_CA_BUNDLE": "/a/bundle/of/others"}
        words = shlex.split(line.replace("https://127.0.0.1:8443", self.gateway.url), comments=True)
        return subprocess.run(
            words,
            cwd=self.directory,
            env=environment | {"KSZ_PUBLIC_URL": self.gateway.url, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


@pytest.fixture
def reader(tmp_path: Path, gateway: RunningGateway) -> Reader:
    return Reader(tmp_path, gateway)


def test_commands_to_try_answer_as_the_readme_says(reader: Reader) -> None:
    _, block, *_ = code_blocks("Try it", "sh")
    *granted, refused = [reader.run(line) for line in block.splitlines()]
    assert [done.returncode for done in granted] == [0, 0, 0], [done.stderr for done in granted]
    assert "value: DATA_FOUND" in granted[-1].stdout
    assert re.search(r"value: NO_RESULT\s+code: MSG00027", refused.stdout)


@pytest.mark.parametrize(
    ("page", "answered"),
    [
        ("self-employed", ["value: DATA_FOUND"] * 2),
        ("test-connection", ["echo: hello"]),
        (
            "employer-mandate-consultation",
            [
                "path: MANAGER",
                "path: USER",
                "path: RECOGNISED_SOCIAL_SECRETARIAT",
                "path: SERVICE_PROVIDER",
                "code: USER_BLOCKED",
            ],
        ),
    ],
)
def test_examples_of_a_service_are_answered(reader: Reader, page: str, answered: list[str]) -> None:
    (block,) = code_blocks("An example", "sh", (ROOT / "docs" / "services" / f"{page}.md").read_text("utf-8"))
    for line, expected in zip(block.splitlines(), answered, strict=True):
        assert expected in reader.run(line).stdout


def test_a_schema_is_made_as_the_operator_is_told(tmp_path: Path) -> None:
    (line,) = code_blocks("The state directory", "sh", (ROOT / "docs" / "operating.md").read_text("utf-8"))
    assert shlex.split(line) == [".venv/bin/ksz-gateway", "migrate"]
    assert run_command("migrate", "--state", tmp_path).returncode == 0
    database = Database(f"sqlite:///{tmp_path / 'ksz.db'}")
    assert database.is_current()
    database.close()


def test_readme_speaks_of_persons_of_the_demo_world() -> None:
    (persona,) = (each for each in load_personas() if each.name == "main-occupation")
    assert set(re.findall(r"\b\d{11}\b", README)) == {persona.ssin, NEW_WORKER}


def test_the_program_in_python_consults(reader: Reader) -> None:
    (program,) = code_blocks("Call it from Python", "python")
    reader.write("consult.py", program.replace("https://127.0.0.1:8443", reader.gateway.url))
    done = reader.run(".venv/bin/python consult.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, "DATA_FOUND MSG00000 DEMO90176\n", "")


@pytest.fixture
def reader_of_own_world(tmp_path: Path) -> Iterator[Reader]:
    """One who changes the world in which the gateway serves, and so has one for himself."""
    state = tmp_path / "state"
    assert run_command("demo", "--state", state).returncode == 0
    with serving(state) as own:
        yield Reader(tmp_path, own)


def test_what_to_try_next_answers(reader_of_own_world: Reader) -> None:
    _, _, calls, users = code_blocks("Try it", "sh")
    answers = [reader_of_own_world.run(line).stdout for line in calls.splitlines()]
    for answer, expected in zip(
        answers,
        ("result: ACCEPTED", f"ssin: {NEW_WORKER}", "street: Hopstraat", "RECOGNISED_SOCIAL_SECRETARIAT", "KSZ OK"),
        strict=True,
    ):
        assert expected in answer
    done = [reader_of_own_world.run(line) for line in users.splitlines()]
    assert [each.returncode for each in done] == [0, 0, 0], [each.stderr for each in done]
    assert "0999930141-U6" in done[1].stdout


def test_a_client_is_added_as_the_readme_says(reader_of_own_world: Reader) -> None:
    reader = reader_of_own_world
    imports, certify_and_call = code_blocks("Add a client", "sh")
    certify, call = certify_and_call.splitlines()
    for name, language in (("newcomer.yaml", "yaml"), ("newcomer.csv", "csv")):
        (content,) = code_blocks("Add a client", language)
        reader.write(name, content)
    for line in [*imports.splitlines(), certify]:
        done = reader.run(line)
        assert done.returncode == 0, done.stderr
    answered = _until_in_force(reader, call)
    assert "value: DATA_FOUND" in answered
    assert "filteredElement: career/occupation" in answered
    assert "occupation\n" not in answered.replace("career/occupation\n", "")


def _until_in_force(reader: Reader, line: str) -> str:
    """Call until the annex, which was imported a moment ago, is in force everywhere."""
    deadline = time.monotonic() + PATIENCE
    while True:
        done = reader.run(line)
        if done.returncode == 0 or time.monotonic() > deadline:
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout
        time.sleep(0.5)
