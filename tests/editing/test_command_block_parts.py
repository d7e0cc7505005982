"""What a block takes and gives, and what it is called: texts before and after, and who follows."""

from __future__ import annotations

import pytest

from graphbuilder.blueprint import parse_blueprint
from graphbuilder.editing.command import Command
from graphbuilder.editing.commands.block_names import DescribeBlock, RenameBlock
from graphbuilder.editing.commands.block_outputs import SetBlockOutputs
from graphbuilder.editing.commands.block_ports import (
    AddBlockInput,
    DescribeBlockInput,
    RemoveBlockInput,
    RenameBlockInput,
)
from graphbuilder.editing.session import Session
from graphbuilder.errors import BlueprintError, CommandError
from graphbuilder.lowering import lower
from tests.editing.golden import check_golden
from tests.editing.keeping import check_kept, fingerprint

CASES: dict[str, Command] = {
    "add_block_input": AddBlockInput("branch", "extra", "question"),
    "add_block_input_to_nothing": AddBlockInput("branch", "extra"),
    "add_block_input_from_unknown": AddBlockInput("branch", "extra", "quest"),
    "add_block_input_in_a_circle": AddBlockInput("branch", "extra", "flat"),
    "add_block_input_with_taken_name": AddBlockInput("branch", "conv", "question"),
    "rename_block_input": RenameBlockInput("branch", "x", "picture"),
    "rename_block_input_to_a_node": RenameBlockInput("branch", "x", "pool"),
    "rename_unknown_block_input": RenameBlockInput("branch", "y", "z"),
    "describe_block_input": DescribeBlockInput("branch", "x", "pixels: 0 to 1"),
    "remove_only_block_input": RemoveBlockInput("branch", "x"),
    "set_block_outputs": SetBlockOutputs("branch", {"low": "conv", "high": "pool"}),
    "set_block_outputs_list": SetBlockOutputs("branch", ["pool", "conv"]),
    "set_block_output_to_another_node": SetBlockOutputs("branch", "conv"),
    "set_block_outputs_to_no_node": SetBlockOutputs("branch", "cnv"),
    "set_block_outputs_to_a_number": SetBlockOutputs("branch", 5),  # type: ignore[arg-type]  # as it may be typed
    "set_block_outputs_to_nothing": SetBlockOutputs("branch", {}),
    "set_block_outputs_with_a_wrong_name": SetBlockOutputs("branch", {"a.b": "conv"}),
    "rename_block": RenameBlock("branch", "look"),
    "rename_block_to_itself": RenameBlock("branch", "branch"),
    "rename_block_to_no_name": RenameBlock("branch", "a.b"),
    "rename_unknown_block": RenameBlock("brnch", "look"),
    "rename_shipped_block": RenameBlock("std.mlp", "mlp"),
    "describe_block": DescribeBlock("branch", "Looks at the image: #1."),
}


@pytest.mark.parametrize("name", CASES)
def test_the_text_after_a_command_is_exact(name: str) -> None:
    check_golden(name, CASES[name])


HEAD = "blueprint: 1\ninputs: {a: {shape: [8]}, b: {shape: [8]}}\n"
TWO = """\
blocks:
  sum:
    inputs: [x, y]
    nodes:
      left: {layer: Dense, from: x, units: 8}
      both: {layer: Add, from: [left, y]}
nodes:
  first: {block: sum, from: {y: b, x: a}}
  many: {block: sum, from: [first, b], repeat: 3}
  again: {reuse: first, from: [b, a]}
  tap: {layer: Dense, from: first.y, units: 2}
  inner: {layer: Dense, from: many.1.left, units: 2}
outputs: [many, again, tap, inner]
"""


def run(text: str, command: Command) -> str:
    session = Session(HEAD + text, "x.yaml")
    before = fingerprint(lower(session.document()))
    session.run(command)
    assert fingerprint(lower(session.document())) == before
    after = session.text
    session.undo()
    assert session.text == HEAD + text
    return after.removeprefix(HEAD)


def refusal(text: str, command: Command) -> str:
    session = Session(HEAD + text, "x.yaml")
    with pytest.raises((CommandError, BlueprintError)) as caught:
        session.run(command)
    assert session.text == HEAD + text
    return str(caught.value)


def test_every_call_of_a_block_connects_its_new_input() -> None:
    after = run(TWO, AddBlockInput("sum", "z", "b"))
    assert "inputs: [x, y, z]" in after
    assert "first: {block: sum, from: {y: b, x: a, z: b}}" in after
    assert "many: {block: sum, from: [first, b, b], repeat: 3}" in after
    assert "again: {reuse: first, from: [b, a, b]}" in after


