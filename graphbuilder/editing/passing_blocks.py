"""How passes of compression name the nodes of a block: by paths, or by patterns that match just these nodes."""

from __future__ import annotations

from collections.abc import Sequence

from graphbuilder.blueprint import Document
from graphbuilder.compression.selection import matches
from graphbuilder.editing.checking import lowered
from graphbuilder.editing.levels import Level, level_of, refused
from graphbuilder.editing.paths import block_calls, inside, looked_up
from graphbuilder.editing.rewiring import known_node
from graphbuilder.errors import BlueprintError
from graphbuilder.graph import Graph

__all__ = ["pass_names"]


def pass_names(document: Document, nodes: Sequence[str], block: str | None) -> tuple[str, ...]:
    """The names by which passes know some nodes; those of a block in every copy of it.

    Arguments:
        document: a loaded blueprint.
        nodes: names of nodes; without a block, paths and patterns too.
        block: the block that they stand in; None for the file itself.

    Raises:
        BlueprintError: the blueprint is wrong, so that nothing is known of its layers.
        CommandError: there is no such block or node, or it owns no layer.

    Example:
        >>> from graphbuilder.blueprint import parse_blueprint
        >>> text = '''
        ... blueprint: 1
        ... inputs: {x: {shape: [8]}}
        ... blocks: {step: {inputs: [x], nodes: {dense: {layer: Dense, units: 8}}}}
        ... nodes: {first: {block: step}, others: {block: step, repeat: 3}}
        ... '''
        >>> pass_names(parse_blueprint(text), ["dense"], "step")
        ('first.dense', 'others.*.dense')
    """
    if block is None:
        return tuple(nodes)
    level = level_of(document, block)
    for name in nodes:
        known_node(level, name)
    graph = lowered(document).graph
    if graph is None:
        raise BlueprintError(lowered(document).errors)
    if not block_calls(document, block):
        raise refused(
            document, "GB303", f"no node uses {block}, so there are no layers of it to compress", level.path, key=True,
            hint="add a node that uses it first",
        )  # fmt: skip
    return tuple(name for node in nodes for name in _names(document, level, node, graph))


def _names(document: Document, level: Level, node: str, graph: Graph) -> list[str]:
    """The names of one node of a block.

    Raises:
        CommandError: GB301, it owns no layer.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for layer in graph.layers:
        path = _path_to(document, level, node, layer.split("."))
        if path is not None:
            exact, pattern = path
            found.setdefault(pattern, {}).setdefault(exact, []).append(layer)
    if not found:
        place = level.at("nodes", node)
        raise refused(document, "GB301", f"{node} of block {level.block} owns no layer", place, key=True, found=node)
    names: list[str] = []
    for pattern, copies in found.items():
        own = {layer for layers in copies.values() for layer in layers}
        just_these = own == {layer for layer in graph.layers if matches(layer, pattern)}
        names += [pattern] if len(copies) > 1 and just_these else list(copies)
    return names


def _path_to(document: Document, level: Level, node: str, parts: list[str]) -> tuple[str, str] | None:
    """The part of a layer's path that leads to a node of a block, and the same with a star for the copies' numbers."""
    pattern = list(parts)
    for here, step in looked_up(Level(document), parts):
        if here.block == level.block and parts[step] == node:
            return ".".join(parts[: step + 1]), ".".join(pattern[: step + 1])
        following = inside(here, parts[step])
        if following is not None and following[1] and step + 1 < len(parts) and parts[step + 1].isdigit():
            pattern[step + 1] = "*"
    return None
