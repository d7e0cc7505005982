"""Times whole processes in turn, and reads the peak memory that the operating system saw."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

__all__ = ["Measured", "in_turn"]


@dataclass(frozen=True, slots=True)
class Measured:
    """What several runs of one command took.

    Arguments:
        seconds: wall time of each run.
        megabytes: peak resident memory of each run.
    """

    seconds: tuple[float, ...]
    megabytes: tuple[float, ...]

    @property
    def time(self) -> float:
        """The median wall time in seconds."""
        return median(self.seconds)

    @property
    def memory(self) -> float:
        """The median peak memory in megabytes."""
        return median(self.megabytes)


def in_turn(commands: Mapping[str, Sequence[str]], runs: int) -> dict[str, Measured]:
    """Runs commands one after the other, again and again, so that a drift of the machine's speed touches all alike.

    Arguments:
        commands: arguments of the Python interpreter, by name.
        runs: counted runs of each, after one that is not counted.

    Raises:
        RuntimeError: a command failed.
    """
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    megabytes: dict[str, list[float]] = {name: [] for name in commands}
    for run in range(runs + 1):
        for name, arguments in commands.items():
            took, peak = _run([sys.executable, *arguments])
            if run:
                seconds[name].append(took)
                megabytes[name].append(peak)
    return {name: Measured(tuple(seconds[name]), tuple(megabytes[name])) for name in commands}


def _run(command: Sequence[str]) -> tuple[float, float]:
    """Wall seconds and peak megabytes of one process."""
    started = time.perf_counter()
    # An installed package has its bytecode, whatever the environment says about writing it.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
    assert process.stderr is not None
    complaint = process.stderr.read()
    process.stderr.close()
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {complaint.decode(errors='replace')[-2000:]}")
    # Linux counts kilobytes, macOS bytes.
    return took, usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
