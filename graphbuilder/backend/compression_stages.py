"""Trains the stages of a compression on the twin, one after the other; what a worker process runs."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from graphbuilder.backend.build import build
from graphbuilder.backend.compressing import factor, keras_model, prepare
from graphbuilder.backend.compressing.variables import variables_of
from graphbuilder.backend.compression_state import FinishedStage, RunState, planned_stage, stage_graphs
from graphbuilder.backend.compression_writing import Made, StageWriter, Standing
from graphbuilder.backend.datasets import open_data
from graphbuilder.backend.fitting import EpochRecord, FitOptions, Watcher, fit
from graphbuilder.backend.fitting_state import Kept, StateFolder, model_fingerprint, restore, snapshot
from graphbuilder.backend.frameworks import framework
from graphbuilder.backend.pretraining import begin_with, first_weights
from graphbuilder.backend.saving import save_model
from graphbuilder.backend.training import compile_model
from graphbuilder.backend.weights import copy_weights
from graphbuilder.backend.worker_protocol import Progress
from graphbuilder.blueprint import load
from graphbuilder.compression.facts import Asked, asked_of
from graphbuilder.compression.passes import CompressionPass, LowRank, Prune, Quantize
from graphbuilder.compression.plan import Stage as PlannedStage
from graphbuilder.data.parts import Data
from graphbuilder.errors import BlueprintError, Diagnostic
from graphbuilder.graph import Graph
from graphbuilder.lowering import lower

__all__ = ["stages_task"]

Report = Callable[[Progress], None]


class _Told(Watcher):
    """Tells the supervisor of batches and epochs.

    Arguments:
        report: tells it.
        stage: what is being done.
    """

    def __init__(self, report: Report, stage: str) -> None:
        self.report = report
        self.stage_name = stage
        self._told = 0.0

    def batch(self, epoch: int, step: int, steps: int | None, values: Mapping[str, float]) -> None:
        now = time.monotonic()
        if now - self._told > 0.5:
            self._told = now
            of = f"/{steps}" if steps is not None else ""
            self.report(Progress(f"{self.stage_name}: epoch {epoch}, batch {step}{of}"))

    def epoch(self, record: EpochRecord, epochs: int) -> None:
        values = "".join(f", {name} {value:.4g}" for name, value in record.values.items())
        self.report(Progress(f"{self.stage_name}: epoch {record.number}{values}", record.number, epochs))


def stages_task(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Trains the model and carries out its passes, as far as that is not done yet.

    Arguments:
        arguments: `blueprint`, `params`, `passes` (the plain options of each), `data`, `output` (the folder beside
            which the state is kept), `seed`, `epochs`, `trust`, `weights` (a file of trained weights, or None), `first`
            (the folder of another run's first stage, or None) and `last` (the stage after which to stop, or None).
        report: told of every epoch.

    Returns:
        The number of stages that are done.

    Raises:
        BlueprintError: the blueprint or the data is wrong, what is kept is of another run, or training fails.
    """
    report(Progress("reading the data"))
    graph = lower(load(arguments["blueprint"]), arguments["params"])
    declared = zip(graph.compression, arguments["passes"], strict=True)
    graph = replace(graph, compression=tuple(replace(one, options=options) for one, options in declared))
    run = _Run(graph, arguments, report)
    return {"stages": run.all()}


