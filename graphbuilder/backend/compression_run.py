"""Runs a compression from a blueprint to files: training, conversion and measuring in workers of their own.

The parent imports no TensorFlow. What is done is kept beside the output, so that a run goes on after any break; the
output folder itself appears whole.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from graphbuilder.analysis.model_budget import require_budget
from graphbuilder.backend.compression_measuring import Measured, measure_stage
from graphbuilder.backend.compression_state import FinishedStage, RunState, planned_stage, stage_graphs
from graphbuilder.backend.supervision import run_task
from graphbuilder.backend.worker_protocol import Progress
from graphbuilder.compression.budget import Budget, budget_of
from graphbuilder.compression.conversions import Scheme
from graphbuilder.compression.passes import Quantize
from graphbuilder.compression.plan import plan_compression
from graphbuilder.compression.plan_data import predicted_sizes
from graphbuilder.compression.report import Artifact, Report, Stage, load_report, save_report
from graphbuilder.compression.report_html import save_html
from graphbuilder.compression.sizes import file_size
from graphbuilder.errors import BlueprintError, CommandError, Diagnostic, MissingError
from graphbuilder.graph import Graph
from graphbuilder.lowering.resolved import resolved_text

__all__ = ["Compressed", "CompressionRequest", "arrays_as_file", "compress", "train_first"]

Tell = Callable[[Progress], None] | None
_LIBRARIES = ("tensorflow", "tf-keras", "keras", "tensorflow-model-optimization", "ai-edge-litert")


@dataclass(frozen=True, slots=True)
class CompressionRequest:
    """A compression that is asked for.

    Arguments:
        blueprint: the file.
        graph: its graph, whose passes were checked; they may have other options than the file says.
        data: what to train and judge with, as `--data` takes it.
        folder: where to write.
        params: values of the blueprint's params.
        seed: fixes everything random.
        epochs: passes over the data in each stage; None for those of the blueprint.
        trust: modules whose layers and functions may be imported.
        weights: a file with trained weights, in the place of the first training.
        resume: whether to go on with what is kept.
        force: whether to replace an earlier compression, and one that was interrupted.
        first: a finished first stage of another run of the same blueprint, to be taken over.
        budget: what the result may cost, or None for what the blueprint says; nothing that misses it is thrown away.
        every_stage: whether every stage is converted and measured; else only the first and the last.
    """

    blueprint: Path
    graph: Graph
    data: str
    folder: Path
    params: Mapping[str, Any]
    seed: int = 0
    epochs: int | None = None
    trust: Sequence[str] = ()
    weights: Path | None = None
    resume: bool = False
    force: bool = False
    first: Path | None = None
    budget: Budget | None = None
    every_stage: bool = True


@dataclass(frozen=True, slots=True)
class Compressed:
    """What a compression gave.

    Arguments:
        folder: where its files stand.
        report: what report.json and report.html say.
        problems: conversions that failed; there is no .tflite file of those stages.
        missed: the bounds of the budget that are not held.
    """

    folder: Path
    report: Report
    problems: tuple[Diagnostic, ...] = ()
    missed: tuple[Diagnostic, ...] = ()

    @property
    def last(self) -> Stage:
        """The model as all passes left it."""
        return self.report.stages[-1]


def compress(request: CompressionRequest, *, progress: Tell = None) -> Compressed:
    """Trains a blueprint, carries out its passes, and writes the folder with what came of it.

    Arguments:
        request: what is asked for.
        progress: told how far it is.

    Raises:
        GraphbuilderError: the data does not fit, a stage fails, or a worker died.
    """
    state = _state(request)
    budget = request.budget or budget_of(request.graph)
    _stages(request, None, progress)
    done = state.finished()
    graphs = stage_graphs(request.graph, done)
    schemes = list(_schemes(request.graph, graphs))
    plan, _ = plan_compression(request.graph)
    before, after = predicted_sizes(plan, request.graph)
    predicted = {0: before, len(done) - 1: after}
    wanted = range(len(done)) if request.every_stage else sorted(predicted)
    measured = {
        number: measure_stage(
            done, number, graphs[number], schemes[number], predicted=predicted.get(number), progress=progress
        )
        for number in wanted
    }
    written = _write(request, budget, state, done, measured, graphs[-1])
    problems = [each for one in measured.values() if one.problem is not None for each in one.problem.diagnostics]
    state.remove()
    return Compressed(request.folder, written, tuple(problems), budget.missed(written))


def train_first(request: CompressionRequest, *, progress: Tell = None) -> Path:
    """Trains and measures the float model alone.

    Arguments:
        request: what is asked for; the state is kept beside its folder.
        progress: told how far it is.

    Returns:
        The folder of the stage, which another request can take over as `first`.

    Raises:
        GraphbuilderError: the data does not fit, training fails, or a worker died.
    """
    state = RunState(request.folder)
    _stages(request, 0, progress)
    done = state.finished()
    plan, _ = plan_compression(request.graph)
    before, _ = predicted_sizes(plan, request.graph)
    measure_stage(done, 0, request.graph, "float32", predicted=before, progress=progress)
    return done[0].folder


@contextlib.contextmanager
def arrays_as_file(data: str | PathLike[str] | Mapping[str, Any]) -> Iterator[str]:
    """Data as workers take it: arrays become a file, which goes when the run has ended.

    Arguments:
        data: arrays by the names of inputs and outputs, or what `--data` takes.

    Yields:
        What `--data` takes.
    """
    if not isinstance(data, Mapping):
        yield str(data)
        return
    import numpy

    with tempfile.TemporaryDirectory(prefix="graphbuilder-") as scratch:
        path = Path(scratch) / "arrays.npz"
        numpy.savez(path, **data)
        yield str(path)


def _state(request: CompressionRequest) -> RunState:
    """Where the state of a run is kept, unless something stands in the way.

    Raises:
        CommandError: the folder is taken, or an interrupted run is kept and it is not said what becomes of it.
        BlueprintError: the model exceeds its budget as it is written, or there is no such file of weights.
    """
    require_budget(request.graph)
    folder, state = request.folder, RunState(request.folder)
    if request.weights is not None and not request.weights.is_file():
        raise BlueprintError(Diagnostic("GB506", f"there is no file {request.weights}"))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        replaceable = folder.is_dir() and _is_compression(folder)
        if not (replaceable and request.force):
            hint = "name a folder that does not exist yet" + (", or --force to replace it" if replaceable else "")
            raise CommandError(Diagnostic("GB601", f"{folder} exists already and is not empty", hint=hint))
    if state.exists() and request.force and not request.resume:
        state.remove()
    elif state.exists() and not request.resume:
        message = f"{state.path} keeps a compression that was interrupted, {state.progress()}"
        raise CommandError(Diagnostic("GB601", message, hint="--resume goes on with it, --force begins anew"))
    return state


def _is_compression(folder: Path) -> bool:
    """Whether a folder was written by a compression."""
    try:
        load_report(folder / "report.json")
    except BlueprintError:
        return False
    return True


def _stages(request: CompressionRequest, last: int | None, progress: Tell) -> None:
    """Runs the stages that are not done yet."""
    arguments = {
        "blueprint": str(request.blueprint.resolve()),
        "params": dict(request.params),
        "passes": [dict(one.options) for one in request.graph.compression],
        "data": request.data,
        "output": str(request.folder.resolve()),
        "seed": request.seed,
        "epochs": request.epochs,
        "trust": list(request.trust),
        "weights": None if request.weights is None else str(request.weights.resolve()),
        "first": None if request.first is None else str(request.first),
        "last": last,
    }
    run_task("compress.stages", arguments, progress=progress)


def _schemes(graph: Graph, graphs: Sequence[Graph]) -> Iterator[Scheme]:
    """What the .tflite file of each stage computes with."""
    scheme: Scheme = "float32"
    yield scheme
    for number, before in enumerate(graphs[:-1], 1):
        declared = planned_stage(before, number).declared
        if isinstance(declared, Quantize):
            scheme = declared.scheme
        yield scheme


def _write(
    request: CompressionRequest,
    budget: Budget,
    state: RunState,
    done: Sequence[FinishedStage],
    measured: Mapping[int, Measured],
    graph: Graph,
) -> Report:
    """Makes the folder beside its place and then renames it, so that it appears whole or not at all."""
    made = state.path / "output"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    try:
        stages = []
        for stage in done:
            found = measured.get(stage.number)
            if found is None:
                stages.append(stage.facts)
                continue
            last = stage.number == len(done) - 1
            stages.append(_placed(found, stage.number, made, last=last))
        for name in ("model.keras", "model.weights.h5"):
            shutil.copyfile(state.final / name, made / name)
        models = [
            Artifact(path=name, kind=kind, raw=size.raw, gzip=size.gzip, gzip_level=size.level)
            for name, kind in (("model.keras", "keras"), ("model.weights.h5", "weights"))
            for size in [file_size(made / name)]
        ]
        stages[-1] = stages[-1].model_copy(update={"artifacts": (*stages[-1].artifacts, *models)})
        comment = f"What {request.blueprint.name} became once its passes were carried out; model.weights.h5 fits it."
        (made / "blueprint.yaml").write_text(resolved_text(graph, comment=comment), encoding="utf-8")
        report = Report(
            name=request.graph.name,
            blueprint=request.blueprint.name,
            versions=_versions(),
            seed=request.seed,
            stages=tuple(stages),
        )
        report = report.model_copy(update={"budget": budget.judged(report)})
        save_report(report, made / "report.json")
        save_html(report, made / "report.html")
        if request.folder.exists() and any(request.folder.iterdir()):
            request.folder.replace(state.path / "replaced")
        # An empty folder that stands there gives way.
        made.replace(request.folder)
    except OSError as error:
        message = f"{request.folder} cannot be written: {error.strerror or error}"
        hint = "what was trained is kept; --resume writes it once that is mended"
        raise MissingError(Diagnostic("GB602", message, hint=hint)) from error
    return report


def _placed(found: Measured, number: int, folder: Path, *, last: bool) -> Stage:
    """A stage whose .tflite file stands in the folder: the last one's as model.tflite, the others' under stages/."""
    if found.lite is None:
        return found.stage
    name = "model.tflite" if last else f"stages/{number}.tflite"
    (folder / name).parent.mkdir(exist_ok=True)
    shutil.copyfile(found.lite, folder / name)
    artifacts = tuple(item.model_copy(update={"path": name}) for item in found.stage.artifacts)
    return found.stage.model_copy(update={"artifacts": artifacts})


def _versions() -> dict[str, str]:
    """What the report says of the libraries."""
    return {name: importlib.metadata.version(name) for name in ("graphbuilder", *_LIBRARIES)}
