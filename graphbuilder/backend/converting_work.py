"""Conversion and measuring in worker processes, from a parent that imports no TensorFlow."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphbuilder.backend.converting_problems import locate
from graphbuilder.backend.runtime_flatbuffer import Operator
from graphbuilder.backend.supervision import Suspect, run_task
from graphbuilder.backend.worker_protocol import Progress
from graphbuilder.compression.conversions import Outcome, Scheme, rulings
from graphbuilder.errors import GraphbuilderError
from graphbuilder.graph import Graph, Layer

if TYPE_CHECKING:
    from graphbuilder.backend.converting import Conversion

__all__ = ["ConvertedFile", "convert_file", "measure_file", "suspects_of", "time_file"]


@dataclass(frozen=True, slots=True)
class ConvertedFile:
    """A .tflite file that a worker made.

    Arguments:
        path: the file.
        scheme: what it was asked to compute with.
        raw: its bytes.
        operators: its steps.
        still_float: those that compute floats although integers were asked for.
        seconds: how long converting took.
        peak_bytes: the most memory that the worker held.
    """

    path: Path
    scheme: Scheme
    raw: int
    operators: tuple[Operator, ...]
    still_float: tuple[Operator, ...]
    seconds: float
    peak_bytes: int


def suspects_of(graph: Graph, scheme: Scheme) -> tuple[Suspect, ...]:
    """The nodes of a graph that are known to kill the converter under a scheme."""
    found = []
    for name, ruling in rulings(graph, scheme).items():
        if ruling.outcome is Outcome.ILLEGAL and ruling.kills is not None:
            layer: Layer = graph.layers[name]
            reason = f"{layer.kind} under {scheme} is known for it: {ruling.reason}"
            where = layer.origin
            found.append(Suspect(name, reason, ruling.fix, where.source.name, where.position(key=True)))
    return tuple(found)


def convert_file(
    folder: Path,
    output: Path,
    conversion: Conversion,
    *,
    samples: Path | None = None,
    graph: Graph | None = None,
    progress: Callable[[Progress], None] | None = None,
    timeout: float | None = None,
    threads: int | None = None,
    stop: threading.Event | None = None,
) -> ConvertedFile:
    """Converts what `converting.export_model` wrote, in a worker.

    Arguments:
        folder: the exported model.
        output: where the .tflite file is to be written.
        conversion: how.
        samples: an .npz file with representative samples of each input.
        graph: the blueprint's graph, so that errors stand at its nodes.
        progress: told what is being done.
        timeout: the seconds after which it is given up.
        threads: how many threads may be used.
        stop: ends the work when another thread sets it.

    Raises:
        WorkerError: the converter killed its process; the nodes that are known for it are named.
        BlueprintError: the converter refuses.
    """
    arguments = {
        "folder": str(folder),
        "output": str(output),
        "conversion": asdict(conversion),
        "samples": None if samples is None else str(samples),
    }
    suspects = () if graph is None else suspects_of(graph, conversion.scheme)
    try:
        done = run_task(
            "tflite.convert",
            arguments,
            progress=progress,
            timeout=timeout,
            threads=threads,
            suspects=suspects,
            stop=stop,
        )
    except GraphbuilderError as error:
        if graph is not None:
            locate(error, graph)
        raise
    value = done.value
    return ConvertedFile(
        path=output,
        scheme=conversion.scheme,
        raw=value["bytes"],
        operators=_steps(value["operators"]),
        still_float=_steps(value["still_float"]),
        seconds=done.seconds,
        peak_bytes=done.peak_bytes,
    )


def _steps(written: list[dict[str, Any]]) -> tuple[Operator, ...]:
    return tuple(Operator(item["name"], item["custom"], item["dtype"], tuple(item["nodes"])) for item in written)


def measure_file(
    model: Path,
    scheme: Scheme,
    samples: Path,
    *,
    expected: Path | None = None,
    targets: Path | None = None,
    metrics: Mapping[str, str] | None = None,
    from_logits: Sequence[str] = (),
    predictions: Path | None = None,
    nodes: Mapping[str, str] | None = None,
    refuse: bool = True,
    threads: int = 1,
    progress: Callable[[Progress], None] | None = None,
    timeout: float | None = None,
    stop: threading.Event | None = None,
) -> dict[str, Any]:
    """Runs a .tflite file on samples in a worker, and measures it; see `runtime_evaluation.evaluate_task`.

    Arguments:
        model: the file.
        scheme: what it computes with, for messages.
        samples: an .npz file with an array for each input.
        expected: one with what the Keras model gives for them, by output.
        targets: one with what is right, by output.
        metrics: how each output is judged.
        from_logits: the outputs that give logits where their metric takes probabilities.
        predictions: where to write what the model gives.
        nodes: the blueprint's paths by the names that layers were built under.
        refuse: whether a model that disagrees with what is expected is an error.
        threads: how many threads it may compute with.
        progress: told how many samples are done.
        timeout: the seconds after which it is given up.
        stop: ends the work when another thread sets it.

    Returns:
        `metrics` by output, `agreement`, `tensors` and the number of `samples`.

    Raises:
        BlueprintError: the arrays do not fit, or the model computes something else than expected.
        WorkerError: the runtime killed its process.
    """
    arguments = {
        "model": str(model),
        "scheme": scheme,
        "samples": str(samples),
        "expected": None if expected is None else str(expected),
        "targets": None if targets is None else str(targets),
        "metrics": dict(metrics or {}),
        "from_logits": list(from_logits),
        "predictions": None if predictions is None else str(predictions),
        "nodes": dict(nodes or {}),
        "refuse": refuse,
        "threads": threads,
    }
    done = run_task("tflite.evaluate", arguments, progress=progress, timeout=timeout, stop=stop)
    value: dict[str, Any] = done.value
    return value


def time_file(
    model: Path,
    samples: Path | None = None,
    *,
    runs: int = 50,
    warm_up: int = 10,
    threads: int = 1,
    timeout: float | None = None,
    stop: threading.Event | None = None,
) -> dict[str, Any]:
    """Times a .tflite file in a worker; the fields of `runtime_latency.Latency`.

    Arguments:
        model: the file.
        samples: an .npz file with inputs, of which the first batch is taken; None for ones.
        runs: how many runs are timed.
        warm_up: how many come before.
        threads: how many threads it may compute with.
        timeout: the seconds after which it is given up.
        stop: ends the work when another thread sets it.
    """
    arguments = {
        "model": str(model),
        "samples": None if samples is None else str(samples),
        "runs": runs,
        "warm_up": warm_up,
        "threads": threads,
    }
    value: dict[str, Any] = run_task("tflite.latency", arguments, timeout=timeout, stop=stop).value
    return value
