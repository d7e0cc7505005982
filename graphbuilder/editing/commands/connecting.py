"""The commands that change edges: connect, disconnect, swap two inputs, let an edge come from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

from graphbuilder.blueprint import Document
from graphbuilder.editing.changes import Delete, Replace
from graphbuilder.editing.command import Command, Edit
from graphbuilder.editing.commands.outputs import RemoveOutput
from graphbuilder.editing.connection import Connection
from graphbuilder.editing.kinds import kind_of_node
from graphbuilder.editing.levels import Level, level_of, listed, refused
from graphbuilder.editing.references import OUTPUTS, Use, same_branch
from graphbuilder.editing.rewiring import Rewiring, branch_keys, known_node, known_value

__all__ = ["Connect", "Disconnect", "Rewire", "SwapInputs", "UnsetFrom", "draw"]


@dataclass(frozen=True, slots=True)
class Connect:
    """Lets a node take a value, beside what it takes or in its place.

    Arguments:
        source: a node, an input, or a path such as `lstm.1`.
        target: the node.
        port: the name of the call's argument, or the number of an item; None for the next one that is free, and where
            only one can be taken, for that.
        block: the block that the nodes stand in; None for the file itself.
    """

    source: str
    target: str
    port: str | int | None = None
    block: str | None = None

    def edit(self, document: Document) -> Edit:
        """Adds it to the list of what the node takes, puts it at the port, or replaces what stands there.

        Raises:
            CommandError: one of them does not exist, there is no such port, or the nodes would feed each other in a
                circle.
        """
        level = level_of(document, self.block)
        known_node(level, self.target)
        known_value(level, self.source)
        rewiring = Rewiring(level)
        _refuse_circle(rewiring, self.source, self.target)
        connection = Connection(rewiring, self.target)
        title = f"connect {self.source} to {self.target}"
        if self.port is None:
            connection.add(self.source)
        else:
            connection.put(self.source, self.port)
        return Edit(title, tuple(connection.changes), self.target, tuple(rewiring.told))


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Takes a value out of what a node takes.

    Arguments:
        source: the value.
        target: the node, or "outputs".
        block: the block that the nodes stand in; None for the file itself.
    """

    source: str
    target: str
    block: str | None = None

    def edit(self, document: Document) -> Edit:
        """Takes it out of the list or mapping; at least one other value must remain.

        Raises:
            CommandError: the node does not take it, or takes nothing else.
        """
        level = level_of(document, self.block)
        rewiring = Rewiring(level)
        uses = _edge(rewiring, self.source, self.target)
        target = uses[0].consumer
        outputs = document.blueprint.outputs
        if target == OUTPUTS and self.block is None and isinstance(outputs, Mapping) and len(uses) == 1:
            # With the loss and metrics that are its own.
            return RemoveOutput(str(uses[0].path[-1])).edit(document)
        if any(use.implied for use in uses) or not rewiring.cut(target, [use.path for use in uses]):
            what = "the outputs name" if target == OUTPUTS else f"{self.target} takes"
            path = level.at("outputs") if target == OUTPUTS else level.at("nodes", target)
            path = path if document.source.node(path) is not None else level.at("nodes")
            hint = (
                "rewire it to another value" if target == OUTPUTS else f"rewire it to another value, or delete {target}"
            )
            raise refused(document, "GB303", f"{what} only {self.source}", path, key=True, hint=hint)
        for written, place in branch_keys(level, target):
            if self.source in written:
                rewiring.changes.append(Delete((*place, self.source)))
        focus = None if target == OUTPUTS else target
        return Edit(f"disconnect {self.source} from {self.target}", rewiring.settled(), focus)


@dataclass(frozen=True, slots=True)
class SwapInputs:
    """Lets two inputs of a node change places.

    Arguments:
        node: the node.
        first: the number or port of one of them.
        second: that of the other.
        block: the block that the node stands in; None for the file itself.
    """

    node: str
    first: str | int = 0
    second: str | int = 1
    block: str | None = None

    def edit(self, document: Document) -> Edit:
        """Writes each of them in the other's place.

        Raises:
            CommandError: the node has no such inputs.
        """
        level = level_of(document, self.block)
        known_node(level, self.node)
        written = level.data["nodes"][self.node].get("from")
        path = level.at("nodes", self.node, "from")
        if isinstance(written, Mapping) and len(written) == 1:
            # A list for the only port, such as `{inputs: [a, b]}`.
            (key,) = written
            path, written = (*path, key), written[key]
        places = [self._place(level, written, each) for each in (self.first, self.second)]
        values = [written[place] for place in places]
        title = f"swap inputs {places[0]} and {places[1]} of {self.node}"
        if values[0] == values[1]:
            return Edit(title, (), self.node)
        changes = (Replace((*path, places[0]), values[1]), Replace((*path, places[1]), values[0]))
        return Edit(title, changes, self.node)

    def _place(self, level: Level, written: Any, place: str | int) -> Any:
        if isinstance(written, Mapping) and isinstance(place, int) and 0 <= place < len(written):
            place = list(written)[place]
        if isinstance(written, list) and isinstance(place, str):
            kind = kind_of_node(level, level.definition.nodes[self.node])
            names = [port.name for port in (kind.ports if kind is not None else None) or ()]
            place = names.index(place) if place in names else place
        known: list[Any] = list(written) if isinstance(written, Mapping) else []
        known = list(range(len(written))) if isinstance(written, list) else known
        if place in known and not isinstance(place, bool):
            return place
        path = level.at("nodes", self.node)
        message = f"{self.node} has no input {place}"
        hint = f"it has {listed([str(each) for each in known])}" if known else "it takes one value"
        raise refused(level.document, "GB303", message, path, key=True, hint=hint)


