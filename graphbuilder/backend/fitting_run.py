"""A whole training: from a graph and data to a saved model, checked first, resumable after any break."""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from graphbuilder.analysis.model_budget import require_budget
from graphbuilder.backend.build import build
from graphbuilder.backend.datasets import Dataish, open_data
from graphbuilder.backend.distribute import (
    Layout,
    Strategy,
    WorkerGone,
    Workers,
    gone_workers_told,
    layout_for,
    workers_of,
)
from graphbuilder.backend.fitting import EpochRecord, FitOptions, Fitted, Watcher, evaluate, fit
from graphbuilder.backend.fitting_state import Kept, StateFolder, model_fingerprint, restore, snapshot
from graphbuilder.backend.frameworks import KerasVersion, framework
from graphbuilder.backend.pretraining import FirstWeights, begin_with, first_weights
from graphbuilder.backend.saving import format_of, load_weights, refuse_existing, save_model
from graphbuilder.backend.weights import copy_weights
from graphbuilder.data import Data, Part, Pixels
from graphbuilder.errors import BlueprintError, CommandError, Diagnostic
from graphbuilder.graph import Graph

__all__ = ["Prepared", "Request", "Trained", "prepare", "train"]


@dataclass(frozen=True, slots=True)
class Request:
    """A training that is asked for; what is None is taken from the blueprint.

    Arguments:
        graph: the model.
        data: what to train on.
        output: where to save, or None.
        epochs: passes over the samples.
        batch_size: samples in one step.
        seed: fixes everything random.
        validation_data: what to validate with.
        keras: which Keras.
        trust: modules that may be imported and run.
        columns: the columns or arrays of an input or output.
        pixels: how the brightness of images is told.
        strategy: how several replicas train together.
        resume: whether to go on with what is kept.
        force: whether to replace the output, and a training that was interrupted.
        weights: a file of weights to begin with, or None.
    """

    graph: Graph
    data: Dataish
    output: Path | None = None
    epochs: int | None = None
    batch_size: int | None = None
    seed: int | None = None
    validation_data: Dataish | None = None
    keras: KerasVersion = 3
    trust: Sequence[str] = ()
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    pixels: Pixels = "auto"
    strategy: Strategy | None = None
    resume: bool = False
    force: bool = False
    weights: Path | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A training of which everything was checked that can be checked without TensorFlow.

    Arguments:
        request: what was asked for.
        data: what to train on, the validation's samples set apart.
        options: how.
        state: where the state is kept, or None where nothing is saved.
        kept: the state to go on from, if there is one.
        settings: what must be the same when the training goes on.
        workers: the processes that train together.
    """

    request: Request
    data: Data
    options: FitOptions
    state: StateFolder | None
    kept: Kept | None
    settings: Mapping[str, Any]
    workers: Workers | None

    @property
    def chief(self) -> bool:
        """Whether this process saves what comes of it."""
        return self.workers is None or self.workers.chief


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training gave.

    Arguments:
        model: the trained model.
        history: one record for each epoch.
        evaluation: the loss and the metrics on the samples that were held out.
        evaluated_on: what these are: "test", "validation", or "" where none were held out.
        path: where the model was saved, or None.
        seed: the seed, also where it was drawn.
        stopped: whether it was asked to stop before it was done.
    """

    model: Any
    history: tuple[EpochRecord, ...]
    evaluation: Mapping[str, float]
    evaluated_on: str
    path: Path | None
    seed: int
    stopped: bool = False


def prepare(request: Request) -> Prepared:
    """Checks everything that can be checked before the model is built: the blueprint, the output, the data.

    Arguments:
        request: what is asked for.

    Raises:
        BlueprintError: the blueprint does not say how to train, the model exceeds its budget, or the data does not fit.
        CommandError: the output or a kept state stands in the way, or the workers are described wrongly.
        MissingError: a package is missing.
    """
    require_budget(request.graph)
    training = request.graph.training or {}
    if training.get("loss") is None:
        raise _wrong_training(
            request.graph,
            f"{request.graph.name} has no loss, so there is nothing to minimize",
            "training: with a loss",
            hint="for example training: {optimizer: adam, loss: sparse_categorical_crossentropy}",
        )
    workers = workers_of() if request.strategy == "multi_worker" else None
    state, kept = _state(request)
    seed = next((each for each in (request.seed, training.get("seed")) if each is not None), None)
    if seed is None:
        seed = kept.seed if kept is not None else secrets.randbelow(2**31)
        if workers is not None:
            raise CommandError(Diagnostic("GB724", "several workers must draw the same numbers", hint="--seed 1"))
    options = FitOptions(
        epochs=_positive(request.graph, request.epochs, "epochs", 1),
        batch_size=_positive(request.graph, request.batch_size, "batch_size", 32),
        shuffle=bool(training.get("shuffle", True)),
        seed=int(seed),
    )
    fraction = float(training.get("validation_split", 0.0))
    if not 0 <= fraction < 1:
        message = f"validation_split is {fraction:g}"
        raise _wrong_training(request.graph, message, "from 0 to less than 1", "validation_split")
    data = _data(request, fraction, options.seed)
    data.require(options.batch_size)
    settings = {
        "the blueprint": model_fingerprint(request.graph),
        "the data": data.fingerprint,
        "the seed": options.seed,
        "the batch size": options.batch_size,
        "shuffle": options.shuffle,
        "validation_split": fraction,
        "Keras": _trained_keras(request),
    }
    if request.weights is not None:
        settings["the file of weights"] = _digest(request.weights)
    if kept is not None and state is not None:
        state.require(kept, settings, options.epochs)
    return Prepared(request, data, options, state, kept, settings, workers)


