"""What can be dragged on a canvas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from textual.geometry import Offset

from graphbuilder.tui.canvas.scene import Edge

__all__ = ["Connecting", "Drag", "Panning", "Rewiring"]


@dataclass(frozen=True, slots=True)
class Panning:
    """The picture itself.

    Arguments:
        start: the cell of the screen where it was taken.
        view: the first cell that was in sight then.
    """

    start: Offset
    view: Offset


@dataclass(frozen=True, slots=True)
class Connecting:
    """A line from a box to another.

    Arguments:
        source: the id of the box.
    """

    source: str


@dataclass(frozen=True, slots=True)
class Rewiring:
    """An end of an edge.

    Arguments:
        edge: the edge.
        source: whether it is the end at its source.
    """

    edge: Edge
    source: bool


Drag: TypeAlias = Panning | Connecting | Rewiring