@dataclass(frozen=True, slots=True)
class Rewire:
    """Lets an edge come from another value.

    Arguments:
        source: what is taken now.
        target: the node that takes it, or "outputs".
        new: what is to be taken.
        block: the block that the nodes stand in; None for the file itself.
    """

    source: str
    target: str
    new: str
    block: str | None = None

    def edit(self, document: Document) -> Edit:
        """Replaces it in every place at which the node takes it.

        Raises:
            CommandError: there is no such edge or value, or the nodes would feed each other in a circle.
        """
        level = level_of(document, self.block)
        rewiring = Rewiring(level)
        uses = _edge(rewiring, self.source, self.target)
        known_value(level, self.new)
        target = uses[0].consumer
        if target != OUTPUTS:
            _refuse_circle(rewiring, self.new, target)
        rewiring.give(uses, self.new)
        rewiring.follow_keys(self.source, self.new, [target])
        focus = None if target == OUTPUTS else target
        return Edit(f"rewire {self.target} to {self.new}", rewiring.settled(), focus, tuple(rewiring.told[:1]))


@dataclass(frozen=True, slots=True)
class UnsetFrom:
    """Takes the `from` of a node away where the order of the nodes says the same.

    Arguments:
        node: the node.
        block: the block that the node stands in; None for the file itself.
    """

    node: str
    block: str | None = None

    def edit(self, document: Document) -> Edit:
        """Takes it away; the node goes on taking what it took.

        Raises:
            CommandError: GB201, the node has no from; GB303, it would take something else without it.
        """
        level = level_of(document, self.block)
        known_node(level, self.node)
        path = level.at("nodes", self.node)
        written = level.data["nodes"][self.node]
        if "from" not in written:
            raise refused(document, "GB201", f"{self.node} has no from", path, key=True)
        above, source = Rewiring(level).above(self.node), written["from"]
        definition = _definition(level)
        if above is None or not isinstance(source, str) or same_branch(definition, source) != above:
            would = f"takes {above}, which stands above it" if above is not None else "takes nothing"
            raise refused(
                document, "GB303", f"without a from, {self.node} {would}", (*path, "from"), expected="the same as now",
                hint=f"rewire it to {above} first" if above is not None else None,
            )  # fmt: skip
        return Edit(f"leave what {self.node} takes to the order", (Delete((*path, "from")),), self.node)


def _edge(rewiring: Rewiring, source: str, target: str) -> list[Use]:
    """The places at which a node, or the outputs, take a value.

    Raises:
        CommandError: GB301, one of them does not exist; GB303, there is no such edge.
    """
    level = rewiring.level
    consumer = OUTPUTS if target == "outputs" else target
    if consumer != OUTPUTS:
        known_node(level, target)
    wanted = same_branch(_definition(level), source)
    uses = [use for use in rewiring.sources(consumer) if same_branch(_definition(level), use.reference) == wanted]
    if not uses:
        taken = list(dict.fromkeys(use.reference for use in rewiring.sources(consumer)))
        does, has = (
            ("the outputs do not name", "they name") if consumer == OUTPUTS else (f"{target} does not take", "it takes")
        )
        path = level.at("outputs") if consumer == OUTPUTS else level.at("nodes", target)
        path = path if level.document.source.node(path) is not None else level.at("nodes")
        hint = f"{has} {listed(taken)}" if taken else None
        raise refused(level.document, "GB303", f"{does} {source}", path, key=True, found=source, hint=hint)
    return uses


def _definition(level: Level) -> Any:
    return level.definition


def _refuse_circle(rewiring: Rewiring, source: str, target: str) -> None:
    """Refuses an edge that would close a circle.

    Raises:
        CommandError: GB302.
    """
    trail = rewiring.circle(source, target)
    if trail is not None:
        level = rewiring.level
        circle = " → ".join([*trail, target])
        message = f"{target} cannot take {source}, because nodes would feed each other in a circle: {circle}"
        raise refused(level.document, "GB302", message, level.at("nodes", target), key=True)


def draw(document: Document, random: Random) -> Command | None:
    """A command on an edge that can perhaps be carried out; None where there is no edge.

    Arguments:
        document: a loaded blueprint.
        random: where chance comes from.
    """
    level = Level(document, random.choice([None, None, *document.blueprint.blocks]))
    uses = level.uses()
    nodes = list(level.definition.nodes)
    if not uses or not nodes:
        return None
    use = random.choice(uses)
    target = "outputs" if use.consumer == OUTPUTS else use.consumer
    value = random.choice(level.names)
    several = [
        name for name in nodes
        if isinstance(written := level.data["nodes"][name].get("from"), (list, dict)) and len(written) > 1
    ]  # fmt: skip
    chosen = random.random()
    implied = [
        name for above, name in pairwise(nodes)
        if level.data["nodes"][name].get("from") == above
    ]  # fmt: skip
    if implied and chosen > 0.9:
        return UnsetFrom(random.choice(implied), level.block)
    if chosen < 0.3:
        return Connect(value, random.choice(nodes), block=level.block)
    if chosen < 0.5 and several:
        return SwapInputs(random.choice(several), block=level.block)
    if chosen < 0.7 and several:
        name = random.choice(several)
        taken = [each.reference for each in uses if each.consumer == name]
        if taken:
            return Disconnect(random.choice(taken), name, level.block)
    return Rewire(use.reference, target, value, level.block)
