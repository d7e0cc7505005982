"""What pasting nodes into a file comes to: names that are free, and everything that the nodes need."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from graphbuilder.blueprint import BlockNode, Document, names_in
from graphbuilder.blueprint.forms import has_expression
from graphbuilder.blueprint.shipped import NAMESPACES
from graphbuilder.editing.applying import apply
from graphbuilder.editing.carrying import carried
from graphbuilder.editing.changes import Change, Insert, Rename, Replace
from graphbuilder.editing.levels import Level, inserted_section, listed, refused
from graphbuilder.editing.members import bottom_of, members, top_of
from graphbuilder.editing.places import column, own_line
from graphbuilder.editing.references import references
from graphbuilder.editing.rewiring import Rewiring
from graphbuilder.editing.rewriting import followed_nodes
from graphbuilder.text import Source, tree
from graphbuilder.text.splices import same_data

__all__ = ["Pasting", "named_params"]

_ANCHOR = re.compile(r"(?<!\S)[&*]\w")


def named_params(value: Any) -> Iterator[str]:
    """The params that a nested value names, as far as it is not written for people."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in ("about", "description"):
                yield from named_params(item)
    elif isinstance(value, list):
        for item in value:
            yield from named_params(item)
    elif has_expression(value):
        yield from names_in(value)


def _own_lines(source: Source, nodes: tree.Mapping, name: str) -> list[str]:
    """The lines of a node in block style with every comment right above it, without what indents them."""
    found = members(source, nodes)
    if not own_line(source.text, found[0].start):
        return []
    number = next(number for number, member in enumerate(found) if member.key is not None and member.key.value == name)
    # As if all below it were taken too, so that a heading comes along.
    top, bottom = top_of(source, found, number, len(found) - 1), bottom_of(source, found, number)
    indent = column(source.text, found[number].start)
    return [line[min(indent, len(line) - len(line.lstrip())) :] for line in source.text[top:bottom].splitlines()]


