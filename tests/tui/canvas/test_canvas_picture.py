"""What is painted: whole pictures as text, and that painting a part again gives what painting all gives."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from graphbuilder.tui.canvas import Box, Density, Edge, Group, Scene
from graphbuilder.tui.canvas.index import jump_labels
from graphbuilder.tui.canvas.layout import layout
from graphbuilder.tui.canvas.looks import Look
from graphbuilder.tui.canvas.minimap import dots_of
from graphbuilder.tui.canvas.palette import plain_palette
from graphbuilder.tui.canvas.picture import Picture
from graphbuilder.tui.canvas.wording import cells_of, fitted, safe, shortened, width_of
from tests.tui.canvas.strategies import scenes
from tests.tui.canvas.support import painted, scene_at

ROOT = Path(__file__).resolve().parents[3]
PICTURES = Path(__file__).parent / "pictures"

# The picture, its blueprint, what is unfolded in it, and the density.
CASES = [
    ("cnn_dense", "cnn", (), Density.DENSE),
    ("cnn_normal", "cnn", (), Density.NORMAL),
    ("cnn_full", "cnn", (), Density.FULL),
    ("question_folded", "visual_question_answering", (), Density.NORMAL),
    ("question_unfolded", "visual_question_answering", ("words", "words.layers", "words.layers.0", "places"),
     Density.NORMAL),
    ("question_dense", "visual_question_answering", ("words", "embedded"), Density.DENSE),
    ("siamese_full", "siamese", ("left_code",), Density.FULL),
    ("resnet50_stage", "resnet50", ("conv2", "conv2.first", "conv2.rest"), Density.NORMAL),
    ("three_branches", "three_way_sentiment", (), Density.NORMAL),
]  # fmt: skip


@pytest.mark.parametrize(("name", "blueprint", "unfolded", "density"), CASES, ids=[case[0] for case in CASES])
def test_pictures(name: str, blueprint: str, unfolded: tuple[str, ...], density: Density) -> None:
    """`UPDATE_GOLDEN=1` writes the pictures anew; look at them before committing them."""
    text = painted(layout(scene_at(ROOT / "blueprints" / f"{blueprint}.yaml", *unfolded), density))
    path = PICTURES / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@st.composite
def looks(draw: st.DrawFn, scene: Scene) -> Look:
    boxes = st.sampled_from([box.id for box in scene.boxes])
    jumps = jump_labels(draw(st.lists(boxes, unique=True, max_size=3)))
    return Look(
        draw(st.none() | boxes), frozenset(draw(st.lists(boxes, max_size=2))), draw(st.booleans()),
        draw(st.none() | boxes), jumps,
    )  # fmt: skip


@given(st.data(), st.sampled_from(list(Density)))
def test_what_is_painted_step_by_step_is_what_is_painted_at_once(data: st.DataObject, density: Density) -> None:
    scene = data.draw(scenes(12).filter(lambda scene: bool(scene.boxes)))
    found, palette = layout(scene, density), plain_palette()
    picture = Picture(found, palette)
    x, width = data.draw(st.integers(0, 10)), data.draw(st.integers(1, 60))
    rows = range(found.height)
    before = [picture.strip(y, x, width) for y in rows]
    for _ in range(data.draw(st.integers(1, 4))):
        look = data.draw(looks(scene))
        touched = picture.show(look)
        after = [picture.strip(y, x, width) for y in rows]
        assert after == [Picture(found, palette, look).strip(y, x, width) for y in rows]
        changed = {y for y in rows if after[y] != before[y]}
        assert touched is None or changed <= touched, "the rows that must be drawn again are told"
        before = after


@given(st.data(), st.sampled_from(list(Density)))
def test_a_part_of_a_row_is_that_part_of_the_whole_row(data: st.DataObject, density: Density) -> None:
    scene = data.draw(scenes(12))
    found = layout(scene, density)
    picture = Picture(found, plain_palette())
    x, width = data.draw(st.integers(0, found.width + 3)), data.draw(st.integers(1, 50))
    for y in range(found.height + 2):
        part, whole = picture.strip(y, x, width), picture.strip(y, 0, x + width)
        assert part.cell_length == width == sum(cell_len(segment.text) for segment in part)
        cells = cells_of(whole.text)[x:]
        if cells[0] == "":
            cells[0] = " "
        assert cells_of(part.text) == cells


@given(scenes(12), st.integers(1, 30), st.integers(1, 20))
def test_a_map_has_a_dot_for_every_box(scene: Scene, width: int, height: int) -> None:
    found = layout(scene)
    dots = dots_of(found, width, height)
    assert [len(row) for row in dots] == [width] * height
    for rect in found.boxes.values():
        column = rect.x * 2 * width // max(found.width, 2 * width) // 2
        row = rect.y * 4 * height // max(found.height, 4 * height) // 4
        assert dots[row][column]


HOSTILE = [
    "[red]not red[/red]",
    "[@click=app.quit]quit[/]",
    "\x1b[31mred\x1b[0m\x07\r\n\t",
    "\x9b2J\x00",
    "層の名前" * 5,
    "שלום עולם",
    "\u202eright to left\u2066\u200f",
    "e\u0301" * 10,
    "\u0301" * 300,
    "👩‍👩‍👧‍👦🏳️‍🌈",
    "\ud800 alone",
    "name" * 2500,
    "層" * 10_000,
    "",
    " ",
]


@pytest.mark.parametrize("density", Density)
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_texts_of_any_kind_are_drawn_safely(text: str, density: Density) -> None:
    shown = safe(text)
    boxes = (
        Box("a", shown, shown, "core", (shown,), shown, 1, frozenset({"error"})),
        Box("b", shown, "Dense", "core", group="g"),
    )
    group = Group("g", shown, shown, frozenset({"unfolded"}))
    found = layout(Scene(boxes, (Edge("a", "b", "a", shown),), (group,)), density)
    assert found.width < 120
    assert all(rect.width <= 60 for rect in found.boxes.values())
    picture = Picture(found, plain_palette(), Look(jumps={"a": "f"}))
    for y in range(found.height):
        strip = picture.strip(y, 0, found.width)
        assert cell_len(strip.text) == found.width
        assert strip.text.replace("\ufffd", "").isprintable()
        assert not any(character in strip.text for character in "\x1b\r\n\t\u202e\u2066\u200f\u200d")
        # The borders stand where they do without the text.
        assert all(len(segment.text) or not segment.style for segment in strip)


@given(st.text(max_size=60), st.integers(1, 40), st.booleans())
def test_a_text_takes_the_cells_that_it_is_given(text: str, room: int, middle: bool) -> None:
    shown = safe(text)
    assert safe(shown) == shown
    assert width_of(shown) == cell_len(shown) == len(cells_of(shown))
    assert "".join(cells_of(shown)) == shown
    assert width_of(fitted(shown, room, middle=middle)) == room
    short = shortened(shown, room, middle=middle)
    assert width_of(short) <= room
    assert short == shown or "…" in short


def test_lines_that_cross_do_not_seem_to_join() -> None:
    """Two values that swap sides: a line that goes down is drawn whole where another one goes across."""
    boxes = tuple(Box(name, name, "op", "op") for name in "abcd")
    edges = (Edge("a", "c", "a"), Edge("a", "d", "a"), Edge("b", "c", "b"), Edge("b", "d", "b"))
    text = painted(layout(Scene(boxes, edges)))
    assert text.splitlines() == [
        " ╭─ a ───╮  ╭─ b ───╮",
        " │ op    │  │ op    │",
        " ╰───┬───╯  ╰───┬───╯",
        "     ├───────╮  │",
        "     │  ╭────│──┤",
        " ╭─ c ──┴╮  ╭┴ d ───╮",
        " │ op    │  │ op    │",
        " ╰───────╯  ╰───────╯",
    ]
