"""Makes the weights of models of keras.applications ready, under the names of the zoo; what a worker process runs."""

from __future__ import annotations

import contextlib
import importlib
import json
import socket
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from graphbuilder.backend.build import build
from graphbuilder.backend.frameworks import framework
from graphbuilder.backend.weights import weights_by_name
from graphbuilder.backend.worker_protocol import Progress
from graphbuilder.blueprint.loading import load_shipped
from graphbuilder.catalog.zoo import ZOO
from graphbuilder.errors import BlueprintError, Diagnostic, MissingError
from graphbuilder.graph import layer_names
from graphbuilder.lowering import lower

__all__ = ["pretrained_task"]

Report = Callable[[Progress], None]

# A server that says nothing for so many seconds will say nothing more.
_SILENCE = 30.0


def pretrained_task(arguments: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Writes the weights of models as arrays.

    Arguments:
        arguments: `folder`, where to write, and `models`, a list of `node` (who asks), `block` (`zoo.vgg16`), `weights`
            ("imagenet" or the path of a file), `arguments` (of Keras's function) and `params` (of the zoo's model).
        report: told what is being done.

    Returns:
        By node, the name of a file and the paths and keys of its arrays by layer.

    Raises:
        MissingError: GB606, published weights are not in the cache and cannot be downloaded.
        BlueprintError: GB313, Keras has no such weights; GB505, a file holds none that fit.
    """
    socket.setdefaulttimeout(_SILENCE)
    made: dict[str, Any] = {}
    known: dict[str, Any] = {}
    for number, model in enumerate(arguments["models"]):
        same = json.dumps({key: value for key, value in model.items() if key != "node"}, sort_keys=True)
        if same not in known:
            name = f"weights-{number}.npz"
            known[same] = (name, _written(model, Path(arguments["folder"]) / name, report))
        made[model["node"]] = known[same]
    return made


def _written(asked: Mapping[str, Any], path: Path, report: Report) -> dict[str, list[tuple[str, str]]]:
    """Writes the weights of one model, and gives their paths and keys by layer."""
    import numpy

    arrays = _given(asked, report)
    report(Progress(f"naming the weights of {asked['block']}"))
    layers: dict[str, list[tuple[str, str]]] = {}
    kept: dict[str, Any] = {}
    for layer, paths in _named(asked, arrays).items():
        layers[layer] = [(weight, f"{len(kept) + index}") for index, weight in enumerate(paths)]
        kept.update({key: paths[weight] for weight, key in layers[layer]})
    numpy.savez(path, **kept)
    return layers


def _given(asked: Mapping[str, Any], report: Report) -> list[tuple[str, list[Any]]]:
    """The arrays of every layer with weights of Keras's own model, in its order.

    Raises:
        MissingError: GB606. BlueprintError: GB313 and GB505.
    """
    keras, weights, node = framework(3).keras, asked["weights"], asked["node"]
    function = ZOO[asked["block"].partition(".")[2]].function
    make = getattr(keras.applications, function)
    published = weights == "imagenet"
    report(Progress(f"loading {weights if published else Path(weights).name} into {function}"))
    try:
        with _careful_downloads(asked["block"], node, report):
            # Of a whole model's file Keras reads the weights alone here, and nothing of what describes the model.
            model = make(weights=weights, **asked["arguments"])
    except (ValueError, TypeError, OSError, KeyError, AttributeError, RuntimeError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())[:400]
        if not published:
            message = f"{Path(weights).name} holds no weights of keras.applications.{function}: {reason}"
            raise BlueprintError(Diagnostic("GB505", message, node=node)) from error
        if isinstance(error, OSError):
            place = _cache() / "models"
            message = f"the published weights of {asked['block']} in {place} cannot be read: {reason}"
            raise MissingError(Diagnostic("GB606", message, node=node, hint="delete the file there")) from error
        message = f"Keras publishes no such weights of {function}: {reason}"
        raise BlueprintError(Diagnostic("GB313", message, node=node, hint="give the block other params")) from error
    found = [(layer.name, [weight.numpy() for weight in layer.weights]) for layer in _leaves(model) if layer.weights]
    keras.backend.clear_session()
    return found


def _leaves(model: Any) -> Iterator[Any]:
    """The layers of a model, those of models inside it in their places."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _leaves(layer)
        else:
            yield layer


def _named(asked: Mapping[str, Any], arrays: list[tuple[str, list[Any]]]) -> dict[str, dict[str, Any]]:
    """Arrays by the names of the zoo's layers and the paths of their weights.

    Keras puts the layers of a functional model into an order that follows from how they are connected, so those of the
    zoo's model are in the same one, whatever the order in its file.

    Raises:
        BlueprintError: GB505, a file holds another model.
    """
    place = load_shipped(asked["block"])
    assert place is not None, asked["block"]
    graph = lower(place.document, asked["params"])
    model = build(graph, keras=3, compiled=False)
    given_names = {built: name for name, built in layer_names(graph).items()}
    own = weights_by_name(model)
    mine = [layer.name for layer in _leaves(model) if layer.weights]
    if len(mine) != len(arrays):
        raise _unlike(asked, f"{len(arrays)} layers with weights", f"{len(mine)}")
    found = {}
    for name, (layer, values) in zip(mine, arrays, strict=True):
        shapes = [[list(each.shape) for each in side] for side in (values, own[name].values())]
        if shapes[0] != shapes[1]:
            raise _unlike(asked, f"{layer} with weights {shapes[0]}", f"{given_names[name]} with {shapes[1]}")
        found[given_names[name]] = dict(zip(own[name], values, strict=True))
    return found


def _unlike(asked: Mapping[str, Any], theirs: str, mine: str) -> BlueprintError:
    what = "Keras's model" if asked["weights"] == "imagenet" else Path(asked["weights"]).name
    message = f"{what} has {theirs}, where {asked['block']} has {mine}"
    return BlueprintError(Diagnostic("GB505", message, node=asked["node"]))


def _downloader() -> Any:
    """Keras's module with the function that all its models fetch their weights with."""
    return importlib.import_module("keras.src.utils.file_utils")


def _cache() -> Path:
    """Where Keras keeps what it downloads."""
    return Path(_downloader().config.keras_home()).expanduser()


@contextlib.contextmanager
def _careful_downloads(block: str, node: str, report: Report) -> Iterator[None]:
    """Lets Keras's downloads appear in its cache whole or not at all, and tells in our words when one fails.

    Keras leaves a half of a file behind when the process is ended, and takes it for the whole the next time.
    """
    module = _downloader()
    real = module.get_file

    def get_file(fname: str, origin: str, *, cache_subdir: str = "datasets", **options: Any) -> str:
        folder = _cache() / cache_subdir
        target, hashed = folder / fname, options.get("file_hash") or options.get("md5_hash")
        if target.exists() and (hashed is None or module.validate_file(str(target), hashed)):
            return str(target)
        report(Progress(f"downloading {origin}"))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".graphbuilder-", dir=folder) as scratch:
                Path(real(fname, origin, cache_subdir=scratch, **options)).replace(target)
        except Exception as error:
            raise _failed(block, node, origin, target, error) from error
        return str(target)

    module.get_file = get_file
    try:
        yield
    finally:
        module.get_file = real


def _failed(block: str, node: str, origin: str, target: Path, error: Exception) -> MissingError:
    reason = " ".join(str(error).split())[:300].removeprefix(f"URL fetch failure on {origin}: ")
    reason = reason.removeprefix("None -- ")
    state = "are not in Keras's cache" if not target.exists() else "in Keras's cache are not those that it publishes"
    message = f"the published weights of {block} {state}, and cannot be downloaded: {reason}"
    return MissingError(
        Diagnostic("GB606", message, node=node, hint=f"download {origin} elsewhere and put it at {target}")
    )
