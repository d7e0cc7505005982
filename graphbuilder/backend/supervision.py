"""Runs tasks in worker processes, and makes a result or an error of every way in which one can end.

No TensorFlow here.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from graphbuilder.backend.worker_deaths import (
    Stopped,
    Suspect,
    WorkerError,
    bug,
    death,
    no_result,
    out_of_memory,
    stopped,
)
from graphbuilder.backend.worker_protocol import TASKS, Progress, TaskKind, error_from_json
from graphbuilder.errors import Diagnostic, InternalError

__all__ = ["Done", "Suspect", "WorkerError", "run_task"]

# Of what a worker and its libraries write on stderr, the end is kept.
_KEPT_STDERR = 64 * 1024
# How often a stop, a time limit and the worker's life are looked at, in seconds.
_PULSE = 0.1
# What is read at once from a pipe.
_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Done:
    """What a task gave.

    Arguments:
        value: its result, as plain data.
        seconds: how long it ran, without the start of its process.
        peak_bytes: the most memory that its process held.
    """

    value: Any
    seconds: float
    peak_bytes: int


def run_task(
    task: str,
    arguments: Mapping[str, Any],
    *,
    progress: Callable[[Progress], None] | None = None,
    timeout: float | None = None,
    threads: int | None = None,
    suspects: Sequence[Suspect] = (),
    stop: threading.Event | None = None,
    grace: float = 5.0,
    allow: Mapping[str, TaskKind] | None = None,
) -> Done:
    """Runs a task in a process of its own and waits for it.

    Arguments:
        task: a name of the table `worker_protocol.TASKS`.
        arguments: plain data; files are given by their paths.
        progress: told how far it is, in this thread. What it raises ends the worker.
        timeout: the seconds after which it is ended.
        threads: how many threads TensorFlow may compute with; None leaves it to TensorFlow.
        suspects: the nodes that are named when the process is killed by a fault, because they are known to do that.
        stop: ends the worker when another thread sets it.
        grace: the seconds between asking the worker to end and killing it.
        allow: more tasks, by name; for tests.

    Raises:
        GraphbuilderError: the one that the task raised.
        WorkerError: the process died, took too long or was stopped.
        InternalError: the task failed in a way that nobody thought of.
        KeyboardInterrupt: Ctrl-C was pressed; the worker has been ended.
    """
    known = {**TASKS, **(allow or {})}
    if task not in known:
        raise InternalError(Diagnostic("GB900", f"{task} is not in the table of tasks"))
    allowed = [f"--allow={name}={kind.place}" for name, kind in (allow or {}).items()]
    with tempfile.TemporaryDirectory(prefix="graphbuilder-") as scratch, contextlib.ExitStack() as opened:
        ears = _Ears(progress)
        read_end, write_end = os.pipe()
        opened.callback(os.close, read_end)
        try:
            process = subprocess.Popen(
                # -P: a file named json.py in the user's folder must not be imported for the standard library's.
                [sys.executable, "-P", "-m", "graphbuilder.backend.worker", f"--channel={write_end}",
                 f"--parent={os.getpid()}", *allowed],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(write_end,),
                env=_environment(known[task], threads, scratch),
                # A group of its own: Ctrl-C in the terminal reaches the supervisor alone, which ends the worker.
                process_group=0,
            )  # fmt: skip
        finally:
            os.close(write_end)
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            _hand_over(process.stdin, {"task": task, "arguments": dict(arguments)})
            reason = _listen(process, read_end, ears, timeout, stop)
            if reason is not None:
                raise stopped(task, reason, timeout)
        finally:
            # Closed first, so that a worker which is about to say something is not held up by a full pipe.
            opened.close()
            _end(process, grace)
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
    return _result(task, ears, process.returncode, suspects)


def _environment(kind: TaskKind, threads: int | None, scratch: str) -> dict[str, str]:
    """The worker's environment: the same interpreter and modules, one Keras, quiet logs, a scratch folder of ours."""
    env = dict(os.environ)
    env["PYTHONPATH"] = os.pathsep.join(_module_folders())
    env["PYTHONUNBUFFERED"] = "1"
    env["TMPDIR"] = scratch
    env.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if kind.legacy_keras:
        env["TF_USE_LEGACY_KERAS"] = "1"
    else:
        env.pop("TF_USE_LEGACY_KERAS", None)
    if threads is not None:
        for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
            env[name] = str(threads)
    return env


