"""The command that merges branches does what `graphbuilder.editing.merge` does."""

from __future__ import annotations

import pytest
from hypothesis import given

from graphbuilder.catalog import TensorType
from graphbuilder.editing import fusions_that_fit, merge
from graphbuilder.editing.command import Command
from graphbuilder.editing.commands.merging import Merge
from graphbuilder.editing.session import Session
from graphbuilder.errors import BlueprintError, CommandError, GraphbuilderError
from graphbuilder.graph import Value, flatten
from graphbuilder.lowering import lower
from tests.editing.blueprints import Written, written_blueprints
from tests.editing.golden import check_golden

CASES: dict[str, Command] = {
    "merge": Merge(["code", "asked"], "gated"),
    "merge_with_options": Merge(["answer", "size"], "concat", "both", {"axis": -1}),
    "merge_into_one": Merge(["flat", "asked"], "cross_attention", "looked", {"heads": 2}, ["code"]),
    "merge_with_itself": Merge(["code", "code"], "add"),
    "merge_by_unknown_fusion": Merge(["code", "asked"], "concta"),
    "merge_in_a_block": Merge(["conv", "pool"], "concat", block="branch"),
    "merge_in_a_block_what_stands_outside": Merge(["conv", "code"], "concat", block="branch"),
    "merge_in_no_block": Merge(["conv", "pool"], "concat", block="brunch"),
    "merge_without_option": Merge(["code", "asked"], "gated", options={"unit": 4}),
}


@pytest.mark.parametrize("name", CASES)
def test_the_text_after_a_command_is_exact(name: str) -> None:
    check_golden(name, CASES[name])


@given(written_blueprints())
def test_it_writes_what_merge_writes(written: Written) -> None:
    session = Session(written.text, written.name)
    if session.state.document is None:
        return
    try:
        expected = merge(session.document(), written.branches, "concat")
    except GraphbuilderError as error:
        refused = error
    else:
        edit = session.run(Merge(written.branches, "concat"))
        assert (session.text, edit.focus, edit.told) == (expected.text, expected.name, expected.changes)
        return
    with pytest.raises(type(refused)) as caught:
        session.run(Merge(written.branches, "concat"))
    assert str(caught.value) == str(refused)


BLOCK = """\
blueprint: 1
inputs: {a: {shape: [8]}, b: {shape: [12, 8]}}
blocks:
  inner:
    inputs: [x, y]
    nodes:
      p: {layer: Dense, from: x, units: 8}
      q: {layer: Dense, from: y, units: 8}
      r: {layer: Dense, from: q, units: 4}
    outputs: {p: r, last: q}
  outer:
    inputs: [x, y]
    nodes:
      i: {block: inner, from: [x, y], repeat: 1}
      o: {layer: Dense, from: i.last, units: 8}
nodes:
  n: {block: outer, from: [a, b]}
"""


def test_branches_in_a_block_are_judged_as_its_first_user_gives_them() -> None:
    document = Session(BLOCK, "x.yaml").document()
    found = {each.strategy: each for each in fusions_that_fit(document, ["p", "q"], block="inner")}
    # p is a vector and q a sequence; the path n.i.0.p means the output of that name, which is r.
    assert found["concat"].gives == TensorType(("batch", 16))
    assert [each.call for each in found["concat"].adapters] == ["n.i.0.merged.q.pool"]
    assert found["gated"].parameters
    ports = {each.strategy: each for each in fusions_that_fit(document, ["x", "p"], block="inner")}
    assert ports["add"].gives == TensorType(("batch", 8))
    assert ports["add"].parameters == 0


