"""The gaps between ranks: where values leave and arrive, and the rows in which they go sideways."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import NamedTuple

from graphbuilder.tui.canvas.across import Across
from graphbuilder.tui.canvas.lanes import Lanes
from graphbuilder.tui.canvas.plan import Plan

__all__ = ["Channels", "Track", "channels_of"]


class Track(NamedTuple):
    """One stretch sideways.

    Arguments:
        row: which row of its gap, counted from its first.
        left: its first cell.
        right: its last cell.
    """

    row: int
    left: int
    right: int


@dataclass(slots=True)
class Channels:
    """Where the nets leave, go sideways and arrive.

    Arguments:
        leaving: the cell in which each net leaves its source.
        passing: the cell in which each net passes ranks, None where it passes none.
        arriving: the cell in which each net arrives, by net and box.
        tracks: by gap, and by net; the gap below a rank has the rank's number.
        rows: how many rows each gap needs for its tracks.
    """

    leaving: list[int]
    passing: list[int | None]
    arriving: dict[tuple[int, int], int]
    tracks: dict[int, dict[int, Track]] = field(default_factory=dict)
    rows: dict[int, int] = field(default_factory=dict)


def channels_of(plan: Plan, lanes: Lanes, across: Across, widths: Sequence[int]) -> Channels:
    """Where all nets leave, go sideways and arrive.

    What leaves a box does so an even number of cells from its middle, and what arrives an odd number, unless it comes
    straight from above. So nothing that arrives below shares its cells with what leaves above, and no order of rows is
    wrong.

    Arguments:
        plan: ranks and columns.
        lanes: the lanes of the nets.
        across: the cells of columns and lanes.
        widths: the width of each box.
    """
    leaving = _leaving(plan, lanes, across, widths)
    passing: list[int | None] = []
    for index in range(len(plan.nets)):
        lane = lanes.of_net[index]
        passing.append(across.cell(lane) if lane is not None else leaving[index] if lanes.straight[index] else None)
    arriving = _arriving(plan, across, widths, leaving, passing)
    channels = Channels(leaving, passing, arriving)
    for gap, stretches in _stretches(plan, channels).items():
        channels.rows[gap] = _assign(stretches, channels.tracks.setdefault(gap, {}))
    return channels


def _leaving(plan: Plan, lanes: Lanes, across: Across, widths: Sequence[int]) -> list[int]:
    """The cell in which each net leaves: one in the middle, the others to its right and left in turn."""
    found = [0] * len(plan.nets)
    used: dict[int, int] = {}
    for index, net in enumerate(plan.nets):
        middle = across.middle[plan.column[net.source]]
        if lanes.middle[index]:
            found[index] = middle
            continue
        used[net.source] = turn = used.get(net.source, 0) + 1
        aside = 2 * ((turn + 1) // 2)
        most = (widths[net.source] - 1) // 2 - 1
        aside = min(aside, most - most % 2)
        found[index] = middle + (aside if turn % 2 else -aside)
    return found


def _arriving(
    plan: Plan, across: Across, widths: Sequence[int], leaving: Sequence[int], passing: Sequence[int | None]
) -> dict[tuple[int, int], int]:
    """The cell in which each net arrives at each box: straight from above, else on the side from which it comes."""
    coming: dict[int, list[tuple[int, int]]] = {}
    found: dict[tuple[int, int], int] = {}
    for index, net in enumerate(plan.nets):
        for target in net.targets:
            near = plan.rank[target] == plan.rank[net.source] + 1
            along = passing[index]
            cell = leaving[index] if near or along is None else along
            if cell == across.middle[plan.column[target]]:
                found[index, target] = cell
            else:
                coming.setdefault(target, []).append((cell, index))
    for target, nets in coming.items():
        middle, width = across.middle[plan.column[target]], widths[target]
        # The first and last cells of a box are its corners, where a box has any.
        lefts = list(range(middle - 1, middle - width // 2, -2))
        rights = list(range(middle + 1, middle - width // 2 + width - 1, 2))
        nets.sort()
        split = min(bisect_left(nets, (middle, -1)), len(lefts))
        split = min(max(split, len(nets) - len(rights)), len(nets))
        for group, cells in ((list(reversed(nets[:split])), lefts), (nets[split:], rights)):
            # A line right beside the middle would touch the one that comes straight from above.
            cells = cells[1:] if len(cells) > len(group) else cells
            for turn, (_, index) in enumerate(group):
                found[index, target] = cells[min(turn, len(cells) - 1)] if cells else middle
    return found


def _stretches(plan: Plan, channels: Channels) -> dict[int, dict[int, tuple[int, int]]]:
    """How far each net goes sideways, by gap; nets that go straight through are left out."""
    found: dict[int, dict[int, tuple[int, int]]] = {}

    def reach(gap: int, index: int, cell: int) -> None:
        nets = found.setdefault(gap, {})
        left, right = nets.get(index, (cell, cell))
        nets[index] = (min(left, cell), max(right, cell))

    for index, net in enumerate(plan.nets):
        own = plan.rank[net.source]
        along = channels.passing[index]
        first = net.targets[0]
        below = len(net.targets) == 1 and plan.rank[first] == own + 1
        if below and channels.arriving[index, first] == channels.leaving[index]:
            continue
        reach(own, index, channels.leaving[index])
        for target in net.targets:
            gap = plan.rank[target] - 1
            reach(gap, index, channels.arriving[index, target])
            if gap != own and along is not None:
                reach(own, index, along)
                reach(gap, index, along)
    return {
        gap: turning
        for gap, nets in found.items()
        if (turning := {index: ends for index, ends in nets.items() if ends[0] != ends[1]})
    }


def _assign(stretches: dict[int, tuple[int, int]], tracks: dict[int, Track]) -> int:
    """A row for each stretch, so that no two in a row touch: the left-edge algorithm; gives how many rows there are.

    Source: A. Hashimoto and J. Stevens, Wire routing by optimizing channel assignment within large apertures, 1971.
    """
    free: list[tuple[int, int]] = []  # where the last stretch in a row ends, and the row
    rows = 0
    for left, right, index in sorted((left, right, index) for index, (left, right) in stretches.items()):
        if free and free[0][0] + 1 < left:
            _, row = heappop(free)
        else:
            row, rows = rows, rows + 1
        heappush(free, (right, row))
        tracks[index] = Track(row, left, right)
    return rows
