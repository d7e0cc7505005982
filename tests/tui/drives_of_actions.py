"""What drives the actions of the main screen."""

from __future__ import annotations

from graphbuilder.blueprint import parse_blueprint
from graphbuilder.tui.keys import ACTIONS
from graphbuilder.tui.screens.ask import Ask, AskText
from graphbuilder.tui.screens.picker import Picker
from tests.tui.drives import NESTED, TWO, drives, focused
from tests.tui.driving import CNN, Editor

__all__: list[str] = []

PASSES = CNN + "compression:\n- {pass: prune, sparsity: 0.5, where: {nodes: hidden}}\n- {pass: cluster, clusters: 8}\n"
WRONG = CNN.replace("units: 32", "units: 0").replace("layer: Flatten", "layer: Flaten")


# Editing.


@drives("add")
async def _add(it: Editor, key: str) -> None:
    await it.find("hidden")
    await it.press(key)
    await it.write("Dropout")
    await it.press("enter", "enter")
    assert list(parse_blueprint(it.text).blueprint.nodes)[-2:] == ["dropout", "scores"]


@drives("connect", text=TWO)
async def _connect(it: Editor, key: str) -> None:
    await it.find("a")
    await it.press(key)
    await it.write("both")
    await it.press("enter")
    assert "from: [left, right, a]" in it.text


@drives("disconnect", text=TWO)
async def _disconnect(it: Editor, key: str) -> None:
    await it.find("both")
    await it.press(key)
    await it.write("left")
    await it.press("enter")
    assert "from: [right]" in it.text


@drives("swap", text=TWO)
async def _swap(it: Editor, key: str) -> None:
    await it.find("both")
    await it.press(key)
    assert "from: [right, left]" in it.text


@drives("delete", text=TWO)
async def _delete(it: Editor, key: str) -> None:
    await it.find("left")
    await it.press(key)
    assert "left" not in it.text
    assert "from: [a, right]" in it.text


@drives("cut", text=TWO)
async def _cut(it: Editor, key: str) -> None:
    await it.find("left")
    await it.press(key)
    assert "left" not in it.text
    assert "from: [right]" in it.text


@drives("rename")
async def _rename(it: Editor, key: str) -> None:
    await it.find("scores")
    await it.press(key)
    await it.screen(AskText)
    await it.press("ctrl+u")
    await it.write("classes")
    await it.press("enter")
    assert it.text == CNN.replace("scores", "classes")


@drives("kind")
async def _kind(it: Editor, key: str) -> None:
    await it.find("pool")
    await it.press(key)
    await it.write("AveragePooling2D")
    await it.press("enter")
    assert "pool: {layer: AveragePooling2D" in it.text


@drives("set")
async def _set(it: Editor, key: str) -> None:
    await it.find("hidden")
    await it.press(key)
    assert it.app.focused is it.main.inspector.rows
    assert it.main.inspector.form is not None
    assert it.main.inspector.form.title == "hidden"


@drives("merge", text=TWO)
async def _merge(it: Editor, key: str) -> None:
    await it.find("left")
    await it.press(key)
    await it.write("right")
    await it.press("enter")
    await it.write("gated")
    await it.press("enter")
    assert "fuse: gated" in it.text


@drives("passes")
async def _passes(it: Editor, key: str) -> None:
    await it.find("hidden")
    await it.press(key, "enter")
    await it.write("prune")
    await it.press("enter")
    assert "{pass: prune, sparsity: 0.5, where: {nodes: hidden}}" in it.text


async def _order(it: Editor, index: int, key: str) -> list[str]:
    it.main.select(("compression", index))
    await it.rest()
    await it.press(key)
    return [each.name for each in parse_blueprint(it.text).blueprint.compression]


@drives("earlier", text=PASSES.replace("cluster, clusters: 8", "low_rank, energy: 0.9, where: {nodes: scores}"))
async def _earlier(it: Editor, key: str) -> None:
    assert await _order(it, 1, key) == ["low_rank", "prune"]
    assert it.main.subject == ("compression", 0)


@drives("later", text=PASSES.replace("cluster, clusters: 8", "low_rank, energy: 0.9, where: {nodes: scores}"))
async def _later(it: Editor, key: str) -> None:
    assert await _order(it, 0, key) == ["low_rank", "prune"]
    assert it.main.subject == ("compression", 1)


@drives("extract")
async def _extract(it: Editor, key: str) -> None:
    await it.find("conv")
    await it.press("space", "down", "space", key)
    await it.screen(AskText)
    await it.write("stem")
    await it.press("enter")
    assert parse_blueprint(it.text).blueprint.blocks["stem"].nodes.keys() == {"conv", "pool"}


@drives("inline", text=NESTED)
async def _inline(it: Editor, key: str) -> None:
    it.main.select(("nodes", "first"))
    await it.rest()
    await it.press(key)
    nodes = parse_blueprint(it.text).blueprint.nodes
    assert "first" not in nodes
    assert [getattr(node, "block", "") for node in nodes.values()] == ["inner", ""]


