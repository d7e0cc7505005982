"""Commands on files with taps, and on blocks that are frozen or pretrained: what follows, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from graphbuilder.editing.command import Command
from graphbuilder.editing.commands.adding import AddNode, AtEnd
from graphbuilder.editing.commands.arguments import SetArgument, UnsetArgument
from graphbuilder.editing.commands.block_outputs import SetBlockOutputs
from graphbuilder.editing.commands.block_ports import RemoveBlockInput, RenameBlockInput
from graphbuilder.editing.commands.blocks import ExtractBlock, InlineBlock
from graphbuilder.editing.commands.deleting import DeleteNodes
from graphbuilder.editing.commands.ends import RemoveInput, RenameInput
from graphbuilder.editing.commands.outputs import AddOutput
from graphbuilder.editing.commands.renaming import RenameNode
from graphbuilder.editing.session import Session
from graphbuilder.errors import CommandError
from graphbuilder.graph import CustomLayer, Value, flatten
from graphbuilder.lowering import lower

TEXT = """\
blueprint: 1
inputs:
  x: {shape: [8]}
  y: {shape: [8]}
blocks:
  step:
    inputs: [x, aside]
    nodes:
      first: {layer: Dense, from: x, units: 8}
      act: {layer: ReLU}
      last: {layer: Dense, units: 8}
    # What others look at.
    taps: {early: first, beside: aside, late: act}
nodes:
  one: {block: step, from: [x, y]}
  two: {block: step, from: [one, y], repeat: 2}
  both: {layer: Add, from: [two.0.early, one.early, one.beside]}
  out: {layer: Dense, units: 2}
taps:
  inner: two.1.late
  whole: both
  given: y
"""


def session_after(command: Command, text: str = TEXT) -> Session:
    session = Session(text, "file.yaml", None)
    edit = session.run(command)
    assert session.text != text
    session.undo()
    assert session.text == text
    session.redo()
    assert edit.changes
    return session


def taps_of(session: Session, block: str | None = None) -> dict[str, Any]:
    blueprint = session.document().blueprint
    return dict(blueprint.taps if block is None else blueprint.blocks[block].taps)


def arriving(session: Session, node: str) -> list[str]:
    return [value.name for value in lower(session.document()).calls[node].inputs()]


def test_a_renamed_node_keeps_its_taps() -> None:
    session = session_after(RenameNode("first", "start", block="step"))
    assert taps_of(session, "step") == {"early": "start", "beside": "aside", "late": "act"}
    assert "# What others look at." in session.text
    assert arriving(session, "both") == ["two.0.start", "one.start", "y"]
    session = session_after(RenameNode("two", "second"))
    assert taps_of(session) == {"inner": "second.1.late", "whole": "both", "given": "y"}
    assert taps_of(session_after(RenameInput("y", "z")))["given"] == "z"
    session = session_after(RenameBlockInput("step", "aside", "other"))
    assert taps_of(session, "step")["beside"] == "other"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (RenameNode("last", "early", block="step"), "there is a tap early already"),
        (RenameInput("y", "whole"), "there is a tap whole already"),
        (AddNode("layer", "ReLU", AtEnd(), "inner"), "there is a tap inner already"),
        (AddOutput("both", "whole"), "there is a tap whole already"),
        (RemoveBlockInput("step", "aside"), "aside is taken by the tap beside"),
        (RemoveInput("y"), "y is taken by one, two and the tap given"),
    ],
)
def test_a_name_that_is_a_tap_is_taken_and_what_a_tap_names_is_used(command: Command, message: str) -> None:
    text = TEXT + "outputs: {result: out}\n"
    with pytest.raises(CommandError) as caught:
        Session(text, "file.yaml", None).run(command)
    assert caught.value.diagnostics[0].message == message


def test_names_that_are_given_avoid_taps() -> None:
    session = session_after(AddNode("fuse", "concat", AtEnd()), TEXT.replace("whole: both", "merged: both"))
    assert "merged_2" in session.document().blueprint.nodes


def test_a_deleted_node_is_healed_in_taps_or_takes_them_along() -> None:
    session = session_after(DeleteNodes(["act"], block="step"))
    assert taps_of(session, "step")["late"] == "first"
    session = session_after(DeleteNodes(["both"]))
    # It takes several values, and no one of them is what the tap was.
    assert taps_of(session) == {"inner": "two.1.late", "given": "y"}
    alone = TEXT.replace("  inner: two.1.late\n", "").replace("  given: y\n", "")
    assert "taps" not in session_after(DeleteNodes(["both"]), alone).text.partition("nodes:\n  one")[2]


def test_taps_follow_into_a_block_and_out_of_it() -> None:
    session = session_after(ExtractBlock(["both", "out"], "head", "head"))
    assert taps_of(session) == {"inner": "two.1.late", "whole": "head.both", "given": "y"}
    before = [value.name for value in flatten(lower(session.document()).outputs) if isinstance(value, Value)]
    assert before == ["head.out"]
    session = session_after(InlineBlock("one"))
    assert arriving(session, "both") == ["two.0.first", "one_first", "y"]
    session = session_after(InlineBlock("two"))
    assert taps_of(session)["inner"] == "two_1_act"
    assert arriving(session, "both") == ["two_0_first", "one.first", "y"]


def test_other_outputs_of_a_block_leave_its_taps() -> None:
    session = session_after(SetBlockOutputs("step", {"x": "last", "aside": "aside"}))
    assert taps_of(session) == {"inner": "two.1.late", "whole": "both", "given": "y"}
    assert arriving(session, "both") == ["two.0.first", "one.first", "y"]


FROZEN = """\
blueprint: 1
inputs: {x: {shape: [8]}}
blocks:
  body:
    inputs: [x]
    nodes:
      first: {layer: Dense, units: 8}
      act: {layer: ReLU}
      inner: {block: std.mlp, units: 8}
      own: {layer: "package.layers:Own", gives: {shape: [8]}}
      doubled: {op: add, from: [own, own]}
