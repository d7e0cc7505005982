"""Tasks for worker processes that do what tasks must not do. They import nothing heavy."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from graphbuilder.backend.worker_protocol import Progress, TaskKind
from graphbuilder.errors import BlueprintError, Diagnostic, Position, Related

Report = Callable[[Progress], None]


def echo(arguments: Mapping[str, Any], report: Report) -> Any:
    """Gives back what it got, and where it runs."""
    report(Progress("echoing", 1, 2, {"loss": 0.5}))
    sys.stdout.write("a library's chatter on stdout\n")
    sys.stderr.write("a library's chatter on stderr\n")
    return {
        "arguments": dict(arguments),
        "pid": os.getpid(),
        "group": os.getpgid(0),
        "environment": {name: os.environ.get(name) for name in ("TF_USE_LEGACY_KERAS", "OMP_NUM_THREADS", "TMPDIR")},
        "heavy": sorted({"tensorflow", "keras", "numpy"} & set(sys.modules)),
    }


def fault(arguments: Mapping[str, Any], report: Report) -> Any:
    """Dies as libraries do."""
    how = arguments["how"]
    if how == "abort":
        os.abort()
    elif how == "bad_alloc":
        os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n")
        os.abort()
    elif how == "exit":
        os._exit(7)
    elif how == "memory":
        raise MemoryError("no room for 3 tensors")
    elif how == "bug":
        raise ZeroDivisionError("float division by zero")
    elif how == "import":
        import a_package_that_is_nowhere  # type: ignore[import-not-found]  # noqa: F401  # it must fail
    elif how == "interrupt":
        raise KeyboardInterrupt
    elif how == "not plain":
        return {1, 2}
    os.write(2, b"last words\n")
    os.kill(os.getpid(), getattr(signal, how))
    time.sleep(30)
    return None


def refuse(arguments: Mapping[str, Any], report: Report) -> Any:
    """Finds two things wrong."""
    raise BlueprintError(
        [
            Diagnostic(
                "GB811",
                "it cannot be",
                file="a.yaml",
                position=Position(3, 1, 3, 5),
                node="conv",
                found="1",
                expected="2",
                hint="do that",
                fix="2",
                related=(Related("there", "b.yaml", Position(1, 1, 1, 2)), Related("and so")),
            ),
            Diagnostic("GB812", "nor that"),
        ]
    )


def flood(arguments: Mapping[str, Any], report: Report) -> Any:
    """Says a great deal on every pipe."""
    for number in range(arguments["messages"]):
        report(Progress("x" * arguments["width"], number))
        os.write(1, b"y" * 1000)
    return "z" * 1_000_000


def sleep(arguments: Mapping[str, Any], report: Report) -> Any:
    """Sleeps, with its process id in a file, and tidies up when it is told to end."""
    place = Path(arguments["pid_file"])
    if arguments.get("deaf"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    place.with_suffix(".tmp").write_text(str(os.getpid()))
    place.with_suffix(".tmp").rename(place)
    report(Progress("asleep"))
    try:
        time.sleep(60)
    finally:
        place.with_suffix(".tidy").write_text("done")


ALLOW = {
    f"test.{function.__name__}": TaskKind(f"tests.support.tasks:{function.__name__}")
    for function in (echo, fault, refuse, flood, sleep)
}
