"""Models as people make them in Keras become blueprints that compile to the same model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from graphbuilder.api import parse
from graphbuilder.errors import BlueprintError
from graphbuilder.importers import Imported
from graphbuilder.importers.keras3 import described3
from graphbuilder.importers.problems import NotCarried
from tests.support.importing import compare, import_file_of, import_model

CASES: dict[str, Callable[[], Any]] = {}


def case(make: Callable[[], Any]) -> Callable[[], Any]:
    CASES[make.__name__] = make
    return make


def data_of(model: Any) -> dict[str, Any]:
    """The blueprint of a model as plain data, with a node for each layer."""
    return written(import_model(model, flat=True))


def written(found: Imported) -> dict[str, Any]:
    """A blueprint as plain data."""
    data: dict[str, Any] = parse(found.text).source.data
    return data


@case
def sequential_with_an_input() -> Any:
    return keras.Sequential([keras.Input((6, 4)), layers.Conv1D(3, 2, activation="relu"), layers.Flatten()])


@case
def sequential_that_was_built() -> Any:
    model = keras.Sequential([layers.Dense(5, activation="gelu"), layers.Dense(2)])
    model.build((None, 3))
    return model


@case
def layers_called_again() -> Any:
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    shared = layers.Dense(4, name="shared")
    both = layers.Add()([shared(left), shared(shared(right))])
    return keras.Model([left, right], [both, layers.Dense(1, name="score")(both)])


@case
def inputs_and_outputs_by_name() -> Any:
    image, words = keras.Input((4, 4, 3), name="image"), keras.Input((None,), name="words", dtype="int32")
    seen = layers.GlobalAveragePooling2D()(image)
    read_ = layers.LSTM(3)(layers.Embedding(9, 5)(words))
    score = layers.Dense(2, name="scored")(layers.Concatenate()([seen, read_]))
    return keras.Model({"words": words, "image": image}, {"score": score, "code": read_})


@case
def an_input_under_a_key_of_its_own() -> Any:
    x = keras.Input((3,), name="x")
    return keras.Model({"row": x}, layers.Dense(2)(x))


@case
def one_input_in_a_list() -> Any:
    x = keras.Input((3,), name="x")
    return keras.Model([x], [layers.Dense(2)(x)])


@case
def inputs_that_feed_nothing() -> Any:
    x, unused = keras.Input((3,), name="x"), keras.Input((2,), name="unused")
    return keras.Model([x, unused], layers.Dense(2)(x))


@case
def an_input_that_is_an_output() -> Any:
    x = keras.Input((3,), name="x")
    return keras.Model(x, [x, layers.Dense(2)(x)])


@case
def states_handed_on() -> Any:
    source, target = keras.Input((None, 3), name="source"), keras.Input((None, 5), name="target")
    _, hidden, cell = layers.LSTM(4, return_state=True, name="encoder")(source)
    decoded = layers.LSTM(4, return_sequences=True, name="decoder")(target, initial_state=[hidden, cell])
    return keras.Model([source, target], layers.TimeDistributed(layers.Dense(2))(decoded))


@case
def masks_by_hand() -> Any:
    steps, known = keras.Input((6, 3), name="steps"), keras.Input((6,), name="known", dtype="bool")
    return keras.Model([steps, known], layers.GRU(4)(steps, mask=known))


@case
def masks_of_an_embedding() -> Any:
    words = keras.Input((6,), name="words", dtype="int32")
    vectors = layers.Embedding(9, 4, mask_zero=True)(words)
    both = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(vectors)
    return keras.Model(words, layers.GlobalAveragePooling1D()(both))


@case
def attention_in_both_forms() -> Any:
    query, value = keras.Input((5, 4), name="query"), keras.Input((7, 4), name="value")
    one = layers.Attention()([query, value])
    two, scores = layers.MultiHeadAttention(2, 3)(
        query, value, return_attention_scores=True, use_causal_mask=True, attention_mask=np.ones((1, 5, 7), "bool")
    )
    return keras.Model([query, value], [one, two, scores])


@case
def constants_in_calls() -> Any:
    x = keras.Input((2, 3), name="x")
    scaled = x * np.array([[1.0, 2.0, 3.0]], "float32") + 1
    total = layers.Add()([x, np.ones((1, 2, 3), "float32")])
    return keras.Model(x, [total, 2 - scaled, scaled / 3, ops.maximum(0.5, x), ops.take(x, [0, 2], axis=2)])


@case
def numbers_of_many_kinds() -> Any:
    words, flags = keras.Input((4,), name="words", dtype="int64"), keras.Input((4,), name="flags", dtype="bool")
    number = keras.Input((), name="number")
    told = ops.where(flags, ops.cast(words, "float32"), ops.expand_dims(number, -1))
    return keras.Model([words, flags, number], [told, ops.logical_not(flags)])


@case
def slices() -> Any:
    x = keras.Input((6, 8, 2), name="x")
    return keras.Model(x, [x[..., 0], x[:, 1:-1, ::2], x[:, None, 2], x[:, :, -1, :]])


@case
def parts_of_a_tensor() -> Any:
    x = keras.Input((6, 4), name="x")
    first, second = ops.split(x, 2, axis=1)
    rows = ops.unstack(x, axis=1)
    best, places = ops.top_k(x, 2)
    return keras.Model(x, [ops.stack([first, second], axis=1), rows[0] - rows[5], best, places])


@case
def arithmetic() -> Any:
    x, y = keras.Input((4, 4), name="x"), keras.Input((4, 4), name="y")
    return keras.Model([x, y], [x @ y, x**2, -x, abs(y), x // 2, x % 2, ops.einsum("bij,bkj->bik", x, y), x > y])


@case
def calls_that_say_training() -> Any:
    x = keras.Input((4,), name="x")
    return keras.Model(x, layers.BatchNormalization()(layers.Dropout(0.5)(x, training=False), training=False))


@case
def objects_and_policies() -> Any:
    x = keras.Input((8, 8, 3), name="x")
    made = layers.Conv2D(
        4,
        3,
        kernel_initializer=keras.initializers.HeNormal(seed=3),
        kernel_regularizer=keras.regularizers.L1L2(0.1, 0.2),
        bias_constraint=keras.constraints.MaxNorm(3),
        activation=layers.LeakyReLU(negative_slope=0.1),
        dtype="mixed_bfloat16",
    )(x)
    frozen = layers.Dense(2, trainable=False, dtype="float32")(made)
    return keras.Model(x, frozen)


@case
def a_model_inside() -> Any:
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(3, name="one"), layers.Dense(2, name="two")], name="code")
    left, right = keras.Input((6,), name="left"), keras.Input((6,), name="right")
    return keras.Model([left, right], inner(left) - inner(right))


@case
def models_inside_models() -> Any:
    x = keras.Input((4,), name="x")
    innermost = keras.Model(x, layers.Dense(4, name="dense")(x), name="innermost")
    y = keras.Input((4,), name="y")
    middle = keras.Model(y, innermost(layers.Dense(4, name="dense")(innermost(y))), name="middle")
    z = keras.Input((4,), name="z")
    return keras.Model(z, layers.Dense(1, name="dense")(middle(z)))


@case
def models_inside_with_several_ends() -> Any:
    a, b = keras.Input((3,), name="a"), keras.Input((5,), name="b")
    by_place = keras.Model([a, b], [layers.Dense(2)(a), layers.Dense(4)(b)], name="by_place")
    c, d = keras.Input((3,), name="c"), keras.Input((5,), name="d")
    by_name = keras.Model(
        {"second": c, "first": d}, {"wide": layers.Dense(7)(d), "narrow": layers.Dense(1)(c)}, name="by_name"
    )
    x, y = keras.Input((3,), name="x"), keras.Input((5,), name="y")
    one, two = by_place([x, y])
    named = by_name({"first": y, "second": x})
    return keras.Model([x, y], [one, two, named["wide"], named["narrow"]])


@case
def sequential_around_a_model() -> Any:
    image = keras.Input((8, 8, 3), name="image")
    base = keras.Model(image, layers.Conv2D(4, 3, name="conv")(image), name="base")
    return keras.Sequential([base, layers.GlobalMaxPooling2D(), layers.Dense(2)])


@case
def a_frozen_base() -> Any:
    image = keras.Input((8, 8, 3), name="image")
    inside = layers.BatchNormalization(name="norm")(layers.Conv2D(4, 3, name="conv")(image))
    base = keras.Model(image, layers.Dropout(0.3)(inside), name="base")
    base.trainable = False
    given = keras.Input((8, 8, 3), name="given")
    return keras.Model(given, layers.Dense(2)(layers.GlobalMaxPooling2D()(base(given, training=False))))


@case
def names_that_no_blueprint_has() -> Any:
    x = keras.Input((3,), name="1st input:0")
    one = layers.Dense(2, name="block.1 dense")(x)
    return keras.Model(x, layers.Dense(2, name="block_1_dense")(one), name="net v1.0")


@pytest.mark.parametrize("flat", [True, False], ids=["flat", "folded"])
@pytest.mark.parametrize("name", CASES)
def test_a_model_comes_back(name: str, flat: bool) -> None:
    keras.utils.set_random_seed(1)
    model = CASES[name]()
    found = import_model(model, flat=flat)
    assert found.lost == ()
    compare(model, found)


def refused(model: Any) -> list[str]:
    """What is told of a model that cannot be imported."""
    with pytest.raises(BlueprintError) as error:
        import_model(model)
    return [str(found) for found in error.value.diagnostics]


def test_a_shared_layer_is_reused() -> None:
    nodes = data_of(layers_called_again())["nodes"]
    assert nodes["shared_again"] == {"reuse": "shared", "from": "right"}
    assert nodes["shared_again_2"] == {"reuse": "shared", "from": "shared_again"}


def test_a_model_inside_is_a_block_that_can_be_reused() -> None:
    data = data_of(a_model_inside())
    assert list(data["blocks"]["code"]["nodes"]) == ["one", "two"]
    assert data["nodes"]["code"]["block"] == "code"
    assert data["nodes"]["code_again"]["reuse"] == "code"


def test_layers_inside_are_named_by_their_paths() -> None:
    names = import_model(models_inside_models()).names
    assert names["middle/innermost/dense"] == "middle.innermost.dense"
    assert names["dense"] == "dense"


def test_inputs_bear_the_names_that_the_model_is_called_with() -> None:
    assert list(data_of(an_input_under_a_key_of_its_own())["inputs"]) == ["row"]


def test_a_batch_size_that_is_fixed_is_told() -> None:
    model = keras.Sequential([layers.Dense(5), layers.LayerNormalization()])
    model.predict(np.ones((2, 3), "float32"), verbose=0)
    found = import_model(model)
    assert [(told.code, told.message) for told in found.lost] == [
        ("GB854", "the batch size is fixed to 2, and a blueprint leaves it open")
    ]
    compare(model, found, batch=2)


def test_outputs_in_lists_of_lists_are_told() -> None:
    x = keras.Input((3,), name="x")
    one, two = layers.Dense(1, name="one")(x), layers.Dense(2, name="two")(x)
    found = import_model(keras.Model(x, [one, [two, x]]), flat=True)
    assert [told.code for told in found.lost] == ["GB854"]
    assert written(found)["outputs"] == ["one", "two", "x"]


def test_inputs_in_lists_of_lists_are_told_and_become_one_list() -> None:
    one, two, three = (keras.Input((size,), name=f"in{size}") for size in (1, 2, 3))
    model = keras.Model([one, {"b": two, "a": three}], layers.Concatenate()([one, two, three]))
    found = import_model(model)
    assert [told.message for told in found.lost] == ["the inputs are nested, and a blueprint has them in one list"]
    assert written(found)["inputs_as"] == "list"


def test_keys_that_are_no_names_are_told() -> None:
    x, y = keras.Input((3,), name="x"), keras.Input((3,), name="y")
    model = keras.Model({"the row": x, "y": y}, {"a b": layers.Add()([x, y]), "a_b": layers.Dense(2)(x)})
    found = import_model(model)
    assert [told.message for told in found.lost] == [
        "of the inputs, the row becomes the_row: no name of a blueprint has such signs",
        "of the outputs, a b becomes a_b: no name of a blueprint has such signs",
    ]
    assert list(written(found)["inputs"]) == ["the_row", "y"]
    assert list(written(found)["outputs"]) == ["a_b", "a_b_"]


def test_other_training_at_the_next_call_is_told() -> None:
    x, given = keras.Input((3,), name="x"), keras.Input((3,), name="given")
    inner = keras.Model(x, layers.Dropout(0.5)(x), name="inner")
    found = import_model(keras.Model(given, inner(inner(given), training=True)))
    assert [(told.node, told.message) for told in found.lost] == [
        ("inner", "it is called again and told otherwise of training, and a block does the same at every call")
    ]


def test_training_of_a_model_inside_reaches_its_layers() -> None:
    x, given = keras.Input((3,), name="x"), keras.Input((3,), name="given")
    inner = keras.Model(x, layers.Dense(2, name="d")(layers.Dropout(0.5, name="drop")(x)), name="inner")
    nodes = data_of(keras.Model(given, inner(given, training=True)))["blocks"]["inner"]["nodes"]
    assert nodes["drop"]["call"] == {"training": True}


def test_a_lambda_is_refused_by_its_name() -> None:
    x = keras.Input((3,), name="x")
    one, two = (layers.Lambda(lambda tensor: tensor + 1, name=name) for name in ("twist", "turn"))
    found = refused(keras.Model(x, two(one(x))))
    assert [told.split("\n")[0] for told in found] == [
        f"model.json: GB213 {name}: Lambda cannot be imported: it holds code, and opening a blueprint runs none"
        for name in ("twist", "turn")
    ]
    assert "use `op:` nodes" in found[0]


def test_ops_that_the_catalog_lacks_are_refused_by_their_names() -> None:
    x = keras.Input((3, 3), name="x")
    assert refused(keras.Model(x, ops.diagonal(ops.arctan(x), axis1=1, axis2=2))) == [
        f"model.json: GB853 {name}: the catalog has no op {name}\n"
        f"  hint: `graphbuilder layers --ops` lists those it has"
        for name in ("arctan", "diagonal")
    ]


def test_a_model_in_a_wrapper_is_refused() -> None:
    x = keras.Input((5, 4), name="x")
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(2)], name="inner")
    told = refused(keras.Model(x, layers.TimeDistributed(inner, name="each")(x)))
    assert told == ["model.json: GB853 each: it holds a Sequential, which the catalog does not know"]


def test_a_subclassed_model_is_refused() -> None:
    saved = {"class_name": "Mine", "module": "mine", "config": {"name": "mine"}}
    with pytest.raises(NotCarried, match="it is a Mine, which says in code"):
        described3(saved)


def sharing_across_depth() -> Any:
    """An outer model and two inner ones that all call one layer."""
    shared = layers.Dense(4, name="shared")
    x = keras.Input((4,), name="x")
    inner = keras.Model(x, [shared(layers.Dense(4, name="own")(shared(x))), x * 2], name="inner")
    y = keras.Input((4,), name="y")
    other = keras.Model(y, layers.Dropout(0.5, name="drop")(shared(y)), name="other")
    z = keras.Input((4,), name="z")
    one, two = inner(shared(z))
    three, four = inner(other(one))
    return keras.Model(z, [two + three, shared(four)])


def test_a_layer_shared_with_a_model_inside_stays_one_layer(tmp_path: Path) -> None:
    model = sharing_across_depth()
    found = import_file_of(model, tmp_path)
    assert found.lost == ()
    assert found.names["inner/shared"] == found.names["other/shared"] == found.names["shared"]
    compare(model, found)


def test_models_that_share_nothing_stay_blocks(tmp_path: Path) -> None:
    found = import_file_of(models_inside_models(), tmp_path)
    assert list(written(found)["blocks"]) == ["innermost", "middle"]


def test_what_the_format_refuses_is_told_at_the_layer() -> None:
    x = keras.Input((None, 4), name="x")
    # Keras announces the parts, and cannot cut them when the model runs.
    inner = keras.Model(x, ops.split(x, [1], axis=1)[0], name="inner")
    y = keras.Input((None, 4), name="y")
    assert "GB203 inner/split" in refused(keras.Model(y, inner(y)))[0]
