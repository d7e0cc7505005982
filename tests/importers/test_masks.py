"""Masks that Keras hands on by itself are left out, and come back; any other mask stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import keras
import pytest
from keras import layers, ops

from graphbuilder.api import parse
from graphbuilder.errors import BlueprintError
from graphbuilder.importers.keras3 import described3
from graphbuilder.importers.masks import without_own_masks
from tests.support.importing import compare, import_model

CASES: dict[str, Callable[[], Any]] = {}


def case(make: Callable[[], Any]) -> Callable[[], Any]:
    CASES[make.__name__] = make
    return make


def words_and_vectors(steps: int | None = 6, name: str = "words") -> tuple[Any, Any]:
    words = keras.Input((steps,), name=name, dtype="int32")
    return words, layers.Embedding(9, 4, mask_zero=True)(words)


def nodes_of(model: Any) -> dict[str, dict[str, Any]]:
    """The nodes of the flat blueprint, which is compared with the model on the way."""
    keras.utils.set_random_seed(1)
    found = import_model(model, flat=True)
    assert found.lost == ()
    compare(model, found, batch=4)
    nodes: dict[str, dict[str, Any]] = parse(found.text).source.data["nodes"]
    return nodes


def masks_in(nodes: dict[str, dict[str, Any]]) -> set[str]:
    """The nodes that are given a mask."""
    return {
        name
        for name, node in nodes.items()
        if isinstance(node.get("from"), dict) and any("mask" in key for key in node["from"])
    }


@case
def every_layer_that_takes_a_mask() -> Any:
    words, vectors = words_and_vectors()
    parts = [
        layers.LSTM(3)(vectors),
        layers.Bidirectional(layers.GRU(3))(vectors),
        layers.GlobalAveragePooling1D()(vectors),
        layers.Flatten()(layers.BatchNormalization()(vectors)),
        layers.Flatten()(layers.TimeDistributed(layers.Dense(2))(vectors)),
        layers.Flatten()(layers.MultiHeadAttention(2, 2)(vectors, vectors)),
        layers.Flatten()(layers.Attention()([vectors, vectors])),
    ]
    return keras.Model(words, layers.Concatenate()(parts))


@case
def chains_that_pass_a_mask_on() -> Any:
    words, vectors = words_and_vectors()
    x = layers.Dropout(0.1)(layers.Dense(4, activation="tanh")(vectors))
    x = layers.LayerNormalization()(layers.Activation("relu")(x))
    x, *_ = layers.LSTM(4, return_sequences=True, return_state=True)(x)
    return keras.Model(words, layers.GRU(3)(layers.Bidirectional(layers.LSTM(4, return_sequences=True))(x)))


@case
def merged_masks() -> Any:
    words, vectors = words_and_vectors()
    more, others = words_and_vectors(name="more")
    joined = layers.Add()([vectors, layers.Multiply()([others, vectors]), others])
    side_by_side = layers.Concatenate()([vectors, others])
    in_a_row = layers.Concatenate(axis=1)([vectors, joined])
    return keras.Model([words, more], [layers.LSTM(3)(each) for each in (joined, side_by_side, in_a_row)])


@case
def a_masked_and_an_unmasked_branch() -> Any:
    words, vectors = words_and_vectors()
    steps = keras.Input((6, 4), name="steps")
    one = layers.Concatenate(axis=1)([vectors, layers.Dense(4)(steps)])
    two = layers.Add()([vectors, steps])
    return keras.Model([words, steps], [layers.LSTM(3)(one), layers.LSTM(3)(two)])


@case
def steps_that_are_masked_by_their_value() -> Any:
    steps = keras.Input((None, 4), name="steps")
    return keras.Model(steps, layers.LSTM(3)(layers.Dense(4)(layers.Masking(0.5)(steps))))


@case
def a_layer_that_is_called_again() -> Any:
    words, vectors = words_and_vectors()
    read = layers.GRU(4, return_sequences=True, name="read")
    return keras.Model(words, layers.GlobalAveragePooling1D()(read(read(vectors))))


@case
def computing_in_half_precision() -> Any:
    steps = keras.Input((5, 4), name="steps")
    masked = layers.Masking(0.5, dtype="mixed_float16")(steps)
    return keras.Model(steps, layers.LSTM(3, dtype="mixed_float16")(masked))


@case
def an_op_that_somebody_else_needs_too() -> Any:
    words, vectors = words_and_vectors()
    known = ops.not_equal(words, 0)
    return keras.Model(words, [layers.LSTM(3)(vectors), ops.cast(known, "float32")])


@case
def models_inside_that_a_mask_goes_through() -> Any:
    words, vectors = words_and_vectors()
    inner = keras.Input((6, 4), name="inner")
    reader = keras.Model(inner, layers.GRU(4, return_sequences=True)(inner), name="reader")
    chain = keras.Sequential([keras.Input((6, 4)), layers.LSTM(4, return_sequences=True)], name="chain")
    return keras.Model(words, layers.GlobalAveragePooling1D()(chain(reader(vectors))))


@case
def a_model_inside_with_masks_of_its_own() -> Any:
    inner = keras.Input((6,), name="inner", dtype="int32")
    reader = keras.Model(inner, layers.LSTM(4)(layers.Embedding(9, 4, mask_zero=True)(inner)), name="reader")
    words, vectors = words_and_vectors()
    return keras.Model(words, layers.Concatenate()([reader(words), layers.GRU(2)(vectors)]))


@pytest.mark.parametrize("name", CASES)
def test_a_mask_that_keras_hands_on_is_left_out(name: str) -> None:
    nodes = nodes_of(CASES[name]())
    assert masks_in(nodes) == set()
    ops_left = {node["op"] for node in nodes.values() if "op" in node}
    assert ops_left == ({"not_equal", "cast"} if "somebody_else" in name else set())


@pytest.mark.parametrize("name", CASES)
def test_a_mask_comes_back_folded(name: str) -> None:
    model = CASES[name]()
    compare(model, import_model(model), batch=4)


def test_a_mask_by_hand_stays() -> None:
    words, vectors = words_and_vectors()
    known = keras.Input((6,), name="known", dtype="bool")
    one = layers.LSTM(3, name="one")(vectors, mask=known)
    two = layers.LSTM(3, name="two")(vectors, mask=ops.not_equal(words, 1))
    three = layers.LSTM(3, name="three")(vectors, mask=ops.logical_not(ops.not_equal(words, 0)))
    assert masks_in(nodes_of(keras.Model([words, known], [one, two, three]))) == {"one", "two", "three"}


def test_what_a_mask_by_hand_becomes_is_handed_on() -> None:
    _, vectors = words_and_vectors()
    known = keras.Input((6,), name="known", dtype="bool")
    read = layers.LSTM(4, return_sequences=True, name="read")(vectors, mask=known)
    model = keras.Model([vectors._keras_history.operation.input, known], layers.GRU(3, name="again")(read))
    assert masks_in(nodes_of(model)) == {"read"}


def test_a_mask_that_a_model_inside_would_change_stays() -> None:
    # When Keras builds the graph, what a model inside gives has no mask; where its layers stand in its place, it has.
    words, vectors = words_and_vectors()
    reader = keras.Sequential([keras.Input((6, 4)), layers.LSTM(4, return_sequences=True)], name="reader")
    joined = layers.Concatenate(axis=1, name="joined")([reader(vectors), vectors])
    assert masks_in(nodes_of(keras.Model(words, layers.GRU(3, name="read")(joined)))) == {"read"}


def test_a_mask_by_hand_for_a_model_inside_is_refused() -> None:
    words, vectors = words_and_vectors()
    known = keras.Input((6,), name="known", dtype="bool")
    reader = keras.Sequential([keras.Input((6, 4)), layers.LSTM(4)], name="reader")
    with pytest.raises(BlueprintError, match="GB853 reader: a model inside it is called with mask"):
        import_model(keras.Model([words, known], reader(vectors, mask=known)))


def test_a_custom_layer_is_not_known_to_pass_a_mask_on() -> None:
    words, vectors = words_and_vectors()
    saved = json.loads(keras.Model(words, layers.LSTM(3, name="read")(layers.Dense(4, name="own")(vectors))).to_json())
    for layer in saved["config"]["layers"]:
        if layer["config"]["name"] == "own":
            layer.update(class_name="Own", module="somewhere")
    found = {layer.name: layer for layer in without_own_masks(described3(saved)).layers}
    assert "mask" in found["read"].calls[0].keywords
    assert "NotEqual" in {layer.kind for layer in found.values()}
