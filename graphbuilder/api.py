"""The public functions: load, check, explain, merge, compile and save blueprints from Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from graphbuilder.blueprint import Document, parse_blueprint
from graphbuilder.blueprint import load as _load
from graphbuilder.errors import BlueprintError, Diagnostic, Severity
from graphbuilder.graph import Graph
from graphbuilder.lowering import GraphLimits, try_lower
from graphbuilder.lowering import lower as _lower

if TYPE_CHECKING:
    from graphbuilder.analysis.explain_model import Explanation
    from graphbuilder.backend.datasets import Dataish
    from graphbuilder.backend.distribute import Strategy
    from graphbuilder.backend.fitting import Watcher
    from graphbuilder.backend.fitting_run import Trained
    from graphbuilder.backend.weights import Copied
    from graphbuilder.data import Pixels
    from graphbuilder.editing import Edited, FittingFusion

__all__ = [
    "Blueprintish",
    "Checked",
    "check",
    "compile",
    "copy_weights",
    "explain",
    "fusions_that_fit",
    "json_schema",
    "load",
    "load_model",
    "lower",
    "merge",
    "parse",
    "save",
    "train",
]

# What the functions take for a blueprint: a file, or a document that was loaded already.
Blueprintish: TypeAlias = "str | PathLike[str] | Document"


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking a blueprint found.

    Arguments:
        graph: the graph with every shape; None when there is an error, or when the file holds only blocks.
        diagnostics: errors and warnings, in the order of the file.
    """

    graph: Graph | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return not self.errors

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that are errors."""
        return tuple(found for found in self.diagnostics if found.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that are warnings."""
        return tuple(found for found in self.diagnostics if found.severity is Severity.WARNING)


def _document(blueprint: Blueprintish) -> Document:
    return blueprint if isinstance(blueprint, Document) else load(blueprint)


def load(path: str | PathLike[str]) -> Document:
    """Reads a blueprint and what it imports. Runs no code and imports no TensorFlow.

    Arguments:
        path: a YAML or JSON file.

    Raises:
        BlueprintError: with everything that is wrong with the texts.

    Example:
        >>> load("blueprints/cnn.yaml").name
        'cnn'
    """
    return _load(path if isinstance(path, str) else Path(path))


def parse(text: str, *, name: str = "<blueprint>") -> Document:
    """Reads a blueprint from a string of YAML or JSON.

    Arguments:
        text: the blueprint.
        name: what messages call it.

    Raises:
        BlueprintError: with everything that is wrong with the text.
    """
    return parse_blueprint(text, name=name)


def check(
    blueprint: Blueprintish, params: Mapping[str, Any] | None = None, *, limits: GraphLimits | None = None
) -> Checked:
    """Checks a blueprint without TensorFlow: names, arguments, shapes. Never raises for a wrong blueprint.

    Arguments:
        blueprint: a file or a loaded document.
        params: values for some of its params.
        limits: how large the graph may become.

    Example:
        >>> checked = check("blueprints/cnn.yaml")
        >>> checked.ok, checked.graph.parameters
        (True, 1969738)
    """
    try:
        document = _document(blueprint)
    except BlueprintError as error:
        return Checked(None, error.diagnostics)
    lowered = try_lower(document, params, limits=limits)
    if lowered.graph is None or not lowered.graph.compression:
        return Checked(lowered.graph, lowered.diagnostics)
    # Few blueprints are compressed, and the others need not wait for this import.
    from graphbuilder.compression.plan import plan_compression

    _, found = plan_compression(lowered.graph)
    return Checked(None if found else lowered.graph, (*lowered.diagnostics, *found))


def lower(
    blueprint: Blueprintish, params: Mapping[str, Any] | None = None, *, limits: GraphLimits | None = None
) -> Graph:
    """The graph of a blueprint: flat, with every block expanded and every shape inferred.

    Arguments:
        blueprint: a file or a loaded document.
        params: values for some of its params.
        limits: how large the graph may become.

    Raises:
        BlueprintError: with every error found.
    """
    return _lower(_document(blueprint), params, limits=limits)


def compile(
    blueprint: Blueprintish | Graph,
    params: Mapping[str, Any] | None = None,
    *,
    keras: Literal[2, 3] = 3,
    trust: Sequence[str] = (),
    progress: Callable[[str, int, int], None] | None = None,
) -> Any:
    """The Keras functional model of a blueprint, compiled for training if the blueprint says how.

    Arguments:
        blueprint: a file, a loaded document, or a graph.
        params: values for some of its params.
        keras: 3 for a `keras.Model`, 2 for the `tf_keras.Model` twin.
        trust: modules whose custom layers may be imported.
        progress: told of each node: its name, its number and how many there are.

    Raises:
        BlueprintError: the blueprint is wrong, or Keras refuses a node.
        MissingError: that Keras is not installed.

    Example:
        >>> compile("blueprints/cnn.yaml").output_shape
        (None, 10)
    """
    from graphbuilder.backend.build import build

    graph = blueprint if isinstance(blueprint, Graph) else lower(blueprint, params)
    return build(graph, keras=keras, trust=trust, progress=progress)


