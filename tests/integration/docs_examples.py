"""The commands that a page of the docs shows, for the tests that run them."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
COMMAND = ".venv/bin/ksz-gateway "


def shown_commands(page: str, command: str = COMMAND) -> list[str]:
    """Return the calls of a command in the `sh` blocks of a page, without its name; a backslash continues a line."""
    text = (DOCS / page).read_text("utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line.removeprefix(command) for line in lines if line.startswith(command)]
