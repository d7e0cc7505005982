"""Where everything stands before cells are counted: a rank and a column for each box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter
from typing import NamedTuple

from graphbuilder.tui.canvas.chains import Item, place
from graphbuilder.tui.canvas.ranks import ranks_of
from graphbuilder.tui.canvas.scene import Scene

__all__ = ["Kept", "Net", "Plan", "Span", "plan_of"]


class Kept(NamedTuple):
    """Where a box or group stood.

    Arguments:
        group: the group around it.
        column: its first column within that group.
        columns: how many columns it had.
    """

    group: str | None
    column: int
    columns: int


class Span(NamedTuple):
    """What a group covers.

    Arguments:
        start: its first rank.
        end: its last rank.
        first: its first column.
        last: its last column.
        depth: how many frames there are around it, its own included.
    """

    start: int
    end: int
    first: int
    last: int
    depth: int


@dataclass(slots=True, eq=False)
class Net:
    """A value on its way to all that take it.

    Arguments:
        source: the box that gives it, by its number.
        value: its name.
        label: its shape, or empty where that is not known.
        targets: the boxes that take it, by their numbers, each once.
    """

    source: int
    value: str
    label: str = ""
    targets: list[int] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Plan:
    """Ranks and columns.

    Arguments:
        rank: of each box.
        column: of each box.
        columns: how many columns there are.
        groups: the numbers of the boxes' innermost groups, -1 for none.
        spans: of each group.
        outer: of each group the group around it, -1 for none.
        nets: in the order of their sources.
        kept: what a next plan holds on to, by the ids of boxes and groups.
    """

    rank: list[int]
    column: list[int]
    columns: int
    groups: list[int]
    spans: list[Span]
    outer: list[int]
    nets: list[Net]
    kept: dict[str, Kept]


def plan_of(scene: Scene, previous: Mapping[str, Kept], least: int) -> Plan:
    """The plan of a scene.

    Arguments:
        scene: what there is to draw.
        previous: the places of an earlier plan that are kept where they can be.
        least: how many columns there may be without opening a new one.
    """
    boxes, groups = scene.boxes, scene.groups
    number = {box.id: index for index, box in enumerate(boxes)}
    group_number = {group.id: index for index, group in enumerate(groups)}
    of_box = [-1 if box.group is None else group_number[box.group] for box in boxes]
    outer = [-1 if group.group is None else group_number[group.group] for group in groups]
    edges = [(number[edge.source], number[edge.target]) for edge in scene.edges]
    rank = ranks_of(len(boxes), edges)
    levels = _Levels(scene, rank, of_box, outer, edges)
    kept, base, columns = levels.placed(previous, least)
    column, spans = _absolute(levels, base, of_box, outer)
    nets = _nets(scene, number)
    return Plan(rank, column, columns, of_box, spans, outer, nets, kept)


class _Levels:
    """The items of each level: boxes, numbered as they are, and groups, numbered behind them."""

    def __init__(
        self, scene: Scene, rank: Sequence[int], of_box: Sequence[int], outer: Sequence[int],
        edges: Sequence[tuple[int, int]],
    ) -> None:  # fmt: skip
        self.scene = scene
        self.boxes = len(scene.boxes)
        self.parent = [*of_box, *outer]
        self.ids = [*(box.id for box in scene.boxes), *(group.id for group in scene.groups)]
        self.start = [*rank, *([len(rank)] * len(outer))]
        self.end = [*rank, *([-1] * len(outer))]
        self.columns = [1] * len(self.parent)
        self.inside: list[list[int]] = [[] for _ in range(len(outer) + 1)]
        self.edges: list[list[tuple[int, int]]] = [[] for _ in range(len(outer) + 1)]
        for item, parent in enumerate(self.parent):
            self.inside[parent].append(item)  # the last list, of -1, is that of the scene itself
        for box in range(self.boxes):
            self._span(box)
        # A group stands behind those around it, so that going backwards all that is inside it is known before it.
        for group in range(len(outer) - 1, -1, -1):
            self._span(self.boxes + group)
        for source, target in edges:
            self._edge(source, target)

    def _span(self, item: int) -> None:
        if self.parent[item] >= 0:
            parent = self.boxes + self.parent[item]
            self.start[parent] = min(self.start[parent], self.start[item])
            self.end[parent] = max(self.end[parent], self.end[item])

    def _edge(self, source: int, target: int) -> None:
        """Adds an edge to the innermost level on which both its ends lie."""
        if self.parent[source] != self.parent[target]:
            around = self._around(source)
            above = self._around(target)
            while around and above and around[-1] == above[-1]:
                around.pop()
                above.pop()
            source = around[-1] if around else source
            target = above[-1] if above else target
        if source != target:
            self.edges[self.parent[source]].append((source, target))

    def _around(self, item: int) -> list[int]:
        """An item and the groups around it, the innermost first."""
        found = [item]
        while self.parent[item] >= 0:
            item = self.boxes + self.parent[item]
            found.append(item)
        return found

    def placed(self, previous: Mapping[str, Kept], least: int) -> tuple[dict[str, Kept], list[int], int]:
        """What a next plan holds on to, each item's column within its group, and how many columns there are."""
        kept: dict[str, Kept] = {}
        base = [0] * len(self.parent)
        columns = 0
        for group in range(len(self.inside) - 2, -2, -1):
            members = self.inside[group]
            place_of = {item: index for index, item in enumerate(members)}
            around = None if group < 0 else self.ids[self.boxes + group]
            items = []
            for item in members:
                start, end, wide = self.start[item], self.end[item], self.columns[item]
                before = previous.get(self.ids[item])
                if before is not None and before.group == around:
                    items.append(Item(start, end, wide, before.column, before.columns))
                else:
                    items.append(Item(start, end, wide))
            pairs = [(place_of[source], place_of[target]) for source, target in self.edges[group]]
            found = place(items, pairs, least if group < 0 else 0)
            for item, column in zip(members, found.column, strict=True):
                base[item] = column
                name, wide = self.ids[item], self.columns[item]
                before = previous.get(name)
                # Where everything stands as it did, nothing is made anew.
                same = before is not None and before == (around, column, wide)
                kept[name] = before if before is not None and same else Kept(around, column, wide)
            if group < 0:
                columns = found.columns
            else:
                self.columns[self.boxes + group] = max(found.columns, 1)
        return kept, base, columns