def _digest(path: Path) -> str:
    """Tells a file from others by what it holds.

    Raises:
        BlueprintError: GB505, it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BlueprintError(Diagnostic("GB505", f"{path} cannot be read: {error.strerror or error}")) from error


def _state(request: Request) -> tuple[StateFolder | None, Kept | None]:
    """Where the state is kept, and what is kept there to go on from."""
    if request.output is None:
        return None, None
    format_of(request.output)
    state = StateFolder(request.output)
    if request.resume and state.exists():
        # What stands at the output, if anything, is what this very training was to replace, or gave.
        return state, state.read()
    refuse_existing(request.output, request.force)
    if state.exists() and not request.force:
        kept = state.read()
        message = (
            f"{state.path} keeps a training that was interrupted, {len(kept.records)} of {kept.epochs} epochs done"
        )
        raise CommandError(Diagnostic("GB601", message, hint="--resume goes on with it, --force begins anew"))
    return state, None


def _positive(graph: Graph, given: int | None, key: str, default: int) -> int:
    value = given if given is not None else (graph.training or {}).get(key, default)
    if not isinstance(value, int) or value < 1:
        raise _wrong_training(graph, f"{key} is {value}", "a whole number of at least 1", key)
    return value


def _wrong_training(graph: Graph, message: str, expected: str, *path: str, hint: str | None = None) -> BlueprintError:
    """The error of a blueprint's `training:`, located there, as far as it is written."""
    source = next(iter(graph.inputs.values())).origin.source
    position = source.position(("training", *path), key=True) if graph.training is not None else None
    found = Diagnostic("GB721", message, file=source.name, position=position, expected=expected, hint=hint)
    return BlueprintError(found)


def _data(request: Request, fraction: float, seed: int) -> Data:
    data = open_data(request.data, request.graph, trust=request.trust, columns=request.columns, pixels=request.pixels)
    if request.validation_data is None:
        return data.with_validation(fraction, seed)
    other = open_data(
        request.validation_data,
        request.graph,
        trust=request.trust,
        columns=request.columns,
        pixels=request.pixels,
        like=data,
    )
    return replace(
        data,
        validation=other.train,
        fingerprint=f"{data.fingerprint} {other.fingerprint}",
        facts=(*data.facts, *other.facts),
        warnings=(*data.warnings, *other.warnings),
    )


def train(prepared: Prepared, *, watcher: Watcher | None = None, stop: Callable[[], bool] | None = None) -> Trained:
    """Trains, evaluates and saves what was prepared.

    Arguments:
        prepared: what `prepare` gave.
        watcher: told how far it is.
        stop: asked after every batch whether to stop.

    Raises:
        BlueprintError: Keras refuses the model or the data, or the loss is no longer a number.
        MissingError: Keras is not installed, or the output cannot be written.
    """
    watcher = watcher or Watcher()
    version = _trained_keras(prepared.request)
    first = _first(prepared, watcher)
    with watcher.stage("Importing TensorFlow"):
        framework(version)
    if prepared.workers is None:
        return _train(prepared, first, layout_for(prepared.request.strategy, None), version, watcher, stop)
    with gone_workers_told():
        with watcher.stage(f"Waiting for {len(prepared.workers.addresses)} workers"):
            layout = layout_for(prepared.request.strategy, prepared.workers)
        return _train(prepared, first, layout, version, watcher, stop)


def _first(prepared: Prepared, watcher: Watcher) -> FirstWeights:
    """The weights that pretrained blocks begin with, unless others are there already."""
    request = prepared.request
    if prepared.kept is not None or request.weights is not None or not request.graph.pretraining:
        return {}
    with watcher.stage("Loading pretrained weights") as step:
        return first_weights(request.graph, progress=lambda done: step(done.message, done.done or 0, done.total or 0))


