"""Commands that make a block of nodes, and nodes of a block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from graphbuilder.blueprint import BlockNode, Document
from graphbuilder.editing.applying import apply
from graphbuilder.editing.carrying import carried, written_block
from graphbuilder.editing.changes import Delete, Insert
from graphbuilder.editing.checking import edited, lowered
from graphbuilder.editing.command import Command, Edit
from graphbuilder.editing.extracting import Extraction
from graphbuilder.editing.inlining import Inlining
from graphbuilder.editing.levels import ORDER, Level, check_block_name, check_name, level_of, listed, refused
from graphbuilder.editing.param_places import block_users
from graphbuilder.editing.references import feeding
from graphbuilder.editing.sameness import check_same
from graphbuilder.errors import BlueprintError, InternalError, Related, suggestion
from graphbuilder.graph import Graph
from graphbuilder.text.source import Path

__all__ = ["ExtractBlock", "InlineBlock", "RemoveBlock", "draw"]


@dataclass(frozen=True, slots=True)
class ExtractBlock:
    """Makes a block of some nodes, and puts one node that uses it in their place.

    Arguments:
        nodes: the nodes, in any order.
        name: the block.
        node: the node that uses it; None for the same name.
        block: the block that the nodes stand in; None for the file's own.
    """

    nodes: Sequence[str]
    name: str
    node: str | None = None
    block: str | None = None

    def edit(self, document: Document) -> Edit:
        """Finds what the block takes and gives, and moves the nodes with their comments; the graph stays what it was.

        Raises:
            CommandError: the nodes cannot be one block, or what is meant could not be kept.
            BlueprintError: the blueprint is wrong, so that nothing could be compared.
        """
        level = level_of(document, self.block)
        node = self.node or self.name
        before = _graph(document)
        _check_nodes(level, self.nodes)
        check_block_name(document, self.name)
        check_name(level, node, leaving=self.nodes)
        extraction = Extraction(level, self.nodes, self.name, node)
        told = tuple(extraction.told())
        title = f"extract {listed(extraction.chosen)} into the block {self.name}"
        outer, value = extraction.outer_changes(), extraction.value()
        new = _new_block(document, self.name, value)
        written = _carried(extraction, section=new.path == ())
        for text in (written, None) if written is not None else (None,):
            section = Insert(new.path, new.key, new.value, new.after, text)
            try:
                after = edited(document, [*outer, section], told)[0]
            except InternalError:
                # Lines that mean something else in the other place.
                if text is None:
                    raise
                continue
            check_same(before, after, extraction.back(), document, title)
            return Edit(title, (*outer, section), node, told)
        raise AssertionError(title)


@dataclass(frozen=True, slots=True)
class InlineBlock:
    """Puts the nodes of a block in the place of a node that uses it.

    Arguments:
        node: the node.
        block: the block that the node stands in; None for the file's own.
    """

    node: str
    block: str | None = None

    def edit(self, document: Document) -> Edit:
        """Writes the block's nodes with the values of its params, once for each copy; the graph stays what it was.

        Raises:
            CommandError: there is no such node, or what is meant could not be kept.
            BlueprintError: the blueprint is wrong, so that nothing could be compared.
        """
        level = level_of(document, self.block)
        before = _graph(document)
        _check_nodes(level, [self.node])
        if not isinstance(level.definition.nodes[self.node], BlockNode):
            kind = level.definition.nodes[self.node].kind
            raise refused(
                document, "GB303", f"{self.node} uses no block: it is a node of kind {kind}",
                level.at("nodes", self.node), key=True,
            )  # fmt: skip
        inlining = Inlining(level, self.node)
        changes, told = inlining.changes(), tuple(inlining.told())
        title = f"inline {self.node}"
        after = edited(document, changes, told)[0]
        check_same(before, after, inlining.back(), document, title)
        return Edit(title, tuple(changes), inlining.focus, told)


@dataclass(frozen=True, slots=True)
class RemoveBlock:
    """Takes a block away that no node uses.

    Arguments:
        name: the block.
    """

    name: str

    def edit(self, document: Document) -> Edit:
        """Takes it away, and `blocks` itself with its last block.

        Raises:
            CommandError: there is no such block, or a node uses it.
        """
        level = level_of(document, self.name)
        users = [path for path, _ in block_users(level)]
        if users:
            names = [str(path[-1]) for path in users]
            place = document.source.position(users[0], key=True)
            raise refused(
                document, "GB303", f"{self.name} is used by {listed(names)}", level.path, key=True,
                hint="inline or delete these first", related=(Related("it is used here", None, place),),
            )  # fmt: skip
        alone = len(document.blueprint.blocks) == 1
        return Edit(f"remove the block {self.name}", (Delete(("blocks",) if alone else level.path),))


def _graph(document: Document) -> Graph:
    """The graph that must stay.

    Raises:
        BlueprintError: there is none.
    """
    found = lowered(document)
    if found.errors:
        raise BlueprintError(found.errors)
    if found.graph is None:
        raise refused(document, "GB202", "there are no nodes, so there is no model to compare with")
    return found.graph


def _check_nodes(level: Level, nodes: Sequence[str]) -> None:
    """Refuses what are no nodes of a level.

    Raises:
        CommandError: GB301, GB303.
    """
    if not nodes:
        raise refused(level.document, "GB303", "no node is chosen", expected="one or more")
    known = list(level.definition.nodes)
    for name in nodes:
        if name in level.definition.inputs:
            message = f"{name} is an input, and a block is made of nodes"
            raise refused(level.document, "GB303", message, level.at("inputs", name), key=True)
        if name not in known:
            hint = suggestion(name, known, listing=f"nodes are {listed(known)}" if known else None)
            raise refused(level.document, "GB301", f"there is no node {name}", hint=hint, found=name)


def _new_block(document: Document, name: str, value: object) -> Insert:
    """The change that declares a block behind the others."""
    blocks = document.source.data.get("blocks")
    if blocks is not None:
        return Insert(("blocks",), name, value, list(blocks)[-1] if blocks else None)
    # People look for blocks above the nodes that use them.
    above = [key for key in document.source.data if key in ORDER and ORDER.index(key) < ORDER.index("blocks")]
    return Insert((), "blocks", {name: value}, max(above, key=ORDER.index) if above else None)


def _carried(extraction: Extraction, *, section: bool) -> str | None:
    """The block as its nodes are written; None where they cannot move as they are."""
    level = extraction.level
    try:
        # With the new node among them, because comments above may then be the heading of that too.
        node = Insert(level.at("nodes"), extraction.node, extraction.use(), extraction.after)
        source = apply(level.document.source, [*extraction.inner_changes(), node]).source
        lines = carried(source, level.at("nodes"), extraction.chosen)
        if lines is None:
            return None
        value = extraction.value()
        return written_block(source, level.path, extraction.block, value, lines, section=section)
    except BlueprintError:
        # A part is shared through an anchor; the whole is refused where its deletion would change another place.
        return None


def _block_nodes(document: Document) -> list[tuple[Path, BlockNode]]:
    blueprint = document.blueprint
    levels = [((), blueprint.nodes), *((("blocks", name), block.nodes) for name, block in blueprint.blocks.items())]
    return [
        ((*prefix, "nodes", name), node)
        for prefix, nodes in levels
        for name, node in nodes.items()
        if isinstance(node, BlockNode)
    ]


def draw(document: Document, random: Random) -> Command | None:
    """A command on a block that can perhaps be carried out; None where there are no nodes.

    Arguments:
        document: a loaded blueprint.
        random: where chance comes from.
    """
    blueprint = document.blueprint
    if not blueprint.nodes:
        return None
    used = {node.block for _, node in _block_nodes(document)}
    idle = [name for name in blueprint.blocks if name not in used]
    chosen = random.random()
    if idle and chosen < 0.2:
        return RemoveBlock(random.choice(idle))
    places = [path for path, _ in _block_nodes(document)]
    if places and chosen < 0.6:
        path = random.choice(places)
        return InlineBlock(str(path[-1]), str(path[1]) if path[0] == "blocks" else None)
    block = random.choice([None, None, *(name for name, each in blueprint.blocks.items() if each.nodes)])
    level = Level(document, block)
    names = list(level.definition.nodes)
    start = random.randrange(len(names))
    nodes = names[start : start + random.randrange(1, 5)]
    if random.random() < 0.3:
        # What feeds a node, which seldom stands together.
        nodes = [name for name in feeding(level.definition, nodes[:1], level.uses()) if random.random() < 0.8] or nodes
    return ExtractBlock(tuple(nodes), f"block_{random.randrange(10_000)}", block=block)
