"""How many nodes a block has at least, found without expanding it: blocks that repeat blocks multiply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphbuilder.blueprint import (
    BlockNode,
    BlockPlace,
    ExpressionError,
    Node,
    names_in,
    resolve_params,
    resolve_values,
    strings_in,
)

__all__ = ["least_nodes"]

# Blocks within blocks, beyond which nothing is counted; the walk has a limit of its own.
_DEPTH = 64


def least_nodes(
    place: BlockPlace, params: Mapping[str, Any], known: dict[tuple[int, str], int] | None = None, depth: int = 0
) -> int:
    """The number of nodes that one copy of a block has at least.

    What cannot be known before the walk counts as nothing: nodes that a copy's number decides about, and wrong ones.

    Arguments:
        place: the block.
        params: the values of its params.
        known: what was counted already, by block and params.
        depth: blocks around this one.
    """
    counted = {} if known is None else known
    key = (id(place.definition), repr(sorted(params.items(), key=lambda item: item[0])))
    if key in counted or depth > _DEPTH:
        return counted.get(key, 0)
    # A block that uses itself counts as nothing; that it does is told by the walk.
    counted[key] = 0
    found = sum(_least(place, node, params, counted, depth) for node in place.definition.nodes.values())
    counted[key] = found
    return found


def _least(
    place: BlockPlace, node: Node, params: Mapping[str, Any], known: dict[tuple[int, str], int], depth: int
) -> int:
    """The number of nodes that one node becomes at least."""
    if not _value(node.when, params):
        return 0
    if not isinstance(node, BlockNode):
        return 1
    inner = place.document.find_block(node.block)
    copies = _value(node.repeat, params)
    if inner is None or not isinstance(copies, int) or copies < 1:
        return 0
    given = {name: _value(value, params) for name, value in node.given(inner.definition.params).items()}
    if any(value is None for value in given.values()):
        return 0
    values = resolve_params(inner.definition.params, given, lambda _: None)
    return 0 if values is None else copies * least_nodes(inner, values, known, depth + 1)


def _value(written: Any, params: Mapping[str, Any]) -> Any:
    """What something written gives; None where the number of the copy, or a fault, is in it."""
    if any("index" in names_in(text) for text in strings_in(written)):
        return None
    try:
        return resolve_values(written, params)
    except ExpressionError:
        return None
