"""The ways in which a worker process ends without a result, as errors that name the task, the cause and the fix."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from graphbuilder.errors import Diagnostic, GraphbuilderError, InternalError, Position, Related

__all__ = ["Stopped", "Suspect", "WorkerError", "bug", "death", "no_result", "out_of_memory", "stopped"]

# Lines of a library's last words that a message shows.
_SHOWN_LINES = 12
# What C++ says when memory ran out, before it aborts.
_OUT_OF_MEMORY = ("std::bad_alloc", "OOM when allocating", "Cannot allocate memory")
_ABOUT = {
    signal.SIGSEGV: "it touched memory that is not its own",
    signal.SIGABRT: "it gave up on a contradiction of its own",
    signal.SIGFPE: "it divided by zero",
    signal.SIGILL: "it used an instruction that this processor lacks",
    signal.SIGBUS: "it touched memory that is not there",
}


class Stopped(Enum):
    """Why a worker was ended before its task was."""

    TIMEOUT = "timeout"
    ASKED = "asked"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Suspect:
    """A node that is known to kill the process that a task runs in.

    Arguments:
        node: its path.
        reason: what about it does so, in one clause.
        hint: the fix, in one sentence.
        file: the blueprint's name.
        position: where the node stands in it.
    """

    node: str
    reason: str
    hint: str | None = None
    file: str | None = None
    position: Position | None = None


class WorkerError(GraphbuilderError):
    """A worker process died, took too long, or was stopped.

    Arguments:
        diagnostics: what happened, located at the nodes that are known to cause it.
        task: the task's name.
        signal_name: the signal that killed it ("SIGSEGV"), if one did.
        stderr: the end of what its libraries wrote.
        exit_code: 1 where the blueprint can be changed to avoid it, 3 where the environment lacks something.
    """

    def __init__(
        self,
        diagnostics: Diagnostic | Sequence[Diagnostic],
        *,
        task: str,
        signal_name: str | None = None,
        stderr: str = "",
        exit_code: int = 1,
    ) -> None:
        super().__init__(diagnostics)
        self.task = task
        self.signal_name = signal_name
        self.stderr = stderr
        self.exit_code = exit_code


def death(task: str, killed_by: signal.Signals, stderr: str, suspects: Sequence[Suspect]) -> WorkerError:
    """The error of a worker that a signal killed."""
    if killed_by is signal.SIGKILL:
        return out_of_memory(task, "the process was killed from outside, as is done when memory runs out", stderr)
    if any(words in stderr for words in _OUT_OF_MEMORY):
        return out_of_memory(task, f"the process ended by {killed_by.name} for want of memory", stderr)
    if killed_by is signal.SIGTERM:
        return stopped(task, Stopped.OUTSIDE, None)
    about = _ABOUT.get(killed_by)
    what = f"{task}: a library killed its process by {killed_by.name}" + (f": {about}" if about else "")
    related = _last_words(stderr)
    if not suspects:
        hint = "what the library wrote last stands above; nothing was written, and graphbuilder itself goes on"
        found = [Diagnostic("GB801", what, hint=hint if related else None, related=related)]
    else:
        found = [
            Diagnostic(
                "GB801",
                f"{what}; {suspect.reason}",
                file=suspect.file,
                position=suspect.position,
                node=suspect.node,
                hint=suspect.hint,
                related=related if number == 0 else (),
            )
            for number, suspect in enumerate(suspects)
        ]
    return WorkerError(found, task=task, signal_name=killed_by.name, stderr=stderr)


def out_of_memory(task: str, message: str, stderr: str) -> WorkerError:
    """The error of a worker for which memory did not suffice."""
    hint = "free memory, or ask for less: a smaller batch_size, fewer samples, a smaller model"
    found = Diagnostic("GB802", f"{task}: {message}", hint=hint, related=_last_words(stderr))
    return WorkerError(found, task=task, stderr=stderr, exit_code=3)


def stopped(task: str, why: Stopped, timeout: float | None) -> WorkerError:
    """The error of a worker that was ended before its task was."""
    if why is Stopped.TIMEOUT:
        message = f"{task}: it was not done within {timeout:g} s"
        return WorkerError(Diagnostic("GB803", message, hint="allow it more time"), task=task, exit_code=2)
    by = "" if why is Stopped.ASKED else " from outside"
    return WorkerError(Diagnostic("GB804", f"{task}: it was stopped{by}"), task=task)


def no_result(task: str, code: int, stderr: str) -> WorkerError:
    """The error of a worker that ended by itself and said nothing."""
    found = Diagnostic(
        "GB805", f"{task}: its process ended with code {code} and no result", related=_last_words(stderr)
    )
    return WorkerError(found, task=task, stderr=stderr, exit_code=3)


def bug(task: str, message: str, traceback: str) -> InternalError:
    """The error of a task that raised what nobody thought of."""
    related = tuple(Related(line) for line in traceback.rstrip().splitlines()[-_SHOWN_LINES:])
    hint = "please report this with the blueprint"
    return InternalError(Diagnostic("GB900", f"{task}: {message}", hint=hint, related=related))


def _last_words(stderr: str) -> tuple[Related, ...]:
    """The end of what libraries wrote, as lines of a message."""
    lines = [line.rstrip()[:300] for line in stderr.splitlines() if line.strip()]
    return tuple(Related(line) for line in lines[-_SHOWN_LINES:])
