"""Lays a scene out in cells: boxes in ranks and columns, edges at right angles, frames around unfolded blocks.

Chains and lanes: each box stands one rank below what feeds it; chains of boxes stand in columns; what skips ranks goes
down its own column where that is free, else in a lane beside one; in the gaps between ranks, rows for what goes
sideways are assigned by the left-edge algorithm. All of it takes time in proportion to the graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from graphbuilder.text.collector import collector_paused
from graphbuilder.tui.canvas.across import Across, across_of
from graphbuilder.tui.canvas.channels import Channels, channels_of
from graphbuilder.tui.canvas.lanes import Lane, Lanes, lanes_of
from graphbuilder.tui.canvas.measuring import size_of, widest, width_for
from graphbuilder.tui.canvas.plan import Kept, Plan, plan_of
from graphbuilder.tui.canvas.scene import Density, Edge, Scene
from graphbuilder.tui.canvas.wording import shortened, width_of

__all__ = ["Layout", "Point", "Rect", "Segment", "layout"]

_WIDEST_LABEL = 24


class Point(NamedTuple):
    """A cell: how far from the left and from the top."""

    x: int
    y: int


class Rect(NamedTuple):
    """Some cells: the leftmost, the topmost, how many across and how many down."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first cell to the right of it."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row below it."""
        return self.y + self.height

    def holds(self, x: int, y: int) -> bool:
        """Whether a cell is one of its cells."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


class Segment(NamedTuple):
    """A straight part of a route, from one cell to another, both included; the net is a number."""

    x0: int
    y0: int
    x1: int
    y1: int
    net: int


@dataclass(eq=False)
class Layout:
    """Where everything of a scene is drawn, in cells.

    Arguments:
        scene: what is drawn.
        density: how much of each box.
        boxes: the cells of each box, by id; a line of an edge begins and ends on the border of a box.
        frames: the cells of each group's frame, by id.
        width: of everything.
        height: of everything.
        segments: the lines of all edges; those that carry the same value share them.
        ranks: the first row of each rank, and the row below its highest box.
        plan: the ranks and columns.
        lanes: how values pass ranks.
        across: the cells of columns and lanes.
        channels: where values leave, go sideways and arrive.
        gaps: the first row of tracks above each rank, and below the last.
        widest: the widest that a box could become for its texts.
        sizes: the width and height that the texts of each box take.
    """

    scene: Scene
    density: Density
    boxes: dict[str, Rect]
    frames: dict[str, Rect]
    width: int
    height: int
    segments: list[Segment]
    ranks: list[tuple[int, int]]
    plan: Plan
    lanes: Lanes
    across: Across
    channels: Channels
    gaps: list[int]
    widest: int
    sizes: list[tuple[int, int]]

    @cached_property
    def number(self) -> Mapping[str, int]:
        """The number of each box, by id."""
        return {box.id: index for index, box in enumerate(self.scene.boxes)}

    @cached_property
    def texts(self) -> Mapping[int, str]:
        """The label of each net that has one."""
        return {index: _label(net.label)[0] for index, net in enumerate(self.plan.nets) if net.label}

    @cached_property
    def net_of(self) -> Mapping[tuple[int, str], int]:
        """The number of the net of a source and a value."""
        return {(net.source, net.value): index for index, net in enumerate(self.plan.nets)}

    def net(self, edge: Edge) -> int:
        """The number of the net that carries an edge."""
        return self.net_of[self.number[edge.source], edge.value]

    def departure(self, edge: Edge) -> int:
        """The column in which an edge leaves its source."""
        return self.channels.leaving[self.net(edge)]

    def arrival(self, edge: Edge) -> int:
        """The column in which an edge arrives at its target."""
        return self.channels.arriving[self.net(edge), self.number[edge.target]]

    def route(self, edge: Edge) -> tuple[Point, ...]:
        """The corners of an edge's way, from the border of its source to the border of its target."""
        index, target = self.net(edge), self.number[edge.target]
        net = self.plan.nets[index]
        start, end = self.boxes[edge.source], self.boxes[edge.target]
        leaving, along = self.channels.leaving[index], self.channels.passing[index]
        arriving = self.channels.arriving[index, target]
        own, gap = self.plan.rank[net.source], self.plan.rank[target] - 1
        points = [Point(leaving, start.bottom - 1)]
        for here, cell in ((own, along), (gap, arriving)) if gap != own else ((own, arriving),):
            if cell is not None and cell != points[-1].x:
                row = self._row(here, index)
                points += [Point(points[-1].x, row), Point(cell, row)]
        points.append(Point(arriving, end.y))
        return tuple(point for number, point in enumerate(points) if number == 0 or point != points[number - 1])

    def _row(self, gap: int, net: int) -> int:
        return self.gaps[gap + 1] + self.channels.tracks[gap][net].row