class _Run:
    """One compression while it runs.

    Arguments:
        graph: the blueprint's graph.
        arguments: those of the task.
        report: told of every epoch.
    """

    def __init__(self, graph: Graph, arguments: Mapping[str, Any], report: Report) -> None:
        self.graph = graph
        self.report = report
        self.trust = arguments["trust"]
        self.seed = int(arguments["seed"])
        self.training = dict(graph.training or {})
        if self.training.get("loss") is None:
            source = next(iter(graph.inputs.values())).origin.source
            message = f"{graph.name} has no loss, so its passes have nothing to train by"
            hint = "for example training: {optimizer: adam, loss: sparse_categorical_crossentropy}"
            raise BlueprintError(Diagnostic("GB721", message, file=source.name, hint=hint))
        self.batch_size = int(self.training.get("batch_size", 32))
        self.epochs = int(arguments["epochs"] or self.training.get("epochs", 1))
        self.weights = None if arguments["weights"] is None else Path(arguments["weights"])
        self.last = arguments["last"]
        data = open_data(arguments["data"], graph, trust=self.trust)
        self.data: Data = data.with_validation(float(self.training.get("validation_split", 0.0)), self.seed)
        self.data.require(self.batch_size)
        self.state = RunState(Path(arguments["output"]))
        self.state.begin(self._settings(arguments["passes"]))
        if arguments["first"] is not None:
            self.state.take_over(Path(arguments["first"]))
        self.writer = StageWriter(graph, self.data, self.state, self.batch_size, self.seed, report)

    def _settings(self, passes: Any) -> dict[str, Any]:
        """What must be the same when the run goes on."""
        weights = None
        if self.weights is not None:
            weights = hashlib.sha256(self.weights.read_bytes()).hexdigest()
        return {
            "the blueprint": model_fingerprint(self.graph),
            "the list of passes": passes,
            "the data": self.data.fingerprint,
            "the seed": self.seed,
            "the batch size": self.batch_size,
            "the number of epochs": self.epochs,
            "the file of weights": weights,
        }

    def all(self) -> int:
        """Every stage that is not done yet.

        Returns:
            How many stages there are now.
        """
        done = self.state.finished()
        most = len(self.graph.compression) + 1
        if self.last is not None:
            most = min(most, self.last + 1)
        standing = self._taken_up(done) if done else None
        for number in range(len(done), most):
            # Every stage draws from its own seed, so that it is the same whichever process it runs in.
            framework(2).keras.utils.set_random_seed(self.seed + number)
            standing = self._first() if standing is None else self._pass(standing, number)
        if standing is not None and self.last is None and not self.state.final.exists():
            self._finish(standing)
        return most

    def _taken_up(self, done: list[FinishedStage]) -> Standing:
        """The model as the last finished stage left it."""
        graphs = stage_graphs(self.graph, done)
        asked: dict[str, Asked] = {}
        for before, stage, facts in zip(graphs, graphs[1:], done[1:], strict=False):
            ranks = {layer.node: layer.rank for layer in facts.facts.layers if layer.rank is not None}
            planned = planned_stage(before, facts.number)
            asked = asked_of(asked, planned, ranks if stage is not before else None)
        model = build(graphs[-1], keras=2, trust=self.trust, compiled=False)
        weights = done[-1].weights()
        for place, variable in variables_of(model, graphs[-1]).items():
            variable.assign(weights[place])
        return Standing(model, graphs[-1], done[-1].record, asked)

    def _first(self) -> Standing:
        """The float model: trained, or with the weights that were given."""
        started = time.monotonic()
        self.report(Progress("building the model"))
        model = build(self.graph, keras=2, trust=self.trust)
        if self.weights is not None:
            name = "as given"
            copy_weights(_weighted(self.graph, self.weights, self.trust), model)
        else:
            name = "as trained"
            held = self.state.under_way(0)
            kept = _kept(held)
            if kept is not None:
                restore(model, held.arrays(kept))
            elif self.graph.pretraining:
                begin_with(model, self.graph, first_weights(self.graph, progress=self.report))
            self._fit(model, 0, "training", self.epochs, (), kept, lambda: snapshot(model))
        standing = Standing(model, self.graph, {}, {})
        self.writer.write(0, name, None, Made(standing, model, model, aware=False), started)
        return standing

    def _pass(self, before: Standing, number: int) -> Standing:
        """One pass."""
        started = time.monotonic()
        planned = planned_stage(before.graph, number)
        declared = planned.declared
        skipped: Mapping[str, str] = {}
        if isinstance(declared, LowRank):
            model, factored = factor(before.model, before.graph, planned.targets, trust=self.trust)
            skipped = factored.skipped
            graph = replace(factored.graph, compression=before.graph.compression)
            thinner = Standing(model, graph, before.record, asked_of(before.asked, planned, factored.ranks))
            # What is left to do is training, which wins back what the factors lost.
            made = self._trained(thinner, replace(planned, layers=()), number)
        elif isinstance(declared, Quantize) and not declared.in_training:
            made = Made(before, before.model, None, aware=False)
        else:
            made = self._trained(replace(before, asked=asked_of(before.asked, planned)), planned, number)
        self.writer.write(number, declared.label(), planned, made, started, skipped)
        return made.standing

    def _trained(self, before: Standing, planned: PlannedStage, number: int) -> Made:
        """What a pass makes of a model by training it on."""
        declared = planned.declared
        epochs = declared.epochs if declared.epochs is not None else self.epochs
        steps = max(1, epochs * self._steps())
        prepared = prepare(
            before.model, before.graph, planned.targets, steps=steps, record=before.record, trust=self.trust
        )
        compile_model(prepared.model, self.training, framework(2))
        _slow_down(prepared.model.optimizer, declared)
        held = self.state.under_way(number)
        kept = _kept(held)
        if kept is not None:
            prepared.restore(held.arrays(kept))
        self._fit(prepared.model, number, declared.label(), epochs, prepared.callbacks, kept, prepared.state)
        if not epochs and isinstance(declared, Prune):
            # Without training the weights are cut at once; it is training steps that cut them otherwise.
            prepared.model.ruled.begin_step()
        finished = prepared.finish()
        compile_model(finished.model, self.training, framework(2))
        standing = Standing(finished.model, before.graph, finished.record, before.asked)
        if finished.quantized is None:
            return Made(standing, finished.model, finished.model, aware=False)
        return Made(standing, prepared.model, finished.quantized, aware=True)

    def _steps(self) -> int:
        """How many batches the training data has."""
        known = self.data.train.steps(self.batch_size)
        if known is None:
            self.report(Progress("counting the batches"))
            known = sum(1 for _ in self.data.train.batches(self.batch_size))
        return known

    def _fit(
        self,
        model: Any,
        number: int,
        name: str,
        epochs: int,
        callbacks: tuple[Any, ...],
        kept: Kept | None,
        state: Callable[[], dict[str, Any]],
    ) -> None:
        """Trains, and keeps the state after every epoch but the last, after which the stage is done."""
        held = self.state.under_way(number)

        def keep(records: tuple[EpochRecord, ...]) -> None:
            if len(records) < epochs:
                file = f"epoch-{len(records):04}.npz"
                held.write(Kept({"stage": number}, self.seed, epochs, records, file), state())

        told = f"stage {number + 1} of {len(self.graph.compression) + 1}, {name}"
        options = FitOptions(epochs, self.batch_size, bool(self.training.get("shuffle", True)), self.seed + number)
        done = kept.records if kept is not None else ()
        fit(model, self.data, options, done=done, callbacks=callbacks, watcher=_Told(self.report, told), keep=keep)

    def _finish(self, standing: Standing) -> None:
        """Writes the Keras 3 model that the stages left, and its weights."""
        self.report(Progress("building the Keras 3 model"))
        model = keras_model(standing.model, standing.graph, trust=self.trust)
        with self.state.finishing_model() as folder:
            save_model(model, folder / "model.keras")
            save_model(model, folder / "model.weights.h5")


def _kept(held: StateFolder) -> Kept | None:
    """The epochs of a stage that are done already."""
    return held.read() if held.exists() else None


def _slow_down(optimizer: Any, declared: CompressionPass) -> None:
    """Gives an optimizer the learning rate of a pass; a schedule of the first training gives way to its own start."""
    rate = optimizer.learning_rate
    start = rate(0) if callable(rate) else rate
    optimizer.learning_rate = declared.learning_rate or float(start.numpy()) / 10


def _weighted(graph: Graph, path: Path, trust: Any) -> Any:
    """A Keras 3 model of a graph with weights from a file.

    Raises:
        BlueprintError: there is no such file, or it is of another model.
    """
    if not path.exists():
        raise BlueprintError(Diagnostic("GB506", f"there is no file {path}"))
    model = build(graph, keras=3, trust=trust, compiled=False)
    try:
        # Weights alone are read, so that nothing in the file runs.
        model.load_weights(path)
    except (ValueError, OSError, KeyError) as error:
        reason = " ".join(str(error).split())[:400]
        hint = "weights of a model that this blueprint compiles to: .keras, .weights.h5 or .h5"
        raise BlueprintError(Diagnostic("GB506", f"{path} does not fit: {reason}", hint=hint)) from error
    return model