def test_what_took_the_only_input_says_so_once_there_are_two() -> None:
    text = """\
blocks:
  one:
    inputs: {x: {about: numbers}}
    nodes:
      dense: {layer: Dense, units: 8}
nodes:
  first: {layer: Dense, from: a, units: 8}
  one: {block: one}
"""
    after = run(text, AddBlockInput("one", "z", "b"))
    assert "inputs: {x: {about: numbers}, z: {}}" in after
    assert "dense: {layer: Dense, from: x, units: 8}" in after
    assert "one: {block: one, from: [first, b]}" in after
    session = Session(HEAD + after, "x.yaml")
    assert check_kept(session, RemoveBlockInput("one", "z"))
    assert "one: {block: one, from: [first]}" in session.text


def test_an_input_of_a_block_that_no_node_calls_needs_nothing_to_connect() -> None:
    text = "blocks:\n  one:\n    inputs: []\n    nodes: {c: {op: zeros, shape: [2]}}\n"
    session = Session("blueprint: 1\n" + text.replace("{c: {op: zeros, shape: [2]}}", "{}"), "x.yaml")
    session.run(AddBlockInput("one", "x"))
    assert "inputs: [x]" in session.text


def test_a_block_input_is_renamed_inside_and_outside() -> None:
    after = run(TWO, RenameBlockInput("sum", "y", "other"))
    assert "inputs: [x, other]" in after
    assert "both: {layer: Add, from: [left, other]}" in after
    assert "first: {block: sum, from: {other: b, x: a}}" in after
    assert "tap: {layer: Dense, from: first.other, units: 2}" in after
    assert "again: {reuse: first, from: [b, a]}" in after


def test_a_path_that_means_an_output_of_the_same_name_stays() -> None:
    text = TWO.replace("      both:", "      end:").replace("\nnodes:\n", "\n    outputs: {y: end, x: left}\nnodes:\n")
    text = text.replace("from: [first, b]", "from: [first.y, b]").replace("[many, again, tap", "[many.x, again.y, tap")
    # Copies are fed by the outputs of the same names, so that these must stay inputs.
    fed = "the copies of many give their output x to the input of that name"
    assert fed in refusal(text, RenameBlockInput("sum", "x", "z"))
    alone = text.replace(", repeat: 3", "").replace("many.1.left", "many.left")
    after = run(alone, RenameBlockInput("sum", "y", "other"))
    assert "tap: {layer: Dense, from: first.y, units: 2}" in after
    assert "end: {layer: Add, from: [left, other]}" in after
    other = alone.replace("{y: end, x: left}", "{z: end, x: left}").replace("first.y, b", "first.z, b")
    other = other.replace("again.y", "again.z")
    found = refusal(other, RenameBlockInput("sum", "y", "z"))
    assert "GB206 z is an output of block sum, which a path would mean then" in found


def test_a_block_input_goes_only_where_nothing_takes_it() -> None:
    assert refusal(TWO, RemoveBlockInput("sum", "y")).splitlines() == [
        "x.yaml:5:17: GB303 y is taken by both",
        "  x.yaml:8:39: it is taken here",
        "  hint: connect them to something else first",
    ]
    idle = TWO.replace("inputs: [x, y]", "inputs: [x, idle, y]").replace("{y: b, x: a}", "{y: b, idle: a, x: a}")
    idle = idle.replace("[first, b]", "[first, a, b]").replace("[b, a]", "[b, b, a]")
    assert run(idle, RemoveBlockInput("sum", "idle")) == TWO


def test_the_first_input_stays_where_copies_feed_it_or_it_is_passed_on() -> None:
    text = TWO.replace("from: x, units", "from: y, units").replace("many.1.left", "first.left")
    assert "x is the first input of many, which its copies feed" in refusal(text, RemoveBlockInput("sum", "x"))
    once = text.replace("repeat: 3", "when: true")
    assert "inputs: [y]" in run(once, RemoveBlockInput("sum", "x"))
    perhaps = text.replace("repeat: 3", "when: $(1 < 2)")
    assert "which passes on where its when is false" in refusal(perhaps, RemoveBlockInput("sum", "x"))


def test_what_took_an_output_takes_it_by_its_new_name() -> None:
    text = TWO.replace(", repeat: 3", "").replace("many.1.left", "many.left")
    after = run(text, SetBlockOutputs("sum", {"total": "both", "half": "left"}))
    assert "    outputs:\n      total: both\n      half: left\nnodes:" in after
    assert "many: {block: sum, from: [first.total, b]}" in after
    assert "outputs: [many.total, again.total, tap, inner]" in after
    assert "from: many.left" in after
    back = run(after, SetBlockOutputs("sum", None))
    assert back == text
    listed = run(after, SetBlockOutputs("sum", ["left", "both"]))
    assert "from: [first.1, b]" in listed
    alone = run(after, SetBlockOutputs("sum", {"total": "both"}))
    assert "outputs: [many.total, again.total, tap, inner]" in alone


