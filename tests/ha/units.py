"""What systemd says of the units in deploy/systemd, placed as a machine has them, beside Debian's own."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.e2e.conftest import COMMAND
from tests.ha.machine import DEPLOY

OURS = ("ksz-gateway.service", "ksz-database-proxy.service")
DEBIANS = ("etcd.service", "patroni.service")
_DEBIAN = Path("/lib/systemd/system")
_INSTALLED = "/opt/ksz-gateway/.venv/bin/ksz-gateway"
# Of 100, in systemd's own judgement of what a unit could do to its machine; 20 and less is its `OK`.
_EXPOSURE = "20"


def verify_units() -> list[str]:
    """Return what is wrong: of syntax, of files that are not there, of exposure."""
    with tempfile.TemporaryDirectory() as made:
        units = Path(made)
        shutil.copytree(DEPLOY / "systemd", units, dirs_exist_ok=True)
        for name in DEBIANS:
            shutil.copy(_DEBIAN / name, units)
        gateway = units / OURS[0]
        gateway.write_text(gateway.read_text("utf-8").replace(_INSTALLED, str(COMMAND)), "utf-8")
        problems = [said for name in (*OURS, *DEBIANS) for said in _analyze(units, "verify", "--man=no", units / name)]
        for name in OURS:
            problems += _analyze(
                units, "security", "--offline=true", f"--threshold={_EXPOSURE}", "--quiet", units / name
            )
        return problems


def _analyze(units: Path, *arguments: str | Path) -> list[str]:
    done = subprocess.run(
        ["/usr/bin/systemd-analyze", "--no-pager", *arguments],
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{units}:"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if line]
    return said or ([f"{arguments}: {done.stdout[-500:]}"] if done.returncode else [])