@pytest.mark.parametrize("strategy", ["concat", "add", "gated", "cross_attention"])
def test_what_is_said_of_branches_in_a_block_is_what_a_merge_gives(strategy: str) -> None:
    text = BLOCK.replace("last: q}", "last: q, new: p}") + "outputs: [n, n.i.0.new]\n"
    session = Session(text, "x.yaml")
    before = lower(session.document()).parameters
    fitting = fusions_that_fit(session.document(), ["x", "p"], block="inner")
    said = next(each for each in fitting if each.strategy == strategy)
    edit = session.run(Merge(["x", "p"], strategy, into=["outputs"], block="inner"))
    assert edit.focus == "merged"
    assert list(session.document().blueprint.blocks["inner"].nodes) == ["p", "merged", "q", "r"]
    after = lower(session.document())
    assert before is not None
    assert after.parameters is not None
    assert after.parameters - before == said.parameters
    *_, merged = flatten(after.outputs)
    assert isinstance(merged, Value)
    assert merged.type == said.gives


def test_what_took_a_branch_in_a_block_takes_the_merged_value() -> None:
    text = BLOCK.replace(", repeat: 1", "").replace("i.last", "i").replace("    outputs: {p: r, last: q}\n", "")
    text = text.replace("from: q, units: 4", "units: 8").replace("[12, 8]", "[8]")
    session = Session(text, "x.yaml")
    edit = session.run(Merge(["p", "q"], "add", "both", block="inner"))
    assert "      both: {fuse: add, from: [p, q]}\n      r: {layer: Dense, units: 8}\n" in session.text
    assert edit.told == ("both is added below q: add of p, q", "r now takes both instead of q")
    edit = session.run(Merge(["both", "r"], "add", block="inner"))
    assert edit.told[1:] == (
        "the output of block inner is now merged instead of r",
        "r still takes both: it is merged itself",
    )
    assert "outputs" not in session.text


def test_a_list_of_a_blocks_outputs_keeps_its_numbers() -> None:
    text = BLOCK.replace("{p: r, last: q}", "[p, q, r]").replace("i.last", "i.0.1").replace("[12, 8]", "[8]")
    session = Session(text, "x.yaml")
    edit = session.run(Merge(["p", "q"], "add", block="inner"))
    assert "the outputs still name p and q: what uses inner names its outputs by their numbers" in edit.told
    assert "outputs: [p, q, r]" in session.text


def test_in_a_block_that_no_node_uses_branches_can_be_merged_and_not_be_judged() -> None:
    text = BLOCK.partition("nodes:\n  n:")[0] + "nodes: {n: {layer: Dense, from: a, units: 2}}\n"
    session = Session(text, "x.yaml")
    edit = session.run(Merge(["p", "q"], "add", block="inner", into=[]))
    assert "no node uses inner, so it is not known whether the branches fit" in edit.told
    with pytest.raises(CommandError, match="GB303 no node uses outer, so nothing is known of the shapes in it"):
        fusions_that_fit(session.document(), ["i", "o"], block="outer")


def test_blocks_that_would_use_each_other_and_are_left_out_are_no_trouble() -> None:
    text = BLOCK.replace(
        "    nodes:\n      i:", "    nodes:\n      c: {block: circle, from: x, when: false}\n      i:", 1
    )
    text = text.replace("  outer:", "  circle: {inputs: [x], nodes: {o: {block: outer, from: [x, x]}}}\n  outer:")
    document = Session(text, "x.yaml").document()
    assert fusions_that_fit(document, ["p", "q"], block="inner")


def test_what_another_user_of_the_block_cannot_take_is_refused() -> None:
    text = BLOCK.replace("[12, 8]}", "[8]}, c: {shape: [5]}") + "  other: {block: inner, from: [a, c]}\n"
    text = text.replace("last: q}", "last: q, new: x}") + "outputs: [n, other.new]\n"
    session = Session(text, "x.yaml")
    command = Merge(["x", "y"], "add", "both", {"align": "none"}, ["outputs"], block="inner")
    assert "add" in [each.strategy for each in fusions_that_fit(session.document(), ["x", "y"], block="inner")]
    with pytest.raises(BlueprintError, match=r"other\.both: y is \(batch, 5\)"):
        session.run(command)
    assert session.text == text
