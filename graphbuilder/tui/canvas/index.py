"""What of a layout lies in a row or at a cell, and which box is next to which."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from graphbuilder.tui.canvas.labels import Label, labels_in
from graphbuilder.tui.canvas.layout import Layout, Rect
from graphbuilder.tui.canvas.scene import Edge

__all__ = ["CHUNK", "Direction", "Index", "Vertical", "jump_labels"]

# Rows in one part of the index of vertical lines.
CHUNK = 64
# What jump labels are made of: letters that are easy to reach come first.
_LETTERS = "fjdksla;ghrueiwoqptyvmcnbxz"[:26].replace(";", "")
# How many ranks away a box may be that stands to the left or right.
_ASIDE = 6


class Direction(StrEnum):
    """Where to go from a box: along its edges, or to its siblings."""

    UP = "up"
    DOWN = "down"
    LEFT = "left"
    RIGHT = "right"


class Vertical(NamedTuple):
    """A line down one column of cells."""

    x: int
    top: int
    bottom: int
    net: int


class Index:
    """A layout, to be asked what is where.

    Arguments:
        layout: the layout.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._ranks: list[list[tuple[int, int, str]]] = [[] for _ in layout.ranks]
        for box, rank in zip(layout.scene.boxes, layout.plan.rank, strict=True):
            rect = layout.boxes[box.id]
            self._ranks[rank].append((rect.x, rect.right, box.id))
        for boxes in self._ranks:
            boxes.sort()
        self._tops = [top for top, _ in layout.ranks]
        self._chunks: dict[int, list[Vertical]] = {}
        self.horizontals: dict[int, list[tuple[int, int, int]]] = {}
        for x0, y0, x1, y1, net in layout.segments:
            if y0 == y1:
                self.horizontals.setdefault(y0, []).append((x0, x1, net))
                continue
            line = Vertical(x0, y0, y1, net)
            for chunk in range(y0 // CHUNK, y1 // CHUNK + 1):
                self._chunks.setdefault(chunk, []).append(line)
        self._below = {gap: rank for rank, gap in enumerate(layout.gaps[1:])}
        self._labels: dict[int, tuple[Label, ...]] = {}
        self._frames: dict[int, list[tuple[str, Rect]]] = {}
        for group, rect in layout.frames.items():
            for chunk in range(rect.y // CHUNK, (rect.bottom - 1) // CHUNK + 1):
                self._frames.setdefault(chunk, []).append((group, rect))

    def verticals(self, y: int) -> Iterable[Vertical]:
        """The lines that go through a row, or begin or end in it."""
        return (line for line in self._chunks.get(y // CHUNK, ()) if line.top <= y <= line.bottom)

    def labels(self, y: int) -> tuple[Label, ...]:
        """The labels in a row."""
        rank = self._below.get(y)
        if rank is None:
            return ()
        if y not in self._labels:
            lines = self.horizontals.get(y, ())
            self._labels[y] = labels_in(self.layout, y, self._leaving.get(rank, ()), self._columns, lines)
        return self._labels[y]

    def _columns(self, y: int) -> list[int]:
        return [line.x for line in self.verticals(y)]

    @cached_property
    def _leaving(self) -> dict[int, list[int]]:
        """The nets that leave each rank, from left to right."""
        plan, leaving = self.layout.plan, self.layout.channels.leaving
        found: dict[int, list[int]] = {}
        for net in sorted(range(len(plan.nets)), key=lambda index: leaving[index]):
            found.setdefault(plan.rank[plan.nets[net].source], []).append(net)
        return found

    def frames(self, y: int) -> Iterable[tuple[str, Rect]]:
        """The frames that have cells in a row, outer ones first."""
        return (each for each in self._frames.get(y // CHUNK, ()) if each[1].y <= y < each[1].bottom)

    def row(self, y: int, left: int, right: int) -> Sequence[str]:
        """The boxes that have cells in a row, between two columns, the second one excluded."""
        rank = bisect_right(self._tops, y) - 1
        if rank < 0 or y >= self.layout.ranks[rank][1]:
            return ()
        found = []
        boxes = self._ranks[rank]
        # Boxes of a rank do not overlap, so that they are sorted by their right sides as well.
        for x, end, box in boxes[bisect_right(boxes, left, key=lambda each: each[1]) :]:
            if x >= right:
                break
            if end > left and y < self.layout.boxes[box].bottom:
                found.append(box)
        return found

    def box_at(self, x: int, y: int) -> str | None:
        """The box that has a cell."""
        return next(iter(self.row(y, x, x + 1)), None)

    def frame_at(self, x: int, y: int) -> str | None:
        """The innermost frame on whose border a cell is."""
        found = None
        for group, rect in self.frames(y):
            inside = rect.x < x < rect.right - 1 and rect.y < y < rect.bottom - 1
            if rect.holds(x, y) and not inside:
                found = group
        return found

    def edges_at(self, x: int, y: int) -> tuple[Edge, ...]:
        """The edges whose lines go through a cell."""
        nets = {line.net for line in self.verticals(y) if line.x == x}
        nets |= {net for left, right, net in self.horizontals.get(y, ()) if left <= x <= right}
        boxes = self.layout.scene.boxes
        sources = {boxes[self.layout.plan.nets[net].source].id for net in nets}
        leaving = self.layout.scene.leaving
        found = [edge for source in sorted(sources) for edge in leaving.get(source, ())]
        return tuple(edge for edge in found if self.layout.net(edge) in nets and self._passes(edge, x, y))

    def _passes(self, edge: Edge, x: int, y: int) -> bool:
        points = self.layout.route(edge)
        return any(
            min(one.x, other.x) <= x <= max(one.x, other.x) and min(one.y, other.y) <= y <= max(one.y, other.y)
            for one, other in pairwise(points)
        )

    def within(self, area: Rect) -> tuple[str, ...]:
        """The boxes that have cells in an area, from top to bottom and left to right."""
        first = max(bisect_right(self._tops, area.y) - 1, 0)
        last = bisect_left(self._tops, area.bottom)
        found = []
        for rank in range(first, last):
            for x, end, box in self._ranks[rank]:
                if x < area.right and end > area.x and self.layout.boxes[box].bottom > area.y:
                    found.append(box)
        return tuple(found)

    def neighbour(self, box: str, direction: Direction, before: str | None = None) -> str | None:
        """The box that is next in a direction: along the edges up or down, among the siblings left or right.

        Arguments:
            box: where to go from.
            direction: where to.
            before: the box in which one was before; going back along an edge leads there.
        """
        scene = self.layout.scene
        if direction in (Direction.UP, Direction.DOWN):
            up = direction is Direction.UP
            edges = (scene.arriving if up else scene.leaving).get(box, ())
            found = list(dict.fromkeys(edge.source if up else edge.target for edge in edges))
            if before in found:
                return before
            return min(found, key=lambda other: self._distance(box, other), default=None)
        return self._sibling(box, 1 if direction is Direction.RIGHT else -1)

    def _middle(self, box: str) -> int:
        rect = self.layout.boxes[box]
        return rect.x + rect.width // 2

    def _distance(self, box: str, other: str) -> tuple[int, int, int]:
        """How far aside, and then how far away, a box is."""
        aside = self._middle(other) - self._middle(box)
        return abs(aside), abs(self.layout.boxes[other].y - self.layout.boxes[box].y), aside

    def _sibling(self, box: str, step: int) -> str | None:
        middle = self._middle(box)
        rank = self.layout.plan.rank[self.layout.number[box]]
        for distance in range(_ASIDE + 1):
            near = {*self._ranks[max(rank - distance, 0)], *self._ranks[min(rank + distance, len(self._ranks) - 1)]}
            beside = [each for _, _, each in near if (self._middle(each) - middle) * step > 0]
            if beside:
                return min(beside, key=lambda other: (abs(self._middle(other) - middle), self.layout.boxes[other].y))
        return None

    def ends(self) -> tuple[str | None, str | None]:
        """The first and the last box: the leftmost of the first rank, the leftmost of the last."""
        if not self._ranks:
            return None, None
        return self._ranks[0][0][2], self._ranks[-1][0][2]


def jump_labels(boxes: Sequence[str]) -> dict[str, str]:
    """A label of few letters for each box, none of which begins another.

    Example:
        >>> jump_labels(["conv", "norm"])
        {'conv': 'f', 'norm': 'j'}
    """
    length, most = 1, len(_LETTERS)
    while most < len(boxes):
        length, most = length + 1, most * len(_LETTERS)
    found = {}
    for number, box in enumerate(boxes):
        label = ""
        for _ in range(length):
            number, letter = divmod(number, len(_LETTERS))
            label = _LETTERS[letter] + label
        found[box] = label
    return found
