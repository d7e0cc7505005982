"""Every key that the format allows on a node can be set by a command and taken away by one."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from graphbuilder.blueprint import BlockNode, FuseNode, LayerNode, OpNode, ReuseNode
from graphbuilder.blueprint.forms import KINDS
from graphbuilder.editing.commands.arguments import SetArgument, UnsetArgument
from graphbuilder.editing.commands.connecting import UnsetFrom
from graphbuilder.editing.session import Session
from graphbuilder.errors import CommandError
from graphbuilder.text.source import Path

TEXT = """\
blueprint: 1
params: {on: true, weights: {default: null, type: any}}
inputs: {x: {shape: [8, 8]}}
blocks:
  unit: {inputs: [x], nodes: {d: {layer: Dense, units: 8}}}
nodes:
  dense: {layer: Dense, units: 8}  # the first
  custom: {layer: "mine.layers:Scale"}
  wrapped: {layer: TimeDistributed, from: dense, wraps: {layer: Dense, units: 8}}
  op: {op: softmax, from: dense}
  fused: {fuse: concat, from: [dense, op]}
  block: {block: unit, from: dense}
  again: {reuse: dense, from: dense}
"""
CASES: list[tuple[str, Path, Any]] = [
    ("dense", ("about",), "a: b # c"),
    ("dense", ("when",), "$on"),
    ("dense", ("trainable",), False),
    ("dense", ("dtype",), "float16"),
    ("dense", ("use_bias",), False),
    ("dense", ("kernel_initializer",), {"HeNormal": {"seed": 1}}),
    ("custom", ("args", "factor"), 2),
    ("custom", ("args",), {"factor": 2, "names": ["a"]}),
    ("custom", ("gives",), {"shape": [8, 8]}),
    ("custom", ("gives", "shape"), [8, 8]),
    ("custom", ("gives",), [{"shape": [8]}, {"shape": [2], "dtype": "int32"}]),
    ("custom", ("call", "training"), False),
    ("wrapped", ("wraps", "activation"), "relu"),
    ("op", ("axis",), 1),
    ("op", ("when",), False),
    ("op", ("about",), "shares"),
    ("fused", ("align", "op"), "none"),
    ("fused", ("axis",), -1),
    ("fused", ("when",), "$on"),
    ("fused", ("about",), "both"),
    ("fused", ("trainable",), False),
    ("block", ("repeat",), 2),
    ("block", ("trainable",), {"from": "d", "except": ["BatchNormalization"]}),
    ("block", ("pretrained",), "$weights"),
    ("block", ("repeat",), "$(2 if on else 1)"),
    ("block", ("when",), "$on"),
    ("block", ("about",), "two"),
    ("again", ("when",), "$on"),
    ("again", ("about",), "once more"),
    ("again", ("call", "training"), True),
]
# The nodes that have the keys of each kind among them.
OWNERS: dict[type[BaseModel], tuple[str, ...]] = {
    LayerNode: ("dense", "custom", "wrapped"),
    OpNode: ("op",),
    FuseNode: ("fused",),
    BlockNode: ("block",),
    ReuseNode: ("again",),
}


@pytest.mark.parametrize(("node", "path", "value"), CASES)
def test_a_key_can_be_set_and_taken_away(node: str, path: Path, value: Any) -> None:
    session = Session(TEXT, "x.yaml")
    session.run(SetArgument(node, path, value))
    found: Any = session.document().source.data["nodes"][node]
    for key in path:
        found = found[key]
    assert found == value
    session.run(UnsetArgument(node, path))
    assert session.text == TEXT


def test_the_cases_name_every_key_of_the_schema() -> None:
    for kind, nodes in OWNERS.items():
        named = {path[0] for node, path, _ in CASES if node in nodes}
        keys = {info.alias or name for name, info in kind.model_fields.items()}
        assert keys - {*KINDS, "from"} <= named


def test_a_part_of_what_a_custom_layer_gives_can_be_taken_away_and_what_is_needed_cannot() -> None:
    session = Session(TEXT, "x.yaml")
    session.run(SetArgument("custom", ("gives",), {"shape": [8], "dtype": "int32"}))
    session.run(UnsetArgument("custom", ("gives", "dtype")))
    assert 'custom: {layer: "mine.layers:Scale", gives: {shape: [8]}}' in session.text
    with pytest.raises(CommandError, match="GB202"):
        session.run(UnsetArgument("wrapped", ("wraps",)))


def test_what_a_node_reuses_can_be_another_node_but_nothing_that_it_feeds() -> None:
    session = Session(TEXT, "x.yaml")
    session.run(SetArgument("again", ("reuse",), "block.d"))
    assert "again: {reuse: block.d, from: dense}" in session.text
    for reused, message in (
        ("dens", "GB301 there is no node dens"),
        ("op", "GB310 op is an op, which has no weights that could be used again"),
        ("again", "GB302 again cannot reuse again"),
    ):
        with pytest.raises(CommandError, match=message):
            session.run(SetArgument("again", ("reuse",), reused))
    with pytest.raises(CommandError, match="GB202 again is nothing without what it reuses"):
        session.run(UnsetArgument("again", ("reuse",)))
    with pytest.raises(CommandError, match="GB203 reuse says what kind of node dense is"):
        session.run(SetArgument("dense", ("reuse",), "again"))


def test_a_from_is_left_out_only_where_the_order_says_the_same() -> None:
    text = TEXT.replace("op: {op: softmax, from: dense}", "op: {op: softmax, from: wrapped}")
    session = Session(text, "x.yaml")
    session.run(UnsetFrom("op"))
    assert "  op: {op: softmax}\n" in session.text
    for node, message in (
        ("fused", "without a from, fused takes op, which stands above it; expected the same as now"),
        ("block", "without a from, block takes fused, which stands above it; expected the same as now"),
        ("dense", "GB201 dense has no from"),
    ):
        with pytest.raises(CommandError, match=message):
            session.run(UnsetFrom(node))
    two = text.replace("inputs: {x:", "inputs: {y: {shape: [2]}, x:").replace("units: 8}  #", "units: 8, from: x}  #")
    with pytest.raises(CommandError, match="without a from, dense takes nothing"):
        Session(two).run(UnsetFrom("dense"))
