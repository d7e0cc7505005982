"""What the parts of a graph are called in the models that are built from it."""

from __future__ import annotations

import re

from graphbuilder.catalog import OpEntry
from graphbuilder.graph.model import Graph

__all__ = ["layer_names"]

# What tf_keras takes as a layer's name, through the names of TensorFlow's scopes.
_LEGACY_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")


def layer_names(graph: Graph) -> dict[str, str]:
    """The name of each layer, op node and input in the built model, by its path in the graph.

    They are the same, except that a name which tf_keras refuses (`_stem`) gets `x` in front. Both Kerases get the same
    names, so that weights travel by name.
    """
    paths = [
        *graph.inputs,
        *graph.layers,
        *(name for name, call in graph.calls.items() if isinstance(call.target, OpEntry)),
    ]
    taken = set(paths)
    names = {}
    for path in paths:
        name = path
        while not _LEGACY_NAME.fullmatch(name) or (name != path and name in taken):
            name = f"x{name}"
        names[path] = name
        taken.add(name)
    return names
