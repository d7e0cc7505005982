"""Exports that need a model: .onnx and .tflite files, made in a worker, and exported code, run there.

The parent imports no TensorFlow. The tasks stand in `exporting_tasks`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from graphbuilder.backend.converting_problems import locate
from graphbuilder.backend.converting_work import suspects_of
from graphbuilder.backend.frameworks import KerasVersion
from graphbuilder.backend.parity import Parity
from graphbuilder.backend.supervision import run_task
from graphbuilder.backend.worker_protocol import Progress
from graphbuilder.errors import GraphbuilderError
from graphbuilder.export import Exported
from graphbuilder.graph import Graph

__all__ = ["ExportRequest", "ModelFormat", "export_model_file", "verify_code", "write_legacy_code"]

ModelFormat: TypeAlias = Literal["onnx", "tflite"]


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What is exported.

    Arguments:
        blueprint: its file.
        params: values for some of its params.
        trust: modules whose layers may be imported.
        name: what messages call the result.
        weights: a `.weights.h5` file; without one the weights are new.
    """

    blueprint: Path
    params: Mapping[str, Any]
    trust: Sequence[str]
    name: str
    weights: Path | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "blueprint": str(self.blueprint.resolve()),
            "shown": str(self.blueprint),
            "params": dict(self.params),
            "trust": list(self.trust),
            "name": self.name,
            "weights": None if self.weights is None else str(self.weights.resolve()),
        }


def write_legacy_code(request: ExportRequest, *, progress: Callable[[Progress], None] | None = None) -> Exported:
    """The code for tf_keras, written in a worker: which functions of TensorFlow stand for an op, TensorFlow must tell.

    Arguments:
        request: what is exported.
        progress: told what is being done.

    Raises:
        BlueprintError: GB502, tf_keras lacks a layer, an argument or an op.
        WorkerError: the worker died.
    """
    done = run_task("export.write_legacy_code", request.to_json(), progress=progress).value
    return Exported(done["source"], tuple(done["params"]), tuple(done["fixed"]), done["flat"])


def verify_code(
    request: ExportRequest,
    code: str,
    *,
    keras: KerasVersion = 3,
    progress: Callable[[Progress], None] | None = None,
) -> Parity:
    """Runs exported code in a worker and holds its model against the compiled one.

    The layers, their names, arguments, connections and weights must be the same, and so must what they compute.

    Arguments:
        request: what was exported.
        code: the code.
        keras: what it was written for; it is held against the model of the same Keras.
        progress: told what is being done.

    Raises:
        BlueprintError: GB813, the code builds another model; or the model cannot be built.
        WorkerError: the worker died.
    """
    with tempfile.TemporaryDirectory(prefix="graphbuilder-") as scratch:
        place = Path(scratch) / "model.py"
        place.write_text(code, encoding="utf-8")
        arguments = {**request.to_json(), "code": str(place), "keras": keras}
        done = run_task("export.legacy_code" if keras == 2 else "export.code", arguments, progress=progress)
    return Parity(**done.value)


def export_model_file(
    request: ExportRequest,
    kind: ModelFormat,
    graph: Graph,
    *,
    verify: bool = True,
    progress: Callable[[Progress], None] | None = None,
) -> tuple[bytes, Parity | None]:
    """A model file of another runtime, made in a worker.

    Arguments:
        request: what is exported.
        kind: "onnx" or "tflite".
        graph: the blueprint's graph, so that errors stand at its nodes.
        verify: whether it is run beside the compiled model.
        progress: told what is being done.

    Returns:
        The file's content, and how far it is from the compiled model where that was looked at.

    Raises:
        BlueprintError: the model cannot be built or converted, or GB813, it computes something else.
        MissingError: a package is missing.
        WorkerError: the converter killed its process.
    """
    suspects = suspects_of(graph, "float32") if kind == "tflite" else ()
    with tempfile.TemporaryDirectory(prefix="graphbuilder-") as scratch:
        place = Path(scratch) / f"model.{kind}"
        arguments = {**request.to_json(), "output": str(place), "verify": verify}
        try:
            done = run_task(f"export.{kind}", arguments, progress=progress, suspects=suspects)
        except GraphbuilderError as error:
            locate(error, graph)
            raise
        return place.read_bytes(), Parity(**done.value) if verify else None
