"""`trainable` on block nodes and fusions: which layers training changes."""

from __future__ import annotations

from typing import Any

import pytest

from graphbuilder.analysis.summary import summarize
from graphbuilder.api import check
from graphbuilder.blueprint import parse_blueprint
from graphbuilder.graph import CustomLayer, Graph

TEXT = """
blueprint: 1
params: {tune: {default: false, type: any}}
inputs: {x: {shape: [8]}}
blocks:
  body:
    inputs: [x]
    nodes:
      stem: {layer: Dense, units: 8}
      norm: {layer: BatchNormalization}
      deep: {block: leaf, repeat: 2}
      act: {layer: ReLU}
      last: {layer: Dense, units: 8, trainable: false}
    taps: {half: deep.1.inner}
  leaf:
    inputs: [x]
    nodes:
      inner: {layer: Dense, units: 8}
      norm: {layer: BatchNormalization}
nodes:
  body: {block: body, trainable: SAID}
  again: {reuse: body, from: x}
  score: {layer: Dense, units: 1}
"""
ALL = ["stem", "norm", "deep.0.inner", "deep.0.norm", "deep.1.inner", "deep.1.norm", "last"]


def graph_of(said: str, params: dict[str, Any] | None = None, text: str = TEXT) -> Graph:
    checked = check(parse_blueprint(text.replace("SAID", said)), params)
    assert checked.graph is not None, checked.diagnostics
    return checked.graph


def trained(graph: Graph) -> list[str]:
    found = []
    for name, layer in graph.layers.items():
        assert not isinstance(layer.entry, CustomLayer)
        if layer.weights and layer.entry.trainable and name != "score":
            found.append(name.removeprefix("body."))
    return found


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("null", ALL[:-1]),
        ("false", []),
        # As in Keras, what is said of the whole wins over what a layer inside says.
        ("true", ALL),
        ("$tune", []),
        ("$(not tune)", ALL),
        ("{from: deep.1}", ALL[4:]),
        ("{from: half}", ALL[4:]),
        ("{from: act}", ["last"]),
        ("{from: stem}", ALL),
        ("{except: [BatchNormalization]}", ["stem", "deep.0.inner", "deep.1.inner", "last"]),
        ("{from: deep, except: [BatchNormalization, deep.0, last]}", ["deep.1.inner"]),
    ],
)
def test_which_layers_are_trained(said: str, expected: list[str]) -> None:
    assert trained(graph_of(said)) == expected


def test_a_param_may_be_a_part_of_the_block() -> None:
    assert trained(graph_of("$tune", {"tune": {"from": "deep.1", "except": ["last"]}})) == [
        "deep.1.inner",
        "deep.1.norm",
    ]
    (found,) = check(parse_blueprint(TEXT.replace("SAID", "$tune")), {"tune": {"form": "deep"}}).errors
    assert found.message == "trainable is {form: 'deep'}, which $tune gives"


def test_the_outermost_block_decides() -> None:
    inner = TEXT.replace("deep: {block: leaf, repeat: 2}", "deep: {block: leaf, repeat: 2, trainable: false}")
    assert trained(graph_of("null", text=inner)) == ["stem", "norm"]
    assert trained(graph_of("true", text=inner)) == ALL
    assert trained(graph_of("{from: deep.0.norm}", text=inner)) == ALL[3:]


def test_layers_without_weights_are_left_as_they_are() -> None:
    layer = graph_of("false").layers["body.act"]
    assert not isinstance(layer.entry, CustomLayer)
    assert layer.entry.trainable


def test_a_custom_layer_is_told_too() -> None:
    text = TEXT.replace("act: {layer: ReLU}", 'act: {layer: "package.layers:Own", gives: {shape: [8]}}')
    entry = graph_of("false", text=text).layers["body.act"].entry
    assert isinstance(entry, CustomLayer)
    assert entry.arguments == {"trainable": False}
    entry = graph_of("null", text=text).layers["body.act"].entry
    assert isinstance(entry, CustomLayer)
    assert entry.arguments == {}


def test_frozen_numbers_are_counted_as_such() -> None:
    totals = summarize(graph_of("false")).totals
    assert totals.trainable == 9
    assert totals.parameters == summarize(graph_of("true")).totals.parameters


def test_a_param_of_that_name_is_given_the_value() -> None:
    text = """
blueprint: 1
inputs: {x: {shape: [8]}}
blocks:
  body:
    params: {trainable: true, pretrained: ""}
    inputs: [x]
    nodes:
      stem: {layer: Dense, units: 8, trainable: $trainable, name_hint: 1}
      last: {layer: Dense, units: 8, activation: $pretrained}
nodes:
  body: {block: body, trainable: false, pretrained: relu}
""".replace(", name_hint: 1", "")
    graph = graph_of("", text=text)
    assert trained(graph) == ["last"]
    assert graph.layers["body.last"].entry.activation.name == "relu"  # type: ignore[union-attr]  # a Dense
    assert graph.pretraining == ()


def test_a_fusion_can_be_frozen() -> None:
    text = """
blueprint: 1
inputs: {x: {shape: [8]}, y: {shape: [4]}}
nodes:
  merged: {fuse: gated, from: [x, y], trainable: false}
  score: {layer: Dense, units: 1}
"""
    assert trained(graph_of("", text=text)) == []
    assert trained(graph_of("", text=text.replace("trainable: false", "trainable: true"))) != []
    (found,) = check(parse_blueprint(text.replace("trainable: false", "trainable: $(3)"))).errors
    assert (found.code, found.expected) == ("GB204", "true or false")
