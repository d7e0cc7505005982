"""The whole editor under the mouse."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events
from textual.geometry import Offset
from textual.widget import Widget

from graphbuilder.tui.canvas import Canvas, Density
from graphbuilder.tui.screens.main import TabHeads
from tests.tui.driving import CNN, TWO, Editor, driven, editor, screen_rows

TALL = "blueprint: 1\ninputs: {x: {shape: [8]}}\nnodes:\n" + "".join(
    f"  dense_{number}: {{layer: Dense, units: 8}}\n" for number in range(60)
)


def at(it: Editor, box: str, dx: int = 3, dy: int = 1) -> Offset:
    """A cell of a box, from the corner of the canvas."""
    rect, offset = it.main.canvas.picture.layout.boxes[box], it.main.canvas.scroll_offset
    return Offset(rect.x + dx - offset.x, rect.y + dy - offset.y)


def start_of(it: Editor, source: str, target: str, end: int = 0) -> Offset:
    """A cell of an edge next to one of its ends."""
    canvas = it.main.canvas
    edge = next(edge for edge in canvas.scene.edges if (edge.source, edge.target) == (source, target))
    point = canvas.picture.layout.route(edge)[end]
    down = 0 if canvas.picture.index.box_at(point.x, point.y) is None else 1 if end == 0 else -1
    return Offset(point.x - canvas.scroll_offset.x, point.y + down - canvas.scroll_offset.y)


def foot(it: Editor) -> str:
    """What the line at the bottom says, above the keys."""
    return "\n".join(screen_rows(it.app)[-it.main.status("foot").size.height :])


async def drag(it: Editor, start: Offset, end: Offset) -> None:
    await it.pilot.mouse_down(Canvas, offset=start)
    await it.pilot.hover(Canvas, offset=end)
    await it.pilot.mouse_up(Canvas, offset=end)
    await it.rest()


async def wheel(it: Editor, widget: Widget, down: bool = True, times: int = 1, control: bool = False) -> None:
    """Turns the wheel over the middle of a widget, as the terminal would tell of it."""
    kind = events.MouseScrollDown if down else events.MouseScrollUp
    cell = widget.region.offset + Offset(widget.size.width // 2, widget.size.height // 2)
    for _ in range(times):
        it.app.screen._forward_event(
            kind(widget, cell.x, cell.y, 0, 1 if down else -1, 0, False, False, control, cell.x, cell.y)
        )
        await it.pilot.pause()
    await it.rest()


def test_a_new_edge_is_drawn_and_told_before_it_is_there(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, TWO) as it:
            before = screen_rows(it.app)
            await it.pilot.mouse_down(Canvas, offset=at(it, "a"))
            await it.pilot.hover(Canvas, offset=Offset(40, 12))
            await it.pilot.pause()
            assert "connect a → …" in foot(it)
            shown = screen_rows(it.app)
            assert sum("╎" in row or "╌" in row for row in shown) >= 3
            for target, told in (
                ("right", "connect a → right"),
                ("left", "left takes a already"),
                ("b", "there is no node b"),
                ("both", "connect a → both"),
            ):
                await it.pilot.hover(Canvas, offset=at(it, target))
                await it.pilot.pause()
                assert told in foot(it), target
            assert it.text == TWO
            await it.pilot.mouse_up(Canvas, offset=at(it, "both"))
            await it.rest()
            assert "both: {layer: Concatenate, from: [left, right, a]}" in it.text
            assert not any("╎" in row or "╌" in row for row in screen_rows(it.app))
            assert "connect a to both" in foot(it)
            assert not any("╎" in row or "╌" in row for row in before)

    driven(scenario)


def test_what_would_make_a_circle_is_told_and_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, TWO) as it:
            await it.pilot.mouse_down(Canvas, offset=at(it, "scores"))
            await it.pilot.hover(Canvas, offset=at(it, "left"))
            await it.pilot.pause()
            assert "circle" in foot(it)
            await it.pilot.mouse_up(Canvas, offset=at(it, "left"))
            await it.rest()
            assert it.text == TWO
            assert it.main._said[1] == "error"
            # Left by escape, nothing is told any more and nothing asked.
            await it.pilot.mouse_down(Canvas, offset=at(it, "a"))
            await it.pilot.hover(Canvas, offset=at(it, "both"))
            await it.press("escape")
            assert "connect" not in foot(it).partition("\n")[0]
            await it.pilot.mouse_up(Canvas, offset=at(it, "both"))
            await it.rest()
            assert it.text == TWO

    driven(scenario)


@pytest.mark.parametrize(
    ("end", "onto", "told", "made"),
    [
        (0, "a", "connect a → both instead of right", "both: {layer: Concatenate, from: [left, a]}"),
        (-1, "scores", "connect right → scores instead of both", "scores: {layer: Dense, from: right, units: 2}"),
    ],
)
def test_an_end_of_an_edge_is_taken_elsewhere(tmp_path: Path, end: int, onto: str, told: str, made: str) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, TWO) as it:
            start = start_of(it, "right", "both", end)
            await it.pilot.mouse_down(Canvas, offset=start)
            await it.pilot.hover(Canvas, offset=at(it, onto))
            await it.pilot.pause()
            assert told in foot(it)
            await it.pilot.mouse_up(Canvas, offset=at(it, onto))
            await it.rest()
            assert made in it.text
            assert "from: [left, right]" not in it.text

    driven(scenario)


def test_an_end_that_cannot_be_taken_away_leaves_all_as_it_is(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, TWO) as it:
            # The left one takes nothing else.
            await drag(it, start_of(it, "a", "left", -1), at(it, "both"))
            assert it.text == TWO
            assert "left takes only a" in it.main._said[0]

    driven(scenario)


def test_the_wheel_scrolls_what_is_under_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, TALL) as it:
            canvas, outline = it.main.canvas, it.main.rows("outline")
            selected = canvas.selection
            top = canvas.view().y
            await wheel(it, canvas, times=3)
            assert canvas.view().y > top
            await wheel(it, canvas, down=False, times=9)
            assert canvas.view().y == 0
            assert canvas.selection == selected, "looking elsewhere selects nothing"
            cursor = outline.cursor
            await wheel(it, outline, times=3)
            assert outline.scroll_offset.y > 0
            assert outline.cursor == cursor
            assert canvas.view().y == 0
            await it.press("5")
            await wheel(it, it.main.text_pane, times=3)
            assert it.main.text_pane.scroll_offset.y > 0

    driven(scenario)


def test_the_wheel_with_control_zooms(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            canvas = it.main.canvas
            densities = [canvas.density]
            await wheel(it, canvas, control=True)
            densities.append(canvas.density)
            await wheel(it, canvas, down=False, times=2, control=True)
            densities.append(canvas.density)
            assert densities == [Density.NORMAL, Density.DENSE, Density.FULL]
            assert canvas.view().y == 0

    driven(scenario)


def test_dragging_what_is_empty_pans(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, TALL) as it:
            canvas = it.main.canvas
            selected = canvas.selection
            view = canvas.view()
            start = Offset(view.width - 4, 12)
            assert canvas.picture.index.box_at(start.x + view.x, start.y + view.y) is None
            await drag(it, start, start - Offset(0, 9))
            assert canvas.view().y == view.y + 9
            assert canvas.selection == selected
            assert it.text == TALL

    driven(scenario)


def test_double_clicks_edit_and_fold(tmp_path: Path) -> None:
    text = Path("blueprints/transformer.yaml").read_text()

    async def scenario() -> None:
        async with editor(tmp_path, text) as it:
            await it.find("encoder")
            await it.press("f")
            frame = it.main.canvas.picture.layout.frames["encoder"]
            canvas = it.main.canvas
            border = Offset(frame.x + 20, frame.bottom - 1) - canvas.scroll_offset
            await it.pilot.click(Canvas, offset=border, times=2)
            await it.rest()
            assert "encoder" not in canvas.picture.layout.frames
            await it.pilot.click(Canvas, offset=at(it, "encoder"), times=2)
            await it.rest()
            assert it.main.subject == ("nodes", "encoder")
            assert it.app.focused is it.main.inspector.rows

    driven(scenario)


def test_clicks_in_the_outline_and_the_inspector(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            outline = it.main.rows("outline")
            number = [each.key for each in outline.rows].index("nodes/hidden")
            await it.pilot.click(outline, offset=(6, number))
            await it.rest()
            assert it.main.subject == ("nodes", "hidden")
            assert it.main.canvas.selection == "hidden"
            assert it.app.focused is outline
            rows = it.main.inspector.rows
            fields = [each.key for each in rows.rows]
            await it.pilot.click(rows, offset=(4, fields.index("units")))
            await it.rest()
            assert rows.key == "units"
            assert not it.main.inspector.has_class("-editing")
            await it.pilot.click(rows, offset=(4, fields.index("units")), times=2)
            await it.rest()
            assert it.main.inspector.has_class("-editing")
            await it.press("ctrl+u")
            await it.write("64")
            await it.press("enter")
            assert it.text == CNN.replace("units: 32", "units: 64")
            await it.pilot.click(outline, offset=(6, number), times=2)
            await it.rest()
            assert it.app.focused is rows

    driven(scenario)


def test_clicks_on_the_heads_of_the_lower_pane_and_in_a_list(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            heads = it.main.query_one(TabHeads)
            x = str(heads.render()).index("YAML")
            await it.pilot.click(heads, offset=(x + 1, 0))
            await it.rest()
            assert it.main.in_front == "text"
            await it.press("escape", "a")
            await it.write("Dropout")
            await it.pilot.click("#picker-rows", offset=(3, 0))
            await it.rest()
            await it.pilot.click("#picker-rows", offset=(3, 0))
            await it.rest()
            assert "layer: Dropout" in it.text

    driven(scenario)


def test_a_click_on_the_map_looks_there(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, TALL) as it:
            canvas, minimap = it.main.canvas, it.main.query_one("#map")
            await it.press("home")
            await it.pilot.click(minimap, offset=(minimap.size.width // 2, minimap.size.height - 6))
            await it.rest()
            assert canvas.view().y > 0

    driven(scenario)
