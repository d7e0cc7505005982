"""The canvas under keys and mouse, at both sizes."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphbuilder.blueprint import parse_blueprint
from graphbuilder.lowering import try_lower
from graphbuilder.tui.canvas import Density, MiniMap, Scene, scene_of
from tests.tui.canvas.graphs import document_of, efficientnet_b7, residual_towers
from tests.tui.canvas.support import CanvasApp, fork, press, scene_at, shown_is_right

BLUEPRINTS = Path(__file__).resolve().parents[3] / "blueprints"
SIZES = [(80, 24), (160, 48)]
both_sizes = pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x48"])


def large() -> Scene:
    return scene_of(document_of(efficientnet_b7()))


@both_sizes
async def test_the_arrows_follow_the_edges(size: tuple[int, int]) -> None:
    app = CanvasApp(fork())
    async with app.run_test(size=size) as pilot:
        canvas = app.canvas
        assert app.selected() == "x"
        await press(pilot, "down", "down")
        assert app.selected() in ("left", "right")
        first = str(canvas.selection)
        other = "right" if first == "left" else "left"
        towards = "right" if canvas.picture.layout.boxes[other].x > canvas.picture.layout.boxes[first].x else "left"
        await press(pilot, towards)
        assert app.selected() == other
        await press(pilot, "down")
        assert app.selected() == "join"
        # Going back along an edge leads to where one came from.
        await press(pilot, "up")
        assert app.selected() == other
        await press(pilot, "k", "k", "j", "end")
        assert app.selected() == "outputs:"
        await press(pilot, "down")
        assert app.selected() == "outputs:"
        await press(pilot, "g")
        assert app.selected() == "x"
        assert app.of("Selected")[-1] == ("x",)
        shown_is_right(app)


@both_sizes
async def test_the_selection_stays_in_sight(size: tuple[int, int]) -> None:
    app = CanvasApp(large())
    async with app.run_test(size=size) as pilot:
        canvas = app.canvas
        for _ in range(30):
            await press(pilot, "down")
            rect, view = canvas.picture.layout.boxes[str(app.selected())], canvas.view()
            assert view.y <= rect.y
            assert rect.bottom <= view.bottom
        shown_is_right(app)
        await press(pilot, "G")
        assert app.selected() == "outputs:"
        assert canvas.scroll_offset.y == canvas.picture.layout.height - canvas.size.height
        await press(pilot, "pageup")
        assert app.selected() in canvas.picture.index.within(canvas.view())
        shown_is_right(app)


async def test_every_box_of_every_shipped_blueprint_is_reached_by_arrows() -> None:
    for path in sorted(BLUEPRINTS.glob("*.yaml")):
        index = CanvasApp(scene_at(path))
        async with index.run_test(size=(80, 24)) as pilot:
            canvas = index.canvas
            found, waiting = set[str](), [canvas.selection]
            while waiting:
                box = waiting.pop()
                if box is None or box in found:
                    continue
                found.add(box)
                for key in ("up", "down", "left", "right"):
                    canvas.select(box)
                    canvas.action_move(key)
                    waiting.append(canvas.selection)
            assert found == set(canvas.scene.box)
            await pilot.pause()


@both_sizes
async def test_letters_jump_to_what_is_in_sight(size: tuple[int, int]) -> None:
    app = CanvasApp(scene_at(BLUEPRINTS / "visual_question_answering.yaml"))
    async with app.run_test(size=size) as pilot:
        canvas = app.canvas
        await press(pilot, "apostrophe")
        assert app.jumping()
        labels = dict(canvas.picture.look.jumps)
        assert set(labels) == set(canvas.picture.index.within(canvas.view()))
        for box, label in labels.items():
            rect = canvas.picture.layout.boxes[box]
            at = rect.x + 1 - canvas.scroll_offset.x
            if rect.y >= canvas.scroll_offset.y:
                assert app.screen_text()[rect.y - canvas.scroll_offset.y][at : at + len(label)] == label
        await press(pilot, *labels["words"])
        assert app.selected() == "words"
        assert not app.jumping()
        assert app.of("JumpChosen") == [("words",)]
        await press(pilot, "apostrophe", "escape")
        assert not app.jumping()
        assert app.selected() == "words"
        shown_is_right(app)


async def test_many_boxes_have_labels_of_two_letters() -> None:
    app = CanvasApp(scene_of(document_of(residual_towers(5000))), Density.DENSE)
    async with app.run_test(size=(160, 48)) as pilot:
        canvas = app.canvas
        await press(pilot, "end", "apostrophe")
        labels = dict(canvas.picture.look.jumps)
        assert {len(label) for label in labels.values()} == {2}
        box, label = list(labels.items())[-1]
        await press(pilot, label[0])
        assert app.jumping()
        assert set(canvas.picture.look.jumps.values()) == {each for each in labels.values() if each[0] == label[0]}
        await press(pilot, label[1])
        assert app.selected() == box


@both_sizes
async def test_zooming_keeps_the_selection_in_sight(size: tuple[int, int]) -> None:
    app = CanvasApp(large())
    async with app.run_test(size=size) as pilot:
        canvas = app.canvas
        canvas.select("block4d_se_reduce", centre=True)
        for key, density in (("minus", Density.DENSE), ("minus", Density.DENSE), ("plus", Density.NORMAL),
                             ("plus", Density.FULL)):  # fmt: skip
            await press(pilot, key)
            assert canvas.density is density
            assert "block4d_se_reduce" in canvas.picture.index.within(canvas.view())
            shown_is_right(app)
        assert app.of("DensityChanged") == [(Density.DENSE,), (Density.NORMAL,), (Density.FULL,)]


async def test_keys_that_ask_and_pick() -> None:
    app = CanvasApp(fork())
    async with app.run_test(size=(80, 24)) as pilot:
        canvas = app.canvas
        canvas.select("block")
        await press(pilot, "enter", "f", "F", "space")
        assert app.of("OpenAsked") == [("block",)]
        assert app.of("FoldToggled") == [("block", False), ("block", True)]
        assert app.of("ChoiceChanged") == [(("block",),)]
        await press(pilot, "up", "space")
        assert list(canvas.chosen) == ["block", "join"]
        await press(pilot, "escape")
        assert not canvas.chosen
        canvas.scene = fork("block")
        await pilot.pause()
        assert app.selected() == "join"
        canvas.select("block")
        assert app.selected() == "block.first"
        await press(pilot, "f")
        assert app.of("FoldToggled")[-1] == ("block", False)
        canvas.scene = fork()
        await pilot.pause()
        assert app.selected() == "block"
        await press(pilot, "t")
        assert canvas.tracing
        assert canvas.picture.palette.style("op", "up").bgcolor != canvas.picture.palette.base.bgcolor
        shown_is_right(app)
        await press(pilot, "t", "z", "x")
        shown_is_right(app)


async def test_the_view_pans_by_keys_and_wheel() -> None:
    app = CanvasApp(scene_of(document_of(residual_towers(1000))))
    async with app.run_test(size=(80, 24)) as pilot:
        canvas = app.canvas
        await press(pilot, "shift+down", "shift+down", "shift+right")
        assert canvas.view()[:2] == (8, 8)
        await press(pilot, "ctrl+up", "ctrl+left")
        assert canvas.view()[:2] == (0, 4)
        assert app.selected() == canvas.picture.index.ends()[0]
        await pilot._post_mouse_events([_scroll()], canvas, (10, 10), button=0)
        await pilot.pause()
        down = canvas.scroll_offset
        assert down.x == 0
        assert down.y > 4
        await pilot._post_mouse_events([_scroll()], canvas, (10, 10), button=0, shift=True)
        await pilot.pause()
        assert canvas.scroll_offset.x > 0
        assert canvas.scroll_offset.y == down.y
        shown_is_right(app)


def _scroll() -> type:
    from textual.events import MouseScrollDown

    return MouseScrollDown


@both_sizes
async def test_another_scene_leaves_what_is_looked_at_where_it_is(size: tuple[int, int]) -> None:
    text = efficientnet_b7()
    app = CanvasApp(scene_of(document_of(text)))
    edited = text.replace(
        '  stem_bn: {"layer": "BatchNormalization", "from": "stem_conv"}',
        "  more: {layer: Dropout, from: stem_conv, rate: 0.5}\n  stem_bn: {layer: BatchNormalization, from: more}",
    )
    assert edited != text
    async with app.run_test(size=size) as pilot:
        canvas = app.canvas
        canvas.select("block4d_se_reduce", centre=True)
        await pilot.pause()
        before = app.screen_text()
        place = canvas.scroll_offset
        canvas.scene = scene_of(document_of(edited))
        await pilot.pause()
        assert app.selected() == "block4d_se_reduce"
        assert canvas.scroll_offset.y == place.y + 4
        assert app.screen_text() == before
        shown_is_right(app)
        # What is selected and gone leaves the selection to a neighbour.
        gone = edited.replace('"from": "block4d_se_reduce"', '"from": "block4d_se_reshape"')
        lines = [line for line in gone.splitlines(keepends=True) if not line.startswith("  block4d_se_reduce:")]
        canvas.scene = scene_of(document_of("".join(lines)))
        await pilot.pause()
        assert app.selected() in ("block4d_se_reshape", "block4d_se_expand")
        assert app.of("Selected")[-1] == (canvas.selection,)
        shown_is_right(app)
        canvas.scene = Scene()
        await pilot.pause()
        assert app.selected() is None
        await press(pilot, "down", "up", "left", "enter", "space", "f", "apostrophe", "plus", "end", "t", "z")
        shown_is_right(app)


async def test_a_theme_changes_the_colours() -> None:
    app = CanvasApp(fork())
    async with app.run_test(size=(80, 24)) as pilot:
        dark = app.canvas.render_line(1)
        app.theme = "textual-light"
        await pilot.pause()
        light = app.canvas.render_line(1)
        assert light.text == dark.text
        assert light != dark
        # Every family has a colour, in both themes, other than that of what is empty.
        for theme in ("textual-light", "textual-dark"):
            app.theme = theme
            await pilot.pause()
            app.canvas.render_line(0)
            palette = app.canvas.picture.palette
            colours = {palette.style(box.family).color for box in app.canvas.scene.boxes}
            assert len(colours) >= 4
            assert palette.base.bgcolor not in colours


@both_sizes
async def test_the_map_shows_where_one_is_and_leads_elsewhere(size: tuple[int, int]) -> None:
    app = CanvasApp(large())
    async with app.run_test(size=size) as pilot:
        canvas, minimap = app.canvas, app.query_one(MiniMap)
        await pilot.pause()
        seen = minimap.get_component_rich_style("minimap--view").bgcolor

        def rows_in_sight() -> list[int]:
            rows = [list(minimap.render_line(y)) for y in range(minimap.size.height)]
            return [y for y, row in enumerate(rows) if row[-1].style is not None and row[-1].style.bgcolor == seen]

        last = minimap.size.height - 1
        assert rows_in_sight() == [0]
        await pilot.click(MiniMap, offset=(3, last))
        await pilot.pause()
        assert canvas.scroll_offset.y > canvas.picture.layout.height * 0.9 - canvas.size.height
        assert rows_in_sight() == [last]
        canvas.scene = fork()
        await pilot.pause(0.3)
        text = "".join(minimap.render_line(y).text for y in range(minimap.size.height))
        assert sum(character != " " for character in text) < 60


async def test_hostile_names_are_drawn_in_the_widget() -> None:
    nodes = {
        "a": '{layer: "[red]Dense[/]", units: 8}',
        "b": '{layer: Dense, units: 8, name_of: "\\e[31m\\x07 \\u202E \\u5C64"}',
        "c" * 10_000: "{op: relu}",
    }
    text = "blueprint: 1\ninputs: {x: {shape: [8]}}\nnodes:\n"
    text += "".join(f"  ? {name}\n  : {node}\n" for name, node in nodes.items())
    document = parse_blueprint(text, name="hostile.yaml")
    app = CanvasApp(scene_of(document, try_lower(document)), Density.FULL)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "down", "down", "down", "space", "t", "apostrophe", "escape", "minus", "minus")
        shown_is_right(app)
        rows = app.screen_text()
        assert any("[red]Dense" in row for row in rows)
        assert all(len(row) == app.canvas.size.width for row in rows)
        assert not any("\x1b" in row or "\u202e" in row for row in rows)
