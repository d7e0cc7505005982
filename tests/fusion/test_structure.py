"""How fusions stand in a graph: names, taps, blocks, reuse, what a branch may be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graphbuilder.api import check, compile, lower, parse
from graphbuilder.errors import Diagnostic
from graphbuilder.graph import Graph
from tests.fusion.models import STRATEGIES, Built, built, document

HEAD = """\
blueprint: 1
inputs:
  image: {shape: [8, 8, 3], modality: image}
  ids: {shape: [6], dtype: int32, modality: text}
  table: {shape: [4]}
  left: {shape: [5]}
  right: {shape: [5]}
"""


def graph_of(text: str) -> Graph:
    return lower(parse(HEAD + text))


def errors_of(text: str) -> tuple[Diagnostic, ...]:
    return check(parse(HEAD + text)).errors


def fed(graph: Graph, samples: int = 3) -> dict[str, Any]:
    random = np.random.default_rng(0)
    found = {}
    for name, given in graph.inputs.items():
        assert given.value.type is not None
        shape = (samples, *(axis for axis in given.value.type.shape[1:] if isinstance(axis, int)))
        integers = "int" in given.value.type.dtype
        found[name] = random.integers(1, 7, shape) if integers else random.normal(size=shape).astype("float32")
    return found


def test_calls_are_named_by_node_branch_and_adapter() -> None:
    graph = graph_of("""\
nodes:
  seen: {layer: Conv2D, from: image, filters: 4, kernel_size: 3}
  words: {layer: Embedding, from: ids, input_dim: 9, output_dim: 6}
  merged: {fuse: gated, from: [seen, words], units: 5}
""")
    fusion = graph.fusions["merged"]
    assert list(fusion.calls) == [
        "merged.seen.pool", "merged.words.pool", "merged.seen.hidden", "merged.words.hidden", "merged.joined",
        "merged.gate", "merged.rest", "merged.seen.passed", "merged.words.passed", "merged",
    ]  # fmt: skip
    assert [adapter.call for branch in fusion.branches for adapter in branch.adapters] == list(fusion.calls[:2])
    assert all(call in graph.calls for call in fusion.calls)
    assert fusion.gives is graph.outputs
    model = compile(graph)
    assert model.get_layer("merged.gate").units == 5


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_inner_call_can_be_tapped(strategy: str) -> None:
    """Also with branches that bear the names of inner calls, such as left, right and gate."""
    inputs: dict[str, Any] = {name: {"shape": [4, 6]} for name in ("left", "gate", "kept")}
    inputs["there"] = {"shape": []}
    inputs["ids"] = {"shape": [4], "dtype": "int32"}
    words = {"layer": "Embedding", "from": "ids", "input_dim": 9, "output_dim": 6, "mask_zero": True}
    source: Any = {"inputs": ["joined", "left", "gate", "kept"], "presence": {"left": "there", "joined": "there"}}
    if strategy == "film":
        source = {"features": "joined", "condition": ["left", "gate", "kept"], "presence": source["presence"]}
    merged = {"fuse": strategy, "from": source, "modality_dropout": 0.2}
    nodes: dict[str, Any] = {"joined": words, "merged": merged}
    inner = [name for name in lower(document(inputs, nodes)).fusions["merged"].calls if name != "merged"]
    assert len(inner) == len(set(inner))
    tapping = {f"tap_{number}": {"op": "cast", "from": tap, "dtype": "float32"} for number, tap in enumerate(inner)}
    graph = lower(document(inputs, {**nodes, **tapping}, ["merged", *tapping]))
    made = set(graph.inputs)
    for call in graph.calls.values():
        assert {value.name for value in call.inputs()} <= made
        made |= {value.name for value in call.outputs}
    # Of attention that is asked for its scores too, the first value is tapped.
    assert [next(graph.calls[name].inputs()).name.removesuffix(".0") for name in tapping] == inner


def test_a_tap_feeds_other_nodes() -> None:
    graph = graph_of("""\
nodes:
  merged: {fuse: gated, from: [image, table]}
  gate: {layer: Dense, from: merged.gate, units: 2}
  pooled: {layer: Dense, from: merged.image.pool, units: 2}
  both: {layer: Add, from: [gate, pooled]}
