"""Parts of a blueprint as documents of their own, to be lowered and thrown away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graphbuilder.blueprint import Block, BlockNode, Blueprint, Document, FuseNode, LayerNode, Node
from graphbuilder.editing.levels import Level
from graphbuilder.editing.references import feeding, implied_output, uses
from graphbuilder.lowering import Lowered

__all__ = ["branches_alone", "branches_merged", "seen_at"]


def branches_alone(level: Level, branches: Sequence[str], seen: str | None = None) -> Document:
    """Only what feeds some branches, with these as the outputs.

    Its data, and so its text, is still the whole file's: what is lowered of it tells shapes and costs, and where
    something stands.

    Arguments:
        level: where the branches stand.
        branches: references to values of it.
        seen: for a block, the path of a node that uses it; its copy of the block is the one that is meant.
    """
    if seen is None:
        return _document(level.document, _needed(level.document, branches), list(branches))
    inner = {name: _same(branch) for branch, name in _named(level, branches).items() if name != branch}
    return _used(level, inner, list(_named(level, branches).values()), seen)


def branches_merged(
    level: Level,
    branches: Sequence[str],
    name: str,
    strategy: str,
    options: Mapping[str, Any] | None = None,
    seen: str | None = None,
) -> Document:
    """What feeds some branches and a fusion of them, which is the only output.

    Arguments:
        level: where the branches stand.
        branches: references to values of it.
        name: the fusion's node, a name that is free.
        strategy: the way to merge.
        options: its options.
        seen: for a block, the path of a node that uses it.
    """
    fusion = FuseNode.model_validate({"fuse": strategy, "from": list(branches), **(options or {})})
    if seen is None:
        return _document(level.document, {**_needed(level.document, branches), name: fusion}, name)
    return _used(level, {name: fusion}, name, seen)


def seen_at(level: Level, lowered: Lowered) -> str | None:
    """The path of a node by which a block is seen with the shapes that it is given; None where no node uses it.

    Arguments:
        level: the block.
        lowered: what came of its file.
    """
    calls = lowered.graph.calls if lowered.graph is not None else {}
    found: str | None = None
    for path in _users(level):
        if any(name.startswith(f"{path}.") for name in calls):
            return path
        found = found or path
    return found


def _users(level: Level) -> Iterator[str]:
    """The paths of the nodes that use a block, and of the first copies of those that repeat it."""
    document = level.document
    waiting: list[tuple[str, tuple[str, ...]]] = [("", ())]
    while waiting:
        path, around = waiting.pop()
        here = Level(document, around[-1] if around else None)
        if here.block == level.block:
            yield path
            continue
        for name, node in reversed(here.definition.nodes.items()):
            # A block that uses itself is an error only where it is used and not left out.
            if isinstance(node, BlockNode) and node.block in document.blueprint.blocks and node.block not in around:
                number = ".0" if "repeat" in node.model_fields_set else ""
                waiting.append((f"{path}.{name}{number}".removeprefix("."), (*around, node.block)))


def _named(level: Level, branches: Sequence[str]) -> dict[str, str]:
    """The branches of a block by names that mean them outside too, where an output's name comes before a node's."""
    outputs = level.definition.outputs
    hidden = outputs if isinstance(outputs, Mapping) else ()
    return {
        branch: branch if branch.partition(".")[0] not in hidden else level.free_name(f"branch_{number}", hidden)
        for number, branch in enumerate(branches)
    }


def _same(branch: str) -> Node:
    """A node that gives what it takes."""
    return LayerNode.model_validate({"layer": "Identity", "from": branch})


def _used(level: Level, nodes: Mapping[str, Node], outputs: str | list[str], seen: str) -> Document:
    """A file whose outputs are values of a block, with more nodes in that."""
    document, definition = level.document, level.definition
    assert isinstance(definition, Block)
    # The block goes on giving what it gave, because its copies may be fed by it.
    gives = definition.outputs if definition.outputs is not None else implied_output(definition)
    block = definition.model_copy(update={"nodes": {**definition.nodes, **nodes}, "outputs": gives})
    paths = f"{seen}.{outputs}" if isinstance(outputs, str) else [f"{seen}.{name}" for name in outputs]
    blocks = {**document.blueprint.blocks, str(level.block): block}
    return _document(document, _needed(document, [seen]), paths, blocks)


def _document(
    document: Document, nodes: Mapping[str, Node], outputs: Any, blocks: Mapping[str, Block] | None = None
) -> Document:
    blueprint: Blueprint = document.blueprint.model_copy(update={"nodes": dict(nodes), "outputs": outputs})
    if blocks is not None:
        blueprint = blueprint.model_copy(update={"blocks": dict(blocks)})
    return Document(document.source, blueprint, document.path, document.imports)


def _needed(document: Document, branches: Sequence[str]) -> dict[str, Node]:
    """The nodes that feed some branches, in the order of the file, each with what it takes written out."""
    blueprint = document.blueprint
    firsts = [branch.partition(".")[0] for branch in branches]
    kept = feeding(blueprint, firsts, uses(blueprint))
    found: dict[str, Node] = {}
    above: str | None = None
    for name, node in blueprint.nodes.items():
        # Without any node there is no graph; inputs need none, and what feeds no output costs nothing.
        if name in kept or not kept:
            implied = node.source is None and above is not None
            found[name] = node.model_copy(update={"source": above}) if implied else node
        above = name
    return found
