"""Converts the stages of a compression to TFLite and measures the files, each in a worker of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from graphbuilder.backend.compression_judging import judges_of
from graphbuilder.backend.compression_state import FinishedStage
from graphbuilder.backend.converting import Conversion
from graphbuilder.backend.converting_names import names_of_graph
from graphbuilder.backend.converting_work import ConvertedFile, convert_file, measure_file, time_file
from graphbuilder.backend.worker_protocol import Progress, error_from_json, error_to_json
from graphbuilder.compression.conversions import Scheme
from graphbuilder.compression.facts import with_tensors
from graphbuilder.compression.report import AgreementFacts, Artifact, LatencyFacts, Stage
from graphbuilder.compression.sizes import PredictedSize, file_size
from graphbuilder.errors import GraphbuilderError
from graphbuilder.graph import Graph

__all__ = ["Measured", "measure_stage"]

Tell = Callable[[Progress], None] | None


class Measured:
    """A stage with its .tflite file.

    Arguments:
        stage: what the report says of it.
        lite: the file, or None where the conversion failed.
        problem: why it failed.
    """

    def __init__(self, stage: Stage, lite: Path | None, problem: GraphbuilderError | None = None) -> None:
        self.stage = stage
        self.lite = lite
        self.problem = problem


def measure_stage(
    done: list[FinishedStage],
    number: int,
    graph: Graph,
    scheme: Scheme,
    *,
    predicted: PredictedSize | None = None,
    progress: Tell = None,
) -> Measured:
    """Converts and measures one stage, unless that is done already.

    A conversion that fails, or kills its process, costs the file and nothing else: what is told of it is in the notes.

    Arguments:
        done: the stages that are done.
        number: which of them.
        graph: its graph.
        scheme: what its file computes with.
        predicted: what was predicted of the file's size.
        progress: told what is being done.
    """
    finished = done[number]
    lite, facts = finished.folder / "model.tflite", finished.folder / "measured.json"
    if not facts.exists():
        try:
            found = _measured(done, number, graph, scheme, lite, progress)
        except GraphbuilderError as error:
            found = {"error": error_to_json(error)}
        made = facts.with_name(".measured.json.part")
        made.write_text(json.dumps(found), encoding="utf-8")
        made.replace(facts)
    held = json.loads(facts.read_text(encoding="utf-8"))
    if "error" in held:
        problem = error_from_json(held["error"])
        told = "; ".join(diagnostic.message for diagnostic in problem.diagnostics)
        note = f"There is no .tflite file of this stage: {told}."
        return Measured(finished.facts.model_copy(update={"notes": (*finished.facts.notes, note)}), None, problem)
    return Measured(_completed(finished.facts, held, lite, scheme, predicted), lite)


def _measured(
    done: list[FinishedStage], number: int, graph: Graph, scheme: Scheme, lite: Path, progress: Tell
) -> dict[str, Any]:
    """The file of a stage, and what was measured of it."""
    finished, samples = done[number], done[0].folder
    # A pass that quantizes after training leaves the model as it was.
    exported = next(
        stage.folder / "exported" for stage in reversed(done[: number + 1]) if (stage.folder / "exported").is_dir()
    )
    converted = convert_file(
        exported,
        lite,
        Conversion(scheme, aware=finished.aware),
        samples=samples / "representative.npz",
        graph=graph,
        progress=progress,
    )
    judges = judges_of(graph)
    measured = measure_file(
        lite,
        scheme,
        samples / "judged.npz",
        expected=finished.folder / "expected.npz",
        targets=samples / "targets.npz" if judges else None,
        metrics={judge.output: judge.metric for judge in judges},
        from_logits=[judge.output for judge in judges if judge.from_logits],
        nodes=names_of_graph(graph).nodes,
        # What it is off by is in the report; a budget may refuse it.
        refuse=False,
        progress=progress,
    )
    return {
        "metrics": measured["metrics"],
        "agreement": measured["agreement"],
        "tensors": measured["tensors"],
        "latency": time_file(lite, samples / "judged.npz"),
        "still_float": sorted(_still_float(converted)),
    }


def _still_float(converted: ConvertedFile) -> set[str]:
    """The nodes that compute floats although integers were asked for."""
    return {node for step in converted.still_float for node in step.nodes}


def _completed(
    facts: Stage, held: Mapping[str, Any], lite: Path, scheme: Scheme, predicted: PredictedSize | None
) -> Stage:
    """The facts of a stage with those of its file."""
    size = file_size(lite)
    artifact = Artifact(
        path=lite.name,
        kind="tflite",
        scheme=scheme,
        raw=size.raw,
        gzip=size.gzip,
        gzip_level=size.level,
        predicted_raw=None if predicted is None else predicted.raw,
        predicted_gzip=None if predicted is None else predicted.gzip,
    )
    notes = list(facts.notes)
    if held["still_float"]:
        notes.append(f"Computed in floats by the .tflite file: {', '.join(held['still_float'])}.")
    return facts.model_copy(
        update={
            "layers": facts.layers if scheme == "float32" else with_tensors(facts.layers, held["tensors"]),
            "artifacts": (*facts.artifacts, artifact),
            "accuracy": tuple(
                score.model_copy(update={"lite": held["metrics"].get(score.output)}) for score in facts.accuracy
            ),
            "agreement": tuple(
                AgreementFacts(**{name: item[name] for name in AgreementFacts.model_fields})
                for item in held["agreement"]
            ),
            "latency": LatencyFacts(**held["latency"]),
            "notes": tuple(notes),
        }
    )
