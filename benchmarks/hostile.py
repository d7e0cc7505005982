"""`make bench ARGS=--hostile`: what refusing files that mean harm costs, each in a process of its own."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.hostile_blueprints import HOSTILE, write

__all__ = ["main"]

CHECK = """
import json, resource, sys, time
from graphbuilder.api import check
started = time.perf_counter()
codes = [found.code for found in check(sys.argv[1]).errors]
took = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 2**20)
print(json.dumps([codes, took, peak]))
"""


def main(argv: list[str] | None = None) -> int:
    """Checks every hostile file, and prints a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks --hostile", description=__doc__)
    parser.parse_args(sys.argv[1:] if argv is None else argv)
    print(f"{'file':28}{'refused with':>14}{'seconds':>10}{'MB':>6}")
    for name in HOSTILE:
        with tempfile.TemporaryDirectory() as folder:
            path = write(name, Path(folder))
            done = subprocess.run([sys.executable, "-c", CHECK, str(path)], capture_output=True, text=True, check=True)
        codes, took, peak = json.loads(done.stdout)
        print(f"{name:28}{' '.join(codes):>14}{took:>10.3f}{peak:>6.0f}", flush=True)
    return 0
