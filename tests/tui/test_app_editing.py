"""Every command of the main screen, by keyboard alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphbuilder.api.reading import check
from graphbuilder.blueprint import parse_blueprint
from graphbuilder.tui.canvas import ConnectAsked, RewireAsked
from graphbuilder.tui.screens.ask import Ask, AskText
from graphbuilder.tui.screens.picker import Picker
from tests.tui.driving import CNN, TWO, Editor, driven, editor


def test_add_behind_a_node(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await it.find("hidden")
            await it.press("a")
            await it.write("Dropout")
            await it.press("enter")
            assert isinstance(it.app.screen, Picker)
            await it.press("enter")
            assert "  dropout: {layer: Dropout, rate: " in it.text
            assert it.text.index("dropout:") > it.text.index("hidden:")
            assert "# the first" in it.text
            assert it.main.subject == ("nodes", "dropout")
            await it.press("u")
            assert it.text == CNN

    driven(scenario)


@pytest.mark.parametrize(("place", "above"), [("new branch", "conv"), ("before", "image"), ("at the end", "scores")])
def test_add_elsewhere(tmp_path: Path, place: str, above: str) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await it.find("conv")
            await it.press("a")
            await it.write("BatchNorm")
            await it.press("enter")
            await it.write(place)
            await it.press("enter")
            document = parse_blueprint(it.text)
            node = document.blueprint.nodes["batch_normalization"]
            assert node.source in (None, above)
            assert len(document.blueprint.nodes) == 6

    driven(scenario)


@pytest.mark.parametrize("what", ["input", "param"])
def test_add_an_input_or_a_param(tmp_path: Path, what: str) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await it.press("a")
            await it.write(what)
            await it.press("enter")
            await it.screen(AskText)
            await it.write("extra")
            await it.press("enter")
            blueprint = parse_blueprint(it.text).blueprint
            assert "extra" in (blueprint.inputs if what == "input" else blueprint.params)
            assert it.main.subject == (f"{what}s", "extra")

    driven(scenario)


def test_add_an_output(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await it.find("hidden")
            await it.press("a")
            await it.write("output")
            await it.press("enter")
            assert "outputs: [scores, hidden]" in it.text

    driven(scenario)


def test_connect_at_a_node(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, TWO) as it:
            await it.find("a")
            await it.press("c")
            await it.write("both")
            await it.press("enter")
            assert "from: [left, right, a]" in it.text
            await it.press("2")
            await it.find("both")
            await it.press("C")
            await it.write("left")
            await it.press("enter")
            assert "from: [right, a]" in it.text
            await it.press("s")
            assert "from: [a, right]" in it.text

    driven(scenario)


def test_delete_heals_and_cut_does_not(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, TWO) as it:
            await it.find("left")
            await it.press("d")
            assert "left" not in it.text
            assert "from: [a, right]" in it.text
            await it.press("u")
            assert it.text == TWO
            await it.find("left")
            await it.press("D")
            assert "from: [right]" in it.text

    driven(scenario)


@pytest.mark.parametrize(("name", "gone"), [("width", "params"), ("a", "inputs")])
def test_delete_asks_the_command_what_else_is_no_node(tmp_path: Path, name: str, gone: str) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, CNN if gone == "params" else TWO) as it:
            before = it.text
            await it.find(name)
            assert it.main.subject == (gone, name)
            await it.press("d")
            # Both are needed by others, and whether they can go is the command's to say.
            assert it.text != before or it.main._said[1] in ("error", "warning")

    driven(scenario)


def test_rename(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await it.find("scores")
            await it.press("r")
            await it.screen(AskText)
            await it.press("ctrl+u")
            await it.write("hidden")
            await it.press("enter")
            assert isinstance(it.app.screen, AskText), "a name that is taken is refused where it is typed"
            await it.press("ctrl+u")
            await it.write("classes")
            await it.press("enter")
            assert "outputs: classes" in it.text
            assert it.main.subject == ("nodes", "classes")

    driven(scenario)


def test_change_kind(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await it.find("pool")
            await it.press("K")
            await it.write("AveragePooling2D")
            await it.press("enter")
            assert "pool: {layer: AveragePooling2D" in it.text

    driven(scenario)


def test_set_an_argument_in_the_inspector(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await it.find("hidden")
            await it.press("enter", "j", "enter")
            assert it.main.inspector.editing is not None
            assert it.main.inspector.editing.key == "units"
            await it.press("ctrl+u")
            await it.write("-3")
            await it.press("enter")
            assert it.text == CNN, "what is wrong is not taken"
            await it.press("ctrl+u")
            await it.write("64")
            await it.press("enter")
            assert it.text == CNN.replace("units: 32", "units: 64")
            facts = it.main.workspace.facts("hidden")
            assert facts is not None
            assert facts.shape == "64"
            assert facts.parameters == 7 * 7 * 8 * 64 + 64

    driven(scenario)


def test_choose_and_clear_an_argument(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await it.find("pool")
            await it.press("i")
            rows = it.main.inspector.rows
            while rows.key != "padding":
                await it.press("down")
            await it.press("enter", "down", "enter")
            assert "pool: {layer: MaxPooling2D, padding: same}" in it.text
            await it.press("delete")
            assert it.text == CNN

    driven(scenario)


def test_merge_shows_what_fits(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, TWO) as it:
            await it.find("left")
            await it.press("m")
            await it.write("right")
            await it.press("enter")
            await it.pilot.pause(0.2)
            await it.screen(Picker)
            for _ in range(100):
                await it.pilot.pause(0.05)
                if isinstance(it.app.screen, Picker) and it.app.screen.asked.startswith("Merge left, right"):
                    break
            assert isinstance(it.app.screen, Picker)
            choices = {choice.key: choice for choice in it.app.screen.choices}
            assert choices["concat"].possible
            assert choices["concat"].right.startswith("8")
            await it.write("gated")
            await it.press("enter")
            assert "fuse: gated" in it.text

    driven(scenario)


def test_passes_show_sizes_and_are_attached(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await it.find("hidden")
            await it.press("p", "enter")
            for _ in range(100):
                await it.pilot.pause(0.05)
                if isinstance(it.app.screen, Picker) and it.app.screen.asked.startswith("Compress hidden"):
                    break
            assert isinstance(it.app.screen, Picker)
            choices = {choice.key: choice for choice in it.app.screen.choices}
            assert "→" in choices["prune"].right
            assert "hidden: legal" in choices["prune"].detail
            await it.write("prune")
            await it.press("enter")
            assert "compression:" in it.text
            assert "{pass: prune, sparsity: 0.5, where: {nodes: hidden}}" in it.text
            assert it.main.subject == ("compression", 0)
            assert it.main.inspector.form is not None
            assert it.main.inspector.form.title == "prune"
            await it.press("escape")
            assert "compressed" in it.main.canvas.scene.box["hidden"].marks

    driven(scenario)


def test_extract_and_inline_a_block(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await it.find("conv")
            await it.press("space", "down", "space", "b")
            await it.screen(AskText)
            await it.write("stem")
            await it.press("enter")
            assert parse_blueprint(it.text).blueprint.blocks["stem"].nodes.keys() == {"conv", "pool"}
            assert it.main.subject == ("nodes", "stem")
            await it.press("f")
            assert "stem.conv" in it.main.canvas.scene.box
            await it.find("stem")
            await it.press("2")
            it.main.select(("nodes", "stem"))
            await it.rest()
            await it.press("f", "B")
            assert "stem_conv" in it.text or "conv:" in it.text
            assert not [node for node in parse_blueprint(it.text).blueprint.nodes.values() if node.kind == "block"]

    driven(scenario)


def test_copy_and_paste(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await it.find("hidden")
            await it.press("y", "enter")
            assert "hidden: {layer: Dense, from: flat, units: 32}" in it.app.clipboard
            await it.press("P")
            assert "hidden_2: {layer: Dense" in it.text

    driven(scenario)


@pytest.mark.parametrize(("form", "holds"), [("Mermaid", "flowchart"), ("Python", "def build_model")])
def test_copy_in_another_form(tmp_path: Path, form: str, holds: str) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await it.press("y")
            await it.write(form)
            await it.press("enter")
            assert holds in it.app.clipboard
            assert "scores" in it.app.clipboard

    driven(scenario)


def test_undo_redo_and_history(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            for name in ("pool", "hidden"):
                await it.find(name)
                await it.press("d")
            after = it.text
            await it.press("u")
            assert "hidden" in it.text
            await it.press("ctrl+r")
            assert it.text == after
            await it.press("U")
            await it.write("as it was")
            await it.press("enter")
            assert it.text == CNN
            await it.press("ctrl+r", "ctrl+r")
            assert it.text == after

    driven(scenario)


def test_find_problems_and_move(tmp_path: Path) -> None:
    wrong = CNN.replace("units: 32", "units: 0").replace("layer: Flatten", "layer: Flaten")

    async def scenario() -> None:
        async with editor(tmp_path, wrong) as it:
            assert len(it.main.workspace.diagnostics()) == 2
            await it.press("n")
            assert it.main.subject == ("nodes", "flat")
            await it.press("n")
            assert it.main.subject == ("nodes", "hidden")
            await it.press("N")
            assert it.main.subject == ("nodes", "flat")

    driven(scenario)


def test_what_validate_refuses_is_a_problem_here(tmp_path: Path) -> None:
    wrong = f"{CNN}budget: {{params: 1000}}\ncompression: [{{pass: prune, where: {{nodes: [flat]}}}}]\n"

    async def scenario() -> None:
        async with editor(tmp_path, wrong) as it:
            told = {each.code for each in it.main.workspace.diagnostics()}
            assert told == {each.code for each in check(it.main.workspace.session.document()).diagnostics}
            assert "GB406" in told
            # The graph is drawn with its shapes all the same.
            assert any(box.shape for box in it.main.canvas.scene.boxes)

    driven(scenario)


def test_help_lists_and_does_what_can_be_done(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await it.find("pool")
            await it.press("question_mark")
            assert isinstance(it.app.screen, Picker)
            keys = {choice.key for choice in it.app.screen.choices}
            assert {"canvas.jump", "add", "merge", "save"} <= keys
            await it.write("delete the node, and join")
            await it.press("enter")
            assert "pool" not in it.text

    driven(scenario)


def test_quit_asks(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await it.find("pool")
            await it.press("d", "q")
            assert isinstance(it.app.screen, Ask)
            await it.press("c")
            assert it.app.is_running
            await it.press("q", "s")
            await it.pilot.pause()
            assert (tmp_path / "model.yaml").read_text() == it.text != CNN

    driven(scenario)


async def _all_panes(it: Editor) -> None:
    for key, name in zip("1234567", ("outline", "canvas", "inspector", "problems", "text", "diff", "log"), strict=True):
        await it.press(key)
        focused = it.app.focused
        assert focused is not None
        assert name in [each.id for each in focused.ancestors_with_self], name
        if name == "text":
            await it.press("escape")


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
def test_every_pane_is_reached(tmp_path: Path, size: tuple[int, int]) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, size=size) as it:
            await _all_panes(it)

    driven(scenario)


def test_commands_of_the_palette(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await it.find("pool")
            await it.press("ctrl+p")
            await it.pilot.pause(0.3)
            await it.write("cut off what took")
            await it.pilot.pause(0.5)
            await it.press("enter", "enter")
            await it.rest()
            assert "pool: {" not in it.text

    driven(scenario)


def test_passes_are_moved_shared_and_removed(tmp_path: Path) -> None:
    text = CNN + "compression:\n- {pass: prune, sparsity: 0.5, where: {nodes: hidden}}\n"
    text += "- {pass: cluster, clusters: 8}\n"

    async def scenario() -> None:
        async with editor(tmp_path, text) as it:
            await it.find("scores")
            await it.press("p", "enter")
            for _ in range(100):
                await it.pilot.pause(0.05)
                if isinstance(it.app.screen, Picker) and it.app.screen.asked.startswith("Compress scores"):
                    break
            await it.write("include in pass 1")
            await it.press("enter")
            assert "nodes: [hidden, scores]" in it.text
            it.main.select(("compression", 1))
            await it.press("less_than_sign")
            passes = parse_blueprint(it.text).blueprint.compression
            # Whether the order may be changed is the command's to say.
            moved = [each.name for each in passes] == ["cluster", "prune"]
            assert moved or it.main._said[1] == "error"
            it.main.select(("compression", 0))
            await it.press("d")
            assert len(parse_blueprint(it.text).blueprint.compression) == 1

    driven(scenario)


def test_edges_are_drawn_with_the_mouse(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, TWO) as it:
            edge = next(edge for edge in it.main.canvas.scene.edges if edge.source == "left")
            it.main.canvas.post_message(RewireAsked(edge, "a", edge.target))
            await it.rest()
            assert "from: [a, right]" in it.text
            it.main.canvas.post_message(ConnectAsked("left", "both"))
            await it.rest()
            assert "from: [a, right, left]" in it.text

    driven(scenario)


def test_a_double_click_edits(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            rect = it.main.canvas.picture.layout.boxes["pool"]
            await it.pilot.click(it.main.canvas, offset=(rect.x + 3, rect.y + 1), times=2)
            await it.rest()
            assert it.main.subject == ("nodes", "pool")
            assert it.app.focused is it.main.inspector.rows

    driven(scenario)


def test_a_theme_is_chosen_and_shown_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await it.press("T")
            await it.write("gruvbox")
            assert it.app.theme == "gruvbox"
            await it.press("escape")
            assert it.app.theme == "textual-dark"
            await it.press("T")
            await it.write("nord")
            await it.press("enter")
            assert it.app.theme == "nord"

    driven(scenario)


def test_the_outline_leads_everywhere(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await it.press("1", "home")
            seen = []
            for _ in range(12):
                seen.append(it.main.subject)
                await it.press("down")
            assert ("params", "width") in seen
            assert ("nodes", "flat") in seen
            assert ("outputs",) in seen
            assert it.main.inspector.form is not None

    driven(scenario)


def test_an_empty_file_is_filled_line_by_line(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, "blueprint: 1\n") as it:
            await it.press("a")
            await it.write("input")
            await it.press("enter")
            await it.screen(AskText)
            await it.write("x")
            await it.press("enter", "escape", "a")
            await it.write("Flatten")
            await it.press("enter", "enter")
            assert it.text.startswith("blueprint: 1\ninputs:\n  x: {shape: [null]}\nnodes:\n  flatten:")

    driven(scenario)


def test_the_first_node_of_a_file(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, "blueprint: 1\ninputs: {x: {shape: [4]}}\n") as it:
            await it.find("x")
            await it.press("a")
            await it.write("Flatten")
            await it.press("enter", "enter")
            assert it.text.endswith("nodes: {flatten: {layer: Flatten}}\n"), "as the inputs are written"
            assert it.main.subject == ("nodes", "flatten")

    driven(scenario)
