"""Arguments that are known to say what is meant anyway only once the shapes are known, which files of Keras 2 lack."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from graphbuilder.catalog import LayerEntry
from graphbuilder.catalog.defaults import with_defaults
from graphbuilder.graph import Graph, Layer
from graphbuilder.lowering.resolved_values import written_entry

__all__ = ["settled"]


def settled(data: Mapping[str, Any], graph: Graph) -> dict[str, Any] | None:
    """A blueprint without those arguments; None where it has none.

    Arguments:
        data: a blueprint that nobody has folded, as plain data.
        graph: what it lowers to.

    Example:
        >>> from graphbuilder.api import lower, parse
        >>> from graphbuilder.text import to_yaml
        >>> nodes = {"norm": {"layer": "LayerNormalization", "from": "x", "axis": [2]}}
        >>> data = {"blueprint": 1, "inputs": {"x": {"shape": [6, 4]}}, "nodes": nodes}
        >>> settled(data, lower(parse(to_yaml(data))))["nodes"]
        {'norm': {'layer': 'LayerNormalization', 'from': 'x'}}
    """
    ranks: dict[str, set[int | None]] = {}
    for call in graph.calls.values():
        if isinstance(call.target, Layer):
            ranks.setdefault(call.target.name, set()).add(call.rank)
    found: dict[str, Any] | None = None
    for name, layer in graph.layers.items():
        (rank, *others) = ranks[name]
        if others or not isinstance(layer.entry, LayerEntry):
            continue
        short = with_defaults(layer.entry, rank)
        if short is layer.entry:
            continue
        found = found or deepcopy(dict(data))
        node = _node_at(found, name)
        for key in written_entry(layer.entry).keys() - written_entry(short).keys():
            del node[key]
    return found


def _node_at(data: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The node of a path: each part but the last is a node that uses a block."""
    *around, last = path.split(".")
    scope = data
    for name in around:
        scope = data["blocks"][scope["nodes"][name]["block"]]
    node: dict[str, Any] = scope["nodes"][last]
    return node
