"""How the boxes of a scene look at the moment: what is selected, what feeds it and what it feeds, what is noted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphbuilder.tui.canvas.layout import Layout, Point

__all__ = ["Emphasis", "Look", "emphasis_of"]

# Where more edges than this meet a box, whole nets are coloured rather than the ways of single edges.
_MOST_ROUTES = 200


@dataclass(frozen=True, slots=True)
class Look:
    """What a canvas makes stand out.

    Arguments:
        selected: the box on which the cursor stands.
        chosen: boxes that are picked for something.
        far: whether all that is up- and downstream of the selection stands out, and not just what is next to it.
        drop: the box on which something that is dragged would be dropped.
        jumps: the letters by which boxes can be reached, by id.
    """

    selected: str | None = None
    chosen: frozenset[str] = frozenset()
    far: bool = False
    drop: str | None = None
    jumps: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Emphasis:
    """The names of styles for what stands out.

    Arguments:
        boxes: the styles of boxes, by id.
        nets: `edge-up` or `edge-down`, by the number of the net.
        routes: the corners of single edges' ways, with their nets and styles.
    """

    boxes: Mapping[str, tuple[str, ...]]
    nets: Mapping[int, str]
    routes: tuple[tuple[tuple[Point, ...], int, str], ...]


def emphasis_of(layout: Layout, look: Look) -> Emphasis:
    """What stands out in a layout.

    Arguments:
        layout: where everything is.
        look: what is selected and chosen.
    """
    scene = layout.scene
    boxes: dict[str, tuple[str, ...]] = {}
    nets: dict[int, str] = {}
    routes: list[tuple[tuple[Point, ...], int, str]] = []
    selected = look.selected if look.selected in scene.box else None
    if selected is not None:
        arriving, leaving = scene.arriving.get(selected, ()), scene.leaving.get(selected, ())
        if look.far:
            up, down = scene.reached(selected, upstream=True), scene.reached(selected, upstream=False)
        else:
            up = frozenset(edge.source for edge in arriving) - {selected}
            down = frozenset(edge.target for edge in leaving) - {selected}
        boxes.update(dict.fromkeys(up, ("up",)))
        boxes.update(dict.fromkeys(down, ("down",)))
        if look.far or len(arriving) + len(leaving) > _MOST_ROUTES:
            above, below = up | {selected}, down | {selected}
            for edge in scene.edges:
                if edge.source in below and edge.target in below:
                    nets[layout.net(edge)] = "edge-down"
                elif edge.source in above and edge.target in above:
                    nets.setdefault(layout.net(edge), "edge-up")
        else:
            routes += [(layout.route(edge), layout.net(edge), "edge-up") for edge in arriving]
            routes += [(layout.route(edge), layout.net(edge), "edge-down") for edge in leaving]
    for box in look.chosen:
        boxes[box] = (*boxes.get(box, ()), "chosen")
    if selected is not None:
        boxes[selected] = (*boxes.get(selected, ()), "selected")
    if look.drop is not None:
        boxes[look.drop] = (*boxes.get(look.drop, ()), "drop")
    return Emphasis(boxes, nets, tuple(routes))
