"""What blocks take and give, imports, whole sections and single overrides, edited by keyboard alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphbuilder.blueprint import parse_blueprint
from graphbuilder.editing.session import Session
from graphbuilder.tui.forms import form_of
from graphbuilder.tui.screens.ask import AskText
from graphbuilder.tui.screens.picker import Picker
from tests.tui.driving import CNN, Editor, driven, editor

BLOCKS = """\
blueprint: 1
inputs:
  x: {shape: [8]}
  z: {shape: [8]}
blocks:
  # A step.
  step:
    inputs: [a]
    nodes:
      dense: {layer: Dense, units: 8}
      more: {layer: Dense, units: 8}
  idle: {inputs: [a], nodes: {d: {layer: Dense, units: 8}}}
nodes:
  first: {block: step, from: x}
  many: {block: step, repeat: 2}
  scores: {layer: Dense, from: many, units: 2}
outputs: scores
training: {optimizer: adam, loss: mse}  # how
compression:
  - {pass: prune, sparsity: 0.5}
  - {pass: quantize}
budget: {gzip_bytes: 20000}
"""


async def answer(it: Editor, text: str) -> None:
    """Types an answer in the place of what stands there."""
    await it.screen(AskText)
    await it.press("ctrl+u")
    await it.write(text)
    await it.press("enter")


async def pick(it: Editor, text: str) -> None:
    """Picks what a few letters find first."""
    await it.screen(Picker)
    await it.write(text)
    await it.press("enter")


async def from_help(it: Editor, text: str) -> None:
    """Picks what can be done here from the list of it."""
    await it.press("question_mark")
    await pick(it, text)


def test_a_block_is_renamed_and_one_that_nobody_uses_is_removed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, BLOCKS) as it:
            await it.find("step")
            assert it.main.subject == ("blocks", "step")
            await it.press("r")
            await answer(it, "unit")
            assert it.text == BLOCKS.replace("  step:", "  unit:").replace("block: step", "block: unit")
            assert it.main.subject == ("blocks", "unit")
            await it.press("d")
            assert it.main._said[1] == "error"
            assert "unit is used by first and many" in it.main._said[0]
            await it.find("idle")
            await it.press("d")
            assert "idle" not in it.text
            await it.press("u", "u")
            assert it.text == BLOCKS

    driven(scenario)


def test_an_input_of_a_block_is_added_renamed_and_removed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, BLOCKS) as it:
            await it.find("step")
            await it.press("a")
            await pick(it, "input")
            await it.screen(AskText)
            await it.write("dense")
            await it.press("enter")
            assert isinstance(it.app.screen, AskText), "a name that is taken must not be accepted"
            await answer(it, "extra")
            await pick(it, "z")
            assert "inputs: [a, extra]" in it.text
            assert "first: {block: step, from: [x, z]}" in it.text
            assert "many: {block: step, from: [first, z], repeat: 2}" in it.text
            assert it.main.subject == ("blocks", "step", "inputs", "extra")
            await it.press("r")
            await answer(it, "more_of_it")
            assert "inputs: [a, more_of_it]" in it.text
            assert it.main.subject == ("blocks", "step", "inputs", "more_of_it")
            await it.press("d")
            assert "more_of_it" not in it.text
            assert "first: {block: step, from: [x]}" in it.text

    driven(scenario)


def test_what_can_be_done_with_a_block_is_listed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, BLOCKS) as it:
            await it.find("idle")
            await from_help(it, "add an input to block")
            await answer(it, "b")
            # No node uses it, so that there is nothing to connect.
            assert "idle: {inputs: [a, b], nodes:" in it.text

    driven(scenario)


def test_the_outputs_and_the_description_of_a_block_are_set_in_its_form(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, BLOCKS) as it:
            it.main.select(("blocks", "step", "outputs"))
            await it.press("i", "enter", "ctrl+u")
            await it.write("dense")
            await it.press("enter")
            assert "    outputs: dense\n" in it.text
            it.main.select(("blocks", "step"))
            await it.press("i", "down", "enter")
            await it.write("one of many")
            await it.press("enter")
            assert "    about: one of many\n" in it.text

    driven(scenario)


def test_a_node_of_a_block_is_compressed_in_every_copy(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, BLOCKS) as it:
            it.main.select(("blocks", "step", "nodes", "dense"))
            await it.press("p", "enter")
            await pick(it, "cluster")
            entry = parse_blueprint(it.text).source.data["compression"][1]
            assert entry["where"] == {"nodes": ["first.dense", "many.*.dense"]}

    driven(scenario)


def test_one_override_is_added_from_a_node_and_from_a_pass(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, BLOCKS) as it:
            await it.find("scores")
            await it.press("p", "enter")
            await pick(it, "do otherwise in pass 1")
            await pick(it, "sparsity")
            await answer(it, "0.25")
            overrides = parse_blueprint(it.text).source.data["compression"][0]["overrides"]
            assert overrides == {"scores": {"sparsity": 0.25}}
            await it.find("prune")
            await from_help(it, "do otherwise to one node")
            await pick(it, "first")
            await pick(it, "sparsity")
            await answer(it, "0.125")
            overrides = parse_blueprint(it.text).source.data["compression"][0]["overrides"]
            assert overrides == {"scores": {"sparsity": 0.25}, "first": {"sparsity": 0.125}}
            it.main.select(("compression", 0, "overrides", "scores"))
            await it.press("d")
            overrides = parse_blueprint(it.text).source.data["compression"][0]["overrides"]
            assert overrides == {"first": {"sparsity": 0.125}}

    driven(scenario)


@pytest.mark.parametrize("section", ["training", "budget"])
def test_a_section_is_removed_as_a_whole(tmp_path: Path, section: str) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, BLOCKS) as it:
            await it.find(section)
            await it.press("d")
            assert f"{section}:" not in it.text
            await it.press("u")
            assert it.text == BLOCKS

    driven(scenario)


def test_all_passes_are_removed_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, BLOCKS) as it:
            await it.find("quantize")
            await from_help(it, "remove all passes")
            assert "compression" not in it.text
            assert "2 passes went with it: prune and quantize" in it.main._said[0]

    driven(scenario)


def test_a_file_is_imported_renamed_changed_and_taken_away(tmp_path: Path) -> None:
    library = "blueprint: 1\nblocks:\n  unit: {inputs: [a], nodes: {d: {layer: Dense, units: 8}}}\n"
    (tmp_path / "lib.yaml").write_text(library)
    (tmp_path / "other.yaml").write_text(library)

    async def scenario() -> None:
        async with editor(tmp_path, BLOCKS) as it:
            await it.press("a")
            await pick(it, "import")
            await answer(it, "lib.yaml")
            await answer(it, "parts")
            assert it.text == BLOCKS.replace("inputs:\n  x:", "imports:\n  parts: lib.yaml\ninputs:\n  x:")
            assert it.main.subject == ("imports", "parts")
            await it.press("r")
            await answer(it, "made")
            assert "imports:\n  made: lib.yaml\n" in it.text
            assert it.main.subject == ("imports", "made")
            await it.press("i", "down", "enter", "ctrl+u")
            await it.write("other.yaml")
            await it.press("enter")
            assert "imports:\n  made: other.yaml\n" in it.text
            await it.find("made")
            await it.press("d")
            assert it.text == BLOCKS

    driven(scenario)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await it.press("a")
            await pick(it, "import")
            await answer(it, "lib.yaml")
            await it.press("enter")
            assert it.text == CNN
            assert "there is no file lib.yaml" in it.main._said[0]

    driven(scenario)


def test_a_node_is_called_again_and_left_to_the_order(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, CNN.replace("hidden: {layer: Dense,", "hidden: {layer: Dense, from: flat,")) as it:
            await it.find("hidden")
            await from_help(it, "leave what hidden takes to the order")
            assert it.text == CNN
            await from_help(it, "call hidden again")
            assert "  hidden_again: {reuse: hidden" in it.text
            await it.press("u")
            await it.press("a")
            await pick(it, "reuse")
            await pick(it, "scores")
            await it.screen(Picker)
            await it.press("enter")
            assert "{reuse: scores" in it.text

    driven(scenario)


def test_the_forms_of_custom_layers_and_of_reused_nodes_have_all_their_keys() -> None:
    more = '  own: {layer: "mine.layers:Scale"}\n  again: {reuse: first, from: x}\n'
    text = BLOCKS.replace("  scores:", f"{more}  scores:")
    document = parse_blueprint(text)
    own, again = form_of(document, ("nodes", "own")), form_of(document, ("nodes", "again"))
    assert own is not None
    assert again is not None
    assert [field.key for field in own.fields] == ["name", "args", "gives", "call", "when", "about"]
    assert [field.key for field in again.fields] == ["name", "reuse", "call", "when", "about"]
    session = Session(text, "x.yaml")
    for form, key, value in ((own, "gives", {"shape": [8]}), (again, "reuse", "many.0.dense")):
        change = next(field.change for field in form.fields if field.key == key)
        assert change is not None
        session.run(change(value))
    assert 'own: {layer: "mine.layers:Scale", gives: {shape: [8]}}' in session.text
    assert "again: {reuse: many.0.dense, from: x}" in session.text
