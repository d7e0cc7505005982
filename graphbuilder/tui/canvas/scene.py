"""What there is to draw, as plain data: boxes, edges between them, and frames around the boxes of unfolded blocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import NamedTuple

from graphbuilder.text.source import Path

__all__ = ["FAMILIES", "MARKS", "OUTPUT", "Box", "Density", "Edge", "Group", "Scene"]

# How the path of a box that stands for an output begins: with a word that no node can have for a name.
OUTPUT = "outputs:"

# What tells boxes apart by colour, in the order of the legend.
FAMILIES = (
    "input",
    "output",
    "core",
    "convolution",
    "recurrent",
    "attention",
    "normalization",
    "activation",
    "pooling",
    "reshaping",
    "merging",
    "regularization",
    "preprocessing",
    "op",
    "fusion",
    "block",
    "custom",
    "unknown",
)

# What may be noted of a box, with the glyph that says so; the first of them that a box has colours its border.
MARKS: Mapping[str, str] = {
    "error": "✗",
    "warning": "!",
    "compressed": "◆",
    "shared": "=",
    "left out": "∅",
    "folded": "▸",
    "unfolded": "▾",
}


class Density(IntEnum):
    """How much of a box is drawn."""

    DENSE = 0  # one line
    NORMAL = 1  # title, kind and shape
    FULL = 2  # with arguments and parameters


class Box(NamedTuple):
    """A node, an input, an output, or one copy of a repeated block.

    Arguments:
        id: the path of the node in the graph, such as `encoder.2.attention`; an input's name; `outputs:` or
            `outputs:port` for an output. Where a node bears the name of an input, which is an error, the node's is
            its name with a colon behind it.
        title: what it is called, as the user wrote it.
        kind: what it is: the layer, op, way of merging or block.
        family: one of `FAMILIES`.
        arguments: what was written for it and is not the default, such as `filters 64`.
        shape: what it gives, such as `112×112×64`; empty where that is not known.
        parameters: numbers in its weights; None where that is not known, 0 where it has none of its own.
        marks: some of `MARKS`.
        group: the unfolded block that it lies in, if any.
        where: the keys that lead to what was written in the user's file, or None where it was written elsewhere.
    """

    id: str
    title: str
    kind: str
    family: str
    arguments: tuple[str, ...] = ()
    shape: str = ""
    parameters: int | None = None
    marks: frozenset[str] = frozenset()
    group: str | None = None
    where: Path | None = None


class Edge(NamedTuple):
    """A value that one box takes from another.

    Arguments:
        source: the id of the box that gives it.
        target: the id of the box that takes it.
        value: which of the source's values it is, by its name in the graph.
        label: its shape, or empty where that is not known.
        port: the name or number of the place where it arrives; empty where there is just one.
        reference: how it is written, empty where it is not.
        where: the keys that lead to the reference in the user's file, or would if it is implied; None where it was
            written elsewhere.
        implied: whether it is left to the order of the nodes.
    """

    source: str
    target: str
    value: str
    label: str = ""
    port: str = ""
    reference: str = ""
    where: Path | None = None
    implied: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """An unfolded block, or one copy of it: a frame around its boxes.

    Arguments:
        id: its path.
        title: what it is called.
        kind: the block.
        marks: some of `MARKS`.
        group: the unfolded block that it lies in, if any.
        where: as of a box.
    """

    id: str
    title: str
    kind: str
    marks: frozenset[str] = frozenset()
    group: str | None = None
    where: Path | None = None


@dataclass(frozen=True)
class Scene:
    """What there is to draw.

    Arguments:
        boxes: in the order of the file, inputs first and outputs last.
        edges: in the order of the boxes that take them.
        groups: each after those that it lies in.
    """

    boxes: tuple[Box, ...] = ()
    edges: tuple[Edge, ...] = ()
    groups: tuple[Group, ...] = ()

    @cached_property
    def box(self) -> Mapping[str, Box]:
        """The boxes by id."""
        return {box.id: box for box in self.boxes}

    @cached_property
    def group(self) -> Mapping[str, Group]:
        """The groups by id."""
        return {group.id: group for group in self.groups}

    @cached_property
    def leaving(self) -> Mapping[str, tuple[Edge, ...]]:
        """The edges that leave each box that any leave."""
        return _by((edge.source, edge) for edge in self.edges)

    @cached_property
    def arriving(self) -> Mapping[str, tuple[Edge, ...]]:
        """The edges that arrive at each box that any arrive at."""
        return _by((edge.target, edge) for edge in self.edges)

    def shown(self, path: str) -> str | None:
        """The box or group that shows a node: its own, or else the innermost around it; None for no node of this scene.

        Arguments:
            path: the path of a node, such as `encoder.2.attention`.
        """
        while path:
            if path in self.box or path in self.group:
                return path
            path = path.rpartition(".")[0]
        return None

    def reached(self, box: str, *, upstream: bool) -> frozenset[str]:
        """All boxes that feed a box, or that it feeds, directly or through others; not the box itself.

        Arguments:
            box: the id.
            upstream: whether those that feed it are meant.
        """
        found: set[str] = set()
        waiting = [box]
        while waiting:
            here = waiting.pop()
            edges = (self.arriving if upstream else self.leaving).get(here, ())
            for edge in edges:
                other = edge.source if upstream else edge.target
                if other not in found:
                    found.add(other)
                    waiting.append(other)
        return frozenset(found - {box})


def _by(pairs: Iterable[tuple[str, Edge]]) -> dict[str, tuple[Edge, ...]]:
    found: dict[str, list[Edge]] = {}
    for box, edge in pairs:
        found.setdefault(box, []).append(edge)
    return {box: tuple(edges) for box, edges in found.items()}
