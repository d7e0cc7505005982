"""What a file's own nodes were drawn as last, so that after an edit only what it concerns is made anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphbuilder.blueprint import BlockNode, Node, ReuseNode
from graphbuilder.text.splices import same_data
from graphbuilder.tui.canvas.known import Known
from graphbuilder.tui.canvas.scene import Box, Edge
from graphbuilder.tui.canvas.scopes import Level, Taken

__all__ = ["Drawn", "Remembered"]


@dataclass(frozen=True, slots=True)
class Remembered:
    """One node as it was drawn.

    Arguments:
        node: what it said, the very object.
        above: what it took if it did not say so: the node above it, or the only input.
        box: its box, without what was noted of it later.
        sources: the nodes that it took from, by name; None for an input of the model.
        edges: from these to it; None where they led through blocks, or nowhere, and must be followed again.
    """

    node: Node
    above: str | None
    box: Box
    sources: tuple[tuple[str, Node | None], ...] = ()
    edges: tuple[Edge, ...] | None = None


class Drawn:
    """The nodes that were drawn last. A node holds as long as what is known of it, and the params, are the same."""

    def __init__(self) -> None:
        self._known = Known()
        self._same = True  # whether what is known is the very same as before
        self._params: Mapping[str, Any] | None = None
        self._inputs: Sequence[str] = ()
        self._before: dict[str, Remembered] = {}
        self._now: dict[str, Remembered] = {}

    def begin(self, known: Known, root: Level) -> None:
        """Starts another drawing.

        Arguments:
            known: what is known of the nodes.
            root: the level of the file.
        """
        inputs = list(root.definition.inputs)
        before = self._known
        self._same = known.shapes is before.shapes and known.parameters is before.parameters
        holds = inputs == self._inputs and same_data(root.params, self._params)
        self._before = self._now if holds and not root.definition.nodes.keys() & set(inputs) else {}
        self._known, self._params, self._inputs, self._now = known, root.params, inputs, {}

    def box(self, level: Level, name: str) -> Remembered | None:
        """A node as it was drawn before, if its box is the same now; edges are given where they are too."""
        kept = self._before.get(name)
        if kept is None or kept.node is not level.definition.nodes[name]:
            return None
        if kept.node.source is None and kept.above != self._above(level, name):
            return None
        if not self._same and not self._tells_the_same(kept.box):
            return None
        if kept.edges is None or not self._lead_the_same(level, kept, kept.edges):
            kept = Remembered(kept.node, kept.above, kept.box)
        self._now[name] = kept
        return kept

    def _tells_the_same(self, box: Box) -> bool:
        """Whether what is known of a node is what its box tells."""
        known = self._known
        shape = known.shapes.get(box.id)
        shared = (box.id in known.shared) is ("shared" in box.marks)
        return shape == box.shape and known.parameters.get(box.id) == box.parameters and shared

    def _lead_the_same(self, level: Level, kept: Remembered, edges: Sequence[Edge]) -> bool:
        """Whether edges come from the same nodes and carry the same shapes."""
        nodes, shapes = level.definition.nodes, self._known.shapes
        if any(nodes.get(source) is not node for source, node in kept.sources):
            return False
        return self._same or all(shapes.get(edge.value) == edge.label for edge in edges)

    def _above(self, level: Level, name: str) -> str | None:
        """What a node takes that does not say so."""
        return level.above.get(name) or (self._inputs[0] if len(self._inputs) == 1 else None)

    def keep(self, level: Level, name: str, box: Box) -> None:
        """Remembers a node, if its box depends on nothing but itself."""
        node = level.definition.nodes[name]
        if _is_plain(node):
            self._now[name] = Remembered(node, self._above(level, name), box)

    def keep_edges(self, level: Level, name: str, references: Sequence[Taken], edges: Sequence[Edge]) -> None:
        """Remembers the edges to a node, if they depend on nothing but the nodes at both ends."""
        kept = self._now.get(name)
        if kept is None or len(edges) != len(references):
            return
        nodes, sources = level.definition.nodes, []
        for each in references:
            source = each.reference.partition(".")[0]
            node = nodes.get(source)
            if (node is None and source not in level.definition.inputs) or (node is not None and not _is_plain(node)):
                return
            sources.append((source, node))
        self._now[name] = Remembered(kept.node, kept.above, kept.box, tuple(sources), tuple(edges))


def _is_plain(node: Node) -> bool:
    """Whether a node is one call whatever else the file says."""
    return node.when is True and not isinstance(node, BlockNode | ReuseNode)
