"""The command that renames a node, and lets every reference follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from graphbuilder.blueprint import Document
from graphbuilder.compression.selection import is_pattern, matches
from graphbuilder.editing.changes import Change, Rename
from graphbuilder.editing.command import Command, Edit
from graphbuilder.editing.levels import Level, check_name, level_of, refused
from graphbuilder.editing.paths import inside
from graphbuilder.editing.references import references
from graphbuilder.editing.rewiring import known_node
from graphbuilder.editing.rewriting import (
    Follow,
    first_renamed,
    followed_nodes,
    followed_outputs,
    followed_passes,
    followed_taps,
    followed_training,
)

__all__ = ["RenameNode", "draw"]


@dataclass(frozen=True, slots=True)
class RenameNode:
    """Gives a node another name.

    Arguments:
        name: the node.
        new: its new name.
        block: the block that it stands in; None for the file itself.
    """

    name: str
    new: str
    block: str | None = None

    def edit(self, document: Document) -> Edit:
        """Renames it and every reference to it.

        These stand under `from`, `outputs`, `taps`, `reuse`, `align` and `presence`, in paths from outside a block, and
        in passes that name it outright. A pattern stays, and it is told if it chooses otherwise then.

        Raises:
            CommandError: there is no such node, or the new name is not legal, taken, or would mean something else.
        """
        level = level_of(document, self.block)
        known_node(level, self.name)
        title = f"rename {self.name} to {self.new}"
        if self.new == self.name:
            return Edit(title, (), self.name)
        check_name(level, self.new)
        changes: list[Change] = [Rename(level.at("nodes", self.name), self.new)]
        for other in [Level(document), *(Level(document, block) for block in document.blueprint.blocks)]:
            follow = self._follow(document, other)
            changes += followed_nodes(other, other.definition.nodes, follow)
            changes += followed_outputs(other, follow)
            changes += followed_taps(other, follow)
        follow = self._follow(document, Level(document))
        changes += followed_passes(document, follow)
        told = list(self._patterns(document, follow))
        if (
            self.block is None
            and _is_output(document, self.name)
            and not isinstance(document.blueprint.outputs, Mapping)
        ):
            changes += followed_training(document, first_renamed({self.name: self.new}))
            told.append(f"the model's output is now called {self.new}: data and callers that name it must follow")
        return Edit(title, tuple(changes), self.new, tuple(told))

    def _follow(self, document: Document, level: Level) -> Follow:
        """What a reference written at some level becomes."""

        def follow(reference: str) -> str:
            before, parts = reference.split("."), reference.split(".")
            here, step = level, 0
            while True:
                node = here.definition.nodes.get(parts[step])
                if node is None:
                    return ".".join(parts)
                if here.block == self.block and parts[step] == self.name:
                    parts[step] = self.new
                following = inside(here, before[step])
                step += 1
                if following is None or step == len(parts):
                    return ".".join(parts)
                inner, numbered = following
                if numbered and parts[step].isdigit():
                    step += 1
                    if step == len(parts):
                        return ".".join(parts)
                outputs = inner.definition.outputs
                if isinstance(outputs, Mapping):
                    if parts[step] in outputs:
                        # The path means an output of the block, whatever its nodes are called.
                        return ".".join(parts)
                    if inner.block == self.block and parts[step] == self.name and self.new in outputs:
                        self._refuse_hidden(document, reference)
                here = inner

        return follow

    def _refuse_hidden(self, document: Document, reference: str) -> None:
        message = f"{self.new} is an output of block {self.block}, which {reference} would mean then"
        path = ("blocks", str(self.block), "outputs", self.new)
        raise refused(document, "GB206", message, path, key=True, hint="choose another name", found=self.new)

    def _patterns(self, document: Document, follow: Follow) -> Iterator[str]:
        """What is to be told of passes whose patterns choose otherwise once the node is renamed."""
        before = self.name
        if self.block is not None:
            users = [
                name for name, node in document.blueprint.nodes.items() if getattr(node, "block", "") == self.block
            ]
            if not users:
                return
            before = f"{users[0]}.{self.name}"
        after = follow(before)
        for index, written in enumerate(document.source.data.get("compression") or ()):
            where, overrides = written.get("where"), written.get("overrides")
            found: list[Any] = [*overrides] if isinstance(overrides, dict) else []
            for key in ("nodes", "except") if isinstance(where, dict) else ():
                found += [each for each, _ in references(where.get(key), ())]
            for pattern in dict.fromkeys(each for each in found if is_pattern(each)):
                for probe in ("", ".layer"):
                    was, now = matches(before + probe, pattern), matches(after + probe, pattern)
                    if was is not now:
                        does = f"matched {before} and does not match {after}" if was else f"now matches {after}"
                        yield f"{pattern} of pass {index + 1} ({written.get('pass')}) {does}"
                        break


def _is_output(document: Document, name: str) -> bool:
    outputs = document.blueprint.outputs
    if outputs is None:
        nodes = list(document.blueprint.nodes)
        return bool(nodes) and nodes[-1] == name
    return any(reference.partition(".")[0] == name for reference, _ in references(outputs, ()))


def draw(document: Document, random: Random) -> Command | None:
    """A command that gives a node a new name; None where there is no node.

    Arguments:
        document: a loaded blueprint.
        random: where chance comes from.
    """
    level = Level(document, random.choice([None, None, *document.blueprint.blocks]))
    nodes = list(level.definition.nodes)
    if not nodes:
        return None
    new = random.choice(["stem", "x2", "a-very-long-name_of_a_node", "on"])
    return RenameNode(random.choice(nodes), level.free_name(new), level.block)
