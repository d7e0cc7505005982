"""How each value passes the ranks between its source and what takes it: in its own column, or in a lane beside one."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from graphbuilder.tui.canvas.plan import Net, Plan

__all__ = ["Lane", "Lanes", "lanes_of"]


class Lane(NamedTuple):
    """A narrow place beside a column, in which one value at a time goes up or down.

    Arguments:
        column: the column to whose left it is.
        level: how many frames are around it.
        number: which of the lanes there, counted from the boxes.
    """

    column: int
    level: int
    number: int


@dataclass(slots=True)
class Lanes:
    """The lanes of a plan.

    Arguments:
        of_net: the lane of each net, None where it needs none.
        straight: whether each net goes straight down below its source as far as it must.
        middle: whether each net leaves its source in the middle.
        counts: how many lanes there are, by column and level.
        columns: how many columns there are, with those that hold nothing but lanes.
    """

    of_net: list[Lane | None]
    straight: list[bool]
    middle: list[bool]
    counts: dict[tuple[int, int], int]
    columns: int


@dataclass(slots=True)
class _Taken:
    """The gaps between ranks that are taken of one lane, sorted."""

    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def take(self, start: int, end: int) -> bool:
        """Takes some gaps, if all of them are free."""
        index = bisect_left(self.ends, start)
        if index < len(self.ends) and self.starts[index] <= end:
            return False
        self.starts.insert(index, start)
        self.ends.insert(index, end)
        return True


def lanes_of(
    plan: Plan,
    previous: Mapping[tuple[str, str], Lane],
    capacity: Mapping[tuple[int, int], int] | None,
    ids: Sequence[str],
) -> Lanes:
    """A lane for each net that needs one.

    Arguments:
        plan: ranks and columns.
        previous: the lanes of an earlier layout, by the id of the source and the value.
        capacity: how many lanes there is room for, by column and level, without moving anything; None where nothing
            has its place yet.
        ids: the ids of the boxes.
    """
    ranks_in = _ranks_by_column(plan)
    straight = [False] * len(plan.nets)
    middle = _middle(plan, ranks_in)
    waiting: list[tuple[bool, int, int, int]] = []
    reach: list[tuple[int, int]] = []
    for index, net in enumerate(plan.nets):
        low = high = plan.rank[net.source]
        for target in net.targets:
            gap = plan.rank[target] - 1
            low, high = min(low, gap), max(high, gap)
        reach.append((low, high))
        if low == high:
            continue
        if middle[index] and low == plan.rank[net.source] and _below(ranks_in, plan, net.source) > high:
            straight[index] = True
            continue
        known = (ids[net.source], net.value) in previous
        waiting.append((not known, high - low, low, index))
    lanes = _Lanes(plan, capacity)
    of_net: list[Lane | None] = [None] * len(plan.nets)
    # Short ones first, so that they lie inside long ones; what had its lane before comes before what is new.
    for _, _, _, index in sorted(waiting):
        net = plan.nets[index]
        wanted = previous.get((ids[net.source], net.value))
        of_net[index] = lanes.find(net, *reach[index], wanted)
    return Lanes(of_net, straight, middle, lanes.counts, max(plan.columns, lanes.columns))


def _ranks_by_column(plan: Plan) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in range(plan.columns)]
    for rank, column in sorted(zip(plan.rank, plan.column, strict=True)):
        found[column].append(rank)
    return found


def _below(ranks_in: Sequence[Sequence[int]], plan: Plan, box: int) -> int:
    """The rank of the next box in the column of a box, or one beyond all ranks."""
    ranks = ranks_in[plan.column[box]]
    index = bisect_right(ranks, plan.rank[box])
    return ranks[index] if index < len(ranks) else len(plan.rank) + 1


def _middle(plan: Plan, ranks_in: Sequence[Sequence[int]]) -> list[bool]:
    """Which net leaves each source in the middle: the one that goes to the box below it, or else the first."""
    best: dict[int, tuple[bool, int]] = {}
    for index, net in enumerate(plan.nets):
        below = _below(ranks_in, plan, net.source)
        column = plan.column[net.source]
        feeds = any(plan.column[target] == column and plan.rank[target] == below for target in net.targets)
        if net.source not in best or (feeds and not best[net.source][0]):
            best[net.source] = (feeds, index)
    chosen = {index for _, index in best.values()}
    return [index in chosen for index in range(len(plan.nets))]


class _Lanes:
    """The lanes taken so far."""

    def __init__(self, plan: Plan, capacity: Mapping[tuple[int, int], int] | None) -> None:
        self.plan = plan
        self.capacity = capacity
        self.columns = plan.columns
        self.counts: dict[tuple[int, int], int] = {}
        self._taken: dict[tuple[int, int], list[_Taken]] = {}
        # For each column the frames that cover it, but not as their first one.
        self._covering: dict[int, list[int]] = {}
        for group, span in enumerate(plan.spans):
            for column in range(span.first + 1, span.last + 1):
                self._covering.setdefault(column, []).append(group)

    def find(self, net: Net, low: int, high: int, wanted: Lane | None) -> Lane:
        """A lane that is free from one gap to another."""
        plan = self.plan
        level = self._level(net)
        source = plan.column[net.source]
        far = [plan.column[target] for target in net.targets if plan.rank[target] != plan.rank[net.source] + 1]
        if wanted is not None and wanted.level == level:
            lanes = self._lanes(wanted.column, level, wanted.number + 1)
            outside = self._outside(wanted.column, level, low, high) == wanted.column
            if outside and lanes[wanted.number].take(low, high):
                return wanted
        column = self._outside(max(source, min(far)), level, low, high)
        most = None
        if self.capacity is not None and level == 0:
            most = self.capacity.get((column, level), 0)
        found = self._first(column, level, low, high, most)
        if found is None:
            # Rather than to move everything aside, it goes around at the right.
            found = self._first(plan.columns, 0, low, high, None)
        assert found is not None, "a lane can always be added at the right"
        return found

    def _first(self, column: int, level: int, low: int, high: int, most: int | None) -> Lane | None:
        lanes = self._lanes(column, level, 0)
        for index, taken in enumerate(lanes):
            if taken.take(low, high):
                return Lane(column, level, index)
        if most is not None and len(lanes) >= most:
            return None
        self._lanes(column, level, len(lanes) + 1)[-1].take(low, high)
        return Lane(column, level, len(lanes) - 1)

    def _lanes(self, column: int, level: int, least: int) -> list[_Taken]:
        lanes = self._taken.setdefault((column, level), [])
        lanes += [_Taken() for _ in range(least - len(lanes))]
        self.counts[column, level] = len(lanes)
        self.columns = max(self.columns, column + 1)
        return lanes

    def _level(self, net: Net) -> int:
        """How many frames are around the source and everything that takes the value."""
        plan = self.plan
        group = plan.groups[net.source]
        for target in net.targets:
            other = plan.groups[target]
            while group != other:
                if group < 0 or (other >= 0 and plan.spans[other].depth > plan.spans[group].depth):
                    other = plan.outer[other]
                else:
                    group = plan.outer[group]
        return plan.spans[group].depth if group >= 0 else 0

    def _outside(self, column: int, level: int, low: int, high: int) -> int:
        """The column itself, or the first one of a frame that it must not lie in."""
        while True:
            first = column
            for group in self._covering.get(column, ()):
                span = self.plan.spans[group]
                if span.depth > level and span.start <= high + 1 and span.end >= low:
                    first = min(first, span.first)
            if first == column:
                return column
            column = first