def _module_folders() -> list[str]:
    """Where this process imports from, but for the interpreter's own folders; a checkout is among them."""
    own = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    package = str(Path(__file__).resolve().parents[2])
    folders = [package, *(entry or str(Path.cwd()) for entry in sys.path)]
    return [folder for folder in dict.fromkeys(folders) if folder not in own]


class _Ears:
    """What the worker said, sorted."""

    def __init__(self, progress: Callable[[Progress], None] | None) -> None:
        self.progress = progress
        self.last: dict[str, Any] | None = None
        self.noise = b""
        self._parts: list[bytes] = []

    def channel(self, chunk: bytes) -> None:
        """Takes what came over the channel; every whole line is a message."""
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            whole = b"".join((*self._parts, line))
            self._parts.clear()
            # A worker that was told to end in the middle of a message leaves half a line.
            with contextlib.suppress(json.JSONDecodeError):
                self._message(json.loads(whole))
        self._parts.append(rest)

    def _message(self, message: dict[str, Any]) -> None:
        if message["kind"] != "progress":
            self.last = message
        elif self.progress is not None:
            self.progress(Progress(message["message"], message["done"], message["total"], message["facts"]))

    def outcry(self, chunk: bytes) -> None:
        """Takes what libraries wrote on stdout and stderr."""
        self.noise = (self.noise + chunk)[-_KEPT_STDERR:]


def _hand_over(stdin: IO[bytes], job: Mapping[str, Any]) -> None:
    """Writes the job. The pipe stays open: its end tells the worker that this process has died."""
    # If the worker died at its start, how it did so is told by its end.
    with contextlib.suppress(BrokenPipeError):
        stdin.write(json.dumps(job).encode() + b"\n")
        stdin.flush()


def _listen(
    process: subprocess.Popen[bytes],
    channel: int,
    ears: _Ears,
    timeout: float | None,
    stop: threading.Event | None,
) -> Stopped | None:
    """Reads both pipes until the worker has ended.

    Returns:
        Why it should be ended before that, or None when it has ended by itself.
    """
    assert process.stdout is not None
    deadline = None if timeout is None else time.monotonic() + timeout
    takers = {channel: ears.channel, process.stdout.fileno(): ears.outcry}
    with selectors.DefaultSelector() as selector:
        for descriptor in takers:
            os.set_blocking(descriptor, False)
            selector.register(descriptor, selectors.EVENT_READ)
        while True:
            # Asked before reading: whatever a dead worker wrote is in the pipes by then. Processes that it left behind
            # may hold them open, so their end is not waited for.
            dead = process.poll() is not None
            # With both pipes closed it is about to end.
            found = selector.select(0 if dead else _PULSE if selector.get_map() else 0.002)
            for key, _ in found:
                chunk = os.read(key.fd, _CHUNK)
                if chunk:
                    takers[key.fd](chunk)
                else:
                    selector.unregister(key.fd)
            if dead and not found:
                return None
            if stop is not None and stop.is_set():
                return Stopped.ASKED
            if deadline is not None and time.monotonic() > deadline and not dead:
                return Stopped.TIMEOUT


def _end(process: subprocess.Popen[bytes], grace: float) -> None:
    """Ends the worker if it still runs: asks, waits, kills. A second Ctrl-C kills at once."""
    if process.poll() is not None:
        return
    try:
        process.terminate()
        process.wait(grace)
    except subprocess.TimeoutExpired:
        pass
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _result(task: str, ears: _Ears, code: int, suspects: Sequence[Suspect]) -> Done:
    """What the end of a worker means.

    Raises:
        GraphbuilderError: anything but success.
    """
    noise = ears.noise.decode(errors="replace")
    message = ears.last or {"kind": "nothing"}
    match message["kind"]:
        case "done":
            return Done(message["value"], message["seconds"], message["peak_bytes"])
        case "error":
            raise error_from_json(message)
        case "stopped":
            raise stopped(task, Stopped.OUTSIDE, None)
        case "memory":
            raise out_of_memory(task, message["message"], noise)
        case "bug":
            raise bug(task, message["message"], message["traceback"])
    if code < 0:
        raise death(task, signal.Signals(-code), noise, suspects)
    raise no_result(task, code, noise)
