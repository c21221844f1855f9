"""The commands of `ksz-gateway audit` on a world, and a small log of records of every sort to break."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway_world import World
from storage_world import World as StorageWorld
from typer.testing import CliRunner, Result

from gateway.audit.record import AuditRecord, RecordKind, RecordOutcome
from gateway.cli import app


@dataclass
class Auditor:
    """Somebody who runs `ksz-gateway audit …` on the state of a world."""

    state: Path
    database_url: str
    settings: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, world: World, **settings: str) -> "Auditor":
        return cls(world.settings.state, world.settings.database_url, settings)

    @property
    def key(self) -> tuple[str, str]:
        return ("--auditor-key", str(self.state / "pki" / "auditor.key"))

    def run(self, *arguments: str, typed: str = "") -> Result:
        environment = {"KSZ_STATE": str(self.state), "KSZ_DATABASE_URL": self.database_url, "COLUMNS": "250"}
        return CliRunner().invoke(app, ["audit", *arguments], input=typed, env=environment | self.settings)

    def do(self, *arguments: str, typed: str = "") -> Any:
        """Run a command that must succeed, and return what it prints: as JSON, if that was asked for."""
        done = self.run(*arguments, typed=typed)
        assert done.exit_code == 0, (arguments, done.exception, done.stderr)
        return json.loads(done.stdout) if "--json" in arguments else done.stdout

    def refused(self, *arguments: str, typed: str = "") -> str:
        """Run a command that must be refused, and return why."""
        done = self.run(*arguments, typed=typed)
        assert done.exit_code == 1, (arguments, done.stdout)
        return str(done.exception)


def ticket(number: int) -> str:
    return f"5a1a0c1e-0000-4000-8000-{number:012}"


def fill(world: StorageWorld, subject: str, *others: str, count: int) -> Iterator[int]:
    """Record so many exchanges and changes, each in a batch of its own; give the number of each when it is there."""
    for number in range(count):
        world.clock.advance(seconds=1)
        world.trail.record(
            AuditRecord(
                ticket_cbss=ticket(number),
                received_at=world.clock(),
                outcome=list(RecordOutcome)[number % 4],
                kind=RecordKind.EXCHANGE if number % 3 else RecordKind.ANNEX_CHANGE,
                client="pcsa",
                code="MSG00012" if number % 2 else None,
                source_address="192.0.2.7",
                organisation="cbe:0999900150",
                operation="consultCareer",
                criteria=("criteria/ssin",),
                left_out=number if number % 2 else None,
                subject=subject,
                further_subjects=others if number % 2 else (),
                message=b"<message/>",
                reason="because",
            )
        )
        yield number
