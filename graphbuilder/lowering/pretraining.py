"""Weights that a block of the zoo begins with: which are meant, and whether they fit the layers that are made."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graphbuilder.blueprint import BlockPlace, ExpressionError, resolve_values
from graphbuilder.blueprint.shipped import block_path
from graphbuilder.catalog.arguments import as_written
from graphbuilder.catalog.zoo import ZOO, ZooModel
from graphbuilder.errors import suggestion
from graphbuilder.graph import Layer, PretrainingDeclaration, Value, flatten
from graphbuilder.lowering.arguments import resolved
from graphbuilder.lowering.reports import Reports
from graphbuilder.lowering.scope import Made, Scope

__all__ = ["Alone", "Pretraining", "check_pretraining", "pretraining_of"]

PUBLISHED = "imagenet"
# The value of one param, and nothing else.
_PARAM = re.compile(r"\$(\w+)")
# The files that Keras keeps weights in.
_ENDINGS = (".h5", ".hdf5", ".keras")
# The params of a model of the zoo that say what it is called with.
_SIZES = ("height", "width", "channels")

_Path = tuple[str | int, ...]
# A model of the zoo standing alone: its layers by name and the values of its params; None where it cannot be.
Alone = Callable[[str, Mapping[str, Any]], "tuple[Mapping[str, Layer], Mapping[str, Any]] | None"]


@dataclass(frozen=True, slots=True)
class Pretraining:
    """Weights that a node asks for.

    Arguments:
        model: what the zoo knows of the block.
        weights: "imagenet", or the path of a file.
        given: params that these weights need, where the node does not say otherwise.
    """

    model: ZooModel
    weights: str
    given: Mapping[str, Any] = field(default_factory=dict)


def pretraining_of(made: Made, root: Scope, reports: Reports, where: _Path, name: str) -> Pretraining | None:
    """The weights that a block node asks for; None where it asks for none, and after a report.

    Arguments:
        made: the node.
        root: the scope of the user's file, in whose folder a file of weights must lie.
        reports: told of what cannot be.
        where: the keys that lead to what it says.
        name: the node's path in the graph.
    """
    node: Any = made.node
    place = made.scope.find_block(node.block)
    # A block with a param of that name is given it, and does with it what it says.
    if node.pretrained is None or place is None or "pretrained" in place.definition.params:
        return None
    weights = resolved(made.scope, reports, node.pretrained, where, name)
    if weights is None:
        return None

    def wrong(message: str, hint: str | None = None, code: str = "GB313", expected: str | None = None) -> None:
        reports.add(made.scope, code, message, where, node=name, found=str(weights), expected=expected, hint=hint)

    if not isinstance(weights, str):
        wrong(f"pretrained is {as_written(weights)}", code="GB204", expected="imagenet, a file of weights, or null")
        return None
    model = _model(node.block, place)
    if model is None:
        inner = node.block.rpartition(".")[2]
        hint = f"zoo.{inner} is one" if inner in ZOO else "`compile --weights` loads weights of any model"
        wrong(f"{node.block} is no model of the zoo, so no weights are known for it", hint)
        return None
    if "repeat" in node.model_fields_set:
        wrong("a block that is repeated cannot be pretrained", "use it once for each copy, or take repeat away")
        return None
    if weights == PUBLISHED:
        return Pretraining(model, weights, model.imagenet)
    file = _file(made.scope, root, weights, wrong)
    return None if file is None else Pretraining(model, str(file))


def _model(name: str, place: BlockPlace) -> ZooModel | None:
    """What the zoo knows of a block; None for one of a file of the user's, whatever it is called."""
    space, _, inner = name.partition(".")
    if space != "zoo" or inner not in ZOO or place.document.path is None:
        return None
    return ZOO[inner] if place.document.path == block_path(space, inner) else None


def _file(scope: Scope, root: Scope, written: str, wrong: Callable[..., None]) -> Path | None:
    """The file of weights that a node names, if it is one that may be read."""
    if not written.endswith(_ENDINGS):
        close = suggestion(written, [PUBLISHED], listing=None)
        wrong(f"pretrained is {as_written(written)}", close, "GB203", "imagenet, or a file that ends in .h5 or .keras")
        return None
    if scope.document.path is None or root.document.path is None:
        wrong("a text without a file cannot name a file of weights", "save it to a file first")
        return None
    target = (scope.document.path.resolve().parent / written).resolve()
    if not target.is_relative_to(root.document.path.resolve().parent):
        wrong(f"{written} lies outside the blueprint's folder", "copy it beside the blueprint")
        return None
    if not target.is_file():
        near = (
            [path.name for path in target.parent.glob("*") if path.suffix in _ENDINGS] if target.parent.is_dir() else []
        )
        hint = suggestion(target.name, near, listing="`pretrained: imagenet` takes the weights that Keras publishes")
        wrong(f"there is no file {written}", hint)
        return None
    return target


