"""Runs a compression from a blueprint to files: training, conversion and measuring in workers of their own."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphbuilder.backend.converting import Conversion
from graphbuilder.backend.converting_work import convert_file, measure_file
from graphbuilder.backend.supervision import run_task
from graphbuilder.backend.worker_protocol import Progress
from graphbuilder.compression.conversions import Scheme
from graphbuilder.compression.plan import plan_compression
from graphbuilder.compression.plan_data import plan_data, scheme_of
from graphbuilder.compression.sizes import FileSize, file_size
from graphbuilder.errors import CommandError, Diagnostic
from graphbuilder.graph import Graph, Value

__all__ = ["Compressed", "compress"]


@dataclass(frozen=True, slots=True)
class Compressed:
    """What a compression gave.

    Arguments:
        folder: where its files stand: model.keras, model.tflite and report.json.
        stages: what the model was after each stage, as plain data.
        before: the size of the float .tflite file.
        after: that of the compressed one.
        accuracy: of both .tflite files by output, as measured in the TFLite runtime.
        report: all of it as plain data, as report.json has it.
    """

    folder: Path
    stages: tuple[Mapping[str, Any], ...]
    before: FileSize
    after: FileSize
    accuracy: tuple[Mapping[str, float], Mapping[str, float]]
    report: Mapping[str, Any]


def compress(
    blueprint: Path,
    graph: Graph,
    data: str,
    folder: Path,
    *,
    params: Mapping[str, Any],
    seed: int = 0,
    epochs: int | None = None,
    trust: Sequence[str] = (),
    progress: Callable[[Progress], None] | None = None,
) -> Compressed:
    """Trains a blueprint and carries out its passes.

    Arguments:
        blueprint: the file.
        graph: its graph, which declares passes that were checked.
        data: what to train and judge with, as `--data` takes it.
        folder: where to write; it is made, and must not hold another run.
        params: values of the blueprint's params.
        seed: fixes everything random.
        epochs: passes over the data in each stage; None for those of the blueprint.
        trust: modules whose layers and functions may be imported.
        progress: told how far it is.

    Raises:
        GraphbuilderError: the data does not fit, a stage fails, or a worker died.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        hint = "name a folder that does not exist yet"
        raise CommandError(Diagnostic("GB601", f"{folder} exists already and is not empty", hint=hint))
    folder.parent.mkdir(parents=True, exist_ok=True)
    plan, _ = plan_compression(graph)
    # Beside the folder, so that what is finished can be renamed to it: it appears whole or not at all.
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
        work = Path(scratch)
        results = work / "results"
        results.mkdir()
        common = {"blueprint": str(blueprint.resolve()), "params": dict(params), "trust": list(trust)}
        arguments = {**common, "data": data, "folder": scratch, "seed": seed, "epochs": epochs}
        done: dict[str, Any] = run_task("compress.stages", arguments, progress=progress).value

        def converted(name: str, output: Path, scheme: Scheme, aware: bool) -> dict[str, Any]:
            convert_file(
                work / f"exported_{name}",
                output,
                Conversion(scheme, aware=aware),
                samples=work / "representative.npz",
                graph=graph,
                progress=progress,
            )
            metrics = _metrics(graph)
            return measure_file(
                output, scheme, work / "judged.npz", targets=work / "targets.npz" if metrics else None,
                metrics=metrics, refuse=False, progress=progress,
            )  # fmt: skip

        float_file = work / "float.tflite"
        first = converted("float", float_file, "float32", False)
        last = converted("last", results / "model.tflite", scheme_of(plan), bool(done["aware"]))
        before, after = file_size(float_file), file_size(results / "model.tflite")
        arguments = {**common, "weights": str(work / "weights.h5"), "output": str(results / "model.keras")}
        run_task("compress.save", arguments, progress=progress)
        report = {
            **plan_data(plan, graph),
            "seed": seed,
            "run": list(done["stages"]),
            "tflite": {
                "before": {**before.to_json(), "metrics": first["metrics"]},
                "after": {**after.to_json(), "metrics": last["metrics"]},
            },
        }
        written = json.dumps(report, indent=2) + "\n"
        (results / "report.json").write_text(written, encoding="utf-8")
        # An empty folder that stands there gives way.
        results.replace(folder)
    return Compressed(folder, tuple(done["stages"]), before, after, (first["metrics"], last["metrics"]), report)


def _metrics(graph: Graph) -> dict[str, str]:
    """How the only output of a classifier is judged; none for others."""
    loss = (graph.training or {}).get("loss")
    output = graph.outputs
    if loss not in ("sparse_categorical_crossentropy", "categorical_crossentropy", "binary_crossentropy"):
        return {}
    if not isinstance(output, Value):
        return {}
    return {output.name: "accuracy"}
