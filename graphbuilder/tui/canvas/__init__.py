"""The canvas: what there is to draw (scene), where (layout), how it looks (picture), and the widget."""

from __future__ import annotations

from graphbuilder.tui.canvas.building import foldable_below, scene_of
from graphbuilder.tui.canvas.index import Direction
from graphbuilder.tui.canvas.layout import Layout, Rect
from graphbuilder.tui.canvas.messages import (
    ChoiceChanged,
    ConnectAsked,
    DensityChanged,
    DragMoved,
    FoldToggled,
    JumpChosen,
    OpenAsked,
    RewireAsked,
    Selected,
    ViewMoved,
)
from graphbuilder.tui.canvas.minimap import MiniMap
from graphbuilder.tui.canvas.scene import FAMILIES, MARKS, OUTPUT, Box, Density, Edge, Group, Scene
from graphbuilder.tui.canvas.widget import Canvas

__all__ = [
    "FAMILIES",
    "MARKS",
    "OUTPUT",
    "Box",
    "Canvas",
    "ChoiceChanged",
    "ConnectAsked",
    "Density",
    "DensityChanged",
    "Direction",
    "DragMoved",
    "Edge",
    "FoldToggled",
    "Group",
    "JumpChosen",
    "Layout",
    "MiniMap",
    "OpenAsked",
    "Rect",
    "RewireAsked",
    "Scene",
    "Selected",
    "ViewMoved",
    "foldable_below",
    "scene_of",
]