def explain(
    blueprint: Blueprintish,
    node: str,
    params: Mapping[str, Any] | None = None,
    *,
    limits: GraphLimits | None = None,
) -> Explanation:
    """Everything that is known of one node: what it is, what it is given and gives, what it costs, why it is there.

    Of a fusion, what is done to each branch, why, and what else could be done, each with the line to write.

    Arguments:
        blueprint: a file or a loaded document.
        node: an input, a node, or the path of what lies inside one, such as `encoder.2.attention`.
        params: values for some of its params.
        limits: how large the graph may become.

    Raises:
        BlueprintError: with every error found.
        CommandError: there is nothing of that name.

    Example:
        >>> explained = explain("blueprints/cnn.yaml", "conv")
        >>> explained.kind, explained.parameters, explained.consumers
        ('Conv2D', 896, ('pool',))
    """
    from graphbuilder.analysis.explain import explain as tell

    document = _document(blueprint)
    checked = check(document, params, limits=limits)
    # A document without a graph, because of errors or because it holds only blocks, is told by lowering it.
    graph = checked.graph or lower(document, params, limits=limits)
    return tell(document, graph, node, params, checked.warnings)


def merge(
    blueprint: Blueprintish,
    nodes: Sequence[str],
    strategy: str,
    *,
    name: str | None = None,
    options: Mapping[str, Any] | None = None,
    into: Sequence[str] | None = None,
    params: Mapping[str, Any] | None = None,
) -> Edited:
    """Merges branches in the text of a blueprint, and gives the new text; no file is written.

    A node `{fuse: …, from: […]}` is added below the last of the merged nodes. What took one of the branches takes the
    merged value instead, unless it feeds one of them, or takes several of them apart from each other. Everything else
    stays, byte for byte.

    Arguments:
        blueprint: a file or a loaded document.
        nodes: what to merge, two or more, written as under `from`.
        strategy: the way to merge, as after `fuse:`.
        name: the new node; left out, merged, merged_2, …
        options: the strategy's options.
        into: the only consumers to rewire: names of nodes, or "outputs"; none for an empty list, all for None.
        params: values for some of the blueprint's params, for the check.

    Raises:
        CommandError: a node, the strategy, the name or an option is not what can be taken.
        BlueprintError: the blueprint is wrong, before or after the merge.

    Example:
        >>> edited = merge("blueprints/cnn.yaml", ["pool", "conv"], "concat", options={"align": "auto"}, into=[])
        >>> edited.name, edited.changes[0]
        ('merged', 'merged is added below pool: concat of pool, conv')
    """
    from graphbuilder.editing import merge as edit

    return edit(_document(blueprint), nodes, strategy, name=name, options=options, into=into, params=params)


def fusions_that_fit(
    blueprint: Blueprintish, nodes: Sequence[str], params: Mapping[str, Any] | None = None
) -> tuple[FittingFusion, ...]:
    """The ways to merge that fit some branches, each with the shape that it gives and what it adds to the model.

    Arguments:
        blueprint: a file or a loaded document.
        nodes: what would be merged, two or more, written as under `from`.
        params: values for some of the blueprint's params.

    Raises:
        CommandError: a node is not known, or stands twice.
        BlueprintError: the blueprint is wrong.

    Example:
        >>> [str(found.gives) for found in fusions_that_fit("blueprints/cnn.yaml", ["hidden", "flat"])][:1]
        ['(batch, 30816)']
    """
    from graphbuilder.editing import fusions_that_fit as fitting

    return fitting(_document(blueprint), nodes, params)


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
    )
    return run(prepare(request), watcher=watcher, stop=stop)


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


def json_schema() -> dict[str, Any]:
    """The JSON Schema of blueprints, with every layer's arguments, for completion and hover in an editor."""
    from graphbuilder.blueprint.json_schema import json_schema as make
    from graphbuilder.compression.tables import passes
    from graphbuilder.fusion import strategies

    fusions = {name: kind for name in strategies.names() if (kind := strategies.get(name)) is not None}
    return make(fusions, {name: found for name in passes.names() if (found := passes.get(name)) is not None})