outputs: [merged, both]
""")
    assert next(graph.calls["gate"].inputs()).name == "merged.gate"
    assert next(graph.calls["pooled"].inputs()).name == "merged.image.pool"


def test_a_tap_that_does_not_exist_is_told_with_those_that_do() -> None:
    (error,) = errors_of("""\
nodes:
  merged: {fuse: gated, from: [image, table]}
  again: {layer: Dense, from: merged.gates, units: 2}
""")
    assert error.code == "GB301"
    assert error.position is not None
    assert "gate" in str(error.hint)


BLOCK = """\
blocks:
  stage:
    inputs: [x, other]
    nodes:
      merged: {fuse: gated, from: [x, other], units: 5}
      out: {layer: Dense, units: 5}
"""


def test_each_copy_of_a_repeated_block_has_a_fusion_of_its_own() -> None:
    graph = graph_of(BLOCK + "nodes:\n  stack: {block: stage, from: [left, right], repeat: 3}\n")
    assert [*graph.fusions] == ["stack.0.merged", "stack.1.merged", "stack.2.merged"]
    gates = [name for name in graph.layers if name.endswith("merged.gate")]
    assert gates == ["stack.0.merged.gate", "stack.1.merged.gate", "stack.2.merged.gate"]
    assert compile(graph).count_params() == graph.parameters


def test_a_reused_block_shares_the_weights_of_its_fusion() -> None:
    graph = graph_of(
        BLOCK
        + """\
nodes:
  one: {block: stage, from: [left, right]}
  two: {reuse: one, from: [right, left]}
outputs: {one: one, two: two}
"""
    )
    assert [name for name in graph.layers if "gate" in name] == ["one.merged.gate"]
    assert [*graph.fusions] == ["one.merged", "two.merged"]
    found = Built(graph, compile(graph))
    given = fed(graph)
    swapped = {**given, "left": given["right"], "right": given["left"]}
    np.testing.assert_allclose(found(given)["two"], found(swapped)["one"], atol=1e-6)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_reused_fusion_calls_the_same_weights_on_other_branches(strategy: str) -> None:
    inputs: dict[str, Any] = {name: {"shape": [4, 6]} for name in "abcd"} | {"there": {"shape": []}}
    inputs["ids"] = {"shape": [4], "dtype": "int32"}
    heads = {"heads": 2} if strategy in ("cross_attention", "tokens", "bottleneck") else {}
    ports = ("features", "condition")
    told: dict[str, Any] = {"inputs": ["c", "words"], "presence": {"words": "there"}}
    if strategy == "film":
        told = {**dict(zip(ports, told.pop("inputs"), strict=True)), **told}
    nodes = {
        "words": {"layer": "Embedding", "from": "ids", "input_dim": 9, "output_dim": 6, "mask_zero": True},
        "first": {"fuse": strategy, "from": ["a", "b"], **heads},
        "second": {"reuse": "first", "from": ["c", "d"]},
        "third": {"reuse": "first", "from": told},
    }
    found = built(document(inputs, nodes, {name: name for name in ("first", "second", "third")}))
    owners = {name.partition(".")[0] for name, layer in found.graph.layers.items() if layer.weights}
    assert owners <= {"first", "words"}
    random = np.random.default_rng(0)
    given = {name: random.normal(size=(3, 4, 6)).astype("float32") for name in "abcd"}
    given |= {"ids": random.integers(1, 9, (3, 4)), "there": np.ones(3, "float32")}
    produced = found(given)
    other = found({**given, "a": given["c"], "b": given["d"]})
    np.testing.assert_allclose(produced["second"], other["first"], atol=1e-6)
    embedded = found.weights["words"]["embeddings"].numpy()[given["ids"]]
    third = found({**given, "a": given["c"], "b": embedded})
    np.testing.assert_allclose(produced["third"], third["first"], atol=1e-5)


@pytest.mark.parametrize(
    ("strategy", "others", "message"),
    [
        ("gated", "[left, right, table]", "2 branches"),
        ("gated", "[left, table]", "kernel"),
        ("add", "[left, table]", "right.project"),
    ],
)  # fmt: skip
def test_a_reuse_that_would_need_other_weights_is_refused(strategy: str, others: str, message: str) -> None:
    """The branches of a fusion that is called again go by the names of its first ones."""
    (error,) = errors_of(f"""\
