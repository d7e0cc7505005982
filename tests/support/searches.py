"""A compression that costs nothing: what comes of a setting is computed, and a report of it is written."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graphbuilder.api import parse
from graphbuilder.backend.compression_run import Compressed, CompressionRequest
from graphbuilder.blueprint import Document
from graphbuilder.compression.budget import Budget
from graphbuilder.compression.report import Accuracy, Artifact, LatencyFacts, Report, Stage, save_report
from graphbuilder.compression.search_space import search_space
from graphbuilder.editing.pass_settings import written
from graphbuilder.errors import BlueprintError, Diagnostic
from graphbuilder.lowering import lower

BLUEPRINT = """\
blueprint: 1
name: digits
params:
  sparsity: {default: 0.8, min: 0.05, max: 0.95}   # what becomes zero
inputs:
  image: {shape: [8, 8, 1]}
nodes:
  conv: {layer: Conv2D, filters: 32, kernel_size: 3, activation: relu}
  flat: {layer: Flatten}
  hidden: {layer: Dense, units: 64, activation: relu}
  scores: {layer: Dense, units: 10, activation: softmax}
training: {optimizer: {adam: {learning_rate: 1e-3}}, loss: sparse_categorical_crossentropy, metrics: [accuracy]}
compression:
  - {pass: prune, sparsity: $sparsity}
  - {pass: cluster, clusters: 16}   # shared values
  - {pass: quantize}
"""

_FLOAT = (600_000, 560_000)
_BEFORE = 0.9889
_LATENCY = LatencyFacts(
    median=0.1, p90=0.2, runs=50, warm_up=5, batch=1, threads=1, cores=2, runtime="ai-edge-litert", delegate=False
)


def model_of(sparsity: float, clusters: int, rate: float) -> tuple[int, float]:
    """Bytes after gzip and the accuracy of a setting, as digits_cnn.yaml was measured to behave."""
    choice = -sparsity * math.log2(sparsity) - (1 - sparsity) * math.log2(1 - sparsity)
    size = 150_000 * 1.1 / 8 * (choice + (1 - sparsity) * math.log2(clusters)) + 4_000
    lost = 0.2 * max(0.0, sparsity - 0.75) ** 1.5 * (1e-3 / rate) ** 0.6 + 0.02 * (4 / clusters) ** 2
    return round(size), round(_BEFORE - lost, 4)


@dataclass
class FakePipeline:
    """Stands in for `compress` and `train_first`.

    Arguments:
        interrupt: asked before and after the work of each trial; what it raises ends the search.
        fails: says why a setting fails, if it does.
    """

    interrupt: Callable[[str], None] = lambda _: None
    fails: Callable[[dict[str, Any]], BaseException | None] = lambda _: None
    ran: list[dict[str, Any]] = field(default_factory=list)
    trained: int = 0

    def train_first(self, request: CompressionRequest, *, progress: Any = None) -> Path:
        folder = request.folder.with_name("first.state")
        self.trained += not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def compress(self, request: CompressionRequest, *, progress: Any = None) -> Compressed:
        assert request.first is not None
        assert request.first.is_dir()
        assert request.resume
        assert not request.every_stage
        self.interrupt("before")
        options = {
            "sparsity": request.graph.compression[0].options["sparsity"],
            "rate": request.graph.compression[0].options.get("learning_rate", 1e-4),
            "clusters": request.graph.compression[1].options["clusters"],
        }
        self.ran.append(options)
        problem = self.fails(options)
        if problem is not None:
            raise problem
        report = fake_report(*model_of(options["sparsity"], options["clusters"], options["rate"]))
        request.folder.mkdir(parents=True)
        (request.folder / "model.tflite").write_bytes(repr(options).encode())
        save_report(report, request.folder / "report.json")
        self.interrupt("after")
        return Compressed(request.folder, report)


def fake_report(gzip: int, accuracy: float | None) -> Report:
    """A report of a float model and of what passes made of it."""

    def stage(name: str, sizes: tuple[int, int], judged: float | None) -> Stage:
        artifact = Artifact(path="model.tflite", kind="tflite", raw=sizes[0], gzip=sizes[1])
        measured = () if judged is None else (Accuracy(output="scores", metric="accuracy", lite=judged, samples=450),)
        return Stage(name=name, artifacts=(artifact,), accuracy=measured, latency=_LATENCY)

    before = _BEFORE if accuracy is not None else None
    last = stage("quantize", (160_000, gzip), accuracy).model_copy(update={"pass_name": "quantize"})
    return Report(name="digits", stages=(stage("as trained", _FLOAT, before), last))


@dataclass
class Asked:
    """Everything that a search is given."""

    document: Document
    request: CompressionRequest
    budget: Budget

    def arguments(self) -> tuple[Any, ...]:
        space = search_space(self.request.graph, self.document)
        return (
            self.request,
            space,
            self.budget,
            lambda setting: {"best.yaml": written(self.document, setting).encode()},
        )


def asked(folder: Path, text: str = BLUEPRINT, *, budget: Budget | None = None, **options: Any) -> Asked:
    """A search of a blueprint's settings whose results come to stand in a folder."""
    document = parse(text, name="digits.yaml")
    request = CompressionRequest(Path("digits.yaml"), lower(document), "digits", folder, {}, **options)
    return Asked(document, request, budget or Budget(accuracy_drop=0.01))


def failure(message: str = "a node is not fit for it") -> BlueprintError:
    """What a pass says that cannot be carried out."""
    return BlueprintError(Diagnostic("GB811", message))
