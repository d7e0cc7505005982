"""What a canvas tells the app. It never edits: it tells what is asked for."""

from __future__ import annotations

from textual.message import Message

from graphbuilder.tui.canvas.scene import Density, Edge

__all__ = [
    "ChoiceChanged",
    "ConnectAsked",
    "DensityChanged",
    "DragMoved",
    "FoldToggled",
    "JumpChosen",
    "OpenAsked",
    "RewireAsked",
    "Selected",
    "ViewMoved",
]


class Selected(Message):
    """Another box is selected.

    Arguments:
        box: its id, or None where there is no box.
    """

    def __init__(self, box: str | None) -> None:
        super().__init__()
        self.box = box


class ChoiceChanged(Message):
    """Boxes were chosen, or are chosen no longer.

    Arguments:
        boxes: the ids of all chosen boxes, in the order in which they were chosen.
    """

    def __init__(self, boxes: tuple[str, ...]) -> None:
        super().__init__()
        self.boxes = boxes


class OpenAsked(Message):
    """A box is to be edited.

    Arguments:
        box: its id.
    """

    def __init__(self, box: str) -> None:
        super().__init__()
        self.box = box


class ConnectAsked(Message):
    """One box was dragged to another: it is to feed it.

    Arguments:
        source: the id of the box that gives.
        target: the id of the box that takes.
    """

    def __init__(self, source: str, target: str) -> None:
        super().__init__()
        self.source = source
        self.target = target


class RewireAsked(Message):
    """An end of an edge was dragged to another box.

    Arguments:
        edge: the edge as it is.
        source: the id of the box that is to give, the edge's own unless that end was dragged.
        target: the id of the box that is to take, the edge's own unless that end was dragged.
    """

    def __init__(self, edge: Edge, source: str, target: str) -> None:
        super().__init__()
        self.edge = edge
        self.source = source
        self.target = target


class DragMoved(Message):
    """An edge is dragged somewhere else, or nowhere any more.

    Arguments:
        asked: what will be asked for if it is let go here; None where nothing will be.
        dragged: the edge whose end is dragged, or the id of the box from which a new one is drawn; None where nothing
            is dragged any more.
    """

    def __init__(self, asked: ConnectAsked | RewireAsked | None, dragged: Edge | str | None) -> None:
        super().__init__()
        self.asked = asked
        self.dragged = dragged


class FoldToggled(Message):
    """A block is to be unfolded, or folded if it is unfolded.

    Arguments:
        path: the block node, or one of its copies.
        deep: whether everything inside is meant too.
    """

    def __init__(self, path: str, deep: bool = False) -> None:
        super().__init__()
        self.path = path
        self.deep = deep


class JumpChosen(Message):
    """A box was reached by its letters.

    Arguments:
        box: its id.
    """

    def __init__(self, box: str) -> None:
        super().__init__()
        self.box = box


class DensityChanged(Message):
    """More or less of each box is drawn.

    Arguments:
        density: how much.
    """

    def __init__(self, density: Density) -> None:
        super().__init__()
        self.density = density


class ViewMoved(Message):
    """Another part of the picture is in sight, or another picture."""
