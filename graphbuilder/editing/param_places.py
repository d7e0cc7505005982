"""Where the params of a file or block are named, and who gives them to a block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphbuilder.blueprint import BlockNode
from graphbuilder.editing.levels import Level, listed, refused
from graphbuilder.editing.param_text import expressions
from graphbuilder.errors import suggestion
from graphbuilder.text.source import Path

__all__ = ["block_users", "declared_param", "param_places"]

# The parts of a file in which its params can be named, beside their own defaults; those of a block.
_SECTIONS = ("inputs", "nodes", "outputs", "training", "compression", "budget")
_BLOCK_SECTIONS = ("nodes", "outputs")


def param_places(level: Level) -> Iterator[tuple[Path, str]]:
    """Every value of a level that holds an expression, in the order of the file, defaults of params first.

    Arguments:
        level: a file or a block.
    """
    data = level.data
    for name, written in data.get("params", {}).items():
        if not isinstance(written, dict):
            yield from expressions(written, level.at("params", name))
        elif "default" in written:
            yield from expressions(written["default"], level.at("params", name, "default"))
    for section in _SECTIONS if level.block is None else _BLOCK_SECTIONS:
        if section in data:
            yield from expressions(data[section], level.at(section))


def block_users(level: Level) -> Iterator[tuple[Path, BlockNode]]:
    """The nodes of this file that use a block, by the keys that lead to them; none for the file itself.

    Arguments:
        level: a file or a block.
    """
    if level.block is None:
        return
    blueprint = level.document.blueprint
    levels = [((), blueprint.nodes), *((("blocks", name), block.nodes) for name, block in blueprint.blocks.items())]
    for prefix, nodes in levels:
        for name, node in nodes.items():
            if isinstance(node, BlockNode) and node.block == level.block:
                yield (*prefix, "nodes", name), node


def declared_param(level: Level, name: str) -> Any:
    """What is written for a param.

    Arguments:
        level: a file or a block.
        name: the param.

    Raises:
        CommandError: GB207, there is none of that name.
    """
    params = level.data.get("params", {})
    if name not in params:
        listing = f"params are {listed(list(params))}" if params else "there are no params here"
        hint = suggestion(name, list(params), listing=listing)
        raise refused(level.document, "GB207", f"there is no param {name}", hint=hint, found=name)
    return params[name]
