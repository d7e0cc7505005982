"""The process of a job: this package's own command line, which ends when the editor does.

Run as `python -m graphbuilder.tui.job_child COMMAND …` by `jobs`, never by hand. Its stdin is a pipe from the editor on
which nothing is said: that it ends tells that the editor has died, in whatever way.
"""

from __future__ import annotations

import contextlib
import os
import runpy
import signal
import threading
import time
from pathlib import Path

__all__ = ["COPY_VARIABLE", "main"]

# Names the hidden copy of the blueprint, which this process removes if the editor no longer can.
COPY_VARIABLE = "GRAPHBUILDER_JOB_COPY"

# How long the command may take to end once it was asked to, in seconds, before it is asked less kindly.
_PATIENCE = (10.0, 5.0)
# How far the command stands back behind other programs, as nice(2) counts it.
_NICENESS = 10


def main() -> None:
    """Runs the command line that stands in the arguments.

    Raises:
        SystemExit: always, with the command's exit code.
    """
    pipe = os.dup(0)
    # What the command itself reads is empty.
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    # Cancelling begins with SIGINT, which an editor that a script has started may have been told to ignore.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Drawing goes first: a model that is built on every core must not make the editor wait for one.
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)
    copy = os.environ.pop(COPY_VARIABLE, None)
    threading.Thread(target=_end_with_the_editor, args=(pipe, copy), daemon=True).start()
    runpy.run_module("graphbuilder", run_name="__main__", alter_sys=True)


def _end_with_the_editor(pipe: int, copy: str | None) -> None:
    with contextlib.suppress(OSError):
        while os.read(pipe, 1):
            pass
    if copy is not None:
        with contextlib.suppress(OSError):
            Path(copy).unlink()
    for number, patience in zip((signal.SIGINT, signal.SIGTERM), _PATIENCE, strict=True):
        os.kill(os.getpid(), number)
        time.sleep(patience)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