nodes:
  merged: {{fuse: {strategy}, from: [left, right]}}
  again: {{reuse: merged, from: {others}}}
outputs: [merged, again]
""")
    assert error.code == "GB310"
    assert str(error.node).startswith("again")
    assert message in error.message


def test_fusions_of_fusions() -> None:
    graph = graph_of("""\
nodes:
  one: {fuse: film, from: [image, table]}
  two: {fuse: cross_attention, from: [one, left], heads: 1}
  three: {fuse: tensor, from: [two, right]}
  four: {fuse: concat, from: [three, one]}
""")
    assert [*graph.fusions] == ["one", "two", "three", "four"]
    merged = graph.fusions["four"].gives.type
    assert merged is not None
    assert compile(graph).output_shape == (None, *merged.shape[1:])


def test_a_branch_may_be_a_port_of_several_outputs() -> None:
    graph = graph_of(
        """\
blocks:
  pair:
    inputs: [x]
    nodes:
      mean: {layer: Dense, from: x, units: 3}
      spread: {layer: Dense, from: x, units: 3}
    outputs: {mean: mean, spread: spread}
nodes:
  words: {layer: Embedding, from: ids, input_dim: 9, output_dim: 6}
  lstm: {layer: LSTM, return_state: true, return_sequences: true, units: 4}
  code: {block: pair, from: table}
  merged:
    fuse: weighted
    from: {inputs: [lstm.0, lstm.2, code.mean, code.spread], presence: {lstm.0: there, code.mean: there}}
    align: {lstm.0: max_pool, code.mean: {project: 4}}
    modality_dropout: 0.1
  tapped: {layer: Dense, from: merged.lstm.0.max_pool, units: 1}
outputs: {merged: merged, tapped: tapped}
""".replace("nodes:\n  words", "nodes:\n  there: {op: max, from: table, axis: 1}\n  words")
    )
    assert [branch.name for branch in graph.fusions["merged"].branches] == [
        "lstm.0",
        "lstm.2",
        "code.mean",
        "code.spread",
    ]
    assert "merged.code.mean.project" in graph.layers
    found = Built(graph, compile(graph))
    assert found(fed(graph))["merged"].shape == (3, 4)


@pytest.mark.parametrize(
    "node",
    [
        "{fuse: gated, from: [left, right], when: false}",
        "{fuse: film, from: {features: left, condition: [right, table]}, when: false}",
        "{fuse: add, from: {inputs: [left, right], presence: {right: table}}, when: false}",
    ],
)
def test_a_fusion_that_is_left_out_passes_its_first_branch_on(node: str) -> None:
    graph = graph_of(f"nodes:\n  merged: {node}\n  end: {{layer: Dense, units: 2}}\n")
    assert graph.fusions == {}
    assert next(graph.calls["end"].inputs()).name == "left"


def test_branches_of_unknown_shape_go_where_keras_alone_decides() -> None:
    text = """\
nodes:
  odd: {{layer: "a.b:C", from: left}}
  merged: {{fuse: {fuse}, from: [odd, right]{more}}}
"""
    for fuse in ("add", "mean", "max", "multiply", "concat"):
        graph = graph_of(text.format(fuse=fuse, more=""))
        assert graph.fusions["merged"].gives.type is None
    for fuse in sorted(set(STRATEGIES) - {"add", "mean", "max", "multiply", "concat"}):
        (error,) = errors_of(text.format(fuse=fuse, more=""))
        assert "odd" in error.message
        assert "gives" in str(error.hint)
    (error,) = errors_of(text.format(fuse="add", more=", modality_dropout: 0.1"))
    assert "odd" in error.message


def test_the_default_output_is_the_last_fusion() -> None:
    graph = graph_of("nodes:\n  merged: {fuse: bilinear, from: [left, table], units: 7}\n")
    assert compile(graph).output_shape == (None, 7)
    assert graph.fusions["merged"].options["units"] == 7
