"""Training aware of quantization: which layers it wraps, what it hands on, what it measures."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from graphbuilder.api import lower, parse
from graphbuilder.backend.build import build
from graphbuilder.backend.compressing import prepare
from graphbuilder.backend.compressing.seams import seams_of
from graphbuilder.backend.compressing.variables import variables_of
from graphbuilder.backend.converting import Conversion, convert_model
from graphbuilder.backend.converting_names import names_of_graph
from graphbuilder.backend.runtime import LiteRunner
from graphbuilder.backend.runtime_metrics import agreement, refuse_disagreement
from graphbuilder.backend.weights import weights_by_name
from graphbuilder.compression.legality import ruling
from graphbuilder.compression.passes import Quantize
from graphbuilder.compression.targets import Kept, Target
from graphbuilder.errors import BlueprintError
from graphbuilder.graph import Graph
from tests.compression.cells import graph_of, samples
from tests.compression.runs import targets_of, weights_of
from tests.support.inputs import some_input


@pytest.fixture(autouse=True)
def seeded() -> None:
    keras.utils.set_random_seed(0)


def model_of(body: str) -> tuple[Any, Graph]:
    graph = lower(parse(f"blueprint: 1\nname: model\n{body}\n"))
    return build(graph, keras=2, compiled=False), graph


def trained(model: Any, graph: Graph, chosen: list[str] | None = None, epochs: int = 2) -> Any:
    """The pass on all layers that it may change, or on some."""
    options = Quantize()
    acting = [name for name, layer in graph.layers.items() if ruling(options, layer).acts]
    targets = targets_of(graph, options, acting if chosen is None else chosen)
    prepared = prepare(model, graph, targets, steps=2 * epochs)
    prepared.model.compile("sgd", "mse")
    x = some_input(graph, 8)
    y = model.predict(x, verbose=0)
    if isinstance(y, dict):
        y = {name: np.zeros_like(one) for name, one in y.items()}
    else:
        y = [np.zeros_like(one) for one in y] if isinstance(y, list) else np.zeros_like(y)
    prepared.model.fit(x, y, batch_size=4, epochs=epochs, verbose=0, callbacks=list(prepared.callbacks))
    return prepared, prepared.finish(), x


def wrapped(quantized: Any) -> list[str]:
    return [layer.name for layer in quantized.layers if "Wrapper" in type(layer).__name__]


BODIES = {
    "plain": """
inputs: {a: {shape: [8]}}
nodes:
  x: {layer: Dense, units: 8, activation: relu}
  y: {layer: Dense, units: 4}
outputs: y""",
    "mappings": """
inputs: {a: {shape: [6]}, b: {shape: [6]}}
nodes:
  x: {layer: Dense, from: a, units: 4, activation: relu}
  y: {layer: Dense, from: b, units: 4}
  z: {layer: Add, from: [x, y]}
  o: {op: multiply, from: [z, x]}
  d: {layer: Dense, units: 2}
outputs: {one: d, two: z}""",
    "list": """
inputs: {a: {shape: [8]}}
nodes:
  x: {layer: Dense, units: 4}
  y: {layer: Dense, units: 4}
outputs: [x, y]""",
    "names": """
inputs: {_a: {shape: [8, 8, 4]}}
nodes:
  _c: {layer: SeparableConv2D, filters: 4, kernel_size: 3}
outputs: _c""",
    "states": """
inputs: {a: {shape: [5, 4]}}
nodes:
  l: {layer: LSTM, units: 4, return_state: true}
  d: {layer: Dense, from: l.1, units: 2}
outputs: d""",
}

FOLDED = """
inputs: {x: {shape: [8, 8, 3]}}
nodes:
  conv: {layer: Conv2D, filters: 4, kernel_size: 3, use_bias: false}
  norm: {layer: BatchNormalization}
  active: {layer: ReLU}
  flat: {layer: Flatten}
  scores: {layer: Dense, units: 3, activation: softmax}
