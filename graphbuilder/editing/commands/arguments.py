"""The commands that set what a node says beside its kind and its inputs, and take it away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from graphbuilder.blueprint import Document
from graphbuilder.blueprint.forms import KINDS
from graphbuilder.editing.checking_nodes import check_node, node_faults
from graphbuilder.editing.command import Command, Edit
from graphbuilder.editing.kinds import kind_of_node, kind_of_reused, required_arguments
from graphbuilder.editing.levels import Level, level_of, refused
from graphbuilder.editing.rewiring import Rewiring, known_node
from graphbuilder.editing.setting import dotted, set_within, unset_within
from graphbuilder.text.source import Path

__all__ = ["SetArgument", "UnsetArgument", "draw"]


@dataclass(frozen=True, slots=True)
class SetArgument:
    """Gives an argument of a node a value; all other keys beside its kind and its `from` are set in the same way.

    These are `about`, `when`, `call`, `wraps`, `args`, `gives`, `repeat`, `trainable` and `pretrained`, and `reuse` of
    a node that has it.

    Arguments:
        node: the node.
        path: the argument, and for a part of its value the keys below: `("kernel_initializer", "HeNormal", "seed")`.
        value: plain data; an expression is a string such as `$units`.
        block: the block that the node stands in; None for the file itself.
    """

    node: str
    path: Path
    value: Any
    block: str | None = None

    def edit(self, document: Document) -> Edit:
        """Writes it behind the other arguments, or in the place of the value before.

        Raises:
            CommandError: the argument is not known, or does not take that value.
        """
        level = _checked(document, self.node, self.path, self.block)
        if self.path == ("reuse",):
            _check_reused(level, self.node, self.value)
        change, after = set_within(document, level.at("nodes", self.node), self.path, self.value)
        title = f"set {dotted(self.path)} of {self.node}"
        if change is None:
            return Edit(title, (), self.node)
        check_node(level, self.node, after, level.data["nodes"][self.node])
        return Edit(title, (change,), self.node)


@dataclass(frozen=True, slots=True)
class UnsetArgument:
    """Takes an argument of a node away, so that it has its default.

    Arguments:
        node: the node.
        path: the argument, and for a part of its value the keys below it.
        block: the block that the node stands in; None for the file itself.
    """

    node: str
    path: Path
    block: str | None = None

    def edit(self, document: Document) -> Edit:
        """Deletes it with the comments that are its own.

        Raises:
            CommandError: it is not set, or the node needs it.
        """
        level = _checked(document, self.node, self.path, self.block)
        if self.path == ("reuse",):
            place = level.at("nodes", self.node, "reuse")
            raise refused(document, "GB202", f"{self.node} is nothing without what it reuses", place)
        change, after = unset_within(document, level.at("nodes", self.node), self.path)
        if after is not None:
            check_node(level, self.node, after, level.data["nodes"][self.node])
        return Edit(f"unset {dotted(self.path)} of {self.node}", (change,), self.node)


def _checked(document: Document, node: str, path: Path, block: str | None) -> Level:
    """The level of a node, if an argument of it can be set.

    Raises:
        CommandError: GB301, there is no such node; GB203, it is no argument.
    """
    level = level_of(document, block)
    known_node(level, node)
    place = level.at("nodes", node)
    if not path or path[0] == "from":
        hint = "connect, disconnect or rewire it, or leave it to the order of the nodes"
        raise refused(document, "GB203", f"what {node} takes is no argument", place, key=True, hint=hint)
    if path[0] in KINDS and not (path == ("reuse",) and "reuse" in level.data["nodes"][node]):
        hint = "change its kind, or add another node"
        raise refused(document, "GB203", f"{path[0]} says what kind of node {node} is", place, key=True, hint=hint)
    return level


def _check_reused(level: Level, node: str, reused: Any) -> None:
    """Refuses what a node cannot call again.

    Raises:
        CommandError: GB301, there is no such node; GB302, the node feeds it; GB310, it has no weights.
    """
    kind_of_reused(level, str(reused))
    trail = Rewiring(level).circle(str(reused), node)
    if trail is not None:
        message = f"{node} cannot reuse {reused}, which it feeds: {' → '.join(trail)}"
        raise refused(level.document, "GB302", message, level.at("nodes", node, "reuse"))


def draw(document: Document, random: Random) -> Command | None:
    """A command that sets or takes away something that a node says; None where there is no node.

    Arguments:
        document: a loaded blueprint.
        random: where chance comes from.
    """
    level = Level(document, random.choice([None, None, *document.blueprint.blocks]))
    nodes = list(level.definition.nodes)
    if not nodes:
        return None
    name = random.choice(nodes)
    written = level.data["nodes"][name]
    choices = list(_choices(level, name, random))
    reusable = [each for each in nodes if each != name and level.definition.nodes[each].kind in ("layer", "block")]
    if "reuse" in written and reusable and random.random() < 0.5:
        return SetArgument(name, ("reuse",), random.choice(reusable), level.block)
    unset = [key for key in written if key not in (*KINDS, "from")]
    kind = kind_of_node(level, level.definition.nodes[name])
    needed = required_arguments(kind) if kind is not None else {}
    free = [key for key in unset if key not in needed]
    if free and random.random() < 0.3:
        return UnsetArgument(name, (random.choice(free),), level.block)
    path, value = random.choice(choices)
    return SetArgument(name, path, value, level.block)


def _choices(level: Level, name: str, random: Random) -> Iterator[tuple[Path, Any]]:
    """What can be set at a node, each with a value that it takes."""
    yield ("about",), random.choice(["what: it is # for", "it's plain", "two\nlines", "x"])
    yield ("when",), random.choice([True, "$(1 < 2)"])
    written = level.data["nodes"][name]
    if "layer" in written and level.definition.nodes[name].kind == "layer" and ":" not in written["layer"]:
        yield ("trainable",), random.choice([True, False])
        yield ("dtype",), "float32"
    for path, value in (
        (("kernel_regularizer", "l2", "l2"), 0.01),
        (("kernel_initializer", "HeNormal", "seed"), 3),
        (("kernel_initializer",), "zeros"),
        (("activation",), random.choice(["relu", "gelu", {"leaky_relu": {"negative_slope": 0.1}}])),
        (("units",), random.choice([4, 16, "$(2 * 3)"])),
        (("filters",), random.choice([4, 16])),
        (("repeat",), 2),
        (("trainable",), random.choice([True, False])),
    ):
        after = {**written, path[0]: _nested(path[1:], value)}
        if path[0] in written or not node_faults(level, name, after):
            yield path, value


def _nested(path: Path, value: Any) -> Any:
    for key in reversed(path):
        value = {key: value}
    return value