def layout(scene: Scene, density: Density = Density.NORMAL, previous: Layout | None = None) -> Layout:
    """Lays a scene out.

    Arguments:
        scene: what there is to draw.
        density: how much of each box is drawn.
        previous: an earlier layout, of which everything stays where it was if it still can: boxes and lanes keep their
            columns, and nothing moves sideways as long as there is room.

    Example:
        >>> from graphbuilder.tui.canvas.scene import Box, Edge
        >>> boxes = (Box("a", "a", "input", "input"), Box("b", "b", "Dense", "core"))
        >>> found = layout(Scene(boxes, (Edge("a", "b", "a"),)))
        >>> found.boxes["a"], found.route(found.scene.edges[0])
        (Rect(x=1, y=0, width=9, height=3), (Point(x=5, y=2), Point(x=5, y=4)))
    """
    with collector_paused():
        return _laid_out(scene, density, previous)


def _laid_out(scene: Scene, density: Density, previous: Layout | None) -> Layout:
    same = previous if previous is not None and previous.density is density else None
    if same is not None and _alike(scene, same.scene, density, same.widest):
        # What is written in the boxes is another thing, and all of them stand where they stood.
        made = copy(same)
        made.scene = scene
        return made
    kept: Mapping[str, Kept] = {} if previous is None else previous.plan.kept
    plan = plan_of(scene, kept, 0 if previous is None else previous.lanes.columns)
    ids = [box.id for box in scene.boxes]
    lanes = lanes_of(plan, {} if same is None else _kept_lanes(same), None if same is None else same.across.counts, ids)
    most = widest(density, lanes.columns) if same is None else same.widest
    sizes = _sizes(scene, density, most, same)
    heights = [height for _, height in sizes]
    widths = _widths(plan, [width for width, _ in sizes])
    across = across_of(plan, lanes, widths, None if same is None else same.across)
    channels = channels_of(plan, lanes, across, widths)
    ranks, gaps, height = _down(plan, heights, channels)
    boxes = {
        box: Rect(across.middle[column] - width // 2, ranks[rank][0], width, tall)
        for box, column, rank, width, tall in zip(ids, plan.column, plan.rank, widths, heights, strict=True)
    }
    frames = _frames(scene, plan, across, ranks, gaps)
    made = Layout(
        scene, density, boxes, frames, across.width, height, [], ranks, plan, lanes, across, channels, gaps,
        most, sizes,
    )  # fmt: skip
    made.segments.extend(_segments(made))
    labelled = [
        leaving + 3 + _label(net.label)[1]
        for leaving, net in zip(channels.leaving, plan.nets, strict=True)
        if net.label
    ]
    made.width = max([made.width, *labelled])
    return made


# The shapes of a model are few, and stand at many edges.
@lru_cache(maxsize=4096)
def _label(text: str) -> tuple[str, int]:
    """A label as it is drawn, and the cells that it takes."""
    drawn = shortened(text, _WIDEST_LABEL)
    return drawn, width_of(drawn)


def _alike(scene: Scene, before: Scene, density: Density, most: int) -> bool:
    """Whether two scenes have the same edges, and boxes of the same sizes."""
    if len(scene.boxes) != len(before.boxes) or scene.edges != before.edges or scene.groups != before.groups:
        return False
    changed = ((one, other) for one, other in zip(scene.boxes, before.boxes, strict=True) if one is not other)
    return all(
        one.id == other.id and one.group == other.group and size_of(one, density, most) == size_of(other, density, most)
        for one, other in changed
    )


def _kept_lanes(previous: Layout) -> dict[tuple[str, str], Lane]:
    boxes = previous.scene.boxes
    return {
        (boxes[net.source].id, net.value): lane
        for net, lane in zip(previous.plan.nets, previous.lanes.of_net, strict=True)
        if lane is not None
    }


def _sizes(scene: Scene, density: Density, most: int, previous: Layout | None) -> list[tuple[int, int]]:
    """The width and height that the texts of each box take; most boxes are the same objects as in an earlier layout."""
    known: dict[int, tuple[int, int]] = {}
    if previous is not None:
        known = dict(zip(map(id, previous.scene.boxes), previous.sizes, strict=True))
    return [known.get(id(box)) or size_of(box, density, most) for box in scene.boxes]


def _widths(plan: Plan, widths: Sequence[int]) -> list[int]:
    """The width of each box, which has room for its texts and for all that arrives and leaves."""
    found = list(widths)
    leaving, arriving = [0] * len(widths), [0] * len(widths)
    for net in plan.nets:
        leaving[net.source] += 1
        for target in net.targets:
            arriving[target] += 1
    for index, ports in enumerate(map(max, leaving, arriving)):
        if ports > 1:
            found[index] = max(found[index], width_for(ports))
    return found


def _down(
    plan: Plan, heights: Sequence[int], channels: Channels
) -> tuple[list[tuple[int, int]], list[int], int]:  # fmt: skip
    """The rows of each rank, the first row of tracks in each gap, beginning with the one above all, and the height."""
    count = max(plan.rank, default=-1) + 1
    tall = [0] * count
    for rank, height in zip(plan.rank, heights, strict=True):
        tall[rank] = max(tall[rank], height)
    tops, bottoms = _frame_rows(plan, count)
    ranks, gaps = [], []
    y = 0
    for rank in range(-1, count):
        if rank >= 0:
            ranks.append((y, y + tall[rank]))
            y += tall[rank] + bottoms[rank]
        gaps.append(y)
        between = 1 if 0 <= rank < count - 1 else 0
        y += max(channels.rows.get(rank, 0), between)
        if rank < count - 1:
            y += tops[rank + 1]
    return ranks, gaps, max(y, 1)


def _frame_rows(plan: Plan, ranks: int) -> tuple[list[int], list[int]]:
    """How many sides of frames lie one over the other above and below each rank."""
    tops, bottoms = [0] * (ranks + 1), [0] * (ranks + 1)
    for group in range(len(plan.spans)):
        above, below = _nested(plan, group)
        start, end = plan.spans[group].start, plan.spans[group].end
        tops[start] = max(tops[start], above)
        bottoms[end] = max(bottoms[end], below)
    return tops, bottoms


def _nested(plan: Plan, group: int) -> tuple[int, int]:
    """How many frames begin, and end, at the same rank as a group's and are around it, its own included."""
    start, end = plan.spans[group].start, plan.spans[group].end
    above = below = 0
    while group >= 0:
        above += plan.spans[group].start == start
        below += plan.spans[group].end == end
        group = plan.outer[group]
    return above, below


def _frames(
    scene: Scene, plan: Plan, across: Across, ranks: Sequence[tuple[int, int]], gaps: Sequence[int]
) -> dict[str, Rect]:
    """The frame of each group: its top just above its first rank, its bottom just below its last one."""
    tops, _ = _frame_rows(plan, len(ranks))
    frames = {}
    for index, group in enumerate(scene.groups):
        span, (left, right) = plan.spans[index], across.sides[index]
        above, below = _nested(plan, index)
        top = ranks[span.start][0] - tops[span.start] + above - 1
        bottom = gaps[span.end + 1] - below
        frames[group.id] = Rect(left, top, right - left + 1, bottom - top + 1)
    return frames


def _segments(made: Layout) -> list[Segment]:
    """The lines of all nets."""
    plan, channels, boxes = made.plan, made.channels, list(made.boxes.values())
    found = []
    for index, net in enumerate(plan.nets):
        own = plan.rank[net.source]
        if len(net.targets) == 1 and plan.rank[net.targets[0]] == own + 1 and index not in channels.tracks.get(own, ()):
            column = channels.leaving[index]
            found.append(Segment(column, boxes[net.source].bottom - 1, column, boxes[net.targets[0]].y, index))
            continue
        leaving, along = channels.leaving[index], channels.passing[index]
        start = boxes[net.source].bottom - 1
        rows = {
            gap: made.gaps[gap + 1] + channels.tracks[gap][index].row
            for gap in dict.fromkeys([own, *(plan.rank[target] - 1 for target in net.targets)])
            if index in channels.tracks.get(gap, ())
        }
        found += [Segment(channels.tracks[gap][index].left, row, channels.tracks[gap][index].right, row, index)
                  for gap, row in rows.items()]  # fmt: skip
        lowest = rows.get(own, start)
        for target in net.targets:
            gap, arriving, end = plan.rank[target] - 1, channels.arriving[index, target], boxes[target].y
            if gap in rows:
                found.append(Segment(arriving, rows[gap], arriving, end, index))
                if along == leaving and gap != own:
                    lowest = max(lowest, rows[gap])
            else:
                lowest = max(lowest, end)
        found.append(Segment(leaving, start, leaving, lowest, index))
        if along is not None and along != leaving:
            found.append(Segment(along, min(rows.values()), along, max(rows.values()), index))
    return found
