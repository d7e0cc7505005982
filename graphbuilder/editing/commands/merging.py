"""The command that merges branches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from graphbuilder.blueprint import Document
from graphbuilder.editing.checking import edited, lowered
from graphbuilder.editing.command import Command, Edit
from graphbuilder.editing.levels import Level, listed
from graphbuilder.editing.merge import plan_merge
from graphbuilder.editing.scratch import seen_at
from graphbuilder.graph import Graph

__all__ = ["Merge", "draw"]

# Fusions that need no options and fit most branches.
_EASY = ("concat", "add", "mean", "gated", "weighted", "multiply")


@dataclass(frozen=True, slots=True)
class Merge:
    """Merges branches: a new `fuse:` node, which what took one of the branches takes instead.

    Arguments:
        nodes: what to merge, two or more, written as under `from`.
        strategy: the way to merge, as after `fuse:`.
        name: the new node; left out, merged, merged_2, …
        options: the strategy's options.
        into: the only consumers to rewire: names of nodes, or "outputs"; none for an empty list, all for None.
        params: values for some of the blueprint's params, for the check.
        block: the block that the nodes stand in; None for the file itself.
    """

    nodes: Sequence[str]
    strategy: str
    name: str | None = None
    options: Mapping[str, Any] | None = None
    into: Sequence[str] | None = None
    params: Mapping[str, Any] | None = None
    block: str | None = None

    def edit(self, document: Document) -> Edit:
        """Puts the new node behind the last of the branches, by the rule that `graphbuilder.editing.merge` states.

        Raises:
            CommandError: an unknown node or strategy, a name that is taken, a bad option.
            BlueprintError: the blueprint is wrong, before or after.
        """
        made = plan_merge(
            document,
            self.nodes,
            self.strategy,
            name=self.name,
            options=self.options,
            into=self.into,
            params=self.params,
            block=self.block,
        )
        edited(document, made.changes, made.told, self.params)
        return Edit(f"merge {listed(list(self.nodes))} by {self.strategy}", made.changes, made.name, made.told)


def draw(document: Document, random: Random) -> Command | None:
    """A merge that can perhaps be carried out; None where there are no two values to merge.

    Arguments:
        document: a loaded blueprint.
        random: where chance comes from.
    """
    graph = lowered(document).graph
    if graph is None:
        return None
    found = _vectors(Level(document), "", graph)
    for block in document.blueprint.blocks:
        level = Level(document, block)
        seen = seen_at(level, lowered(document))
        if seen is not None and random.random() < 0.5 and len(inner := _vectors(level, f"{seen}.", graph)) > 1:
            return Merge(tuple(random.sample(inner, 2)), random.choice(_EASY), block=block)
    if len(found) < 2:
        return None
    return Merge(tuple(random.sample(found, 2)), random.choice(_EASY))


def _vectors(level: Level, prefix: str, graph: Graph) -> list[str]:
    """The nodes that give vectors of numbers, which can be merged in any way."""
    return [
        name
        for name in level.definition.nodes
        if (call := graph.calls.get(f"{prefix}{name}")) is not None and len(call.outputs) == 1
        if (kind := call.outputs[0].type) is not None and len(kind.shape) == 2 and kind.dtype == "float32"
    ]