def _absolute(
    levels: _Levels, base: Sequence[int], of_box: Sequence[int], outer: Sequence[int]
) -> tuple[list[int], list[Span]]:
    """The column of each box, and the span of each group."""
    first = [0] * len(outer)
    depth = [1] * len(outer)
    spans = []
    for group, around in enumerate(outer):
        item = levels.boxes + group
        first[group] = base[item] + (first[around] if around >= 0 else 0)
        depth[group] = 1 + (depth[around] if around >= 0 else 0)
        last = first[group] + levels.columns[item] - 1
        spans.append(Span(levels.start[item], levels.end[item], first[group], last, depth[group]))
    column = [base[box] + (first[group] if group >= 0 else 0) for box, group in enumerate(of_box)]
    return column, spans


def _nets(scene: Scene, number: Mapping[str, int]) -> list[Net]:
    found: dict[str, list[Net]] = {}  # by the source
    for edge in scene.edges:
        leaving = found.get(edge.source)
        if leaving is None:
            leaving = found[edge.source] = []
        for net in leaving:
            if net.value == edge.value:
                break
        else:
            net = Net(number[edge.source], edge.value)
            leaving.append(net)
        target = number[edge.target]
        if target not in net.targets:
            net.targets.append(target)
        net.label = net.label or edge.label
    return sorted(chain.from_iterable(found.values()), key=attrgetter("source"))
