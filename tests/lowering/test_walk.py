"""The walk: what names mean, how blocks expand, and which values and layers a graph has."""

from __future__ import annotations

from typing import Any

import pytest

from graphbuilder.api import check, lower
from graphbuilder.blueprint import parse_blueprint
from graphbuilder.catalog import BATCH, TensorType
from graphbuilder.errors import BlueprintError
from graphbuilder.graph import Graph, Value
from graphbuilder.lowering import GraphLimits

MLP = """
blocks:
  step:
    params: {units: 4}
    inputs: [x]
    nodes:
      dense: {layer: Dense, units: $(units + index)}
"""


def graph_of(nodes: str, extra: str = "", params: dict[str, Any] | None = None) -> Graph:
    text = f"blueprint: 1\ninputs:\n  x: {{shape: [4]}}\n{extra}\nnodes:\n"
    return lower(parse_blueprint(text + "\n".join(f"  {line}" for line in nodes.strip().splitlines())), params)


def test_a_node_without_from_is_fed_by_the_node_above() -> None:
    graph = graph_of("a: {layer: Dense, units: 3}\nb: {layer: Dense, units: 2}")
    assert [value.name for value in graph.calls["b"].inputs()] == ["a"]


def test_nodes_may_stand_in_any_order() -> None:
    graph = graph_of(
        "last: {layer: Dense, from: first, units: 3}\nfirst: {layer: Dense, from: x, units: 2}\n"
        "out: {layer: Add, from: [last, last]}"
    )
    assert list(graph.calls) == ["first", "last", "out"]


def test_each_copy_has_layers_of_its_own_and_knows_its_index() -> None:
    graph = graph_of("tower: {block: step, repeat: 3, units: 5}", MLP)
    assert list(graph.layers) == ["tower.0.dense", "tower.1.dense", "tower.2.dense"]
    assert [layer.parameters for layer in graph.layers.values()] == [25, 36, 49]


def test_a_repeat_of_one_is_numbered_and_a_block_without_repeat_is_not() -> None:
    assert list(graph_of("tower: {block: step, repeat: 1}", MLP).layers) == ["tower.0.dense"]
    assert list(graph_of("tower: {block: step}", MLP).layers) == ["tower.dense"]


def test_no_copies_pass_the_input_through() -> None:
    graph = graph_of("tower: {block: step, repeat: 0}\nout: {layer: Dense, units: 2}", MLP)
    assert [value.name for value in graph.calls["out"].inputs()] == ["x"]


def test_reuse_of_a_repeated_block_shares_every_copy() -> None:
    graph = graph_of("a: {block: step, repeat: 2}\nb: {reuse: a, from: x}\nout: {layer: Add, from: [a, b]}", MLP)
    assert list(graph.layers) == ["a.0.dense", "a.1.dense", "out"]
    assert list(graph.calls) == ["a.0.dense", "a.1.dense", "b.0.dense", "b.1.dense", "out"]


def test_reuse_of_a_reuse_and_of_an_inner_layer() -> None:
    graph = graph_of(
        "a: {block: step}\nb: {reuse: a, from: x}\nc: {reuse: b, from: x}\nd: {reuse: a.dense, from: x}\n"
        "out: {layer: Add, from: [a, b, c, d]}",
        MLP,
    )
    assert list(graph.layers) == ["a.dense", "out"]
    assert [name for name in graph.calls if name != "out"] == ["a.dense", "b.dense", "c.dense", "d"]


def test_several_outputs_of_a_repeated_block_go_to_the_ports_of_their_names() -> None:
    pair = """
blocks:
  cross:
    inputs: [left, right, kept]
    nodes:
      l: {layer: Add, from: [left, kept]}
      r: {layer: Add, from: [right, left]}
    outputs: {left: l, right: r}
"""
    graph = graph_of(
        "crossed: {block: cross, from: [x, x, x], repeat: 2}\nout: {layer: Add, from: [crossed.left, crossed.right]}",
        pair,
    )
    assert [value.name for value in graph.calls["crossed.1.l"].inputs()] == ["crossed.0.l", "x"]
    assert [value.name for value in graph.calls["crossed.1.r"].inputs()] == ["crossed.0.r", "crossed.0.l"]


def test_a_node_that_is_left_out_passes_its_first_input() -> None:
    graph = graph_of(
        "a: {layer: Dense, units: 4}\nsum: {layer: Add, from: [a, x], when: false}\nout: {layer: Dense, units: 1}"
    )
    assert [value.name for value in graph.calls["out"].inputs()] == ["a"]
    assert "sum" not in graph.calls


