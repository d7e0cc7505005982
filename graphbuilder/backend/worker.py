"""A worker process: reads one job from stdin, runs it, and tells of it on a pipe of its own.

Run as `python -m graphbuilder.backend.worker` by `supervision`, never by hand. TensorFlow's converter can kill the
process it runs in; here that costs no more than the job.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import faulthandler
import importlib
import json
import os
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from graphbuilder.backend.worker_protocol import TASKS, Progress, error_to_json, line
from graphbuilder.errors import Diagnostic, GraphbuilderError, MissingError

__all__ = ["main"]

# From Linux's <sys/prctl.h>.
_PR_SET_PDEATHSIG = 1


def main(argv: list[str] | None = None) -> int:
    """Runs the job that stands on stdin.

    Returns:
        0 when the supervisor was told of the end, whichever it was; 1 when it could not be told.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--channel", type=int, required=True, help="the file descriptor to write messages to")
    parser.add_argument("--parent", type=int, required=True, help="the supervisor's process id")
    parser.add_argument("--allow", action="append", default=[], metavar="NAME=PLACE", help="one more task")
    options = parser.parse_args(argv)
    # What the task starts must not hold the channel open after this process ends.
    os.set_inheritable(options.channel, False)
    _die_with(options.parent)
    _keep_quiet_about_death()
    signal.signal(signal.SIGTERM, _leave)
    channel = _Channel(options.channel)
    places = {name: kind.place for name, kind in TASKS.items()}
    for allowed in options.allow:
        name, _, place = allowed.partition("=")
        places[name] = place
    try:
        job = json.loads(sys.stdin.buffer.readline())
        threading.Thread(target=_die_at_end_of_stdin, daemon=True).start()
        return _run(channel, places, job["task"], job["arguments"])
    except BrokenPipeError:
        return 1


class _Channel:
    """The pipe to the supervisor; whole messages from any thread."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._within = False

    def send(self, kind: str, **content: Any) -> None:
        """Writes one message.

        Raises:
            TypeError: the content is not plain data.
        """
        message = line(kind, **content)
        with self._lock:
            # An exception (a signal's) may have cut the last message short; its line is ended first.
            remaining = memoryview(b"\n" + message if self._within else message)
            self._within = True
            while remaining:
                remaining = remaining[os.write(self._descriptor, remaining) :]
            self._within = False

    def progress(self, progress: Progress) -> None:
        """Tells how far the task is."""
        self.send("progress", **progress.to_json())


def _run(channel: _Channel, places: Mapping[str, str], task: str, arguments: Mapping[str, Any]) -> int:
    """Runs a task and tells how it ended."""
    started = time.monotonic()
    try:
        value = _function(places, task)(arguments, channel.progress)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        channel.send("done", value=value, seconds=time.monotonic() - started, peak_bytes=peak)
    except BrokenPipeError:
        raise
    except GraphbuilderError as error:
        channel.send("error", **error_to_json(error))
    except (KeyboardInterrupt, SystemExit):
        channel.send("stopped")
    except ImportError as error:
        missing = Diagnostic("GB604", f"{task} needs {error.name or 'a package'}, which cannot be imported: {error}")
        channel.send("error", **error_to_json(MissingError(missing)))
    except BaseException as error:
        # TensorFlow's own error for memory is an ordinary exception; its name saves importing TensorFlow here.
        memory = isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError"
        text = " ".join(str(error).split())[:400]
        kind = "memory" if memory else "bug"
        channel.send(kind, message=f"{type(error).__name__}: {text}", traceback=traceback.format_exc()[-8_000:])
    return 0


def _function(places: Mapping[str, str], task: str) -> Callable[[Mapping[str, Any], Callable[[Progress], None]], Any]:
    """The function of a task.

    Raises:
        LookupError: the table has no such task.
    """
    place = places.get(task)
    if place is None:
        raise LookupError(f"{task} is not in the table of tasks")
    module, _, attribute = place.partition(":")
    found: Callable[[Mapping[str, Any], Callable[[Progress], None]], Any]
    found = getattr(importlib.import_module(module), attribute)
    return found


def _die_with(parent: int) -> None:
    """Has this process killed when its supervisor dies, also while a library holds the interpreter."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        # It died before we asked.
        os.kill(os.getpid(), signal.SIGKILL)


def _die_at_end_of_stdin() -> NoReturn:
    """Ends this process when the supervisor's end of stdin closes, which is all that other systems than Linux have."""
    # The descriptor itself, because the buffered reader's lock would keep the interpreter from ending.
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def _keep_quiet_about_death() -> None:
    """A crash shows Python's frames on stderr, and leaves no core file of gigabytes in the user's folder."""
    faulthandler.enable(all_threads=False)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _leave(number: int, frame: object) -> NoReturn:
    """Ends the task by an exception, so that it can clean up."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    _code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # TensorFlow's threads take their time to end, and sometimes crash on the way; the supervisor knows all it needs.
    os._exit(_code)
