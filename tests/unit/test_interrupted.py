"""Ctrl-C while a command is still loading ends it without a word, as it does later."""

import os
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).parents[2]
# A process in the background is born deaf to SIGINT.
INTERRUPTING = """\
import os, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
os.kill(os.getpid(), signal.SIGINT)
"""


def installed_command() -> tuple[str, str]:
    """Return the module and the function that `ksz-gateway` is."""
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    _, module, function = setup["options.entry_points"]["console_scripts"].replace("=", ":").split(":")
    return module.strip(), function.strip()


def test_an_interrupt_while_modules_load_ends_the_command_quietly(tmp_path: Path) -> None:
    # In the place of the first module that is not ours.
    (tmp_path / "typer.py").write_text(INTERRUPTING)
    module, function = installed_command()
    for command in (["-m", "gateway"], ["-c", f"from {module} import {function}; {function}()"]):
        path = os.pathsep.join((str(tmp_path), str(ROOT)))
        done = subprocess.run(
            [sys.executable, *command, "--help"],
            env=os.environ | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
