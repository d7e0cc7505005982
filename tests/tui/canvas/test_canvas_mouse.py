"""The canvas under the mouse."""

from __future__ import annotations

import pytest
from textual.geometry import Offset
from textual.pilot import Pilot

from graphbuilder.tui.canvas import Canvas, scene_of
from tests.tui.canvas.graphs import document_of, residual_towers
from tests.tui.canvas.support import CanvasApp, fork, shown_is_right

both_sizes = pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["80x24", "160x48"])


def at(app: CanvasApp, box: str, dx: int = 2, dy: int = 1) -> Offset:
    """A cell of a box on the screen, from the corner of the canvas."""
    rect, offset = app.canvas.picture.layout.boxes[box], app.canvas.scroll_offset
    return Offset(rect.x + dx - offset.x, rect.y + dy - offset.y)


async def drag(pilot: Pilot[None], start: Offset, *way: Offset) -> None:
    await pilot.mouse_down(Canvas, offset=start)
    for cell in way:
        await pilot.hover(Canvas, offset=cell)
    await pilot.mouse_up(Canvas, offset=way[-1])
    await pilot.pause()


@both_sizes
async def test_a_click_selects_and_two_open(size: tuple[int, int]) -> None:
    app = CanvasApp(fork())
    async with app.run_test(size=size) as pilot:
        await pilot.click(Canvas, offset=at(app, "left"))
        await pilot.pause()
        assert app.selected() == "left"
        assert app.of("OpenAsked") == []
        await pilot.click(Canvas, offset=at(app, "right"), times=2)
        await pilot.pause()
        assert app.of("OpenAsked") == [("right",)]
        await pilot.click(Canvas, offset=at(app, "left"), control=True)
        await pilot.pause()
        assert app.canvas.chosen == ("left",)
        assert app.selected() == "right"
        assert app.of("ConnectAsked") == []
        shown_is_right(app)


async def test_dragging_a_box_to_another_asks_to_connect_them() -> None:
    app = CanvasApp(fork())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.mouse_down(Canvas, offset=at(app, "x"))
        await pilot.hover(Canvas, offset=at(app, "right"))
        await pilot.pause()
        assert [app.canvas.picture.look.drop] == ["right"]
        rect, drop = app.canvas.picture.layout.boxes["x"], at(app, "right")
        rows = [app.canvas.render_line(y).text for y in range(rect.bottom, drop.y + 1)]
        assert all(any(glyph in row for glyph in "╎╌") for row in rows), "a line goes from the box to the mouse"
        await pilot.mouse_up(Canvas, offset=at(app, "right"))
        await pilot.pause()
        assert app.of("ConnectAsked") == [("x", "right")]
        assert [app.canvas.picture.look.drop] == [None]
        shown_is_right(app)
        # Dropped on nothing, or on itself, or left by escape, nothing is asked.
        await drag(pilot, at(app, "x"), at(app, "a"), Offset(70, 1))
        await drag(pilot, at(app, "x"), at(app, "a"), at(app, "x"))
        await pilot.mouse_down(Canvas, offset=at(app, "x"))
        await pilot.hover(Canvas, offset=at(app, "right"))
        await pilot.press("escape")
        await pilot.mouse_up(Canvas, offset=at(app, "right"))
        await pilot.pause()
        assert app.of("ConnectAsked") == [("x", "right")]


async def test_dragging_an_end_of_an_edge_asks_to_rewire_it() -> None:
    app = CanvasApp(fork())
    async with app.run_test(size=(80, 24)) as pilot:
        canvas = app.canvas
        edge = next(edge for edge in canvas.scene.edges if (edge.source, edge.target) == ("block", "outputs:"))
        points = canvas.picture.layout.route(edge)
        offset = canvas.scroll_offset
        cell = Offset(points[0].x - offset.x, points[0].y + 1 - offset.y)
        canvas.select("block")
        await pilot.pause()
        cell = Offset(points[0].x - canvas.scroll_offset.x, points[0].y + 1 - canvas.scroll_offset.y)
        await drag(pilot, cell, at(app, "join"))
        assert app.of("RewireAsked") == [(edge, "block", "join")]
        long = next(edge for edge in canvas.scene.edges if (edge.source, edge.target) == ("right", "join"))
        corner = canvas.picture.layout.route(long)[1]
        cell = Offset(corner.x - canvas.scroll_offset.x, corner.y - canvas.scroll_offset.y)
        await drag(pilot, cell, at(app, "a"))
        assert app.of("RewireAsked")[1:] == [(long, "a", "join")]


async def test_dragging_what_is_empty_pans() -> None:
    app = CanvasApp(scene_of(document_of(residual_towers(1000))))
    async with app.run_test(size=(80, 24)) as pilot:
        canvas = app.canvas
        empty = next(
            Offset(x, y)
            for y in range(6, 20)
            for x in range(20, 60)
            if canvas.picture.index.box_at(x, y) is None and not canvas.picture.index.edges_at(x, y)
        )
        await drag(pilot, empty, empty - Offset(7, 5))
        assert canvas.view()[:2] == (7, 5)
        await drag(pilot, empty, empty + Offset(3, 2))
        assert canvas.view()[:2] == (4, 3)
        assert app.of("Selected") == []
        shown_is_right(app)


async def test_clicking_the_border_of_a_frame_twice_folds_it() -> None:
    app = CanvasApp(fork("block"))
    async with app.run_test(size=(160, 48)) as pilot:
        frame = app.canvas.picture.layout.frames["block"]
        await pilot.click(Canvas, offset=Offset(frame.x, frame.y + 2), times=2)
        await pilot.pause()
        assert app.of("FoldToggled") == [("block", False)]
