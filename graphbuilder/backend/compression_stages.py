"""Trains the stages of a compression on the twin, one after the other; what a worker process runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy

from graphbuilder.backend.build import build
from graphbuilder.backend.compressing import prepare
from graphbuilder.backend.compressing.variables import variables_of
from graphbuilder.backend.converting import export_model
from graphbuilder.backend.converting_names import names_of_graph
from graphbuilder.backend.datasets import open_data
from graphbuilder.backend.fitting import EpochRecord, FitOptions, Watcher, evaluate, fit
from graphbuilder.backend.frameworks import framework
from graphbuilder.backend.saving import save_model
from graphbuilder.backend.training import compile_model
from graphbuilder.backend.weights import copy_weights
from graphbuilder.backend.worker_protocol import Progress
from graphbuilder.blueprint import load
from graphbuilder.compression.passes import LowRank, Quantize
from graphbuilder.compression.plan import CompressionPlan, Stage, plan_compression
from graphbuilder.compression.sizes import array_facts
from graphbuilder.data.parts import Data
from graphbuilder.errors import BlueprintError, Diagnostic
from graphbuilder.graph import Graph
from graphbuilder.lowering import lower

__all__ = ["save_task", "stages_task"]

Report = Callable[[Progress], None]


class _Told(Watcher):
    """Tells the supervisor of every epoch.

    Arguments:
        report: tells it.
        stage: what is being done.
    """

    def __init__(self, report: Report, stage: str) -> None:
        self.report = report
        self.stage_name = stage

    def epoch(self, record: EpochRecord, epochs: int) -> None:
        self.report(Progress(self.stage_name, record.number, epochs, dict(record.values)))


def stages_task(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Trains the model and all its passes, and writes what conversion needs.

    Arguments:
        arguments: `blueprint`, `params`, `data`, `folder`, `seed`, `epochs` and `trust`.
        report: told of every epoch.

    Returns:
        The stages' names, accuracies and what became of each layer.

    Raises:
        BlueprintError: the blueprint or the data is wrong, or training fails.
    """
    graph = lower(load(arguments["blueprint"]), arguments["params"])
    data = open_data(arguments["data"], graph, trust=arguments["trust"])
    plan, _ = plan_compression(graph)
    folder = Path(arguments["folder"])
    run = _Run(graph, data, plan, arguments, folder, report)
    return run.all()


class _Run:
    """One compression while it runs."""

    def __init__(
        self,
        graph: Graph,
        data: Data,
        plan: CompressionPlan,
        arguments: Mapping[str, Any],
        folder: Path,
        report: Report,
    ) -> None:
        self.graph = graph
        self.data = data
        self.plan = plan
        self.arguments = arguments
        self.folder = folder
        self.report = report
        self.training = dict(graph.training or {})
        self.batch_size = int(self.training.get("batch_size", 32))
        self.epochs = int(arguments["epochs"] or self.training.get("epochs", 1))

    def all(self) -> dict[str, Any]:
        """The first training and every pass."""
        framework(2).keras.utils.set_random_seed(self.arguments["seed"])
        model = build(self.graph, keras=2, trust=self.arguments["trust"])
        self._fit(model, "train", self.epochs, ())
        stages = [self._told("as trained", model, None)]
        self._export(model, "float")
        record: Any = {}
        quantized = None
        for stage in self.plan.stages:
            if isinstance(stage.declared, LowRank):
                message = "running low_rank is not built yet"
                raise BlueprintError(Diagnostic("GB821", message, hint="take the pass out"))
            if isinstance(stage.declared, Quantize) and not stage.declared.in_training:
                stages.append(self._told(stage.declared.label(), model, stage))
                continue
            model, quantized, record = self._pass(model, stage, record)
            stages.append(self._told(stage.declared.label(), model, stage))
        self._export(model if quantized is None else quantized, "last")
        model.save_weights(self.folder / "weights.h5")
        self._samples()
        return {"stages": stages, "aware": quantized is not None}

    def _pass(self, model: Any, stage: Stage, record: Any) -> tuple[Any, Any, Any]:
        epochs = stage.declared.epochs if stage.declared.epochs is not None else self.epochs
        count = self.data.train.count or 0
        steps = max(1, epochs * -(-count // self.batch_size))
        prepared = prepare(model, self.graph, stage.targets, steps=steps, record=record, trust=self.arguments["trust"])
        compile_model(prepared.model, self.training, framework(2))
        optimizer = prepared.model.optimizer
        rate = stage.declared.learning_rate or float(optimizer.learning_rate.numpy()) / 10
        optimizer.learning_rate.assign(rate)
        self._fit(prepared.model, stage.declared.label(), epochs, prepared.callbacks)
        finished = prepared.finish()
        compile_model(finished.model, self.training, framework(2))
        return finished.model, finished.quantized, finished.record

    def _fit(self, model: Any, stage: str, epochs: int, callbacks: Any) -> None:
        options = FitOptions(epochs, self.batch_size, bool(self.training.get("shuffle", True)), self.arguments["seed"])
        fit(model, self.data, options, callbacks=callbacks, watcher=_Told(self.report, stage))

    def _told(self, name: str, model: Any, stage: Stage | None) -> dict[str, Any]:
        """What is to be said of the model as it stands."""
        part = self.data.test or self.data.validation or self.data.train
        layers = []
        for (layer, path), variable in variables_of(model, self.graph).items():
            facts = array_facts(variable.numpy())
            layers.append(
                {"layer": layer, "weight": path, "zeros": facts.zeros, "size": facts.size, "unique": facts.unique}
            )
        return {
            "name": name,
            "pass": None if stage is None else stage.declared.name(),
            "evaluation": evaluate(model, part, self.data.wants, self.batch_size),
            "layers": layers,
        }

    def _export(self, model: Any, name: str) -> None:
        export_model(model, self.folder / f"exported_{name}", names_of_graph(self.graph))

    def _samples(self) -> None:
        """Representative samples, and those to be judged by with what is right, as .npz files."""
        drawn = list(self.data.train.samples(200, self.arguments["seed"]))
        together = {name: numpy.concatenate([sample[name] for sample in drawn]) for name in drawn[0]}
        numpy.savez(self.folder / "representative.npz", **together)  # type: ignore[arg-type]  # names of inputs, not of options
        part = self.data.test or self.data.validation or self.data.train
        inputs, targets = next(iter(part.batches(part.count or 1)))
        numpy.savez(self.folder / "judged.npz", **inputs)  # type: ignore[arg-type]  # names of inputs, not of options
        numpy.savez(self.folder / "targets.npz", **targets)  # type: ignore[arg-type]  # names of inputs, not of options


def save_task(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Puts the weights that the stages left into a Keras 3 model, and saves it.

    Arguments:
        arguments: `blueprint`, `params`, `weights` (an .h5 file of the twin), `output` and `trust`.
        report: told what is being done.
    """
    graph = lower(load(arguments["blueprint"]), arguments["params"])
    report(Progress("building the Keras 3 model"))
    twin = build(graph, keras=2, trust=arguments["trust"], compiled=False)
    twin.load_weights(arguments["weights"])
    model = build(graph, keras=3, trust=arguments["trust"])
    copied = copy_weights(twin, model)
    save_model(model, Path(arguments["output"]), force=True)
    return {"parameters": copied.parameters}
