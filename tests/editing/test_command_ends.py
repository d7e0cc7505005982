"""Commands on inputs and outputs, and on what a file says of the whole model."""

from __future__ import annotations

import pytest

from graphbuilder.editing.command import Command
from graphbuilder.editing.commands.ends import AddInput, RemoveInput, RenameInput, SetInput, UnsetInput
from graphbuilder.editing.commands.outputs import AddOutput, RemoveOutput, RenameOutput, SetOutputs
from graphbuilder.editing.commands.top import RemoveSection, SetDescription, SetInputsAs, SetName
from graphbuilder.editing.session import Session
from graphbuilder.errors import CommandError
from graphbuilder.lowering import lower
from graphbuilder.lowering.resolved_proof import first_difference
from tests.editing.golden import STYLES, check_golden, session_of

CASES: dict[str, Command] = {
    "add_input": AddInput("flag", {"shape": [], "dtype": "bool", "about": "whether: so"}),
    "remove_input_that_is_taken": RemoveInput("image"),
    "rename_input": RenameInput("image", "photo"),
    "set_input_shape": SetInput("question", "shape", ["steps"]),
    "set_input_about": SetInput("image", "about", "pixels from 0 to 1"),
    "set_input_wrongly": SetInput("image", "dtype", "flaot32"),
    "unset_input": UnsetInput("image", "modality"),
    "unset_input_shape": UnsetInput("image", "shape"),
    "add_input_with_taken_name": AddInput("words"),
    "rename_input_to_no_name": RenameInput("image", "2d"),
    "set_unknown_input": SetInput("imgae", "about", "x"),
    "add_output": AddOutput("hidden"),
    "add_output_inside": AddOutput("seen.conv", "edges"),
    "add_output_with_taken_name": AddOutput("hidden", "size"),
    "remove_output": RemoveOutput("size"),
    "remove_unknown_output": RemoveOutput("sise"),
    "rename_output": RenameOutput("answer", "label"),
    "set_outputs_one": SetOutputs("answer"),
    "set_outputs_list": SetOutputs(["answer", "seen.conv"]),
    "set_outputs_none": SetOutputs(None),
    "set_outputs_to_a_number": SetOutputs(5),  # type: ignore[arg-type]  # as it may be typed
    "set_outputs_to_nothing": SetOutputs([]),
    "set_outputs_to_no_node": SetOutputs(["answer", "seen.nothing"]),
    "remove_training": RemoveSection("training"),
    "remove_compression": RemoveSection("compression"),
    "remove_budget": RemoveSection("budget"),
    "remove_nodes": RemoveSection("nodes"),  # type: ignore[arg-type]  # what a front end might ask for
    "set_name": SetName("image_text"),
    "take_name_away": SetName(None),
    "set_description": SetDescription("Looks: and reads # both"),
    "set_inputs_as": SetInputsAs("list"),
    "set_inputs_as_tensor": SetInputsAs("tensor"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_text_after_a_command_is_exact(name: str) -> None:
    check_golden(name, CASES[name])


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_the_model_is_the_same_by_other_names_of_its_ends(path: object) -> None:
    session = session_of(path)  # type: ignore[arg-type]  # pytest gives what is parametrized
    before = lower(session.document())
    session.run(RenameInput("question", "asked_for"))
    session.run(AddInput("more", {"shape": [2]}))
    session.run(RemoveInput("more"))
    assert first_difference(before, lower(session.document())) is None


ONE = """\
blueprint: 1
inputs: {x: {shape: [8]}}
inputs_as: tensor
nodes:
  a: {layer: Dense, units: 2}  # takes x
  b: {layer: Dense, from: x, units: 2}
  m: {fuse: add, from: {inputs: [a, x], presence: {x: b.0}}, align: {x: [{project: 2}]}}
"""


def test_a_second_input_leaves_the_first_node_what_it_took() -> None:
    session = Session(ONE)
    edit = session.run(AddInput("z", {"shape": [3]}))
    assert "inputs: {x: {shape: [8]}, z: {shape: [3]}}\ninputs_as: mapping" in session.text
    assert "a: {layer: Dense, from: x, units: 2}  # takes x" in session.text
    assert edit.told == (
        "nothing takes it yet",
        "a says from: x from now on, because there are several inputs",
        "the model is now called with a mapping by the names of its inputs, not with a tensor",
    )


def test_branches_that_a_fusion_names_follow_their_input() -> None:
    session = Session(ONE)
    session.run(RenameInput("x", "z"))
    assert "presence: {z: b.0}}, align: {z: [{project: 2}]}}" in session.text
    assert "a: {layer: Dense, units: 2}  # takes x" in session.text


def test_an_input_that_nothing_takes_can_go_but_not_the_last_one() -> None:
    session = Session(ONE)
    with pytest.raises(CommandError, match="x is the only input"):
        session.run(RemoveInput("x"))
    session.run(AddInput("y"))
    assert session.run(RemoveInput("y")).told == ()
    with pytest.raises(CommandError, match="x is the only input"):
        session.run(RemoveInput("x"))


CHAIN = """\
blueprint: 1
inputs: {x: {shape: [8]}}
nodes:
  a: {layer: Dense, units: 2}
  b: {layer: Dense, units: 2}
training: {loss: {a: mse, b: mae}, metrics: [[mae], [mse]], loss_weights: [1, 2]}
"""


def test_an_implied_output_is_written_out_beside_another_one() -> None:
    session = Session(CHAIN)
    session.run(AddOutput("a"))
    assert "\noutputs: [b, a]\ntraining" in session.text
    with pytest.raises(CommandError, match=r"a\.0 is an output already"):
        session.run(AddOutput("a.0"))
    session.run(RemoveOutput("b"))
    assert "\noutputs: [a]\ntraining: {loss: {a: mse}, metrics: [[mse]], loss_weights: [2]}" in session.text
    with pytest.raises(CommandError, match="a is the only output"):
        session.run(RemoveOutput("a"))


def test_a_list_of_outputs_becomes_a_mapping_for_the_first_name() -> None:
    session = Session(CHAIN)
    session.run(AddOutput("a", "code"))
    assert "\noutputs: {b: b, code: a}\n" in session.text
    session.run(AddOutput("a"))
    assert "\noutputs: {b: b, code: a, a: a}\n" in session.text


def test_a_section_that_is_not_there_is_refused() -> None:
    text = "blueprint: 1\ninputs: {x: {shape: [8]}}\nnodes: {a: {layer: Dense, units: 2}}\ntraining: {}  # how\n"
    session = Session(text + "budget: {raw_bytes: 9}\n", "x.yaml")
    with pytest.raises(CommandError, match="GB201 the file has no compression"):
        session.run(RemoveSection("compression"))
    session.run(RemoveSection("training"))
    assert session.text == text.replace("training: {}  # how\n", "budget: {raw_bytes: 9}\n")
    session.run(RemoveSection("budget"))
    assert "budget" not in session.text
