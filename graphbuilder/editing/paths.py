"""Paths through the blocks of a file: which node or port each part of a reference names, and who calls a block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from graphbuilder.blueprint import BlockNode, Document, ReuseNode
from graphbuilder.editing.levels import Level
from graphbuilder.editing.rewriting import Follow
from graphbuilder.text.source import Path

__all__ = ["BlockCall", "all_levels", "block_calls", "inside", "looked_up", "port_followed"]


@dataclass(frozen=True, slots=True)
class BlockCall:
    """A node that calls a block: one that uses it, or one that reuses such a node.

    Arguments:
        level: where the node stands.
        node: its name.
        made: the node that uses the block; itself, or what is reused.
    """

    level: Level
    node: str
    made: BlockNode

    @property
    def path(self) -> Path:
        """The keys that lead to it."""
        return self.level.at("nodes", self.node)

    @property
    def numbered(self) -> bool:
        """Whether its copies have numbers."""
        return "repeat" in self.made.model_fields_set


def all_levels(document: Document) -> list[Level]:
    """The file itself and its blocks."""
    return [Level(document), *(Level(document, block) for block in document.blueprint.blocks)]


def block_calls(document: Document, block: str) -> list[BlockCall]:
    """The nodes of this file that call a block of it, in the order of the file.

    Arguments:
        document: the file.
        block: the block.
    """
    found = []
    for level in all_levels(document):
        for name in level.definition.nodes:
            made = _made(level, name)
            if made is not None and made.block == block:
                found.append(BlockCall(level, name, made))
    return found


def _made(level: Level, name: str, seen: frozenset[Path] = frozenset()) -> BlockNode | None:
    """The block node whose layers a node calls; None where it calls no block."""
    node = level.definition.nodes.get(name)
    if isinstance(node, BlockNode):
        return node
    path = level.at("nodes", name)
    if not isinstance(node, ReuseNode) or path in seen:
        return None
    parts = node.reuse.split(".")
    *_, (here, number) = looked_up(level, parts, seen | {path})
    # One copy of a repeated block cannot be reused as a whole.
    return _made(here, parts[number], seen | {path}) if number == len(parts) - 1 else None


def inside(level: Level, name: str, seen: frozenset[Path] = frozenset()) -> tuple[Level, bool] | None:
    """The level that lies inside a node, and whether its copies have numbers; None where that is no block of this file.

    Arguments:
        level: where the node stands.
        name: its name.
        seen: the nodes that reuse others and led to it, which must not lead there again.
    """
    made = _made(level, name, seen)
    if made is None or made.block not in level.document.blueprint.blocks:
        return None
    return Level(level.document, made.block), "repeat" in made.model_fields_set


def looked_up(level: Level, parts: list[str], seen: frozenset[Path] = frozenset()) -> Iterator[tuple[Level, int]]:
    """Where each part of a reference is looked up, and its number; the numbers of copies are left out.

    Arguments:
        level: where the reference is written.
        parts: the names in it.
        seen: the nodes that reuse others and led to it.
    """
    step = 0
    while True:
        yield level, step
        following = inside(level, parts[step], seen) if step + 1 < len(parts) else None
        if following is None:
            return
        step += 1
        level, numbered = following
        step += 1 if numbered and parts[step].isdigit() else 0
        if step == len(parts):
            return


def port_followed(block: str, level: Level, renamed: Callable[[str | None], str | None]) -> Follow:
    """The rule by which references at a level go on naming what they name of a block.

    Arguments:
        block: the block.
        level: where the references are written.
        renamed: what comes to stand behind a node that calls the block, given what stands there, which is an output, an
            input or what lies inside, and None where the node is named alone; nothing where it is to be named alone,
            and None where it stays.
    """

    def follow(reference: str) -> str:
        parts = reference.split(".")
        for here, step in looked_up(level, parts):
            following = inside(here, parts[step])
            if following is None or following[0].block != block:
                continue
            numbered = following[1] and parts[step + 1 : step + 2] and parts[step + 1].isdigit()
            ahead = parts[: step + (2 if numbered else 1)]
            after = renamed(".".join(parts[len(ahead) :]) or None)
            if after is not None:
                return ".".join([*ahead, after]) if after else ".".join(ahead)
        return reference

    return follow