outputs: scores"""


def test_what_is_folded_into_a_layer_comes_along_and_the_rest_stays_float() -> None:
    model, graph = model_of(FOLDED)
    _, finished, _ = trained(model, graph, ["conv"])
    # The layer behind needs no quantized input; the one in front of it is told to quantize what it gives.
    assert wrapped(finished.quantized) == ["conv", "norm", "active"]
    _, finished, _ = trained(model, graph, ["scores"])
    assert set(wrapped(finished.quantized)) == {"active", "flat", "scores"}
    assert finished.quantized.output_names == ["scores"]


def test_the_float_weights_are_those_that_were_trained() -> None:
    model, graph = model_of(BODIES["plain"])
    before = weights_of(model, graph)
    _, finished, x = trained(model, graph)
    after = weights_of(finished.model, graph)
    assert all((before[place] != after[place]).any() for place in before)
    # It computes in 8 bits what they compute, but for what lies outside the ranges that it has measured.
    errors = np.abs(finished.model(x) - finished.quantized(x, training=False))
    assert np.median(errors) < 0.02


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_the_model_takes_and_gives_what_the_graph_does(body: str) -> None:
    model, graph = model_of(body)
    prepared, finished, x = trained(model, graph)
    assert prepared.model.output_names == model.output_names
    given = finished.quantized.predict(x, verbose=0)
    expected = model.predict(x, verbose=0)
    assert type(given) is type(expected)


def test_masks_are_handed_on() -> None:
    model, graph = model_of(
        "inputs: {ids: {shape: [6], dtype: int32}}\nnodes:\n"
        "  e: {layer: Embedding, input_dim: 12, output_dim: 8, mask_zero: true}\n  n: {layer: LayerNormalization}\n"
        "  m: {layer: MultiHeadAttention, from: {query: n, value: n}, num_heads: 2, key_dim: 4}\n"
        "  a: {layer: Add, from: [m, n]}\n  l: {layer: LSTM, units: 4}\noutputs: l"
    )
    _, finished, x = trained(model, graph)
    # Padding is id 0: what it is embedded as must not matter.
    embeddings = weights_by_name(finished.quantized)["e"]["embeddings"]
    before = finished.quantized.predict(x, verbose=0)
    changed = embeddings.numpy()
    changed[0] *= -1
    embeddings.assign(changed)
    assert (finished.quantized.predict(x, verbose=0) == before).all()
    changed[1:] *= -1
    embeddings.assign(changed)
    assert (finished.quantized.predict(x, verbose=0) != before).any()


@pytest.mark.parametrize(
    ("kind", "penalty", "chosen"),
    [
        ("Dense", "activity_regularizer: {l2: {l2: 10.0}}", ["after"]),
        ("Dense", "activity_regularizer: {l2: {l2: 10.0}}", ["it", "after"]),
        ("ActivityRegularization", "l2: 10.0", ["after"]),
    ],
)
def test_penalties_on_what_layers_give_count(kind: str, penalty: str, chosen: list[str]) -> None:
    graph = graph_of(kind, penalty)
    model = build(graph, keras=2, compiled=False)
    x, y = samples(graph, 4)
    losses = []
    for targets in ([], targets_of(graph, Quantize(), chosen)):
        prepared = prepare(model, graph, targets, steps=1)
        prepared.model.compile("sgd", "mse")
        losses.append(prepared.model.fit(x, y, verbose=0).history["loss"][0])
    assert losses[0] > 5
    assert losses[1] == pytest.approx(losses[0], rel=0.1)


def test_ranges_are_measured_within_a_short_run() -> None:
    graph = graph_of("Dense")
    model = build(graph, keras=2, compiled=False)
    prepared = prepare(model, graph, targets_of(graph, Quantize(), ["before", "it", "after"]), steps=8)
    prepared.model.compile("sgd", "mse")
    x, y = samples(graph, 32)
    prepared.model.fit(0.1 * x, y, batch_size=4, verbose=0)
    low, high = (weights_by_name(prepared.model)["before"][f"post_activation_{end}"].numpy() for end in ("min", "max"))
    # tensorflow-model-optimization begins at -6 and 6 and would stand at 5.95 now.
    assert -1 < low < 0 < high < 1


@pytest.mark.parametrize(
    "kind", ["SeparableConv2D", "Conv1D", "MultiHeadAttention", pytest.param("Bidirectional", marks=pytest.mark.slow)]
)
def test_zeros_and_shared_values_are_kept_where_tensorflow_model_optimization_has_no_scheme_for_it(kind: str) -> None:
    graph = graph_of(kind)
    model = build(graph, keras=2, compiled=False)
    target = targets_of(graph, Quantize(), ["it"])[0]
    record = {}
    for (layer, path), variable in variables_of(model, graph).items():
        if layer == "it" and path in target.weights:
            variable.assign(np.sign(variable.numpy()) * 0.2 * (np.abs(variable.numpy()) > 0.15))
            record[layer, path] = Kept(zeros=True, values=True)
    before = weights_of(model, graph)
    prepared = prepare(model, graph, [target], steps=4, record=record)
    prepared.model.compile("adam", "mse")
    x, y = samples(graph, 16)
    prepared.model.fit(x, y, batch_size=4, verbose=0)
    after = weights_of(prepared.finish().model, graph)
    for place in record:
        assert ((before[place] == 0) == (after[place] == 0)).all()
        assert len(np.unique(after[place])) == len(np.unique(before[place])) <= 3
        assert (before[place] != after[place]).any()


def test_several_recurrent_layers_convert_once_they_know_of_8_bits() -> None:
    model, graph = model_of(
        "inputs: {a: {shape: [3, 6, 4]}}\nnodes:\n"
        "  first: {layer: ConvLSTM1D, filters: 3, kernel_size: 3, return_sequences: true}\n"
        "  second: {layer: ConvLSTM1D, filters: 3, kernel_size: 3}\noutputs: second"
    )
    _, finished, x = trained(model, graph, epochs=8)
    _agrees_once_converted(finished.quantized, graph, x)


JOINED = """
inputs: {a: {shape: [8]}, b: {shape: [8]}}
nodes:
  large: {layer: Dense, from: a, units: 8, activation: relu, kernel_initializer: {RandomNormal: {stddev: 1.0}}}
  small: {layer: Dense, from: b, units: 8, kernel_initializer: {RandomNormal: {stddev: 0.02}}}
  both: {layer: Concatenate, from: [large, small]}
  y: {layer: Dense, units: 4}
