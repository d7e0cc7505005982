"""The command that adds a node: into a chain, on an edge, or as a branch of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeAlias

from graphbuilder.blueprint import Document
from graphbuilder.catalog import layers, ops
from graphbuilder.editing.changes import Change, Insert
from graphbuilder.editing.checking_nodes import check_node
from graphbuilder.editing.command import Command, Edit
from graphbuilder.editing.kinds import Kind, kind_of, kind_of_reused, node_name, required_arguments
from graphbuilder.editing.levels import Level, check_name, inserted_section, level_of, listed, refused
from graphbuilder.editing.references import OUTPUTS, feeding
from graphbuilder.editing.rewiring import Rewiring, known_node, known_value

__all__ = ["AddNode", "After", "AtEnd", "Before", "Branch", "OnEdge", "Place", "draw"]


@dataclass(frozen=True, slots=True)
class After:
    """Behind a value: what took that takes the new node.

    Arguments:
        source: a node, an input, or a path such as `lstm.1`.
    """

    source: str


@dataclass(frozen=True, slots=True)
class Before:
    """In front of a node: the new one takes what that took.

    Arguments:
        target: a node that takes one value.
    """

    target: str


@dataclass(frozen=True, slots=True)
class OnEdge:
    """Between two nodes; what else takes the first of them stays as it is.

    Arguments:
        source: what is taken.
        target: the node that takes it, or "outputs".
    """

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Branch:
    """As a new branch: nothing takes it yet.

    Arguments:
        source: what it takes.
    """

    source: str


@dataclass(frozen=True, slots=True)
class AtEnd:
    """Behind the output; behind the last node where there are several outputs."""


Place: TypeAlias = After | Before | OnEdge | Branch | AtEnd


@dataclass(frozen=True, slots=True)
class AddNode:
    """Adds a node.

    Arguments:
        key: what kind of node it is: layer, op, fuse, block or reuse.
        kind: the name of the layer, op, fusion or block; of a reuse node, the node whose weights it uses.
        where: its place in the graph.
        name: what it is called; left out, a free name made from its kind.
        arguments: its arguments; those that it needs and that are not given have values from the catalog's example.
        block: the block that it is added to; None for the file itself.
    """

    key: str
    kind: str
    where: Place
    name: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    block: str | None = None

    def edit(self, document: Document) -> Edit:
        """Writes it below what it takes, and lets what is behind its place take it.

        Raises:
            CommandError: the kind, name, place or an argument is not what can be taken.
        """
        level = level_of(document, self.block)
        kind = self._kind(level)
        if kind.key == "block" and self.block is not None and self.block in _used_by(document, self.kind):
            message = f"a block cannot use itself: {self.block} → {self.kind}"
            raise refused(document, "GB211", message, ("blocks", self.block), key=True)
        wanted = node_name(kind) if self.key != "reuse" else f"{self.kind.replace('.', '_')}_again"
        name = level.free_name(wanted) if self.name is None else self.name
        check_name(level, name)
        rewiring = Rewiring(level)
        source, number = self._wired(rewiring, name)
        if self.key == "reuse":
            _refuse_fed(rewiring, name, self.kind)
        rewiring.order.insert(number, name)
        node: dict[str, Any] = {self.key: self.kind}
        taken = _called_with(kind, source)
        if taken != source or rewiring.above(name) != source:
            node["from"] = taken
        required = {} if self.key == "reuse" else required_arguments(kind)
        needed = {key: value for key, value in required.items() if key not in self.arguments}
        node |= {**needed, **self.arguments}
        check_node(level, name, node)
        after = rewiring.order[number - 1] if number else None
        told = list(rewiring.told)
        rewiring.told.clear()
        changes = rewiring.settled()
        if needed:
            values = listed([f"{key} {value}" for key, value in needed.items()])
            told.insert(0, f"{name} has {values}, which is only an example")
        told += rewiring.told
        if kind.takes_list and (kind.key == "fuse" or (kind.ports is not None and kind.ports[0].least > 1)):
            told.append(f"{name} needs another input: connect one")
        if isinstance(self.where, Branch):
            told.append(f"nothing takes {name} yet")
        new: Change = Insert(level.at("nodes"), name, node, after)
        if level.block is None and "nodes" not in document.source.data:
            new = inserted_section(document, "nodes", {name: node})
        what = f"reuse {self.kind}" if self.key == "reuse" else kind.name
        return Edit(f"add {name}: {what}", (*changes, new), name, tuple(told))

    def _kind(self, level: Level) -> Kind:
        """What the node is, or calls again.

        Raises:
            CommandError: there is no such kind or node.
        """
        if self.key != "reuse":
            return kind_of(level.document, self.key, self.kind)
        kind = kind_of_reused(level, self.kind)
        if kind is None:
            hint = "name a layer or block node of this file, or a layer in one"
            raise refused(level.document, "GB310", f"{self.kind} cannot be used again", found=self.kind, hint=hint)
        return kind

    def _wired(self, rewiring: Rewiring, name: str) -> tuple[str, int]:
        """What the new node takes, and its number among the nodes; those that are to take it do so from now on."""
        where, level = self.where, rewiring.level
        if isinstance(where, AtEnd):
            where = _end(rewiring)
        if isinstance(where, After):
            known_value(level, where.source)
            uses = rewiring.takers(where.source)
            rewiring.give(uses, name)
            rewiring.follow_keys(where.source, name, {use.consumer for use in uses})
            return where.source, _below(rewiring, where.source)
        if isinstance(where, Branch):
            known_value(level, where.source)
            return where.source, _behind_chain(rewiring, where.source)
        if isinstance(where, Before):
            return self._in_front(rewiring, where.target, name)
        known_value(level, where.source)
        target = OUTPUTS if where.target == "outputs" else where.target
        if target != OUTPUTS:
            known_node(level, target)
        uses = [use for use in rewiring.takers(where.source) if use.consumer == target]
        if not uses:
            raise _no_edge(rewiring, where.source, where.target)
        rewiring.give(uses, name)
        rewiring.follow_keys(where.source, name, [target])
        if target == OUTPUTS:
            return where.source, _below(rewiring, where.source)
        return where.source, rewiring.order.index(target)

    def _in_front(self, rewiring: Rewiring, target: str, name: str) -> tuple[str, int]:
        known_node(rewiring.level, target)
        uses = rewiring.sources(target)
        sources = list(dict.fromkeys(use.reference for use in uses))
        if len(sources) != 1:
            path = rewiring.level.at("nodes", target)
            told = f"takes {listed(sources)}" if sources else "takes nothing"
            hint = "name the edge: what it takes, and the node" if sources else None
            message = f"{target} {told}, so it cannot be told what {name} is to take"
            raise refused(rewiring.level.document, "GB303", message, path, key=True, hint=hint)
        rewiring.give(uses, name)
        rewiring.follow_keys(sources[0], name, [target])
        return sources[0], rewiring.order.index(target)


def _refuse_fed(rewiring: Rewiring, name: str, reused: str) -> None:
    """Refuses that a new node feeds the node whose weights it uses, which must be made first.

    Raises:
        CommandError: GB302.
    """
    level = rewiring.level
    first = reused.partition(".")[0]
    feeds = rewiring.fed & feeding(level.definition, [first], rewiring.uses)
    if feeds:
        message = f"{name} would feed {first}, whose weights it uses, through {listed(sorted(feeds))}"
        hint = f"add it as a new branch, or behind {first}"
        raise refused(level.document, "GB302", message, level.at("nodes", first), key=True, hint=hint)


def _called_with(kind: Kind, source: str) -> Any:
    """The `from` of a node of a kind that is to take one value; at several places where it needs several."""
    if kind.takes_list:
        return [source]
    needed = [port for port in kind.ports or () if not port.optional]
    return [source] * len(needed) if len(needed) > 1 else source


def _used_by(document: Document, block: str) -> set[str]:
    """A block and the blocks of the same file that it uses, directly or through others."""
    blocks = document.blueprint.blocks
    found: set[str] = set()
    waiting = [block]
    while waiting:
        name = waiting.pop()
        if name in blocks and name not in found:
            found.add(name)
            waiting += [getattr(node, "block", "") for node in blocks[name].nodes.values()]
    return found


def _below(rewiring: Rewiring, source: str) -> int:
    """The number of the place right below a node; the first one for an input."""
    first = source.partition(".")[0]
    return rewiring.order.index(first) + 1 if first in rewiring.order else 0


def _behind_chain(rewiring: Rewiring, source: str) -> int:
    """The number of the next place below a node where a new one stands between no node and the one above it."""
    order, implied = rewiring.order, rewiring.implied
    number = start = _below(rewiring, source)
    while number < len(order) and order[number] in implied:
        number += 1
    ends_file = number == len(order) and OUTPUTS in implied
    return start if ends_file else number


def _end(rewiring: Rewiring) -> After | Branch:
    """Where the end of a level is: behind its only output, else behind its last node."""
    outputs = [use for use in rewiring.uses if use.consumer == OUTPUTS]
    if len({use.reference for use in outputs}) == 1:
        return After(outputs[0].reference)
    if rewiring.order:
        return Branch(rewiring.order[-1])
    inputs = list(rewiring.level.definition.inputs)
    if not inputs:
        message = "there is nothing yet that a node could take"
        raise refused(rewiring.level.document, "GB303", message, hint="add an input first")
    return After(inputs[0])


def _no_edge(rewiring: Rewiring, source: str, target: str) -> Exception:
    level = rewiring.level
    consumer = OUTPUTS if target == "outputs" else target
    taken = list(dict.fromkeys(use.reference for use in rewiring.sources(consumer)))
    what = "outputs name" if target == "outputs" else f"{target} takes"
    hint = f"{what} {listed(taken)}" if taken else None
    path = level.at("outputs") if target == "outputs" else level.at("nodes", target)
    does = "outputs do not name" if target == "outputs" else f"{target} does not take"
    return refused(level.document, "GB303", f"{does} {source}", path, key=True, hint=hint)


def draw(document: Document, random: Random) -> Command | None:
    """A command that adds a node somewhere, and can probably be carried out.

    Arguments:
        document: a loaded blueprint.
        random: where chance comes from.
    """
    block = random.choice([None, None, *document.blueprint.blocks])
    level = Level(document, block)
    if not level.names:
        return None
    nodes = list(level.definition.nodes)
    value = random.choice(level.names)
    places: list[Place] = [After(value), Branch(value), AtEnd()]
    edges = [use for use in level.uses() if use.consumer != OUTPUTS or block is None]
    if edges:
        edge = random.choice(edges)
        places.append(OnEdge(edge.reference, "outputs" if edge.consumer == OUTPUTS else edge.consumer))
    if nodes:
        places.append(Before(random.choice(nodes)))
    key, kind = random.choice(
        [
            *(("layer", name) for name in layers.names()),
            *(("op", name) for name in ops.names()),
            *(("block", name) for name in document.block_names()),
            *(("reuse", name) for name, node in level.definition.nodes.items() if node.kind in ("layer", "block")),
            ("layer", "Dense"), ("layer", "Dropout"), ("fuse", "add"), ("fuse", "concat"),
        ]
    )  # fmt: skip
    about = random.choice([{}, {}, {"about": "added: by # hand"}])
    return AddNode(key, kind, random.choice(places), arguments=about, block=block)