nodes:
  body: {block: body, trainable: false}
  out: {layer: Dense, units: 2}
"""


def test_inlined_nodes_stay_frozen() -> None:
    session = session_after(InlineBlock("body"), FROZEN)
    nodes = session.document().source.data["nodes"]
    assert nodes["body_first"]["trainable"] is False
    assert nodes["body_inner"]["trainable"] is False
    assert nodes["body_own"]["args"] == {"trainable": False}
    assert "trainable" not in nodes["body_act"]
    assert "trainable" not in nodes["body_doubled"]
    trained = [
        name
        for name, layer in lower(session.document()).layers.items()
        if layer.weights and not isinstance(layer.entry, CustomLayer) and layer.entry.trainable
    ]
    assert trained == ["out"]


@pytest.mark.parametrize("said", ["trainable: {from: act}", "pretrained: imagenet"])
def test_what_single_nodes_cannot_say_keeps_a_block_together(said: str) -> None:
    text = FROZEN.replace("block: body, trainable: false", f"block: body, {said}")
    if "pretrained" in said:
        text = text.replace("shape: [8]", "shape: [96, 96, 3]", 1)
        text = text.replace("block: body", "block: zoo.mobilenet_v2, include_top: false")
    with pytest.raises(CommandError) as caught:
        Session(text, "file.yaml", None).run(InlineBlock("body"))
    assert "which single nodes cannot say" in caught.value.diagnostics[0].message


def test_they_are_set_and_taken_away_like_arguments() -> None:
    session = session_after(SetArgument("body", ("trainable",), {"from": "act"}), FROZEN)
    assert session.document().source.data["nodes"]["body"]["trainable"] == {"from": "act"}
    session.run(SetArgument("body", ("trainable", "except"), ["own"]))
    session.run(UnsetArgument("body", ("trainable", "from")))
    assert session.document().source.data["nodes"]["body"]["trainable"] == {"except": ["own"]}
    session.run(UnsetArgument("body", ("trainable",)))
    session.run(SetArgument("body", ("pretrained",), None))
    assert session.document().source.data["nodes"]["body"] == {"block": "body", "pretrained": None}
    with pytest.raises(CommandError) as caught:
        session.run(SetArgument("body", ("trainable",), "act"))
    assert caught.value.diagnostics[0].hint == "to train from act on, write {from: act}"