class Pasting:
    """Nodes of one document on their way into a level of another.

    Arguments:
        level: where they are to stand.
        snippet: the document that they come from.
        imports: what it imports, by the names under which its nodes know that.
        after: what they take in the place of what they leave behind, and below which they stand; None for the end.
        origin: the folder that the imports are relative to, or None.
    """

    def __init__(
        self, level: Level, snippet: Document, imports: Mapping[str, str], after: str | None, origin: Path | None
    ) -> None:
        self.level = level
        self.snippet = snippet
        self.imports = imports
        self.after = after
        self.origin = origin
        self.told: list[str] = []
        self.changes: list[Change] = []
        # What each node, and each block, is called from now on.
        self.names: dict[str, str] = {}
        self.blocks: dict[str, str] = {}

    def run(self) -> tuple[Change, ...]:
        """All changes of the file.

        Raises:
            CommandError: something that the nodes need cannot be brought along.
        """
        document = self.level.document
        for name in self.snippet.blueprint.nodes:
            self.names[name] = self.level.free_name(name, self.names.values())
            if self.names[name] != name:
                self.told.append(f"{name} is called {self.names[name]} here")
        self._bring_imports()
        self._bring_blocks()
        self._bring_params()
        source = self._renamed()
        rewiring = Rewiring(self.level)
        number = self._place(rewiring)
        rewiring.order[number:number] = self.names.values()
        after = rewiring.order[number - 1] if number else None
        for name in self.names.values():
            value = source.data["nodes"][name]
            written = self._lines(source, name)
            self.changes.append(Insert(self.level.at("nodes"), name, value, after, written))
            after = name
        changes = (*rewiring.settled(), *self.changes)
        self.told += rewiring.told
        if document.source.node(self.level.at("nodes")) is None:
            nodes = {name: source.data["nodes"][name] for name in self.names.values()}
            kept = [each for each in changes if not (isinstance(each, Insert) and each.path == self.level.at("nodes"))]
            return (*kept, inserted_section(document, "nodes", nodes))
        return changes

    def _place(self, rewiring: Rewiring) -> int:
        """The number among the nodes that the first of them gets: where no node takes the one above it."""
        order = rewiring.order
        if self.after is None:
            return len(order)
        first = self.after.partition(".")[0]
        number = order.index(first) + 1 if first in order else 0
        while number < len(order) and order[number] in rewiring.implied:
            number += 1
        return number

    def _lines(self, source: Source, name: str) -> str | None:
        """A node as it is written in the snippet, where it can be written so here."""
        target = self.level.document.source
        here, there = target.node(self.level.at("nodes")), source.node(("nodes",))
        if target.syntax == "json" or not isinstance(here, tree.Mapping) or not isinstance(there, tree.Mapping):
            return None
        if here.flow is not there.flow:
            return None
        lines = carried(source, ("nodes",), [name]) if there.flow else _own_lines(source, there, name)
        if not lines or any(_ANCHOR.search(line) for line in lines):
            return None
        return "\n".join(lines)

    # What they take.

    def _renamed(self) -> Source:
        """The snippet with the names that its nodes, blocks and sources have here."""
        inside = Level(self.snippet)
        outside = list(dict.fromkeys(use.reference for use in inside.uses() if self._leaves(use.reference)))
        outside = [each for each in outside if self._is_used(inside, each)]
        alone = self.after is not None and len(outside) == 1
        missing = [each for each in outside if each.partition(".")[0] not in self.level.names]
        if self.after is None and missing:
            where = "this file" if self.level.block is None else f"block {self.level.block}"
            message = f"the pasted nodes take {listed(missing)}, which {where} does not have"
            hint = "say behind what they are to be pasted"
            raise refused(self.level.document, "GB301", message, hint=hint)

        def follow(reference: str) -> str:
            first, dot, rest = reference.partition(".")
            if first in self.names:
                return f"{self.names[first]}{dot}{rest}"
            if self.after is not None and (alone or reference in missing):
                return self.after
            return reference

        nodes = self.snippet.blueprint.nodes
        changes: list[Change] = [
            *followed_nodes(inside, nodes, follow),
            *(Rename(("nodes", name), new) for name, new in self.names.items() if name != new),
        ]
        for name, node in nodes.items():
            if isinstance(node, BlockNode) and self._block_here(node.block) != node.block:
                changes.append(Replace(("nodes", name, "block"), self._block_here(node.block)))
        for reference in outside if self.after is not None else ():
            if follow(reference) != reference:
                self.told.append(f"what took {reference} takes {self.after}")
        return apply(self.snippet.source, changes).source if changes else self.snippet.source

    def _leaves(self, reference: str) -> bool:
        return reference.partition(".")[0] not in self.names

    def _is_used(self, inside: Level, reference: str) -> bool:
        """Whether a node takes it, and not only the outputs of the snippet."""
        return any(
            each == reference for node in inside.definition.nodes.values() for each, _ in references(node.source, ())
        )

    # What they need.

    def _block_here(self, name: str) -> str:
        space, dot, inner = name.partition(".")
        return f"{self.blocks.get(space, space)}{dot}{inner}"

    def _bring_blocks(self) -> None:
        """Adds the blocks that this file does not have, each under a name that is free."""
        document = self.level.document
        have = document.source.data.get("blocks") or {}
        theirs = self.snippet.source.data.get("blocks") or {}
        new: dict[str, Any] = {}
        for name, written in theirs.items():
            if name in have and same_data(have[name], written):
                continue
            free = name
            taken = {*document.block_names(), *new, *(theirs.keys() - {name}), *document.blueprint.imports, *NAMESPACES}
            number = 2
            while free in taken:
                free, number = f"{name}_{number}", number + 1
            self.blocks[name] = free
            new[free] = written
            self.told.append(f"block {name} is added" + (f", called {free} here" if free != name else ""))
        for free, written in new.items():
            nodes = {
                key: {**node, "block": self._block_here(node["block"])} if "block" in node else node
                for key, node in written["nodes"].items()
            }
            new[free] = {**written, "nodes": nodes}
        if not new:
            return
        if "blocks" not in document.source.data:
            self.changes.append(inserted_section(document, "blocks", new))
            return
        after = next(reversed(have), None)
        for free, written in new.items():
            self.changes.append(Insert(("blocks",), free, written, after))
            after = free

    def _bring_params(self) -> None:
        """Adds the params that are not declared here."""
        document, level = self.level.document, self.level
        theirs = self.snippet.source.data.get("params") or {}
        declared = level.data.get("params") or {}
        new = {}
        for name, written in theirs.items():
            if name in declared:
                if not same_data(declared[name], written):
                    self.told.append(
                        f"{name} is the param that stands here, which says something else than the pasted one"
                    )
                continue
            required = isinstance(written, dict) and "default" not in written
            if required and level.block is not None:
                users = f"every user of block {level.block}"
                message = f"the pasted nodes need the param {name}, which {users} would have to give"
                hint = f"add the param {name} with a default first"
                raise refused(document, "GB202", message, level.path, key=True, hint=hint)
            new[name] = written
        known = {*declared, *theirs, *(["index"] if level.block is not None else [])}
        nodes = self.snippet.source.data["nodes"]
        unknown = sorted({name for name in named_params(nodes) if name not in known})
        if unknown:
            message = f"the pasted nodes name {listed(unknown)}, which is no param here"
            raise refused(document, "GB207", message, hint="declare it first, or copy it with its declaration")
        if not new:
            return
        self.told.append(f"{listed(list(new))} {'is' if len(new) == 1 else 'are'} added to the params")
        if "params" in level.data:
            after = next(reversed(declared), None)
            for name, written in new.items():
                self.changes.append(Insert(level.at("params"), name, written, after))
                after = name
        elif level.block is None:
            self.changes.append(inserted_section(document, "params", new))
        else:
            self.changes.append(Insert(level.path, "params", new, None))

    def _bring_imports(self) -> None:
        """Adds the imports that this file does not have, relative to it."""
        document = self.level.document
        have = document.blueprint.imports
        new: dict[str, str] = {}
        for space, reference in self.imports.items():
            wanted = self._reference(document, space, reference)
            same = [name for name, found in have.items() if self._same_file(document, found, wanted)]
            if same:
                self.blocks[space] = space if space in same else same[0]
                continue
            free, number = space, 2
            while free in {*have, *new, *document.blueprint.blocks, *NAMESPACES}:
                free, number = f"{space}_{number}", number + 1
            self.blocks[space] = free
            new[free] = wanted
            self.told.append(f"{wanted} is imported as {free}")
        if not new:
            return
        if "imports" not in document.source.data:
            self.changes.append(inserted_section(document, "imports", new))
            return
        after = next(reversed(have), None)
        for free, wanted in new.items():
            self.changes.append(Insert(("imports",), free, wanted, after))
            after = free

    def _reference(self, document: Document, space: str, reference: str) -> str:
        """An import as this file writes it.

        Raises:
            CommandError: GB210, it cannot be imported from here.
        """
        if self.origin is None or document.path is None:
            if reference in document.blueprint.imports.values():
                return reference
            message = f"the pasted nodes need {reference}, imported as {space}, and it is not known where that is"
            raise refused(document, "GB210", message, hint="import it first", found=reference)
        folder = document.path.resolve().parent
        target = (self.origin / reference).resolve()
        if not target.is_relative_to(folder):
            message = f"the pasted nodes need {target}, which does not lie in the folder of this file"
            raise refused(document, "GB210", message, hint=f"copy it to {folder} and import it first", found=reference)
        return f"./{os.path.relpath(target, folder)}".replace(os.sep, "/")

    def _same_file(self, document: Document, one: str, other: str) -> bool:
        if document.path is None:
            return one == other
        folder = document.path.resolve().parent
        return (folder / one).resolve() == (folder / other).resolve()
