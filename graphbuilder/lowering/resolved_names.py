"""Names for the nodes of a flat blueprint, made from the paths of a graph."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from graphbuilder.graph import Call, Graph, Layer

__all__ = ["NodeNames", "legal_name", "node_names"]

_LEGAL = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_ILLEGAL = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class NodeNames:
    """What the parts of a graph are called in a flat blueprint.

    Arguments:
        inputs: the name of each input, by its name in the graph.
        calls: the node of each call, by the call's path.
        layers: the node that makes each layer, by the layer's path; layers of the built model are named so.
    """

    inputs: dict[str, str]
    calls: dict[str, str]
    layers: dict[str, str]


def node_names(graph: Graph) -> NodeNames:
    """Names that are legal and differ, as near to the paths as can be.

    What is a legal name already stays. A node that makes a layer is named after the layer, because weights travel by
    the layer's name; that is the call's path too, except where the call that made the layer feeds no output.

    Arguments:
        graph: the graph.

    Example:
        >>> from graphbuilder.api import load, lower
        >>> names = node_names(lower(load("blueprints/transformer.yaml")))
        >>> names.calls["encoder.layers.0.attention"], names.inputs["tokens"]
        ('encoder_layers_0_attention', 'tokens')
    """
    made: dict[str, str] = {}
    paths = [_path(call, made) for call in graph.calls.values()]
    found = iter(_distinct([*graph.inputs, *paths]))
    inputs = {name: next(found) for name in graph.inputs}
    calls = {call.name: next(found) for call in graph.calls.values()}
    return NodeNames(inputs, calls, {layer: calls[call] for layer, call in made.items()})


def _path(call: Call, made: dict[str, str]) -> str:
    """The path that a call's node is named after; a layer that is called first is added to those that were made."""
    target = call.target
    if not isinstance(target, Layer) or target.name in made:
        return call.name
    made[target.name] = call.name
    return target.name


def _distinct(paths: Sequence[str]) -> list[str]:
    """A name for each path, all of them different."""
    names: dict[int, str] = {}
    taken: set[str] = set()
    # Legal names come first, so that what was named by the author never makes room for what is made up here.
    for number, path in enumerate(paths):
        if _LEGAL.fullmatch(path) and path not in taken:
            names[number] = path
            taken.add(path)
    for number, path in enumerate(paths):
        if number in names:
            continue
        base = name = legal_name(path)
        count = 1
        while name in taken:
            count += 1
            name = f"{base}_{count}"
        names[number] = name
        taken.add(name)
    return [names[number] for number in range(len(paths))]


def legal_name(text: str) -> str:
    """The text as a name of the format: letters, digits, `_` and `-`, not beginning with a digit or `-`.

    Example:
        >>> legal_name("encoder.2.attention"), legal_name("conv1/bn"), legal_name("3d")
        ('encoder_2_attention', 'conv1_bn', 'x3d')
    """
    name = _ILLEGAL.sub("_", text)
    return name if _LEGAL.fullmatch(name) else f"x{name}"