def test_params_are_set_and_checked() -> None:
    extra = "params:\n  units: {default: 3, min: 1, max: 9}"
    assert graph_of("a: {layer: Dense, units: $units}", extra, {"units": 7}).parameters == 35
    with pytest.raises(BlueprintError, match="units is 10; expected at most 9"):
        graph_of("a: {layer: Dense, units: $units}", extra, {"units": 10})
    with pytest.raises(BlueprintError, match="no param unit to set"):
        graph_of("a: {layer: Dense, units: $units}", extra, {"unit": 7})


def test_named_axes_keep_their_names_and_batch_is_one_of_them() -> None:
    document = parse_blueprint(
        "blueprint: 1\ninputs:\n  x: {shape: [steps, 8]}\nnodes:\n"
        "  same: {layer: Conv1D, filters: 3, kernel_size: 3, padding: same}\n"
        "  valid: {layer: Conv1D, filters: 3, kernel_size: 3}\n"
    )
    graph = lower(document)
    assert graph.calls["same"].outputs[0].type == TensorType((BATCH, "steps", 3))
    assert graph.calls["valid"].outputs[0].type == TensorType((BATCH, None, 3))


def test_what_feeds_no_output_is_left_out() -> None:
    document = parse_blueprint(
        "blueprint: 1\ninputs:\n  x: {shape: [4]}\nnodes:\n  used: {layer: Dense, units: 2}\n"
        "  lost: {layer: Dense, from: x, units: 3}\noutputs: used\n"
    )
    checked = check(document)
    assert checked.graph is not None
    assert list(checked.graph.layers) == ["used"]
    assert [item.code for item in checked.diagnostics] == ["GB306"]


def test_a_custom_layer_is_unknown_unless_it_states_what_it_gives() -> None:
    graph = graph_of("a: {layer: 'my.layers:Fancy', args: {depth: 2}}\nb: {layer: Dense, units: 3}")
    assert graph.calls["b"].outputs[0].type is None
    assert graph.parameters is None
    graph = graph_of("a: {layer: 'my.layers:Fancy', gives: {shape: [7]}}\nb: {layer: Dense, units: 3}")
    assert graph.layers["b"].parameters == 24


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (GraphLimits(nodes=2), "GB401"),
        (GraphLimits(elements=20), "GB402"),
        (GraphLimits(parameters=50), "GB403"),
        (GraphLimits(repeat=2), "GB404"),
    ],
)
def test_limits(limits: GraphLimits, code: str) -> None:
    text = f"blueprint: 1\ninputs:\n  x: {{shape: [4]}}\n{MLP}\nnodes:\n  tower: {{block: step, repeat: 3}}\n"
    checked = check(parse_blueprint(text), limits=limits)
    assert [item.code for item in checked.diagnostics] == [code]


def test_blocks_within_blocks_are_limited() -> None:
    blocks = "".join(
        f"  b{index}:\n    inputs: [x]\n    nodes:\n      inner: {{block: b{index + 1}}}\n" for index in range(40)
    )
    blocks += "  b40:\n    inputs: [x]\n    nodes:\n      d: {layer: Dense, units: 2}\n"
    text = f"blueprint: 1\ninputs:\n  x: {{shape: [4]}}\nblocks:\n{blocks}nodes:\n  a: {{block: b0}}\n"
    assert [item.code for item in check(parse_blueprint(text)).diagnostics] == ["GB405"]
    assert check(parse_blueprint(text), limits=GraphLimits(depth=50)).ok


def test_a_flood_of_copies_stops_at_the_limit() -> None:
    text = (
        "blueprint: 1\ninputs:\n  x: {shape: [4]}\nblocks:\n"
        "  a:\n    inputs: [x]\n    nodes:\n      d: {layer: Activation, activation: relu}\n"
        "  b:\n    inputs: [x]\n    nodes:\n      r: {block: a, repeat: 10000}\n"
        "nodes:\n  out: {block: b, repeat: 10000}\n"
    )
    assert [item.code for item in check(parse_blueprint(text), limits=GraphLimits(nodes=1000)).diagnostics] == ["GB401"]


def test_outputs_in_every_structure() -> None:
    nodes = "  a: {layer: Dense, units: 2}\n  b: {layer: Dense, units: 3}\n"
    for written, kind in (("a", Value), ("[a, b]", tuple), ("{one: a, two: b}", dict)):
        text = f"blueprint: 1\ninputs:\n  x: {{shape: [4]}}\nnodes:\n{nodes}outputs: {written}\n"
        assert isinstance(lower(parse_blueprint(text)).outputs, kind)