outputs: y"""


def test_floats_that_are_joined_with_8_bits_keep_their_precision() -> None:
    model, graph = model_of(JOINED)
    # The small numbers alone reach the output, as it stands before training.
    kernel = weights_by_name(model)["y"]["kernel"]
    kernel.assign(np.concatenate([np.zeros((8, 4)), np.ones((8, 4))]).astype("float32"))
    _, finished, x = trained(model, graph, ["large"])
    # Training knows nothing of it if the small numbers are given the scale of the large ones.
    _agrees_once_converted(finished.quantized, graph, x)


def _agrees_once_converted(quantized: Any, graph: Graph, x: Any) -> None:
    """A converted model gives what the one that knows of 8 bits gives."""
    made = convert_model(quantized, names_of_graph(graph), Conversion("int8", aware=True))
    (output,) = quantized.output_names
    given = x if isinstance(x, dict) else dict.fromkeys(graph.inputs, x)
    found = LiteRunner(made.content).predict(given)
    refuse_disagreement(agreement({output: quantized.predict(x, verbose=0)}, found), "int8", allowed=0.02)


JOINS = {
    "a float": ("large: {layer: Dense, from: a, units: 8}", "[large, b]", {"large"}),
    "through what moves": (
        "large: {layer: Dense, from: a, units: 8}\n  next: {layer: Dropout, rate: 0.1}",
        "[next, b]",
        {"large"},
    ),
    "nothing": ("large: {layer: Dense, from: a, units: 8}", "large", set()),
    "after more floats": (
        "large: {layer: Dense, from: a, units: 8}\n  next: {layer: UnitNormalization}",
        "[next, b]",
        set(),
    ),
    # What feeds it must come in 8 bits.
    "feeds another": (
        "large: {layer: Dense, from: a, units: 8}\n  more: {layer: Dense, units: 8}",
        "[large, more, b]",
        {"more"},
    ),
}


@pytest.mark.parametrize(("before", "joined", "expected"), JOINS.values(), ids=JOINS)
def test_where_8_bits_meet_floats(before: str, joined: str, expected: set[str]) -> None:
    join = "{op: concatenate, from: %s}" if joined.startswith("[") else "{op: absolute, from: %s}"
    text = f"blueprint: 1\ninputs: {{a: {{shape: [8]}}, b: {{shape: [8]}}}}\nnodes:\n  {before}\n"
    graph = lower(
        parse(f"{text}  both: {join % joined}\n  end: {{layer: Add, from: [both, both]}}\noutputs: [end, b]\n")
    )
    assert seams_of(graph, {name for name in graph.layers if name in ("large", "more")}) == expected
    # A join that training computes in 8 bits has a scale of its own.
    layered = text + f"  both: {{layer: Concatenate, from: {joined}}}\noutputs: [both, b]\n"
    if expected:
        assert not seams_of(lower(parse(layered)), {"large", "more", "both"})


def test_a_layer_that_cannot_be_quantized_is_told() -> None:
    model, graph = model_of(
        "inputs: {a: {shape: [8]}}\nnodes:\n  x: {layer: Dense, units: 4, activation: elu}\noutputs: x"
    )
    with pytest.raises(BlueprintError, match=r"GB821 .*activations"):
        prepare(model, graph, [Target("x", Quantize(), ("kernel",))], steps=4)
