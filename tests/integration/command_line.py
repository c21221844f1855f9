"""The commands as somebody at a world's machine runs them."""

import json
from pathlib import Path
from typing import Any

from gateway_world import World
from typer.testing import CliRunner, Result

from gateway.cli import app


def run(world: World, *arguments: str | Path) -> Result:
    environment = {
        "KSZ_STATE": str(world.settings.state),
        "KSZ_DATABASE_URL": world.settings.database_url,
        "COLUMNS": "200",
    }
    return CliRunner().invoke(app, list(map(str, arguments)), env=environment)


def read(world: World, *arguments: str | Path) -> Any:
    """Run a command that must succeed, and return the JSON that it prints."""
    done = run(world, *arguments, "--json")
    assert done.exit_code == 0, (arguments, done.exception, done.stdout)
    return json.loads(done.stdout)


def refused(world: World, *arguments: str | Path) -> str:
    """Run a command that must be refused, and return why."""
    done = run(world, *arguments)
    assert done.exit_code == 1, (arguments, done.stdout)
    return str(done.exception)