def check_pretraining(
    asked: Pretraining,
    made: Made,
    layers: Mapping[str, Layer],
    source: Any,
    alone: Alone,
    reports: Reports,
    where: _Path,
    name: str,
) -> PretrainingDeclaration | None:
    """What the layers of a block begin with; None after a report that the weights do not fit them.

    Arguments:
        asked: the weights that the node asks for.
        made: the node.
        layers: every layer of the graph so far, those of the block among them.
        source: what the block is called with.
        alone: lowers a model of the zoo by itself.
        reports: told of the first layer that the weights do not fit.
        where: the keys that lead to what the node says.
        name: the node's path in the graph.
    """
    node: Any = made.node
    try:
        said = {
            key: resolve_values(value, made.scope.params)
            for key, value in node.arguments.items()
            if key != "pretrained"
        }
    except ExpressionError:
        return None  # reported where the block was given its params
    published = asked.weights == PUBLISHED
    params = {
        **asked.given,
        **{key: value for key, value in said.items() if not published or key in asked.model.arguments},
    }
    if not published:
        params.update(_sizes(source))
    found = alone(node.block, params)
    if found is None:
        return None
    reference, values = found
    own = {
        layer_name.removeprefix(f"{made.layer_path}."): layer
        for layer_name, layer in layers.items()
        if layer_name.startswith(f"{made.layer_path}.")
    }
    wrong = [key for key, layer in own.items() if not _alike(layer, reference.get(key))]
    if wrong:
        message, hint = _misfit(node.block, asked.model, wrong[0], own[wrong[0]], reference.get(wrong[0]))
        reports.add(made.scope, "GB313", message, where, node=name, found=asked.weights, hint=hint)
        return None
    arguments = {key: values[key] for key in asked.model.arguments}
    height, width = (_sizes(source).get(name) for name in ("height", "width"))
    if published and height == width and height in asked.model.resolutions and not values.get("include_top"):
        arguments["input_shape"] = [height, width, 3]
    if not published and values.get("include_top"):
        arguments["classes"] = values["classes"]
    return PretrainingDeclaration(
        made.layer_path, node.block, asked.weights, arguments, params, made.scope.origin(*where), _switch(made)
    )


def _switch(made: Made) -> str | None:
    """The param of the user's file that turns the weights off when it is null."""
    node: Any = made.node
    named = _PARAM.fullmatch(node.pretrained) if made.scope.outer is None else None
    param = made.scope.document.blueprint.params.get(named[1]) if named is not None else None
    return named[1] if named is not None and param is not None and param.type == "any" else None


def _sizes(source: Any) -> dict[str, int]:
    """What a model of the zoo is called with, as far as that is known."""
    image = next((leaf for leaf in flatten(source) if isinstance(leaf, Value)), None)
    shape = image.type.shape[1:] if image is not None and image.type is not None else ()
    return {name: size for name, size in zip(_SIZES, shape, strict=False) if isinstance(size, int)}


def _alike(layer: Layer, other: Layer | None) -> bool:
    """Whether the weights of one layer fit another one."""
    if layer.weights is None or layer.weights == ():
        return True
    return other is not None and other.weights == layer.weights


def _misfit(block: str, model: ZooModel, name: str, layer: Layer, other: Layer | None) -> tuple[str, str | None]:
    """Why published weights do not fit, at the first layer of which that is so, and what to do."""
    if other is None or other.weights is None:
        return f"the published weights of {block} have none for {name}", "pretrained: null begins with random weights"
    pairs = zip(layer.weights or (), other.weights, strict=False)
    mine, theirs = next((one, two) for one, two in pairs if one != two)
    told = (
        f"{mine.name} of {name} is {list(mine.shape)} here and {list(theirs.shape)} in the published weights of {block}"
    )
    if mine.shape[:-1] == theirs.shape[:-1] and theirs.shape[-1] == 1000:
        return told, "they tell 1000 classes apart: write include_top: false, and a Dense of your own behind it"
    if len(mine.shape) == 4 and theirs.shape[2] == 3 and mine.shape[:2] == theirs.shape[:2] != (1, 1):
        return told, f"they are for images with 3 channels, and here are {mine.shape[2]}"
    if len(mine.shape) == 2 and mine.shape[1] == theirs.shape[1]:
        size = f"{model.size} × {model.size}"
        return told, f"their classifier is for images of {size}: connect such images, or write include_top: false"
    return told, "pretrained: null begins with random weights"
