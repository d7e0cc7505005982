"""Building, training, compressing, saving and loading models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from graphbuilder.api.reading import Blueprintish, check, lower
from graphbuilder.errors import BlueprintError
from graphbuilder.graph import Graph

if TYPE_CHECKING:
    import numpy

    from graphbuilder.backend.compression_run import Compressed
    from graphbuilder.backend.datasets import Dataish
    from graphbuilder.backend.distribute import Strategy
    from graphbuilder.backend.fitting import Watcher
    from graphbuilder.backend.fitting_run import Trained
    from graphbuilder.backend.weights import Copied
    from graphbuilder.backend.worker_protocol import Progress
    from graphbuilder.data import Pixels

__all__ = ["compile", "compress", "copy_weights", "load_model", "save", "train"]


def compile(
    blueprint: Blueprintish | Graph,
    params: Mapping[str, Any] | None = None,
    *,
    keras: Literal[2, 3] = 3,
    trust: Sequence[str] = (),
    progress: Callable[[str, int, int], None] | None = None,
) -> Any:
    """The Keras functional model of a blueprint, compiled for training if the blueprint says how.

    Blocks that are `pretrained` begin with those weights, which Keras downloads where its cache lacks them.

    Arguments:
        blueprint: a file, a loaded document, or a graph.
        params: values for some of its params.
        keras: 3 for a `keras.Model`, 2 for the `tf_keras.Model` twin.
        trust: modules whose custom layers may be imported.
        progress: told of each node: its name, its number and how many there are.

    Raises:
        BlueprintError: the blueprint is wrong, costs more than its budget allows, or Keras refuses a node.
        MissingError: that Keras is not installed, or pretrained weights cannot be downloaded.

    Example:
        >>> compile("blueprints/cnn.yaml").output_shape
        (None, 10)
    """
    from graphbuilder.analysis.model_budget import require_budget
    from graphbuilder.backend.build import build
    from graphbuilder.backend.pretraining import begin_with, first_weights

    graph = blueprint if isinstance(blueprint, Graph) else lower(blueprint, params)
    require_budget(graph)
    first = first_weights(graph)
    model = build(graph, keras=keras, trust=trust, progress=progress)
    if first:
        begin_with(model, graph, first)
    return model


def train(
    blueprint: Blueprintish | Graph,
    data: Dataish,
    output: str | PathLike[str] | None = None,
    params: Mapping[str, Any] | None = None,
    *,
    epochs: int | None = None,
    batch_size: int | None = None,
    seed: int | None = None,
    validation_data: Dataish | None = None,
    keras: Literal[2, 3] = 3,
    trust: Sequence[str] = (),
    columns: Mapping[str, Sequence[str]] | None = None,
    pixels: Pixels = "auto",
    strategy: Strategy | None = None,
    resume: bool = False,
    force: bool = False,
    weights: str | PathLike[str] | None = None,
    watcher: Watcher | None = None,
    stop: Callable[[], bool] | None = None,
) -> Trained:
    """Trains a blueprint as its `training:` says. The data is checked before the model is built.

    Arguments:
        blueprint: a file, a loaded document, or a graph.
        data: arrays by the names of inputs and outputs, or what `--data` takes: a file, a folder, `digits`, …
        output: where the model is saved, and beside it the state of an unfinished training; None saves nothing.
        params: values for some of the blueprint's params.
        epochs: passes over the data, instead of the blueprint's.
        batch_size: samples in one step, instead of the blueprint's.
        seed: fixes everything random, instead of the blueprint's.
        validation_data: what to validate with after each epoch, instead of a part of the data.
        keras: 3 for a `keras.Model`, 2 for the `tf_keras.Model` twin.
        trust: modules whose layers and functions may be imported.
        columns: the columns or arrays of an input or output, where their names do not say it.
        pixels: how the brightness of images is told: "0..1", "-1..1", "0..255", or "auto".
        strategy: "mirrored" for all GPUs, "multi_worker" for the workers of TF_CONFIG.
        resume: whether to go on with a training that was interrupted.
        force: whether the output, and the state of another training, are replaced.
        weights: a `.weights.h5` or `.keras` file to begin with, such as an earlier training of the blueprint gave.
        watcher: told of every batch and epoch.
        stop: asked after every batch whether to stop.

    Raises:
        BlueprintError: the blueprint or the data is wrong, each fault told, or the loss is no longer a number.
        CommandError: the output exists and `force` is not given.
        MissingError: a package is missing, or the output cannot be written.
    """
    from graphbuilder.backend.fitting_run import Request, prepare
    from graphbuilder.backend.fitting_run import train as run

    graph = blueprint if isinstance(blueprint, Graph) else lower(blueprint, params)
    request = Request(
        graph,
        data,
        None if output is None else Path(output),
        epochs,
        batch_size,
        seed,
        validation_data,
        keras,
        trust,
        columns or {},
        pixels,
        strategy,
        resume,
        force,
        None if weights is None else Path(weights),
    )
    return run(prepare(request), watcher=watcher, stop=stop)


def compress(
    blueprint: str | PathLike[str],
    data: str | PathLike[str] | Mapping[str, numpy.ndarray],
    folder: str | PathLike[str],
    params: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    epochs: int | None = None,
    weights: str | PathLike[str] | None = None,
    budget: Mapping[str, float] | None = None,
    trust: Sequence[str] = (),
    resume: bool = False,
    force: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Compressed:
    """Trains a blueprint, carries out its compression passes, and writes the folder with what came of it.

    Everything that needs TensorFlow runs in worker processes, so that models of this process stay as they are.

    Arguments:
        blueprint: a file.
        data: arrays by the names of inputs and outputs, or what `--data` takes: a file, a folder, `digits`, …
        folder: where to write; beside it the state of an unfinished run is kept.
        params: values for some of the blueprint's params.
        seed: fixes everything random.
        epochs: passes over the data in each stage, instead of the blueprint's.
        weights: a file with trained weights, in the place of the first training.
        budget: bounds that win over the blueprint's; what is missed is told in the result.
        trust: modules whose layers and functions may be imported.
        resume: whether to go on with a run that was interrupted.
        force: whether an earlier compression, or one that was interrupted, is replaced.
        progress: told how far it is.

    Raises:
        BlueprintError: the blueprint, its passes or the data are wrong, each fault told.
        CommandError: the folder is taken.
        GraphbuilderError: a worker died, or something cannot be written.
    """
    from graphbuilder.backend.compression_run import CompressionRequest, arrays_as_file
    from graphbuilder.backend.compression_run import compress as run
    from graphbuilder.compression.budget import budget_of

    checked = check(blueprint, params)
    if not checked.ok or checked.graph is None:
        raise BlueprintError(checked.errors)
    graph = checked.graph
    with arrays_as_file(data) as given:
        request = CompressionRequest(
            Path(blueprint),
            graph,
            given,
            Path(folder),
            params or {},
            seed=seed,
            epochs=epochs,
            trust=trust,
            weights=None if weights is None else Path(weights),
            resume=resume,
            force=force,
            budget=budget_of(graph, budget),
        )
        return run(request, progress=progress)


def save(model: Any, path: str | PathLike[str], *, force: bool = False) -> Path:
    """Saves a model; the file appears whole or not at all.

    Arguments:
        model: a model of either Keras.
        path: `.keras`, `.h5`, `.weights.h5` or `.json` by its ending, else a SavedModel folder.
        force: whether what stands there is replaced.

    Raises:
        CommandError: the path exists and `force` is not given.
        MissingError: it cannot be written.
    """
    from graphbuilder.backend.saving import save_model

    return save_model(model, Path(path), force=force)


def load_model(path: str | PathLike[str], *, keras: Literal[2, 3] = 3) -> Any:
    """Loads a model that `save` wrote. Code inside the file is never run: Keras's safe mode stays on.

    Arguments:
        path: a `.keras`, `.h5` or Keras `.json` file.
        keras: which Keras made it.

    Raises:
        BlueprintError: it cannot be loaded.
    """
    from graphbuilder.backend.saving import read_model

    return read_model(Path(path), keras=keras)


def copy_weights(source: Any, target: Any) -> Copied:
    """Copies weights by name from a model to another of the same blueprint, from either Keras to either.

    Arguments:
        source: the model whose weights are read.
        target: the model whose weights are set.

    Raises:
        BlueprintError: a layer or weight is missing on one side, or their shapes differ; then nothing is set.
    """
    from graphbuilder.backend.weights import copy_weights as copy

    return copy(source, target)
