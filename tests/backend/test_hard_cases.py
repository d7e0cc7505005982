"""Blueprints that are hard to say, each equal to the Keras model that a person would write by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from graphbuilder.api import check, compile, copy_weights

HARD = Path(__file__).parent / "hard"
random = np.random.default_rng(0)


def floats(*shape: int) -> np.ndarray:
    return random.normal(size=shape).astype("float32")


def siamese() -> tuple[Any, Any]:
    conv = layers.Conv2D(4, 3, activation="relu", name="left_code.conv")
    pool = layers.GlobalAveragePooling2D(name="left_code.pooled")
    embedding = layers.Dense(6, name="left_code.embedding")
    left, right = keras.Input((16, 16, 1), name="left"), keras.Input((16, 16, 1), name="right")
    codes = [embedding(pool(conv(image))) for image in (left, right)]
    same = layers.Dense(1, activation="sigmoid", name="same")(ops.absolute(codes[0] - codes[1]))
    model = keras.Model({"left": left, "right": right}, same)
    return model, {"left": floats(3, 16, 16, 1), "right": floats(3, 16, 16, 1)}


def sequence_to_sequence() -> tuple[Any, Any]:
    source, target = keras.Input((None, 5), name="source"), keras.Input((None, 7), name="target")
    _, hidden, cell = layers.LSTM(8, return_state=True, name="encoder")(source)
    decoded = layers.LSTM(8, return_sequences=True, name="decoder")(target, initial_state=[hidden, cell])
    tokens = layers.Dense(7, activation="softmax", name="tokens")(decoded)
    model = keras.Model({"source": source, "target": target}, tokens)
    return model, {"source": floats(2, 4, 5), "target": floats(2, 6, 7)}


def two_image_sizes() -> tuple[Any, Any]:
    small, large = keras.Input((8, 8, 3), name="small"), keras.Input((20, 12, 3), name="large")
    conv = layers.Conv2D(4, 3, name="conv")
    codes = [layers.GlobalMaxPooling2D()(conv(image)) for image in (small, large)]
    model = keras.Model({"small": small, "large": large}, layers.Concatenate()(codes))
    return model, {"small": floats(2, 8, 8, 3), "large": floats(2, 20, 12, 3)}


def attention() -> tuple[Any, Any]:
    query, value, key = (keras.Input((6, size), name=name) for name, size in (("query", 8), ("value", 10), ("key", 9)))
    attended = layers.MultiHeadAttention(2, 4, name="attention")(
        query, value, key, use_causal_mask=True, return_attention_scores=True
    )
    model = keras.Model({"query": query, "value": value, "key": key}, list(attended))
    return model, {"query": floats(2, 6, 8), "value": floats(2, 6, 10), "key": floats(2, 6, 9)}


def masked() -> tuple[Any, Any]:
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    embedded = layers.Embedding(20, 6, mask_zero=True, name="embedded")(tokens)
    both = layers.Bidirectional(layers.LSTM(5), name="both")(embedded)
    model = keras.Model(tokens, layers.Dense(1, name="score")(both))
    return model, np.array([[3, 4, 5, 0, 0], [1, 2, 0, 0, 0], [9, 8, 7, 6, 5]], dtype="int32")


def constants() -> tuple[Any, Any]:
    x = keras.Input((4,), name="x")
    shifted = (1 - x) / 2.0 + np.array([0.1, 0.2, 0.3, 0.4], dtype="float32")
    return keras.Model(x, shifted), floats(3, 4)


def two_outputs() -> tuple[Any, Any]:
    sequence = keras.Input((7, 3), name="sequence")
    steps, state = layers.GRU(5, return_sequences=True, return_state=True, name="memory")(sequence)
    outputs = {
        "steps": layers.TimeDistributed(layers.Dense(2), name="steps")(steps),
        "summary": layers.Dense(4, name="summary")(state),
    }
    return keras.Model(sequence, outputs), floats(2, 7, 3)


def mappings() -> tuple[Any, Any]:
    first, second = keras.Input((3,), name="first"), keras.Input((4,), name="second")
    a, b = layers.Dense(5, name="a")(first), layers.Dense(5, name="b")(second)
    outputs = {"total": layers.Add()([a, b]), "scaled": layers.Multiply()([a, b])}
    return keras.Model({"first": first, "second": second}, outputs), {"first": floats(2, 3), "second": floats(2, 4)}


def lists() -> tuple[Any, Any]:
    first, second = keras.Input((3,), name="first"), keras.Input((4,), name="second")
    a, b = layers.Dense(5, name="a")(first), layers.Dense(5, name="b")(second)
    return keras.Model([first, second], [layers.Add()([a, b]), a]), [floats(2, 3), floats(2, 4)]


def two_ports() -> tuple[Any, Any]:
    x, y = keras.Input((6,), name="x"), keras.Input((6,), name="y")
    shared = layers.Dense(6, activation="tanh", name="of_x.shared")
    mean = layers.Dense(3, name="of_x.mean")
    spread = layers.Dense(3, activation="softplus", name="of_x.spread")
    means = layers.Subtract()([mean(shared(x)), mean(shared(y))])
    spreads = layers.Multiply()([spread(shared(x)), spread(shared(y))])
    return keras.Model({"x": x, "y": y}, [means, spreads]), {"x": floats(2, 6), "y": floats(2, 6)}


def inner_output() -> tuple[Any, Any]:
    x = keras.Input((5,), name="x")
    here, dense, normed = x, [], []
    for index in range(3):
        dense.append(layers.Dense(5, activation="relu", name=f"tower.{index}.dense")(here))
        here = layers.LayerNormalization(name=f"tower.{index}.normed")(dense[-1])
        normed.append(here)
    out = layers.Dense(2, name="out")(here)
    return keras.Model(x, [out, dense[1], normed[0]]), floats(2, 5)


def slices() -> tuple[Any, Any]:
    x = keras.Input((8, 6), name="x")
    stacked = ops.stack([x[..., 0][:, :6], x[:, 1:, 3][:, :-1]], axis=-1)
    first, second = ops.split(stacked, 2, axis=1)
    return keras.Model(x, layers.Add()([first, second])), floats(2, 8, 6)


def kinds_of_inputs() -> tuple[Any, Any]:
    words = keras.Input((), dtype="string", name="words")
    count = keras.Input((), dtype="int32", name="count")
    scale, image = keras.Input((), name="scale"), keras.Input((4, 4, 1), name="image")
    embedded = layers.Embedding(10, 3, name="embedded")(count)
    together = layers.Concatenate()([embedded, ops.expand_dims(scale, -1), layers.Flatten()(image)])
    import tensorflow as tf

    given = [tf.constant(["a", "b"]), tf.constant([3, 4]), tf.constant(floats(2)), tf.constant(floats(2, 4, 4, 1))]
    return keras.Model([words, count, scale, image], together), given


CASES: list[Callable[[], tuple[Any, Any]]] = [
    siamese,
    sequence_to_sequence,
    two_image_sizes,
    attention,
    masked,
    constants,
    two_outputs,
    mappings,
    lists,
    two_ports,
    inner_output,
    slices,
    kinds_of_inputs,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_blueprint_equals_the_model_by_hand(case: Callable[[], tuple[Any, Any]]) -> None:
    by_hand, given = case()
    model = compile(HARD / f"{case.__name__}.yaml")
    if by_hand.weights:
        copy_weights(by_hand, model)
    assert model.count_params() == by_hand.count_params()
    expected, found = by_hand(given), model(given)
    assert keras.tree.map_structure(np.shape, found) == keras.tree.map_structure(np.shape, expected)
    for mine, theirs in zip(keras.tree.flatten(found), keras.tree.flatten(expected), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-6)


@pytest.mark.parametrize("path", sorted(HARD.glob("*.yaml")), ids=lambda path: path.stem)
def test_twin_equals_the_keras_3_model(path: Path) -> None:
    case = next(case for case in CASES if case.__name__ == path.stem)
    _, given = case()
    model, twin = compile(path), compile(path, keras=2)
    if model.weights:
        copy_weights(twin, model)
    for mine, theirs in zip(keras.tree.flatten(model(given)), keras.tree.flatten(twin(given)), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-5)


def test_the_mask_of_an_embedding_is_noted() -> None:
    graph = check(HARD / "masked.yaml").graph
    assert graph is not None
    assert graph.calls["embedded"].outputs[0].masked
    assert not graph.calls["both"].outputs[0].masked


def test_a_chain_of_three_thousand_nodes(tmp_path: Path) -> None:
    lines = ["blueprint: 1", "inputs:", "  x: {shape: [3]}", "nodes:"]
    lines += [f"  step_{index}: {{layer: Activation, activation: tanh}}" for index in range(2998)]
    lines += ["  dense: {layer: Dense, units: 2}", "  out: {layer: Activation, activation: sigmoid}"]
    path = tmp_path / "deep.yaml"
    path.write_text("\n".join(lines) + "\n")
    model = compile(path)
    assert len(model.layers) == 3001
    x = floats(2, 3)
    expected = x
    for _ in range(2998):
        expected = np.tanh(expected)
    kernel, bias = (weight.numpy() for weight in model.get_layer("dense").weights)
    np.testing.assert_allclose(model(x), 1 / (1 + np.exp(-(expected @ kernel + bias))), atol=1e-5)