def test_what_took_an_output_that_is_none_any_more_takes_it_by_its_path() -> None:
    text = TWO.replace(", repeat: 3", "").replace("many.1.left", "many.half")
    text = text.replace("\nnodes:\n", "\n    outputs: {total: both, half: left}\nnodes:\n")
    text = text.replace("[first, b]", "[first.total, b]").replace("[many, again", "[many.total, again.total")
    after = run(text, SetBlockOutputs("sum", "both"))
    assert "inner: {layer: Dense, from: many.left, units: 2}" in after
    assert "outputs: [many, again, tap, inner]" in after
    assert "an output left would hide left" in refusal(text, SetBlockOutputs("sum", {"left": "both"}))


def test_an_output_with_the_same_name_and_another_value_is_another_model() -> None:
    text = TWO.replace(", repeat: 3", "").replace("many.1.left", "many.left")
    session = Session(HEAD + text, "x.yaml")
    edit = session.run(SetBlockOutputs("sum", "left"))
    assert edit.told == ("block sum now gives left instead of both",)
    assert "    outputs: left\n" in session.text
    assert parse_blueprint(session.text).blueprint.nodes["many"].source == ["first", "b"]


def test_what_is_left_to_the_order_is_written_out_where_the_node_alone_means_nothing() -> None:
    text = """\
blocks:
  one: {inputs: [x], nodes: {n: {layer: Dense, units: 8}, m: {layer: Dense, units: 8}}}
  outer: {inputs: [x], nodes: {i: {block: one}, k: {layer: Dense, units: 4}}}
nodes:
  o: {block: outer, from: a}
  one: {block: one, from: a}
  d: {layer: Dense, units: 2}
  last: {block: one, from: d}
training: {loss: {last: mse}}
"""
    after = run(text, SetBlockOutputs("one", {"end": "m"}))
    assert "k: {layer: Dense, from: i.end, units: 4}" in after
    assert "d: {layer: Dense, from: one.end, units: 2}" in after
    assert "outputs: last.end\n" in after
    assert "training: {loss: {last.end: mse}}" in after


def test_copies_that_feed_one_another_need_outputs_with_the_names_of_inputs() -> None:
    found = refusal(TWO, SetBlockOutputs("sum", {"total": "both"}))
    assert "the output total of sum has no input of that name to go to" in found
    assert "outputs:\n      x: both\n" in run(TWO, SetBlockOutputs("sum", {"x": "both"}))


def test_a_block_is_renamed_in_other_blocks_too() -> None:
    text = """\
blocks:
  one: {inputs: [x], nodes: {n: {layer: Dense, units: 8}}}
  outer: {inputs: [x], nodes: {one: {block: one}, k: {block: one, repeat: 2}}}
nodes:
  one: {block: outer, from: a}
  two: {block: one}
compression:
  - {pass: prune, sparsity: 0.5, where: {nodes: [two, one.one.n]}}
"""
    after = run(text, RenameBlock("one", "unit"))
    assert "there is a block outer already" in refusal(text, RenameBlock("one", "outer"))
    assert after == text.replace("  one: {inputs", "  unit: {inputs").replace("block: one", "block: unit")


def test_of_a_file_with_errors_parts_of_blocks_can_be_edited_and_it_is_told() -> None:
    text = TWO.replace("from: many.1.left", "from: nothing")
    session = Session(HEAD + text, "x.yaml")
    session.run(RenameBlockInput("sum", "x", "first"))
    assert "left: {layer: Dense, from: first, units: 8}" in session.text
    edit = session.run(AddBlockInput("sum", "z", "b"))
    assert edit.told[-1] == "the file has errors, so it is not known whether the model stays the same"
    assert "many: {block: sum, from: [first, b, b], repeat: 3}" in session.text


def test_nodes_that_reuse_one_another_in_a_circle_call_no_block() -> None:
    text = TWO.replace("again: {reuse: first,", "again: {reuse: other.left,").replace(
        "  tap:", "  other: {reuse: again.left, from: [a, b]}\n  tap:"
    )
    session = Session(HEAD + text, "x.yaml")
    session.run(RenameBlockInput("sum", "x", "z"))
    assert "again: {reuse: other.left, from: [b, a]}" in session.text


def test_what_calls_a_block_wrongly_is_mended_or_left() -> None:
    text = TWO.replace("from: {y: b, x: a}", "from: {y: b, x: a, z: a}").replace("[first, b]", "[first]")
    session = Session(HEAD + text, "x.yaml")
    session.run(AddBlockInput("sum", "z", "b"))
    assert "from: {y: b, x: a, z: a}" in session.text
    assert "from: [first], repeat: 3" in session.text
    assert "again: {reuse: first, from: [b, a, b]}" in session.text
    session.undo()
    with pytest.raises(CommandError, match="first connects something to z already, which is no input yet"):
        session.run(RenameBlockInput("sum", "y", "z"))
    idle = text.replace("[left, y]", "[left, x]")
    session = Session(HEAD + idle, "x.yaml")
    session.run(RemoveBlockInput("sum", "y"))
    assert "many: {block: sum, from: [first], repeat: 3}" in session.text
    assert "again: {reuse: first, from: [b]}" in session.text
    assert "first: {block: sum, from: {x: a, z: a}}" in session.text
