"""Nodes that become a block: what it must be given, what it gives, and who refers to it from now on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphbuilder.blueprint import Document, ReuseNode
from graphbuilder.blueprint.forms import KINDS
from graphbuilder.compression.selection import is_pattern, matches
from graphbuilder.editing.changes import Change, Delete, Insert, InsertItem, Rename, Replace, changed_data
from graphbuilder.editing.checking import lowered
from graphbuilder.editing.levels import Level, listed, refused
from graphbuilder.editing.param_text import expressions, named_params, renamed
from graphbuilder.editing.references import Use, feeding, implied_output, same_branch
from graphbuilder.editing.rewriting import (
    Follow,
    followed_nodes,
    followed_outputs,
    followed_passes,
    followed_taps,
    followed_training,
)
from graphbuilder.errors import Related

__all__ = ["Extraction"]

# Params that a node would not take for a param of its block.
_UNGIVABLE = {*KINDS, "wraps", "args", "gives"}


@dataclass(frozen=True, slots=True)
class _Given:
    """A param that the block must be given.

    Arguments:
        outer: what it is called outside.
        inner: what the block calls it.
        declared: what the block says of it.
    """

    outer: str
    inner: str
    declared: Any


class Extraction:
    """A selection of nodes as a block, and the rest of its level with one node in their place.

    Arguments:
        level: where the nodes stand.
        nodes: which of its nodes.
        block: what the block is to be called.
        node: what the node that uses it is to be called.

    Raises:
        CommandError: the nodes cannot be one block.
    """

    def __init__(self, level: Level, nodes: Sequence[str], block: str, node: str) -> None:
        self.level = level
        self.document: Document = level.document
        self.block = block
        self.node = node
        self.order = list(level.definition.nodes)
        # In the order of the file, whatever the order in which they were chosen.
        self.chosen = [name for name in self.order if name in nodes]
        self.rest = [name for name in self.order if name not in nodes]
        self.uses = level.uses()
        self._refuse_circles()
        self._refuse_reuse()
        # What is taken and given, as it is written where it is met first.
        self.taken: dict[str, str] = {}
        self.given: dict[str, str] = {}
        self.ports = self._ports()
        self.exports = self._exports()
        self.params = list(self._params())
        self.after = self._after()

    # What is asked for, checked.

    def _refuse_circles(self) -> None:
        """Refuses that the block would feed something that feeds it.

        Raises:
            CommandError: GB302.
        """
        above = feeding(self.level.definition, self.chosen, self.uses)
        between = [name for name in self.rest if name in above and self._fed(name) & set(self.chosen)]
        if between:
            first = between[0]
            source = next(name for name in self.chosen if name in self._fed(first))
            target = next(name for name in self.chosen if first in feeding(self.level.definition, [name], self.uses))
            raise refused(
                self.document, "GB302", f"{listed(between)} would feed the block and be fed by it",
                self.level.at("nodes", first), key=True,
                hint=f"{first} stands between {source} and {target}: take it in, or leave one of these out",
            )  # fmt: skip

    def _fed(self, name: str) -> set[str]:
        return feeding(self.level.definition, [name], self.uses)

    def _refuse_reuse(self) -> None:
        """Refuses that the block would use the weights of a node that it cannot see.

        Raises:
            CommandError: GB310.
        """
        for name in self.chosen:
            node = self.level.definition.nodes[name]
            if isinstance(node, ReuseNode) and node.reuse.partition(".")[0] not in self.chosen:
                owner = node.reuse.partition(".")[0]
                place = self.document.source.position(self.level.at("nodes", owner), key=True)
                raise refused(
                    self.document, "GB310", f"{name} uses the weights of {node.reuse}, which a block cannot see",
                    self.level.at("nodes", name, "reuse"), hint=f"take {owner} in, or leave {name} out",
                    related=(Related(f"{owner} stands here", None, place),),
                )  # fmt: skip

    # What it takes and gives.

    def _ports(self) -> dict[str, str]:
        """The block's inputs, by what is connected to them."""
        found: dict[str, str] = {}
        for use in self.uses:
            if use.consumer in self.chosen and use.reference.partition(".")[0] not in self.chosen:
                branch = same_branch(self.level.definition, use.reference)
                self.taken.setdefault(branch, use.reference)
                if branch not in found:
                    found[branch] = _free(branch, [*self.chosen, *found.values()])
        return found

    def _exports(self) -> dict[str, str]:
        """The block's outputs, by what they are inside."""
        found: dict[str, str] = {}
        for use in self.uses:
            if use.consumer not in self.chosen and use.reference.partition(".")[0] in self.chosen:
                branch = same_branch(self.level.definition, use.reference)
                self.given.setdefault(branch, use.reference)
                if branch not in found:
                    found[branch] = branch if branch in self.chosen else _free(branch, [*self.chosen, *found.values()])
        return found

    def _params(self) -> Iterator[_Given]:
        """The params that its nodes name, each as the block declares it."""
        written = self.level.data.get("params", {})
        known = [*written, "index"] if self.level.block is not None else list(written)
        named = named_params({name: self.level.data["nodes"][name] for name in self.chosen})
        taken = set(named)
        for name in named:
            if name not in known:
                continue
            inner = name
            if name in _UNGIVABLE or name == "index":
                inner = "copy" if name == "index" else f"{name}_value"
                while inner in taken or inner in known:
                    inner += "_"
            yield _Given(name, inner, {"type": "int"} if name == "index" else _declared(written[name]))

    def _after(self) -> str | None:
        """The node behind which the block's node comes to stand: below what feeds it, and above what it feeds."""
        place = {name: number for number, name in enumerate(self.order)}
        last = place[self.chosen[-1]]
        feeds = [place[use.consumer] for use in self.uses if self._leaves(use) and use.consumer in place]
        fed = [place[ref.partition(".")[0]] for ref in self.ports if ref.partition(".")[0] in place]
        if feeds and min(feeds) < last:
            behind = max([*fed, place[self.chosen[0]]])
            last = behind if behind < min(feeds) else last
        return self.order[last]

    def _leaves(self, use: Use) -> bool:
        return use.consumer not in self.chosen and use.reference.partition(".")[0] in self.chosen

    # The block.

    def inner_changes(self) -> list[Change]:
        """What changes within the nodes that move, by the paths of the text before."""
        found = list(followed_nodes(self.level, self.chosen, self._seen_inside, reused=lambda reference: reference))
        names = {given.outer: given.inner for given in self.params if given.inner != given.outer}
        for name in self.chosen:
            place = self.level.at("nodes", name)
            if names:
                for path, text in expressions(self.level.data["nodes"][name], place):
                    if (after := renamed(text, names)) != text:
                        found.append(Replace(path, after))
            written = self._written_from(name)
            if written is not None:
                kind = next(key for key in self.level.data["nodes"][name] if key in KINDS)
                found.append(Insert(place, "from", written, kind))
        return found

    def _written_from(self, name: str) -> str | None:
        """The `from` that a node which left it out needs inside the block; None where it still needs none."""
        if self.level.definition.nodes[name].source is not None:
            return None
        above = self._above(name)
        if above is None:
            return None
        place = self.chosen.index(name)
        if (self.chosen[place - 1] if place else None) == above:
            return None
        if above in self.chosen:
            return above
        return None if place == 0 and list(self.ports) == [above] else self._seen_inside(above)

    def _above(self, name: str) -> str | None:
        """What a node takes that does not say so."""
        place = self.level.at("nodes", name, "from")[len(self.level.path) :]
        return next((use.reference for use in self.uses if use.implied and use.path == place), None)

    def _seen_inside(self, reference: str) -> str:
        if reference.partition(".")[0] in self.chosen:
            return reference
        return self.ports.get(same_branch(self.level.definition, reference), reference)

    def value(self) -> dict[str, Any]:
        """The block as plain data."""
        data: Any = changed_data(self.document.source.data, self.inner_changes())
        for step in (*self.level.path, "nodes"):
            data = data[step]
        found: dict[str, Any] = {}
        if self.params:
            found["params"] = {given.inner: given.declared for given in self.params}
        found["inputs"] = list(self.ports.values())
        found["nodes"] = {name: data[name] for name in self.chosen}
        if len(self.exports) == 1:
            (only,) = self.given.values()
            if only != self.chosen[-1]:
                found["outputs"] = only
        elif self.exports:
            found["outputs"] = {port: self.given[branch] for branch, port in self.exports.items()}
        return found

    # The rest of the level.

    def use(self) -> dict[str, Any]:
        """The node that uses the block, as plain data."""
        found: dict[str, Any] = {"block": self.block}
        taken = list(self.taken.values())
        if taken:
            found["from"] = taken[0] if len(taken) == 1 else taken
        for given in self.params:
            found[given.inner] = f"${given.outer}"
        return found

    def outer_changes(self) -> list[Change]:
        """What changes outside the block: its node, and who refers to it."""
        nodes = self.level.at("nodes")
        found: list[Change] = [Insert(nodes, self.node, self.use(), self.after)]
        found += [Delete((*nodes, name)) for name in self.chosen]
        found += followed_nodes(self.level, self.rest, self.seen_outside, self.path_outside)
        found += followed_outputs(self.level, self.seen_outside)
        # A tap names what lies inside by its path, so that it makes no output of the block.
        found += followed_taps(self.level, self.path_outside)
        found += self._kept_implied()
        if self.level.block is None:
            found += followed_passes(self.document, self.path_outside)
            found += self._patterns()
            if not isinstance(self.document.blueprint.outputs, Mapping):
                found += followed_training(self.document, self.path_outside)
        return found

    def _patterns(self) -> Iterator[Change]:
        """Patterns under passes that would no longer match what has moved stand once more, for inside the block."""
        for index, written in enumerate(self.document.source.data.get("compression") or ()):
            where, overrides = written.get("where"), written.get("overrides")
            for key in ("nodes", "except"):
                names = where.get(key) if isinstance(where, dict) else None
                path = ("compression", index, "where", key)
                if isinstance(names, str) and (follows := self._pattern(names)):
                    yield Replace(path, [names, follows[0]] if follows[1] else follows[0])
                for number, name in enumerate(names if isinstance(names, list) else ()):
                    if follows := self._pattern(name):
                        new = InsertItem(path, number + 1, follows[0])
                        yield new if follows[1] else Replace((*path, number), follows[0])
            for name, value in overrides.items() if isinstance(overrides, dict) else ():
                if follows := self._pattern(name):
                    place = ("compression", index, "overrides")
                    yield Insert(place, follows[0], value, name) if follows[1] else Rename((*place, name), follows[0])

    def _pattern(self, written: str) -> tuple[str, bool] | None:
        """The pattern that matches inside the block what one has matched, and whether that still matches others."""
        graph = lowered(self.document).graph
        if graph is None or not is_pattern(written):
            return None
        found = [name for name in graph.layers if matches(name, written)]
        moved = [name for name in found if self.path_outside(name) != name]
        if all(matches(self.path_outside(name), written) for name in moved):
            return None
        return f"{self.node}.{written}", len(moved) < len(found)

    def seen_outside(self, reference: str) -> str:
        """What a reference to a value becomes outside the block."""
        branch = same_branch(self.level.definition, reference)
        if branch not in self.exports:
            return reference
        return self.node if len(self.exports) == 1 else f"{self.node}.{self.exports[branch]}"

    def path_outside(self, path: str) -> str:
        """What the path of a layer becomes outside the block."""
        return f"{self.node}.{path}" if path.partition(".")[0] in self.chosen else path

    def new_order(self) -> list[str]:
        """The nodes of the level afterwards."""
        place = self.order.index(self.after) if self.after is not None else -1
        above = [name for name in self.order[: place + 1] if name in self.rest]
        return [*above, self.node, *self.rest[len(above) :]]

    def _kept_implied(self) -> Iterator[Change]:
        """Writes out what left it to the order of the nodes, where the new order would say something else."""
        order = self.new_order()
        for name in self.rest:
            if self.level.definition.nodes[name].source is not None:
                continue
            above = self._above(name)
            place = order.index(name)
            wanted = None if above is None else self.seen_outside(above)
            if wanted is None or (place and order[place - 1] == wanted):
                continue
            if place == 0 and wanted in self.level.definition.inputs:
                continue
            kind = next(key for key in self.level.data["nodes"][name] if key in KINDS)
            yield Insert(self.level.at("nodes", name), "from", wanted, kind)
        last = implied_output(self.level.definition)
        if last is not None and order[-1] != self.seen_outside(last):
            if self.level.data.get("outputs", "") is None:
                yield Replace(self.level.at("outputs"), self.seen_outside(last))
            else:
                yield Insert(self.level.path, "outputs", self.seen_outside(last), "nodes")

    def told(self) -> Iterator[str]:
        """What the extraction comes to, in sentences without a full stop."""
        gives = list(self.exports.values())
        takes = listed(list(self.taken.values())) if self.taken else "nothing"
        yield f"{self.node} takes {takes} and gives {listed(gives) if gives else 'nothing that is used'}"
        if self.params:
            yield f"the block is given {listed([given.inner for given in self.params])}"
        yield f"layers are now called {self.node}.{self.chosen[0]} and so on; saved weights have the old names"

    def back(self) -> Follow:
        """The name that a call of the new graph had before."""
        # At the top a block's contents are one name deeper; in another block, wherever that is used.
        start = "^" if self.level.block is None else r"(?<![^.])"
        prefix = re.compile(rf"{start}{re.escape(self.node)}\.")

        def follow(name: str) -> str:
            return prefix.sub("", name, count=1)

        return follow


def _free(reference: str, taken: Sequence[str]) -> str:
    """A name for what a reference stands for: the reference itself where it is a name."""
    name = reference.replace(".", "_")
    free = name
    number = 2
    while free in taken:
        free = f"{name}_{number}"
        number += 1
    return free


def _declared(written: Any) -> Any:
    """What a block says of a param that it is given: what the outer one says, as far as it means the same there."""
    options = dict(written) if isinstance(written, dict) else {"default": written}
    if any(True for _ in expressions(options.get("default"))):
        # Params above it may be named there, which the block does not have.
        return {key: value for key, value in options.items() if key != "default"}
    return written
