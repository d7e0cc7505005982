"""The nodes of a block in the place of a node that uses it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graphbuilder.blueprint import BlockNode
from graphbuilder.blueprint.forms import KINDS
from graphbuilder.compression.selection import is_pattern, matches
from graphbuilder.editing.block_nodes import BlockNodes
from graphbuilder.editing.changes import Change, Insert, InsertItem, Remove, Rename, Replace
from graphbuilder.editing.levels import inserted_section, listed
from graphbuilder.editing.passing import planned
from graphbuilder.editing.references import implied_output
from graphbuilder.editing.rewriting import (
    Follow,
    followed_nodes,
    followed_outputs,
    followed_passes,
    followed_taps,
    followed_training,
)

__all__ = ["Inlining"]


class Inlining(BlockNodes):
    """A node that uses a block, what takes its place, and who refers to that from now on."""

    @property
    def focus(self) -> str:
        """The first of the new nodes."""
        return next(iter(self.nodes))

    def changes(self) -> list[Change]:
        """Everything that changes."""
        nodes = self.level.at("nodes")
        first, *others = self.nodes.items()
        # The first takes the node's place, so that the comments above and behind that stay.
        found: list[Change] = [Replace((*nodes, self.node), first[1]), Rename((*nodes, self.node), first[0])]
        found += [Insert(nodes, name, value, self.node) for name, value in others]
        rest = [name for name in self.order if name != self.node]
        found += followed_nodes(self.level, rest, self.seen_outside, self.path_outside)
        found += followed_outputs(self.level, self.seen_outside)
        found += followed_taps(self.level, self.seen_outside)
        found += self._kept_implied()
        if self.level.block is None:
            found += self._passes()
            if not isinstance(self.document.blueprint.outputs, Mapping):
                found += followed_training(self.document, self.path_outside)
        found += self._bringing()
        return found

    def _bringing(self) -> Iterator[Change]:
        blocks = self.document.source.data.get("blocks")
        if self.brought and blocks is None:
            yield inserted_section(self.document, "blocks", self.brought)
        elif self.brought:
            after = list(blocks)[-1] if blocks else None
            for name, value in self.brought.items():
                yield Insert(("blocks",), name, value, after)

    def seen_outside(self, reference: str) -> str:
        """What a reference to a value becomes."""
        first, *steps = reference.split(".")
        if first != self.node:
            return reference
        index = self.copies - 1
        if self.numbered and steps and steps[0].isdigit() and int(steps[0]) < self.copies:
            index = int(steps.pop(0))
        ports, names = self.outputs[index], self.names[index]
        if not steps:
            return ports["0"] if self.single else reference
        step = steps[0]
        hidden = step in names and (self.single or step.isdigit())
        if step in ports and len(steps) == 1 and not hidden:
            return ports[step]
        if step in self.sources[index] and len(steps) == 1:
            return self.sources[index][step]
        taps = self.place.definition.taps
        if step in taps and len(steps) == 1:
            return self.seen(index)(taps[step])
        return ".".join([names[step], *steps[1:]]) if step in names else reference

    def path_outside(self, path: str) -> str:
        """What the path of a layer becomes."""
        first, *steps = path.split(".")
        if first != self.node:
            return path
        index = self.copies - 1
        if self.numbered and steps and steps[0].isdigit() and int(steps[0]) < self.copies:
            index = int(steps.pop(0))
        return ".".join([self.names[index][steps[0]], *steps[1:]]) if steps and steps[0] in self.names[index] else path

    def back(self) -> Follow:
        """The name that a call of the new graph had before."""
        old = {
            new: f"{self.node}.{index}.{name}" if self.numbered else f"{self.node}.{name}"
            for index, names in enumerate(self.names)
            for name, new in names.items()
        }

        def follow(name: str) -> str:
            steps = name.split(".")
            for number, step in enumerate(steps[:1] if self.level.block is None else steps):
                if step in old:
                    return ".".join([*steps[:number], old[step], *steps[number + 1 :]])
            return name

        return follow

    def _kept_implied(self) -> Iterator[Change]:
        """Writes out what left it to the order of the nodes, where the last new node is not what it took."""
        last = list(self.nodes)[-1]
        wanted = self.outputs[-1].get("0", last) if self.single else last
        place = self.order.index(self.node) + 1
        below = self.order[place] if place < len(self.order) else None
        if below is not None and wanted != last and self.level.definition.nodes[below].source is None:
            kind = next(key for key in self.level.data["nodes"][below] if key in KINDS)
            yield Insert(self.level.at("nodes", below), "from", wanted, kind)
        if implied_output(self.level.definition) == self.node and wanted != last:
            yield Insert(self.level.path, "outputs", wanted, "nodes")

    def _passes(self) -> Iterator[Change]:
        """Passes that name the block as a whole name what was in it, by a pattern where that matches nothing else."""
        yield from followed_passes(self.document, self._pass_path)
        for index, written in enumerate(self.document.source.data.get("compression") or ()):
            where = written.get("where")
            for key in ("nodes", "except"):
                names = where.get(key) if isinstance(where, dict) else None
                path = ("compression", index, "where", key)
                if isinstance(names, str) and (several := self._pass_names(names, index, key)):
                    yield Replace(path, several[0] if len(several) == 1 else several)
                for number, name in enumerate(names if isinstance(names, list) else ()):
                    if several := self._pass_names(name, index, key):
                        yield from (InsertItem(path, number, each) for each in several)
                        yield Remove((*path, number))

    def _pass_path(self, path: str) -> str:
        if path == self.node:
            return f"{self.node}_*" if self._exact() else path
        return self.path_outside(path)

    def _pass_names(self, written: str, index: int, key: str) -> list[str]:
        """What takes the place of a name or pattern of what is in the block; nothing where it stays.

        Arguments:
            written: the name or pattern.
            index: the pass.
            key: nodes or except.
        """
        if is_pattern(written) and written.startswith(f"{self.node}.") and self._exact():
            return [f"{self.node}_{written.removeprefix(f'{self.node}.').replace('.', '_', int(self.numbered))}"]
        found = planned(self.document, self.document.source.data.get("compression") or ())
        if written != self.node or self._exact() or found is None or index >= len(found.plan.stages):
            return []
        # A layer that is named outright must be one that the pass changes.
        touched = [target.layer for target in found.plan.stages[index].targets]
        layers = touched if key == "nodes" else list(found.graph.layers)
        return [self.path_outside(name) for name in layers if matches(name, written)]

    def _exact(self) -> bool:
        """Whether `node_*` matches the new nodes and no others."""
        others = [name for name in self.order if name != self.node and name.startswith(f"{self.node}_")]
        return not others

    def told(self) -> Iterator[str]:
        """What the inlining comes to, in sentences without a full stop."""
        block = self.written.block
        yield f"{listed(list(self.nodes))} take the place of {self.node}"
        if self.written.about is not None:
            yield f"what was said about {self.node} is gone: {self.written.about}"
        if self.brought:
            yield f"the block {listed(list(self.brought))} came along from {block}"
        blueprint = self.document.blueprint
        users = [
            node
            for nodes in (blueprint.nodes, *(each.nodes for each in blueprint.blocks.values()))
            for node in nodes.values()
            if isinstance(node, BlockNode) and node.block == block
        ]
        if block in blueprint.blocks and len(users) == 1:
            yield f"no node uses the block {block} any more"
        yield f"layers are now called {self.focus} and so on; saved weights have the old names"
