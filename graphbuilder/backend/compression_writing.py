"""Measures what each stage of a compression has made, and writes it for conversion and the report."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy

from graphbuilder.backend.compressing.variables import variables_of
from graphbuilder.backend.compression_judging import judged, judged_part, judges_of, samples_of
from graphbuilder.backend.compression_state import RunState, planned_stage
from graphbuilder.backend.converting import export_model
from graphbuilder.backend.converting_names import names_of_graph
from graphbuilder.backend.fitting import evaluate
from graphbuilder.backend.worker_protocol import Progress
from graphbuilder.compression.facts import Asked, layer_facts, skips_of
from graphbuilder.compression.passes import Quantize
from graphbuilder.compression.plan import Stage as PlannedStage
from graphbuilder.compression.report import Accuracy, Stage
from graphbuilder.compression.targets import Record
from graphbuilder.data.parts import Data
from graphbuilder.graph import Graph

__all__ = ["Made", "StageWriter", "Standing"]


@dataclass(frozen=True, slots=True)
class Standing:
    """The model as it stands between two stages.

    Arguments:
        model: the float tf_keras model.
        graph: its graph.
        record: what later passes keep.
        asked: what has been asked of its layers.
    """

    model: Any
    graph: Graph
    record: Record
    asked: Mapping[str, Asked]


@dataclass(frozen=True, slots=True)
class Made:
    """What a stage has made.

    Arguments:
        standing: the model as it stands now.
        computing: the Keras model that computes as the stage does.
        exported: what conversion starts from, or None for that of the stage before.
        aware: whether that knows its ranges itself.
    """

    standing: Standing
    computing: Any
    exported: Any | None
    aware: bool


class StageWriter:
    """Measures stages and writes them.

    Arguments:
        graph: the blueprint's graph.
        data: what the model is trained and judged with.
        state: where the stages are kept.
        batch_size: samples at a time.
        seed: fixes which samples are representative.
        report: told what a stage gave.
    """

    def __init__(
        self,
        graph: Graph,
        data: Data,
        state: RunState,
        batch_size: int,
        seed: int,
        report: Callable[[Progress], None],
    ) -> None:
        self.graph = graph
        self.data = data
        self.state = state
        self.batch_size = batch_size
        self.seed = seed
        self.report = report
        self.judges = judges_of(graph)
        self.judged_on, self.part = judged_part(data)
        self.samples = samples_of(self.part, batch_size)

    def write(
        self,
        number: int,
        name: str,
        planned: PlannedStage | None,
        made: Made,
        started: float,
        skipped: Mapping[str, str] | None = None,
    ) -> None:
        """Measures a stage and writes it.

        Arguments:
            number: which stage.
            name: what it does.
            planned: what it was to do, or None for the first.
            made: what it has made.
            started: when it began, by the monotonic clock.
            skipped: layers that showed only in running that they cannot be changed, with the reasons.
        """
        standing = made.standing
        weights = {place: variable.numpy() for place, variable in variables_of(standing.model, standing.graph).items()}
        predictions = self._predictions(made.computing, standing.graph)
        scores = judged(self.judges, predictions, self.samples[1])
        facts = Stage(
            name=name,
            pass_name=None if planned is None else planned.declared.name(),
            seconds=time.monotonic() - started,
            parameters=sum(int(array.size) for array in weights.values()),
            macs=_macs(standing.graph),
            layers=layer_facts(standing.graph, weights, standing.asked),
            skips=() if planned is None else skips_of(planned, skipped),
            accuracy=tuple(
                Accuracy(
                    output=judge.output,
                    metric=judge.metric,
                    keras=scores[judge.output],
                    samples=len(self.samples[1][judge.output]),
                )
                for judge in self.judges
            ),
            evaluation=evaluate(made.computing, self.part, self.data.wants, self.batch_size),
            notes=self._notes(planned),
        )
        with self.state.finishing(number, facts, standing.record, weights, aware=made.aware) as folder:
            if made.exported is not None:
                export_model(made.exported, folder / "exported", names_of_graph(standing.graph))
            numpy.savez(folder / "expected.npz", **predictions)
            if number == 0:
                self._write_samples(folder)
        told = "".join(f", {output} {value:.4f}" for output, value in scores.items())
        self.report(Progress(f"{name}{told}", facts={"finished": number, "of": len(self.graph.compression) + 1}))

    def _notes(self, planned: PlannedStage | None) -> tuple[str, ...]:
        """What else is worth knowing of a stage."""
        if planned is None:
            return (f"Judged by {len(next(iter(self.samples[0].values())))} {self.judged_on} samples.",)
        return tuple(
            f"{one.layer}: {one.ruling.reason}." for one in planned.layers if one.ruling.acts and one.ruling.reason
        )

    def _predictions(self, model: Any, graph: Graph) -> dict[str, Any]:
        """What a model gives for the samples that it is judged by, by output."""
        import tensorflow as tf

        given, _ = self.data.wants.feed(*self.samples)
        # tf_keras would take a tuple for inputs with targets.
        found = model.predict(list(given) if isinstance(given, tuple) else given, self.batch_size, verbose=0)
        names = tf.nest.flatten(names_of_graph(graph).outputs)
        return dict(zip(names, tf.nest.flatten(found), strict=True))

    def _write_samples(self, folder: Path) -> None:
        """The samples that conversion needs: representative ones, and those to judge by with what is right."""
        after = [one.samples for one in self._quantizing()]
        drawn = list(self.data.train.samples(max(after, default=200), self.seed))
        together = {name: numpy.concatenate([sample[name] for sample in drawn]) for name in drawn[0]}
        for name, arrays in (("representative", together), ("judged", self.samples[0]), ("targets", self.samples[1])):
            numpy.savez(folder / f"{name}.npz", **arrays)

    def _quantizing(self) -> list[Quantize]:
        """The passes that quantize."""
        stages = (planned_stage(self.graph, number + 1) for number in range(len(self.graph.compression)))
        return [stage.declared for stage in stages if isinstance(stage.declared, Quantize)]


def _macs(graph: Graph) -> int | None:
    """The multiply-accumulates of a graph for one sample, if all are known."""
    costs = [call.macs for call in graph.calls.values()]
    return None if None in costs else sum(cost for cost in costs if cost is not None)
