"""`make` on a machine that lacks something says so in one line, and leaves nothing behind."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]


NOBODY = 65534


def make(directory: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    program = shutil.which("make")
    assert program is not None
    command = [program, "run", *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, **options)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As much of a clone as make looks at before it installs anything."""
    for name in ("Makefile", "setup.cfg", "pyproject.toml", "requirements-build.lock", "requirements-dev.lock"):
        shutil.copy(REPOSITORY / name, tmp_path)
    return tmp_path


def test_a_machine_without_python_is_told_what_to_install(checkout: Path) -> None:
    made = make(checkout, "PYTHON=python-of-another-machine")
    assert made.returncode != 0
    assert "install Python 3.11" in made.stdout
    assert not (checkout / ".venv").exists()


def test_another_python_is_told_which_is_needed(checkout: Path) -> None:
    other = checkout / "python9"
    other.write_text('#!/bin/sh\n[ "$1" = -V ] && echo "Python 9.9.9" && exit 0\nexit 1\n')
    other.chmod(0o755)
    made = make(checkout, f"PYTHON={other}")
    assert made.returncode != 0
    assert "is Python 9.9.9, and Python 3.11 is needed" in made.stdout
    assert not (checkout / ".venv").exists()


def test_a_copy_that_cannot_be_written_is_told_so() -> None:
    with tempfile.TemporaryDirectory() as made_here:
        copy = Path(made_here)
        for name in ("Makefile", "setup.cfg", "pyproject.toml", "requirements-build.lock", "requirements-dev.lock"):
            shutil.copy(REPOSITORY / name, copy)
        copy.chmod(0o555)
        # To the superuser everything can be written: have somebody else run it.
        made = make(copy, user=NOBODY if os.geteuid() == 0 else None)
    assert made.returncode != 0
    assert "run make in a copy that you may write to" in made.stdout
