"""Where columns, lanes and the sides of frames stand from left to right, in cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from graphbuilder.tui.canvas.lanes import Lane, Lanes
from graphbuilder.tui.canvas.plan import Plan

__all__ = ["Across", "across_of"]

_BETWEEN = 2  # blank cells between columns
_LANE = 2  # a lane and a blank
_SIDE = 2  # the side of a frame and a blank


@dataclass(slots=True)
class Across:
    """The cells of columns and lanes.

    Arguments:
        middle: the cell in the middle of each column.
        widths: how wide the boxes of each column may be.
        lanes: the first cell of the lanes of a column and level, counted from the boxes to the left.
        counts: how many lanes there is room for, by column and level.
        sides: the left and right side of the frame of each group.
        width: of all together.
    """

    middle: list[int]
    widths: list[int]
    lanes: dict[tuple[int, int], int] = field(default_factory=dict)
    counts: dict[tuple[int, int], int] = field(default_factory=dict)
    sides: list[tuple[int, int]] = field(default_factory=list)
    width: int = 0

    def cell(self, lane: Lane) -> int:
        """The cell of a lane."""
        return self.lanes[lane.column, lane.level] - _LANE * lane.number


def across_of(plan: Plan, lanes: Lanes, widths: Sequence[int], previous: Across | None) -> Across:
    """The cells of columns and lanes.

    Arguments:
        plan: the columns of boxes and groups.
        lanes: the lanes.
        widths: the width of each box.
        previous: an earlier arrangement in the same density; there will be as much room as there was.
    """
    needed = [0] * lanes.columns
    for column, width in zip(plan.column, widths, strict=True):
        needed[column] = max(needed[column], width)
    counts: dict[tuple[int, int], int] = dict(lanes.counts)
    if previous is not None:
        for column, width in enumerate(previous.widths[: lanes.columns]):
            needed[column] = max(needed[column], width)
        for key, count in previous.counts.items():
            if key[0] < lanes.columns:
                counts[key] = max(counts.get(key, 0), count)
    lefts: dict[int, set[int]] = {}
    rights: dict[int, set[int]] = {}
    for span in plan.spans:
        lefts.setdefault(span.first, set()).add(span.depth)
        rights.setdefault(span.last, set()).add(span.depth)
    levels: dict[int, list[int]] = {}
    for column, level in sorted(counts):
        levels.setdefault(column, []).append(level)
    across = Across([], needed, counts=counts)
    left_side: dict[tuple[int, int], int] = {}
    right_side: dict[tuple[int, int], int] = {}
    x = 1
    for column in range(lanes.columns):
        x = _left(across, column, levels.get(column, []), sorted(lefts.get(column, ())), left_side, x)
        across.middle.append(x + needed[column] // 2)
        x += needed[column]
        for depth in sorted(rights.get(column, ()), reverse=True):
            x += _SIDE
            right_side[column, depth] = x - 1
        x += _BETWEEN
    across.width = x - 1
    across.sides = [(left_side[span.first, span.depth], right_side[span.last, span.depth]) for span in plan.spans]
    return across


def _left(
    across: Across, column: int, levels: Sequence[int], depths: Sequence[int], sides: Mapping[tuple[int, int], int],
    x: int,
) -> int:  # fmt: skip
    """What stands to the left of a column's boxes, from the outside to the inside; where the boxes begin."""
    assert isinstance(sides, dict)
    parts = sorted([(depth, False) for depth in depths] + [(level, True) for level in levels])
    # Lanes of a level lie inside the frame of that depth.
    for number, lane in parts:
        if lane:
            x += _LANE * across.counts[column, number]
            across.lanes[column, number] = x - _LANE
        else:
            sides[column, number] = x
            x += _SIDE
    return x
