"""What drives the actions of the graph, of lists, of the inspector and of the text."""

from __future__ import annotations

from graphbuilder.tui.canvas import Density
from tests.tui.drives import NESTED, TWO, WIDE, drives
from tests.tui.driving import CNN, Editor

__all__: list[str] = []


# The graph.


@drives("canvas.up", "canvas.down", "canvas.left", "canvas.right", text=TWO)
async def _move(it: Editor, key: str) -> None:
    ways = {
        "up": "a",
        "k": "a",
        "down": "both",
        "j": "both",
        "right": "right",
        "l": "right",
        "left": "left",
        "h": "left",
    }
    await it.find("right" if key in ("left", "h") else "left")
    await it.press(key)
    assert it.main.canvas.selection == ways[key]


@drives("canvas.first", "canvas.last")
async def _ends(it: Editor, key: str) -> None:
    await it.find("flat")
    await it.press(key)
    assert it.main.canvas.selection == ("image" if key in ("home", "g") else "outputs:")


@drives("canvas.open")
async def _open(it: Editor, key: str) -> None:
    await it.find("flat")
    await it.press(key)
    assert it.app.focused is it.main.inspector.rows


@drives("canvas.choose")
async def _choose(it: Editor, key: str) -> None:
    await it.find("flat")
    chosen = []
    for keys in ((key, "down", key), (key,)):
        await it.press(*keys)
        chosen.append(it.main.canvas.chosen)
    assert chosen == [("flat", "hidden"), ("flat",)]


@drives("canvas.fold", text=NESTED.replace("block: inner", "layer: Dense, units: 8"))
async def _fold(it: Editor, key: str) -> None:
    it.main.select(("nodes", "first"))
    await it.rest()
    await it.press(key)
    assert {"first.two", "last"} <= set(it.main.canvas.scene.box)
    await it.press(key)
    assert "first" in it.main.canvas.scene.box


@drives("canvas.fold_all", text=NESTED)
async def _fold_all(it: Editor, key: str) -> None:
    it.main.select(("nodes", "first"))
    await it.rest()
    await it.press(key)
    assert "first.two.one" in it.main.canvas.scene.box


@drives("canvas.more", "canvas.less")
async def _zoom(it: Editor, key: str) -> None:
    await it.press(key)
    assert it.main.canvas.density is (Density.DENSE if key == "minus" else Density.FULL)


@drives("canvas.jump")
async def _jump(it: Editor, key: str) -> None:
    canvas = it.main.canvas
    await it.press(key)
    assert canvas.jumping
    letters = canvas.picture.look.jumps["hidden"]
    await it.press(*letters)
    assert canvas.selection == "hidden"
    assert it.text == CNN, "the letters of a jump are no commands"


@drives("canvas.trace", text=TWO)
async def _trace(it: Editor, key: str) -> None:
    canvas = it.main.canvas
    await it.find("scores")
    marked = []
    for _ in range(2):
        await it.press(key)
        marked.append({box for box, looks in canvas.picture._emphasis.boxes.items() if "up" in looks})
    assert marked == [{"a", "b", "left", "right", "both"}, {"both"}]


@drives("canvas.centre", text=WIDE, size=(80, 24))
async def _centre(it: Editor, key: str) -> None:
    canvas = it.main.canvas
    await it.find("tail_5")
    canvas.scroll_to(0, 0, animate=False, force=True)
    await it.press(key)
    rect, area = canvas.picture.layout.boxes["tail_5"], canvas.view()
    assert abs((rect.y + rect.height // 2) - (area.y + area.height // 2)) <= 1


@drives("canvas.tidy", text=TWO)
async def _tidy(it: Editor, key: str) -> None:
    canvas = it.main.canvas
    await it.find("left")
    await it.press("a")
    await it.write("Dropout")
    await it.press("enter", "enter", "2")
    before = canvas.picture
    await it.press(key)
    assert canvas.picture is not before
    tidied = dict(canvas.picture.layout.boxes)
    await it.press(key)
    assert dict(canvas.picture.layout.boxes) == tidied, "what is tidy stays as it is"


@drives("canvas.pan_up", "canvas.pan_down", "canvas.pan_left", "canvas.pan_right", text=WIDE, size=(80, 24))
async def _pan(it: Editor, key: str) -> None:
    canvas = it.main.canvas
    canvas.scroll_to(20, 8, animate=False, force=True)
    await it.rest()
    x, y, *_ = canvas.view()
    selected = canvas.selection
    await it.press(key)
    after = canvas.view()
    moved = ((after.x > x) - (after.x < x), (after.y > y) - (after.y < y))
    assert moved == {"up": (0, -1), "down": (0, 1), "left": (-1, 0), "right": (1, 0)}[key.partition("+")[2]]
    assert canvas.selection == selected


@drives("canvas.page_up", "canvas.page_down", text=WIDE, size=(80, 24))
async def _page(it: Editor, key: str) -> None:
    canvas = it.main.canvas
    await it.find("tail_5")
    y, selected = canvas.view().y, canvas.selection
    await it.press(key)
    assert (canvas.view().y < y) == (key == "pageup")
    assert canvas.view().y != y
    await it.press(key)
    assert canvas.selection != selected, "what is selected is in sight"


# Lists, the inspector and the text.


@drives("rows.up", "rows.down", "rows.page_up", "rows.page_down", "rows.first", "rows.last", text=WIDE)
async def _rows(it: Editor, key: str) -> None:
    await it.press("1")
    outline = it.main.rows("outline")
    outline.move_to("nodes/dense_9")
    before = outline.cursor
    await it.press(key)
    step = outline.cursor - before
    page = outline.size.height - 1
    last = len(outline.rows) - 1
    wanted = {"up": [-1], "k": [-1], "down": [1], "j": [1], "home": [-before], "g": [-before]}
    wanted |= {"end": [last - before], "G": [last - before]}
    wanted |= {"pageup": [-before, -page], "pagedown": [last - before, page]}
    assert step in wanted[key]
    assert outline.key


@drives("rows.choose")
async def _take(it: Editor, key: str) -> None:
    await it.press("1")
    it.main.rows("outline").move_to("nodes/flat")
    await it.press("down", key)
    assert it.main.subject == ("nodes", "hidden")
    assert it.app.focused is it.main.inspector.rows


@drives("inspector.clear")
async def _clear(it: Editor, key: str) -> None:
    await it.find("scores")
    await it.press("i")
    while it.main.inspector.rows.key != "activation":
        await it.press("down")
    await it.press(key)
    assert it.text == CNN.replace(", activation: softmax", "")


@drives("text.leave")
async def _leave(it: Editor, key: str) -> None:
    await it.press("5")
    assert it.app.focused is it.main.text_pane
    await it.press(key)
    assert it.main.canvas.has_focus
