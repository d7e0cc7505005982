"""Places boxes in rows, from top to bottom, so that edges run down, cross seldom and go straight where they can."""

from __future__ import annotations

import itertools
from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

__all__ = ["Layout", "layered"]

# How often rows are ordered by their neighbours, and how often their places are evened out.
_ORDERINGS = 12
_SETTLINGS = 24
# Between boxes of a row, and between the lines that pass by them.
_GAP = 28.0
_LANE = 18.0


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is.

    Arguments:
        centres: the middle of each box, from left to right.
        rows: the row of each box, from the top.
        bends: for each edge, where it passes the rows between its ends, from top to bottom.
    """

    centres: Mapping[str, float]
    rows: Mapping[str, int]
    bends: Mapping[tuple[str, str], tuple[float, ...]]


@dataclass(slots=True)
class _Cell:
    """A box in its row, or the place where an edge passes it."""

    width: float
    above: list[int] = field(default_factory=list)
    below: list[int] = field(default_factory=list)
    passes: bool = False


def layered(widths: Mapping[str, float], edges: Sequence[tuple[str, str]]) -> Layout:
    """The places of boxes.

    Arguments:
        widths: of each box, by name; every box stands after those that feed it.
        edges: from box to box, each once.

    Example:
        >>> layout = layered({"a": 10, "b": 10, "c": 10}, [("a", "b"), ("b", "c"), ("a", "c")])
        >>> layout.rows, len(layout.bends["a", "c"])
        ({'a': 0, 'b': 1, 'c': 2}, 1)
    """
    rows_of = _rows(widths, edges)
    cells = [_Cell(width) for width in widths.values()]
    numbers = {name: number for number, name in enumerate(widths)}
    rows: list[list[int]] = [[] for _ in range(max(rows_of.values(), default=-1) + 1)]
    for name, number in numbers.items():
        rows[rows_of[name]].append(number)
    passing: dict[tuple[str, str], list[int]] = {}
    for source, target in edges:
        chain = [numbers[source]]
        for row in range(rows_of[source] + 1, rows_of[target]):
            cells.append(_Cell(_LANE, passes=True))
            rows[row].append(len(cells) - 1)
            chain.append(len(cells) - 1)
        passing[source, target] = chain[1:]
        chain.append(numbers[target])
        for upper, lower in itertools.pairwise(chain):
            cells[upper].below.append(lower)
            cells[lower].above.append(upper)
    rows = _ordered(cells, rows)
    centres = _settled(cells, rows)
    return Layout(
        {name: centres[number] for name, number in numbers.items()},
        rows_of,
        {edge: tuple(centres[number] for number in chain) for edge, chain in passing.items()},
    )


def _rows(widths: Mapping[str, float], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Each box one row below the lowest that feeds it; what nothing feeds right above what it feeds first."""
    feeds: dict[str, list[str]] = {name: [] for name in widths}
    fed: dict[str, list[str]] = {name: [] for name in widths}
    for source, target in edges:
        feeds[target].append(source)
        fed[source].append(target)
    rows: dict[str, int] = {}
    for name in widths:
        rows[name] = max((rows[source] + 1 for source in feeds[name]), default=0)
    for name in widths:
        if not feeds[name] and fed[name]:
            rows[name] = min(rows[target] for target in fed[name]) - 1
    return rows


def _ordered(cells: Sequence[_Cell], rows: list[list[int]]) -> list[list[int]]:
    """The rows, each ordered by where its neighbours are, in the order of the fewest crossings that was met."""
    best, fewest = [list(row) for row in rows], _crossings(cells, rows)
    place = {cell: float(at) for row in rows for at, cell in enumerate(row)}
    for turn in range(_ORDERINGS):
        if not fewest:
            break
        down = turn % 2 == 0
        for row in rows if down else reversed(rows):

            def wish(cell: int, down: bool = down) -> float:
                beside = cells[cell].above if down else cells[cell].below
                return sum(place[other] for other in beside) / len(beside) if beside else place[cell]

            row.sort(key=wish)
            place.update({cell: float(at) for at, cell in enumerate(row)})
        found = _crossings(cells, rows)
        if found < fewest:
            best, fewest = [list(row) for row in rows], found
    return best


def _crossings(cells: Sequence[_Cell], rows: Sequence[Sequence[int]]) -> int:
    """How often edges cross."""
    total = 0
    for upper, lower in itertools.pairwise(rows):
        place = {cell: at for at, cell in enumerate(lower)}
        seen: list[int] = []
        for cell in upper:
            ends = sorted(place[other] for other in cells[cell].below)
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def _settled(cells: Sequence[_Cell], rows: Sequence[Sequence[int]]) -> list[float]:
    """The middle of each cell: as near to its neighbours as the others of its row allow."""
    centres = [0.0] * len(cells)
    for row in rows:
        _place(cells, row, [0.0] * len(row), centres)
    for turn in range(_SETTLINGS):
        down = turn % 2 == 0
        for row in rows if down else reversed(rows):
            wishes = []
            for cell in row:
                beside = cells[cell].above if down else cells[cell].below
                # A line that passes pulls less than a box, so that the chain of boxes is what runs straight.
                boxes = [other for other in beside if not cells[other].passes] or beside
                wishes.append(median(centres[other] for other in boxes) if beside else centres[cell])
            _place(cells, row, wishes, centres)
    for row in rows:
        # At last, what only follows something stands right under it.
        wishes = [centres[cells[cell].above[0]] if _follows(cells, cell) else centres[cell] for cell in row]
        _place(cells, row, wishes, centres)
        for cell in row:
            above = [other for other in cells[cell].above if not cells[other].passes]
            if len(cells[cell].above) > 1 and not cells[cell].passes and above:
                wishes[row.index(cell)] = median(centres[other] for other in above)
        _place(cells, row, wishes, centres)
    least = min((centres[at] - cell.width / 2 for at, cell in enumerate(cells)), default=0.0)
    return [centre - least for centre in centres]


def _follows(cells: Sequence[_Cell], cell: int) -> bool:
    """Whether a cell has one neighbour above, which has no other below."""
    above = cells[cell].above
    return len(above) == 1 and len(cells[above[0]].below) == 1


def _place(cells: Sequence[_Cell], row: Sequence[int], wishes: Sequence[float], centres: list[float]) -> None:
    """Puts the cells of a row where they wish to be, as far as they do not touch (by pooling adjacent violators)."""
    shifts, shift = [], 0.0
    for at, cell in enumerate(row):
        if at:
            before = cells[row[at - 1]]
            gap = _GAP if not (before.passes and cells[cell].passes) else 0.0
            shift += (before.width + cells[cell].width) / 2 + gap
        shifts.append(shift)
    pools: list[tuple[float, float, int]] = []
    for wish, moved, cell in zip(wishes, shifts, row, strict=True):
        weight = 1.0 if cells[cell].passes else 8.0
        value, total, count = wish - moved, weight, 1
        while pools and pools[-1][0] >= value:
            other, other_total, other_count = pools.pop()
            value = (other * other_total + value * total) / (other_total + total)
            total, count = total + other_total, count + other_count
        pools.append((value, total, count))
    at = 0
    for value, _, count in pools:
        for cell, moved in zip(row[at : at + count], shifts[at : at + count], strict=True):
            centres[cell] = value + moved
        at += count