@drives("copy")
async def _copy(it: Editor, key: str) -> None:
    await it.find("hidden")
    await it.press(key, "enter")
    assert "hidden: {layer: Dense, from: flat, units: 32}" in it.app.clipboard


@drives("paste")
async def _paste(it: Editor, key: str) -> None:
    await it.find("hidden")
    await it.press("y", "enter", key)
    assert "hidden_2: {layer: Dense" in it.text


@drives("undo")
async def _undo(it: Editor, key: str) -> None:
    await it.find("pool")
    await it.press("d")
    assert it.text != CNN
    await it.press(key)
    assert it.text == CNN


@drives("redo")
async def _redo(it: Editor, key: str) -> None:
    await it.find("pool")
    await it.press("d")
    after = it.text
    await it.press("u", key)
    assert it.text == after != CNN


@drives("history")
async def _history(it: Editor, key: str) -> None:
    await it.find("pool")
    await it.press("d", key)
    await it.write("as it was")
    await it.press("enter")
    assert it.text == CNN


# Going about.


@drives("find")
async def _find(it: Editor, key: str) -> None:
    await it.press(key)
    await it.write("flat")
    await it.press("enter")
    assert it.main.subject == ("nodes", "flat")


@drives("next_problem", text=WRONG)
async def _next_problem(it: Editor, key: str) -> None:
    await it.press(key)
    assert it.main.subject == ("nodes", "flat")
    await it.press(key)
    assert it.main.subject == ("nodes", "hidden")


@drives("previous_problem", text=WRONG)
async def _previous_problem(it: Editor, key: str) -> None:
    await it.press("n", key)
    assert it.main.subject == ("nodes", "hidden"), "the last one comes before the first"


@drives("outline", "problems", "diff", "log", "inspector", "text")
async def _pane(it: Editor, key: str) -> None:
    name = {"1": "outline", "3": "inspector", "4": "problems", "5": "text", "6": "diff", "7": "log"}[key]
    await it.press(key)
    assert name in focused(it)
    if name != "text":
        # From there it is hidden.
        await it.press(key)
        assert it.main.canvas.has_focus
        assert not it.main.query_one("#lower" if key in "467" else f"#{name}").display


@drives("graph")
async def _graph(it: Editor, key: str) -> None:
    await it.press("1")
    assert "outline" in focused(it)
    await it.press(key)
    assert it.main.canvas.has_focus


@drives("lower")
async def _lower(it: Editor, key: str) -> None:
    shown = []
    for _ in range(2):
        await it.press(key)
        shown.append(it.main.query_one("#lower").display)
    assert shown == [False, True]


@drives("theme")
async def _theme(it: Editor, key: str) -> None:
    await it.press(key)
    await it.write("nord")
    await it.press("enter")
    assert it.app.theme == "nord"


@drives("help")
async def _help(it: Editor, key: str) -> None:
    await it.press(key)
    assert isinstance(it.app.screen, Picker)
    assert {choice.key for choice in it.app.screen.choices} >= {action.id for action in ACTIONS}


# Files and commands.


@drives("save")
async def _save(it: Editor, key: str) -> None:
    await it.find("pool")
    await it.press("d", key)
    assert it.main.path.read_text() == it.text != CNN
    # Also while something is typed.
    saved = it.text
    await it.pilot.press("5", "end", "space", "#", key)
    await it.rest()
    assert it.main.path.read_text() == it.text
    assert it.text.replace(" #\n", "\n") == saved != it.text


@drives("save_as", "save_copy")
async def _save_as(it: Editor, key: str) -> None:
    before = it.main.path
    await it.press(key)
    await it.screen(AskText)
    await it.press("ctrl+u")
    await it.paste(str(before.with_name("other.yaml")))
    await it.press("enter")
    assert before.with_name("other.yaml").read_text() == CNN
    assert it.main.path.name == ("other.yaml" if key == "S" else "model.yaml")


@drives("external")
async def _external(it: Editor, key: str) -> None:
    # That another editor is really run is tested in a terminal.
    await it.press(key)
    assert "neither $VISUAL nor $EDITOR" in it.main._said[0]


@drives("quit")
async def _quit(it: Editor, key: str) -> None:
    await it.find("pool")
    await it.press("d", key)
    await it.screen(Ask)
    await it.press("c")
    assert it.app.is_running
    await it.press("u")
    await it.pilot.press(key)
    for _ in range(100):
        await it.pilot.pause(0.02)
        if it.app._exit:
            break
    assert it.app._exit


@drives("run")
async def _run(it: Editor, key: str) -> None:
    await it.press(key)
    assert isinstance(it.app.screen, Picker)
    assert [choice.key for choice in it.app.screen.choices] == ["compile", "train", "compress"]


@drives("stop")
async def _stop(it: Editor, key: str) -> None:
    await it.press(key)
    assert it.main._said == ("nothing is running", "warning")
