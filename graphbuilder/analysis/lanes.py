"""A small drawing of a graph: one line per node, with a lane for each value that is still to be read.

A node stands on a lane of its own. The lanes that feed it reach it sideways; a lane ends where it is read for the last
time. So a chain is one lane, a shortcut a lane beside it, and a merge the place where lanes end::

    ○     image
    ●     conv
    ├─●   conv_1      reads conv, which is read again below
    │ ●   norm
    ●─╯   sum         reads conv for the last time, and norm
    ◆     scores
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Protocol

__all__ = ["ASCII", "BOX", "Drawable", "Glyphs", "draw"]


class Drawable(Protocol):
    """A node of the drawing."""

    @property
    def name(self) -> str:
        """What other nodes call it."""

    @property
    def sources(self) -> Sequence[str]:
        """The nodes that feed it, each of them above it."""

    @property
    def is_input(self) -> bool:
        """Whether it is an input of the model."""

    @property
    def output(self) -> bool:
        """Whether something it gives is an output of the model."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters of a drawing.

    Arguments:
        node: a node.
        input: an input of the model.
        output: a node that gives an output.
        lane: a lane that passes by.
        line: a line sideways.
        joins: a lane that is read and goes on, by the sides from which lines meet it: left, right, both.
        ends: a lane that is read for the last time, in the same order.
        more: what stands where lanes are cut off.
    """

    node: str
    input: str
    output: str
    lane: str
    line: str
    joins: tuple[str, str, str]
    ends: tuple[str, str, str]
    more: str


BOX = Glyphs("●", "○", "◆", "│", "─", ("┤", "├", "┼"), ("╯", "╰", "┴"), "…")
ASCII = Glyphs("*", "o", "@", "|", "-", ("|", "|", "+"), ("'", "`", "'"), "~")


@dataclass(slots=True)
class _Lanes:
    """The lanes in use, and those that are free.

    Arguments:
        columns: the column of each value that is still to be read, by the node that gives it.
        open: the columns in use.
        free: the columns that were in use, the leftmost first.
        width: how many columns there have been.
    """

    columns: dict[str, int] = field(default_factory=dict)
    open: set[int] = field(default_factory=set)
    free: list[int] = field(default_factory=list)
    width: int = 0

    def take(self, avoided: int | None) -> int:
        """The leftmost free column, but for one that would seem to go on from the line above."""
        column = heappop(self.free) if self.free else None
        if column is not None and column == avoided:
            other = heappop(self.free) if self.free else None
            heappush(self.free, column)
            column = other
        if column is None:
            column = self.width
            self.width += 1
        self.open.add(column)
        return column

    def release(self, column: int) -> None:
        """Frees a column."""
        self.open.discard(column)
        heappush(self.free, column)


def draw(nodes: Sequence[Drawable], glyphs: Glyphs = BOX, widest: int = 12) -> list[str]:
    """The drawing, a line for each node.

    Arguments:
        nodes: the nodes, each after those that feed it.
        glyphs: the characters to draw with.
        widest: how many lanes are drawn; what lies to the right of them is cut off.

    Example:
        >>> from graphbuilder.analysis import rows_of, summarize
        >>> from graphbuilder.api import lower
        >>> draw(rows_of(summarize(lower("blueprints/cnn.yaml"))))
        ['○', '●', '●', '●', '●', '◆']
    """
    left = _readers(nodes)
    lanes = _Lanes()
    lines = []
    ended: int | None = None
    for node in nodes:
        sources = [name for name in dict.fromkeys(node.sources) if name in lanes.columns]
        for name in sources:
            left[name] -= 1
        ending = {lanes.columns[name] for name in sources if not left[name]}
        going_on = {lanes.columns[name] for name in sources if left[name]}
        own = min(ending) if ending else lanes.take(ended)
        lines.append(_line(_glyph(node, glyphs), own, ending - {own}, going_on, lanes.open, glyphs, widest))
        for name in sources:
            if not left[name]:
                column = lanes.columns.pop(name)
                if column != own:
                    lanes.release(column)
        ended = None
        if left.get(node.name):
            lanes.columns[node.name] = own
        else:
            lanes.release(own)
            ended = own
    return lines


def _readers(nodes: Iterable[Drawable]) -> dict[str, int]:
    """How many nodes read each node."""
    readers: dict[str, int] = {}
    for node in nodes:
        for name in dict.fromkeys(node.sources):
            readers[name] = readers.get(name, 0) + 1
    return readers


def _glyph(node: Drawable, glyphs: Glyphs) -> str:
    if node.output:
        return glyphs.output
    return glyphs.input if node.is_input else glyphs.node


def _line(
    mark: str, own: int, ending: set[int], going_on: set[int], open_columns: set[int], glyphs: Glyphs, widest: int
) -> str:
    """One line: the node's mark on its lane, and the lanes beside it, read or passed by."""
    met = {**dict.fromkeys(ending, glyphs.ends), **dict.fromkeys(going_on, glyphs.joins)}
    first, last = min((own, *met)), max((own, *met))
    columns = max((column for column in range(widest) if column <= last or column in open_columns), default=0) + 1
    pieces = []
    for column in range(columns):
        pieces.append(_cell(column, mark, own, met, (first, last), open_columns, glyphs))
        pieces.append(glyphs.line if first <= column < last else " ")
    drawn = "".join(pieces).rstrip()
    room = 2 * widest - 1
    return f"{drawn[:room]:{room}}{glyphs.more}" if last >= widest else drawn


def _cell(
    column: int,
    mark: str,
    own: int,
    met: Mapping[int, tuple[str, str, str]],
    reach: tuple[int, int],
    open_columns: set[int],
    glyphs: Glyphs,
) -> str:
    first, last = reach
    if column == own:
        return mark
    if column in met:
        from_left, from_right, both = met[column]
        if column == last:
            return from_left
        # A line that comes from the node and goes on to a lane further out passes through this one.
        return from_right if column == first else both
    if column in open_columns:
        return glyphs.lane
    return glyphs.line if first < column < last else " "
