"""Where boxes, edges and frames are drawn, for any scene."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphbuilder.blueprint import load
from graphbuilder.lowering import try_lower
from graphbuilder.tui.canvas.building import foldable_below, scene_of
from graphbuilder.tui.canvas.index import Index
from graphbuilder.tui.canvas.layout import Layout, Rect, Segment, layout
from graphbuilder.tui.canvas.scene import Density, Scene
from tests.tui.canvas.graphs import document_of, efficientnet_b7, nasnet_large
from tests.tui.canvas.strategies import edited, scenes

DENSITIES = st.sampled_from(list(Density))


@given(scenes(), DENSITIES)
def test_any_scene_is_laid_out_soundly(scene: Scene, density: Density) -> None:
    assert_sound(layout(scene, density))


@given(st.data(), DENSITIES)
def test_any_edit_of_a_laid_out_scene_is_laid_out_soundly(data: st.DataObject, density: Density) -> None:
    scene = data.draw(scenes())
    found = layout(scene, density)
    for _ in range(data.draw(st.integers(1, 3))):
        scene = data.draw(edited(scene))
        if "new" in scene.box:
            scene = _renamed(scene, f"added_{len(scene.boxes)}_{data.draw(st.integers(0, 10**6))}")
        found = layout(scene, density, found)
        assert_sound(found)
    assert_sound(layout(scene, Density((density + 1) % 3), found))


@pytest.mark.parametrize("density", Density)
@pytest.mark.parametrize("text", [efficientnet_b7, nasnet_large])
def test_large_graphs_are_laid_out_soundly(text: object, density: Density) -> None:
    assert callable(text)
    assert_sound(layout(scene_of(document_of(text())), density))


def test_every_shipped_blueprint_is_laid_out_soundly_folded_and_unfolded(root) -> None:  # type: ignore[no-untyped-def]
    for path in sorted((root / "blueprints").glob("*.yaml")):
        document = load(path)
        lowered = try_lower(document)
        found = None
        for unfolded in (frozenset[str](), foldable_below(document), frozenset[str]()):
            found = layout(scene_of(document, lowered, unfolded=unfolded), Density.NORMAL, found)
            assert_sound(found)


def assert_sound(found: Layout) -> None:
    """All that holds of every layout."""
    scene = found.scene
    cells: dict[tuple[int, int], str] = {}
    for box in scene.boxes:
        rect = found.boxes[box.id]
        assert rect.x >= 0
        assert rect.y >= 0
        assert rect.right <= found.width
        assert rect.bottom <= found.height
        for y in range(rect.y, rect.bottom):
            for x in range(rect.x, rect.right):
                assert (x, y) not in cells, f"{box.id} lies on {cells[x, y]}"
                cells[x, y] = box.id
    drawn: dict[int, set[tuple[int, int]]] = {}
    for edge in scene.edges:
        points = found.route(edge)
        start, end = found.boxes[edge.source], found.boxes[edge.target]
        assert points[0].y == start.bottom - 1
        assert start.x <= points[0].x < start.right
        assert points[-1].y == end.y
        assert end.x <= points[-1].x < end.right
        way = drawn.setdefault(found.net(edge), set())
        for number, (one, other) in enumerate(pairwise(points)):
            assert (one.x == other.x) is (number % 2 == 0), "a way goes down and sideways in turn"
            way.update(_cells(Segment(*one, *other, 0)))
        ends = {(points[0].x, points[0].y): edge.source, (points[-1].x, points[-1].y): edge.target}
        for cell in way:
            assert cells.get(cell) in (None, ends.get(cell)) or cell in _ends(found, edge.source, edge.value)
    segments: dict[int, set[tuple[int, int]]] = {}
    for segment in found.segments:
        segments.setdefault(segment.net, set()).update(_cells(segment))
    assert segments == drawn, "what is painted is what the ways of the edges go through"
    _assert_apart(found)
    _assert_frames(found)
    index = Index(found)
    for label in (label for y in range(found.height) for label in index.labels(y)):
        assert label.x + len(label.text) <= found.width
        inside = range(label.x, label.x + len(label.text))
        assert not any((x, label.y) in cells for x in inside)
        assert not any((x, label.y) in way for way in drawn.values() for x in inside)


def _ends(found: Layout, source: str, value: str) -> set[tuple[int, int]]:
    """The cells in which any edge of a value begins or ends."""
    ends = set()
    for edge in found.scene.leaving[source]:
        if edge.value == value:
            points = found.route(edge)
            ends |= {(points[0].x, points[0].y), (points[-1].x, points[-1].y)}
    return ends


def _cells(segment: Segment) -> set[tuple[int, int]]:
    lefts, rows = sorted((segment.x0, segment.x1)), sorted((segment.y0, segment.y1))
    return {(x, y) for x in range(lefts[0], lefts[1] + 1) for y in range(rows[0], rows[1] + 1)}


def _assert_apart(found: Layout) -> None:
    """Lines of two values cross at most; they share cells only where a box has too few for all of them."""
    across: dict[tuple[int, int], int] = {}
    down: dict[tuple[int, int], int] = {}
    shared = {cell for cell, count in _ports(found).items() if count > 1}
    for segment in found.segments:
        lines = across if segment.y0 == segment.y1 else down
        for x, y in _cells(segment):
            other = lines.setdefault((x, y), segment.net)
            assert other == segment.net or any(x == at for at, _ in shared), f"two values share the cell {x}, {y}"


def _ports(found: Layout) -> dict[tuple[int, int], int]:
    """How many values meet each box in each cell."""
    ports: dict[tuple[int, int], set[int]] = {}
    for edge in found.scene.edges:
        points, net = found.route(edge), found.net(edge)
        ports.setdefault((points[0].x, points[0].y), set()).add(net)
        ports.setdefault((points[-1].x, points[-1].y), set()).add(net)
    return {cell: len(nets) for cell, nets in ports.items()}


def _assert_frames(found: Layout) -> None:
    """A frame has in it just the boxes of its block; frames are nested as the blocks are, or apart."""
    scene = found.scene
    for group in scene.groups:
        frame = found.frames[group.id]
        for box in scene.boxes:
            around = box.group
            while around not in (None, group.id):
                around = scene.group[around or ""].group
            inner = _overlap(frame, found.boxes[box.id])
            assert inner == (found.boxes[box.id] if around is not None else None), f"{box.id} and {group.id}"
        for other in scene.groups:
            shared = _overlap(frame, found.frames[other.id])
            assert shared in (None, frame, found.frames[other.id])
            if other.group == group.id:
                assert shared == found.frames[other.id]


def _overlap(one: Rect, other: Rect) -> Rect | None:
    x, y = max(one.x, other.x), max(one.y, other.y)
    width, height = min(one.right, other.right) - x, min(one.bottom, other.bottom) - y
    return Rect(x, y, width, height) if width > 0 and height > 0 else None


def _renamed(scene: Scene, name: str) -> Scene:
    boxes = tuple(box._replace(id=name) if box.id == "new" else box for box in scene.boxes)
    edges = tuple(
        edge._replace(
            source=name if edge.source == "new" else edge.source,
            target=name if edge.target == "new" else edge.target,
            value=name if edge.value == "new" else edge.value,
        )
        for edge in scene.edges
    )
    return Scene(boxes, edges, scene.groups)
