"""Weights that blocks of the zoo begin with: made ready in a worker process, put into a model by name."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from graphbuilder.backend.supervision import run_task
from graphbuilder.backend.weights import matched, weights_by_name
from graphbuilder.backend.worker_protocol import Progress
from graphbuilder.errors import BlueprintError, Diagnostic, MissingError
from graphbuilder.graph import Graph, layer_names

__all__ = ["FirstWeights", "begin_with", "first_weights"]

# Arrays by the names of a graph's layers, and then by their paths below the layer.
FirstWeights: TypeAlias = Mapping[str, Mapping[str, Any]]


def first_weights(graph: Graph, *, progress: Callable[[Progress], None] | None = None) -> FirstWeights:
    """The weights that the layers of a graph begin with; none where no node is pretrained.

    Keras's own downloader fetches what its cache lacks. A worker process reads the files, because the library that
    does so can crash or hang on a damaged one; that costs no more than an error here.

    Arguments:
        graph: the graph.
        progress: told what is being done.

    Raises:
        MissingError: GB606, published weights are not in the cache and cannot be downloaded.
        BlueprintError: GB313, there are none for such a model; GB505, a file holds none that fit.
        WorkerError: the process that reads them died.
    """
    if not graph.pretraining:
        return {}
    wanted = [
        {
            "node": each.path,
            "block": each.block,
            "weights": each.weights,
            "arguments": dict(each.arguments),
            "params": dict(each.params),
        }
        for each in graph.pretraining
    ]
    with tempfile.TemporaryDirectory(prefix="graphbuilder-") as folder:
        try:
            told = run_task("weights.pretrained", {"models": wanted, "folder": folder}, progress=progress).value
        except (BlueprintError, MissingError) as error:
            raise type(error)([_located(graph, each) for each in error.diagnostics]) from error
        return _read(graph, told, Path(folder))


def _located(graph: Graph, diagnostic: Diagnostic) -> Diagnostic:
    """What a worker said of a node, at the place that asks for the weights, with the way to do without."""
    asked = next((each for each in graph.pretraining if each.path == diagnostic.node), None)
    if asked is None:
        return diagnostic
    without = "pretrained: null" if asked.switch is None else f"--set {asked.switch}=null"
    hint = f"{diagnostic.hint}; or begin with random weights: {without}" if diagnostic.hint else None
    origin = asked.origin
    return replace(diagnostic, file=origin.source.name, position=origin.position(), hint=hint)


def _read(graph: Graph, told: Mapping[str, Any], folder: Path) -> FirstWeights:
    """The arrays that the worker wrote, by the names of the graph's layers."""
    import numpy

    found: dict[str, dict[str, Any]] = {}
    for asked in graph.pretraining:
        file, layers = told[asked.path]
        with numpy.load(folder / file, allow_pickle=False) as arrays:
            for layer, keys in layers.items():
                name = f"{asked.path}.{layer}"
                if name in graph.layers:
                    found[name] = {path: arrays[key] for path, key in keys}
    return found


def begin_with(model: Any, graph: Graph, weights: FirstWeights) -> None:
    """Puts weights into the layers of a model that was just built; either all or none.

    Arguments:
        model: the model of the graph, of either Keras.
        graph: the graph.
        weights: what `first_weights` gave for it.

    Raises:
        BlueprintError: GB505, weights are missing or of other shapes.
    """
    names, own = layer_names(graph), weights_by_name(model)
    pairs: list[tuple[Any, Any]] = []
    problems = []
    for asked in graph.pretraining:
        for name in graph.layers:
            held = own.get(names[name]) if name.startswith(f"{asked.path}.") else None
            for path, mine, theirs in matched(held, dict(weights.get(name, {}))) if held else ():
                if mine is None or theirs is None or tuple(mine.shape) != tuple(theirs.shape):
                    shapes = [None if each is None else list(each.shape) for each in (mine, theirs)]
                    message = f"{path} is {shapes[0]} in the model and {shapes[1]} in {asked.told}"
                    place = (asked.origin.source.name, asked.origin.position())
                    problems.append(Diagnostic("GB505", message, file=place[0], position=place[1], node=name))
                else:
                    pairs.append((mine, theirs))
    if problems:
        raise BlueprintError(problems)
    for mine, theirs in pairs:
        mine.assign(theirs)
