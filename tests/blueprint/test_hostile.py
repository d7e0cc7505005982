"""Files that mean harm are refused with one message, in little memory, and nothing in them is carried out."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.hostile_blueprints import HOSTILE, write

# What a check may need; half of it is Python and pydantic.
MEGABYTES = 200

CHECK = """
import json, pathlib, resource, sys
from graphbuilder.cli.app import main
code = main(["validate", sys.argv[1], "--format", "json"])
# What getrusage tells counts the process that started this one, where that copied itself to do so.
status = pathlib.Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else []
own = [line.split()[1] for line in lines if line.startswith("VmHWM")]
peak = int(own[0]) / 1024 if own else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
heavy = [name for name in ("tensorflow", "keras", "numpy", "antigravity") if name in sys.modules]
print(json.dumps([code, peak, heavy]), file=sys.stderr)
"""


def bounded() -> None:
    """Ends the process rather than the machine, should a limit not hold."""
    resource.setrlimit(resource.RLIMIT_AS, (2 * 2**30, 2 * 2**30))
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused(name: str, tmp_path: Path, root: Path) -> None:
    path = write(name, tmp_path)
    before = set(tmp_path.iterdir())
    done = subprocess.run(
        [sys.executable, "-c", CHECK, str(path)], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(root), "PATH": ""}, preexec_fn=bounded, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    code, peak, heavy = json.loads(done.stderr)
    said = json.loads(done.stdout)["diagnostics"]
    assert (code, [item["code"] for item in said]) == (1, [HOSTILE[name]])
    assert "root:" not in done.stdout
    assert not heavy
    assert peak < MEGABYTES
    assert set(tmp_path.iterdir()) == before
