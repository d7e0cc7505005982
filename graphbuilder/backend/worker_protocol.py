"""What a worker process and its supervisor say to each other: a closed table of tasks, messages as lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphbuilder.errors import (
    BlueprintError,
    CommandError,
    Diagnostic,
    GraphbuilderError,
    InternalError,
    MissingError,
    Position,
    Related,
    Severity,
)

__all__ = ["TASKS", "Progress", "TaskKind", "diagnostic_from_json", "error_from_json", "error_to_json", "line"]


@dataclass(frozen=True, slots=True)
class TaskKind:
    """A function that a worker may run.

    Arguments:
        place: `package.module:function`. It is called with the task's arguments as a mapping and with a function that
            takes a `Progress`, and gives back plain data.
        legacy_keras: whether it works with tf_keras, so that `tf.keras` must be tf_keras too.
    """

    place: str
    legacy_keras: bool = False


# Everything that a worker runs. A job that names anything else is refused, so that no job file can run foreign code.
TASKS: Mapping[str, TaskKind] = {
    "check.weights": TaskKind("graphbuilder.backend.importing:check_task"),
    "compress.stages": TaskKind("graphbuilder.backend.compression_stages:stages_task", legacy_keras=True),
    "export.code": TaskKind("graphbuilder.backend.exporting_tasks:code_task"),
    "export.legacy_code": TaskKind("graphbuilder.backend.exporting_tasks:code_task", legacy_keras=True),
    "export.write_legacy_code": TaskKind("graphbuilder.backend.exporting_tasks:legacy_code_task", legacy_keras=True),
    "export.onnx": TaskKind("graphbuilder.backend.exporting_tasks:onnx_task"),
    "export.tflite": TaskKind("graphbuilder.backend.exporting_tasks:tflite_task", legacy_keras=True),
    "import.weights": TaskKind("graphbuilder.backend.importing:weights_task"),
    "tflite.convert": TaskKind("graphbuilder.backend.converting:convert_task", legacy_keras=True),
    "tflite.evaluate": TaskKind("graphbuilder.backend.runtime_evaluation:evaluate_task"),
    "tflite.latency": TaskKind("graphbuilder.backend.runtime_latency:latency_task"),
    "weights.pretrained": TaskKind("graphbuilder.backend.pretraining_task:pretrained_task"),
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a task is.

    Arguments:
        message: what is being done, such as `epoch 2 of 5`.
        done: how many steps are done, where they are counted.
        total: how many there are.
        facts: numbers of this moment, such as a loss.
    """

    message: str
    done: int | None = None
    total: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {"message": self.message, "done": self.done, "total": self.total, "facts": dict(self.facts)}


_KINDS: Mapping[str, type[GraphbuilderError]] = {
    kind.__name__: kind for kind in (BlueprintError, CommandError, MissingError, InternalError, GraphbuilderError)
}


def line(kind: str, **content: Any) -> bytes:
    """One message as a line of JSON.

    Raises:
        TypeError: the content is not plain data.
    """
    return json.dumps({"kind": kind, **content}).encode() + b"\n"


def error_to_json(error: GraphbuilderError) -> dict[str, Any]:
    """An error with its diagnostics as plain data; a class that the table lacks becomes its nearest base."""
    name = next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _KINDS)
    return {"error": name, "diagnostics": [diagnostic.to_json() for diagnostic in error.diagnostics]}


def error_from_json(data: Mapping[str, Any]) -> GraphbuilderError:
    """The error that `error_to_json` described."""
    return _KINDS[data["error"]](diagnostic_from_json(item) for item in data["diagnostics"])


def diagnostic_from_json(data: Mapping[str, Any]) -> Diagnostic:
    """The diagnostic that its `to_json` described."""

    def place(written: Mapping[str, int] | None) -> Position | None:
        if written is None:
            return None
        return Position(written["line"], written["column"], written["end_line"], written["end_column"])

    return Diagnostic(
        data["code"],
        data["message"],
        severity=Severity(data["severity"]),
        file=data["file"],
        position=place(data["position"]),
        node=data["node"],
        found=data["found"],
        expected=data["expected"],
        hint=data["hint"],
        fix=data["fix"],
        fix_position=place(data["fix_position"]),
        related=tuple(Related(other["message"], other["file"], place(other["position"])) for other in data["related"]),
    )
