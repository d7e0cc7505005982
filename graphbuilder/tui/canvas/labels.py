"""The shapes beside edges, where nothing else is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from graphbuilder.tui.canvas.layout import Layout
from graphbuilder.tui.canvas.wording import width_of

__all__ = ["Label", "labels_in"]


class Label(NamedTuple):
    """A text beside an edge: its first cell, what it says, and the net that the edge belongs to."""

    x: int
    y: int
    text: str
    net: int


def labels_in(
    layout: Layout,
    y: int,
    nets: Iterable[int],
    down: Callable[[int], Iterable[int]],
    across: Sequence[tuple[int, int, int]],
) -> tuple[Label, ...]:
    """The labels in the first row below a rank: right beside where values leave, as far as they hide no line.

    Arguments:
        layout: where everything is.
        y: the row.
        nets: the nets that leave boxes of the rank, from left to right.
        down: gives the columns in which lines go down through a row.
        across: the lines that go sideways in the row: their first and last columns, and their nets.
    """
    taken = sorted(
        [(x, x) for x in down(y)] + [(left, right) for left, right, _ in across],
    )
    found: list[Label] = []
    at = 0
    end = -1  # where what lies to the left of a label ends
    for net in nets:
        text = layout.texts.get(net)
        if text is None:
            continue
        x = layout.channels.leaving[net] + 2
        while at < len(taken) and taken[at][0] < x - 1:
            end = max(end, taken[at][1])
            at += 1
        last = x + width_of(text)
        # What begins where the label is, with a blank on either side.
        ahead = taken[at][0] if at < len(taken) else last + 1
        if end < x - 1 and ahead > last:
            found.append(Label(x, y, text, net))
            end = last - 1
    return tuple(found)