def _trained_keras(request: Request) -> KerasVersion:
    """The Keras that trains: on several workers tf_keras, because Keras 3 takes no data that is distributed so."""
    return 2 if request.strategy == "multi_worker" else request.keras


def _train(
    prepared: Prepared,
    first: FirstWeights,
    layout: Layout,
    version: KerasVersion,
    watcher: Watcher,
    stop: Callable[[], bool] | None,
) -> Trained:
    request, options = prepared.request, prepared.options
    _same_everywhere(prepared, layout)
    if layout.replicas > 1:
        watcher.note(f"{layout.replicas} replicas share each batch of {options.batch_size}")
    if version != request.keras:
        watcher.note("Keras 3 does not train on several workers: its tf_keras twin does, and gives its weights back")
    with watcher.stage(f"Building {request.graph.name}") as step:
        framework(version).keras.utils.set_random_seed(options.seed)
        with layout.scope():
            model = build(request.graph, keras=version, trust=request.trust, progress=step)
            if prepared.kept is not None and prepared.state is not None:
                restore(model, prepared.state.arrays(prepared.kept))
            elif request.weights is not None:
                load_weights(model, request.weights)
            elif first:
                begin_with(model, request.graph, first)
    fitted = _fit(model, prepared, layout, watcher, stop)
    if fitted.stopped:
        return Trained(model, fitted.records, {}, "", None, options.seed, stopped=True)
    evaluated_on, part = _held_out(prepared.data)
    evaluation: dict[str, float] = {}
    if part is not None:
        with watcher.stage(f"Evaluating {evaluated_on}"):
            evaluation = evaluate(model, part, prepared.data.wants, options.batch_size)
    if version != request.keras:
        framework(request.keras).keras.utils.set_random_seed(options.seed)
        given_back = build(request.graph, keras=request.keras, trust=request.trust)
        copy_weights(model, given_back)
        model = given_back
    path = None
    if request.output is not None and prepared.chief:
        with watcher.stage(f"Saving {request.output}"):
            path = save_model(model, request.output, force=request.force or prepared.kept is not None)
            if prepared.state is not None:
                prepared.state.remove()
    return Trained(model, fitted.records, evaluation, evaluated_on, path, options.seed)


def _same_everywhere(prepared: Prepared, layout: Layout) -> None:
    """Refuses workers that would train something else, or go on from elsewhere; they would wait for ever.

    Raises:
        BlueprintError: the workers differ.
    """
    layout.require(prepared.options.batch_size)
    done = len(prepared.kept.records) if prepared.kept is not None else 0
    said = json.dumps([prepared.settings, prepared.options.epochs, done], sort_keys=True)
    if not layout.agree(zlib.crc32(said.encode())):
        message = "the workers do not train the same: the blueprint, the data, an option or the kept state differs"
        hint = "give every worker the same files and options; to go on, all must see the folder of the kept state"
        raise BlueprintError(Diagnostic("GB724", message, hint=hint))


def _fit(model: Any, prepared: Prepared, layout: Layout, watcher: Watcher, stop: Callable[[], bool] | None) -> Fitted:
    """Trains, and keeps the state after every epoch."""
    state, options = prepared.state, prepared.options

    def keep(records: tuple[EpochRecord, ...]) -> None:
        arrays = snapshot(model)
        if state is not None and prepared.chief:
            file = f"epoch-{len(records):04}.npz"
            state.write(Kept(prepared.settings, options.seed, options.epochs, records, file), arrays)

    done = prepared.kept.records if prepared.kept is not None else ()
    if state is not None and prepared.kept is None:
        # A training that is killed in its first epoch goes on from the same first weights.
        keep(())
    kept = list(done)

    def noted(records: tuple[EpochRecord, ...]) -> None:
        if state is not None:
            keep(records)
        kept[:] = records

    try:
        with gone_workers_told() if prepared.workers is not None else contextlib.nullcontext():
            return fit(model, prepared.data, options, done=done, watcher=watcher, stop=stop, keep=noted, layout=layout)
    except WorkerGone:
        if stop is None or not stop():
            raise
        # Ctrl-C reaches all workers, and one of them was the first to stop.
        return Fitted(tuple(kept), stopped=True)


def _held_out(data: Data) -> tuple[str, Part | None]:
    """The samples that tell how good the model is, and what they are."""
    if data.test is not None:
        return "test", data.test
    return ("validation", data.validation) if data.validation is not None else ("", None)
