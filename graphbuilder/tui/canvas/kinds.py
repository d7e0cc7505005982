"""How a node is told in a box: its kind, its family, and the arguments that are not at their defaults."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from graphbuilder.blueprint import BlockNode, FuseNode, LayerNode, Node, OpNode
from graphbuilder.catalog import Entry, layers, ops
from graphbuilder.catalog.arguments import as_written
from graphbuilder.tui.canvas.scene import FAMILIES
from graphbuilder.tui.canvas.wording import safe

__all__ = ["arguments_of", "family_of", "kind_of"]

# More arguments than a box could show.
_MOST = 8


def kind_of(node: Node) -> str:
    """What a node is, as a blueprint writes it."""
    match node:
        case LayerNode():
            return safe(node.layer)
        case OpNode():
            return safe(node.op)
        case FuseNode():
            return safe(node.fuse)
        case BlockNode():
            return safe(node.block)
    return safe(node.reuse)


def family_of(node: Node) -> str:
    """The family of a node, one of `FAMILIES`."""
    match node:
        case LayerNode():
            if ":" in node.layer:
                return "custom"
            # What is applied by the layer Activation is what the layers of that family apply.
            if node.layer == "Activation":
                return "activation"
            entry = layers.get(node.layer)
            return "unknown" if entry is None else entry.family if entry.family in FAMILIES else "core"
        case OpNode():
            return "op" if ops.get(node.op) is not None else "unknown"
        case FuseNode():
            return "fusion"
    return "block"


def arguments_of(node: Node, values: Mapping[str, Any]) -> tuple[str, ...]:
    """The arguments of a node that are not the default, such as `filters 64`.

    Arguments:
        node: the node.
        values: its arguments with the params of its place, where they are known.
    """
    defaults: Mapping[str, Any] = {}
    if isinstance(node, LayerNode):
        defaults = _defaults(layers.get(node.layer))
    elif isinstance(node, OpNode):
        defaults = _defaults(ops.get(node.op))
    found = []
    for name, value in values.items():
        if name in defaults and defaults[name] == (tuple(value) if isinstance(value, list) else value):
            continue
        written = value if isinstance(value, str | int) and not isinstance(value, bool) else as_written(value)
        found.append(safe(f"{name} {written}"))
        if len(found) == _MOST:
            break
    if isinstance(node, LayerNode) and isinstance(node.wraps, dict):
        found.insert(0, safe(f"wraps {node.wraps.get('layer', '')}"))
    return tuple(found)


@cache
def _defaults(entry: type[Entry] | None) -> Mapping[str, Any]:
    """The defaults of an entry, as the catalog keeps them: lists as tuples."""
    return {} if entry is None else {name: field.default for name, field in entry.model_fields.items()}
