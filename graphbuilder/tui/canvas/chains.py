"""Columns for the boxes of one level: chains of boxes, each straight down one column."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Item", "Placed", "place"]

# How many ranks the end of a chain keeps its column for, on the way to what it feeds.
_RESERVED = 6
# How many columns on either side are tried before a new one is opened.
_NEAR = 48


@dataclass(slots=True)
class Item:
    """A box, or an unfolded block as a whole.

    Arguments:
        start: the rank of its first box.
        end: the rank of its last box.
        columns: how many columns it takes.
        preferred: the column in which it stood before, or None.
        before: how many columns it took before, 0 where it is new.
    """

    start: int
    end: int
    columns: int = 1
    preferred: int | None = None
    before: int = 0


@dataclass(slots=True)
class Placed:
    """Where the items of one level stand.

    Arguments:
        column: the first column of each item.
        columns: how many columns there are.
    """

    column: list[int]
    columns: int


@dataclass(slots=True)
class _Columns:
    """What is taken of each column: the first and last ranks of what stands in it, sorted."""

    starts: list[list[int]] = field(default_factory=list)
    ends: list[list[int]] = field(default_factory=list)

    def free(self, column: int, start: int, end: int) -> bool:
        """Whether nothing stands in a column from one rank to another."""
        if column >= len(self.starts):
            return True
        index = bisect_left(self.ends[column], start)
        return index == len(self.ends[column]) or self.starts[column][index] > end

    def take(self, column: int, start: int, end: int) -> None:
        """Notes that something stands there."""
        while column >= len(self.starts):
            self.starts.append([])
            self.ends.append([])
        index = bisect_left(self.starts[column], start)
        self.starts[column].insert(index, start)
        self.ends[column].insert(index, end)


def place(items: Sequence[Item], edges: Sequence[tuple[int, int]], least: int = 0) -> Placed:
    """A column for each item, so that no two items overlap.

    Arguments:
        items: the items, in the order of the file.
        edges: pairs of items, the one that gives first.
        least: how many columns there may be without opening a new one.
    """
    following: list[list[int]] = [[] for _ in items]
    feeding: list[list[int]] = [[] for _ in items]
    for source, target in edges:
        if items[source].end < items[target].start:
            following[source].append(target)
            feeding[target].append(source)
    order, below = _order(items, following)
    preferred = _preferences(items)
    chains = _chains(order, below, following, preferred)
    column = [-1] * len(items)
    columns = _Columns()
    # What stood somewhere before comes first, so that what is new gives way to it.
    for known in (True, False):
        for chain in chains:
            wanted = next((preferred[item] for item in chain if preferred[item] is not None), None)
            if (wanted is not None) is not known:
                continue
            if wanted is None:
                parents = [column[each] for each in feeding[chain[0]] if column[each] >= 0]
                wanted = parents[-1] if parents else 0
            found = _find(chain, items, _end(chain, items, following), columns, wanted, least)
            for item in chain:
                column[item] = found
    return Placed(column, max((at + item.columns for at, item in zip(column, items, strict=True)), default=0))


def _preferences(items: Sequence[Item]) -> list[int | None]:
    """The columns in which items stood before, moved where a block beside them was unfolded or folded."""
    preferred = [item.preferred for item in items]
    changed = [index for index, item in enumerate(items) if item.before and item.before != item.columns]
    for index in changed:
        base, item = preferred[index], items[index]
        if base is None:
            continue
        beside = [other for other, at in enumerate(preferred) if other != index and at is not None and at > base]
        if item.columns > item.before:
            near = [
                at for other in beside
                if (at := preferred[other]) is not None and at < base + item.columns
                and items[other].start <= item.end and item.start <= items[other].end
            ]  # fmt: skip
            moved = base + item.columns - min(near) if near else 0
            first = min(near, default=0)
        else:
            # The columns that were opened for the block are closed again if nothing else stands in them.
            first = base + item.before
            opened = range(base + item.columns, first)
            used = any(
                at + items[other].columns > opened.start and at < first
                for other, at in enumerate(preferred)
                if other != index and at is not None
            )
            moved = 0 if used else -len(opened)
        for other in beside if moved else ():
            at = preferred[other]
            if at is not None and at >= first:
                preferred[other] = at + moved
    return preferred


def _order(items: Sequence[Item], following: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    """The items from top to bottom, those with the longest way down first; and how long each one's way is."""
    below = [1] * len(items)
    starts = [item.start for item in items]
    for item in sorted(range(len(items)), key=starts.__getitem__, reverse=True):
        for each in following[item]:
            if below[each] >= below[item]:
                below[item] = below[each] + 1
    places = sorted((start, -way, index) for index, (start, way) in enumerate(zip(starts, below, strict=True)))
    return [index for _, _, index in places], below


def _chains(
    order: Sequence[int],
    below: Sequence[int],
    following: Sequence[Sequence[int]],
    preferred: Sequence[int | None],
) -> list[list[int]]:
    """The items in chains, the longest ways first: each goes on with what has most below it."""
    taken = [False] * len(order)
    chains = []
    for first in order:
        if taken[first]:
            continue
        chain, item, here = [first], first, preferred[first]
        taken[first] = True
        while True:
            # A chain goes on as it did before, else with what is new; what stood elsewhere stays there.
            left = [
                each for each in following[item]
                if not taken[each] and (here is None or preferred[each] in (None, here))
            ]  # fmt: skip
            if not left:
                break
            item = max(left, key=lambda each: (preferred[each] is not None, below[each], -each))
            here = preferred[item] if here is None else here
            taken[item] = True
            chain.append(item)
        chains.append(chain)
    return chains


def _end(chain: Sequence[int], items: Sequence[Item], following: Sequence[Sequence[int]]) -> int:
    """The last rank for which a chain keeps its column: just above the last of what it feeds, unless that is far."""
    last = items[chain[-1]].end
    joined = max((items[each].start for each in following[chain[-1]]), default=0) - 1
    return joined if last < joined <= last + _RESERVED else last


def _find(
    chain: Sequence[int], items: Sequence[Item], end: int, columns: _Columns, wanted: int, least: int
) -> int:  # fmt: skip
    """The free column that is nearest to the wanted one, taken for the chain."""
    start = items[chain[0]].start
    wide = [items[item] for item in chain if items[item].columns > 1]

    def free(column: int) -> bool:
        return columns.free(column, start, end) and all(
            columns.free(column + more, item.start, item.end) for item in wide for more in range(1, item.columns)
        )

    most = max(len(columns.starts), least, wanted + 1)
    found = most
    for distance in range(min(_NEAR, most + 1)):
        right, left = wanted + distance, wanted - distance
        if right < most and free(right):
            found = right
            break
        if 0 <= left < most and distance and free(left):
            found = left
            break
    columns.take(found, start, end)
    for item in wide:
        for more in range(1, item.columns):
            columns.take(found + more, item.start, item.end)
    return found
