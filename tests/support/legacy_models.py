"""Models of tf_keras as people make them, and what comes of them when they are imported.

Importing this imports TensorFlow, so only test files that need it do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from tf_keras import layers

from graphbuilder.api import compile, parse
from graphbuilder.importers import Imported
from tests.support.importing import layers_inside

__all__ = ["LEGACY_MODELS", "compare_legacy", "compare_outputs"]

LEGACY_MODELS: dict[str, Callable[[], Any]] = {}


def _case(make: Callable[[], Any]) -> Callable[[], Any]:
    LEGACY_MODELS[make.__name__] = make
    return make


def compare_legacy(model: Any, found: Imported, keras: int, tolerance: float) -> None:
    """Compiles what was imported in either Keras and holds it against the model: parameters, and outputs.

    Arguments:
        model: the model of tf_keras.
        found: what was imported of it.
        keras: 2 or 3.
        tolerance: the largest difference of an output.
    """
    built = compile(parse(found.text), keras=keras)  # type: ignore[arg-type]
    assert built.count_params() == model.count_params()
    for name, layer in layers_inside(model):
        if layer.weights:
            built.get_layer(found.names[name]).set_weights(layer.get_weights())
    compare_outputs(model, built, found, tolerance)


def compare_outputs(model: Any, built: Any, found: Imported, tolerance: float) -> None:
    """Holds what was compiled against the model: outputs for random inputs.

    Arguments:
        model: the model of tf_keras.
        built: what was compiled, with the model's weights.
        found: what was imported of the model.
        tolerance: the largest difference of an output.
    """
    given = _samples(model)
    expected = tf.nest.flatten(_called(model, given))
    mine = tf.nest.flatten(_called(built, {found.names[name]: value for name, value in given.items()}))
    for ours, theirs in zip(mine, expected, strict=True):
        ours, theirs = np.asarray(ours), np.asarray(theirs)
        assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)


def _called(model: Any, given: Mapping[str, Any]) -> Any:
    structure = getattr(model, "_inputs_struct", None)
    structure = model._nested_inputs if structure is None else structure
    return model(tf.nest.map_structure(lambda tensor: given[tensor.name.split(":")[0]], structure))


def _samples(model: Any) -> dict[str, Any]:
    """Random inputs by name; unknown axes have one size."""
    drawn = np.random.default_rng(7)
    found: dict[str, Any] = {}
    for tensor in model.inputs:
        shape = [3, *(5 if axis is None else axis for axis in tensor.shape[1:])]
        dtype = tensor.dtype.name
        value = drawn.integers(0, 4, shape) if "int" in dtype else drawn.normal(size=shape)
        found[tensor.name] = (value > 0 if dtype == "bool" else value).astype(dtype)
    return found


@_case
def sequential_with_an_input() -> Any:
    return tf_keras.Sequential([layers.Input((6, 4)), layers.Conv1D(3, 2, activation="relu"), layers.Flatten()])


@_case
def sequential_whose_first_layer_says_the_shape() -> Any:
    return tf_keras.Sequential(
        [layers.Dense(5, activation="gelu", input_shape=(3,)), layers.LeakyReLU(), layers.Dense(2)]
    )


@_case
def sequential_that_was_called() -> Any:
    model = tf_keras.Sequential([layers.Embedding(9, 4, mask_zero=True), layers.LSTM(3)])
    model(np.ones((2, 5), "int32"))
    return model


@_case
def layers_called_again() -> Any:
    left, right = layers.Input((4,), name="left"), layers.Input((4,), name="right")
    shared = layers.Dense(4, name="shared")
    both = layers.Add(name="both")([shared(left), shared(shared(right))])
    return tf_keras.Model([left, right], [both, layers.Dense(1, name="score")(both)])


@_case
def models_inside() -> Any:
    x, z = layers.Input((8,), name="x"), layers.Input((8,), name="z")
    row = tf_keras.Sequential([layers.Dense(3, input_shape=(8,)), layers.Dropout(0.1)], name="row")
    a, b = layers.Input((3,), name="a"), layers.Input((3,), name="b")
    joined = {"sum": layers.Add(name="sum")([a, b]), "apart": layers.Subtract(name="apart")([a, b])}
    ends = tf_keras.Model({"first": a, "second": b}, joined, name="ends")({"first": row(x), "second": row(z)})
    return tf_keras.Model({"x": x, "z": z}, [ends["sum"], ends["apart"], row(x)])


@_case
def a_model_in_a_model_in_a_model() -> Any:
    inner = tf_keras.Sequential([layers.Dense(4), layers.BatchNormalization()], name="inner")
    y = layers.Input((4,), name="y")
    middle = tf_keras.Model(y, inner(inner(y)), name="middle")
    x = layers.Input((4,), name="x")
    return tf_keras.Model(x, middle(layers.ReLU(6.0)(x)))


@_case
def states_handed_on() -> Any:
    source, target = layers.Input((None, 3), name="source"), layers.Input((None, 5), name="target")
    _, hidden, cell = layers.LSTM(4, return_state=True, name="encoder")(source)
    decoded = layers.LSTM(4, return_sequences=True, name="decoder")(target, initial_state=[hidden, cell])
    both = layers.Bidirectional(layers.GRU(2, return_sequences=True), name="both")(decoded)
    return tf_keras.Model([source, target], layers.TimeDistributed(layers.Dense(2))(both))


@_case
def attention_and_masks() -> Any:
    query, value = layers.Input((7, 4), name="query"), layers.Input((7, 4), name="value")
    known = layers.Input((7,), name="known", dtype="bool")
    one = layers.Attention(name="one")([query, value], mask=[None, known])
    two, scores = layers.MultiHeadAttention(2, 3, name="two")(
        query, value, attention_mask=tf.expand_dims(known, 1), return_attention_scores=True
    )
    three = layers.GRU(3, name="three")(value, mask=known)
    return tf_keras.Model([query, value, known], [one, two, scores, three])


@_case
def convolutions() -> Any:
    x = layers.Input((12, 12, 3), name="x")
    y = layers.SeparableConv2D(6, 3, padding="same", activation="swish")(x)
    y = layers.BatchNormalization(momentum=0.9)(y)
    y = layers.DepthwiseConv2D(3, strides=2, depth_multiplier=2)(layers.ZeroPadding2D(1)(y))
    y = layers.PReLU(shared_axes=[1, 2])(layers.LayerNormalization()(y))
    y = layers.Conv2DTranspose(4, 2, strides=2, kernel_regularizer=tf_keras.regularizers.L2(1e-4))(y)
    y = layers.UpSampling2D(2, interpolation="bilinear")(layers.MaxPooling2D()(y))
    return tf_keras.Model(x, layers.Dense(2, activation="softmax")(layers.GlobalAveragePooling2D()(y)))


@_case
def recurrent_convolutions() -> Any:
    x = layers.Input((3, 6, 6, 2), name="x")
    return tf_keras.Model(x, layers.ConvLSTM2D(3, 3, recurrent_activation="sigmoid")(x))


@_case
def options_of_all_kinds() -> Any:
    x = layers.Input((6,), name="x")
    y = layers.Dense(
        4,
        activation=layers.LeakyReLU(0.1),
        kernel_initializer=tf_keras.initializers.TruncatedNormal(stddev=0.02),
        kernel_regularizer=tf_keras.regularizers.L1L2(1e-5, 1e-4),
        bias_constraint=tf_keras.constraints.MaxNorm(2),
    )(x)
    y = layers.Activation("tanh")(layers.ELU(0.7)(y))
    return tf_keras.Model(x, layers.Rescaling(1 / 255)(layers.Reshape((2, 2))(y)))


@_case
def half_precision() -> Any:
    x = layers.Input((6,), name="x")
    y = layers.Dense(4, dtype=tf_keras.mixed_precision.Policy("mixed_float16"))(x)
    return tf_keras.Model(x, layers.Dense(2, dtype="float32")(y))


@_case
def arithmetic() -> Any:
    x, z = layers.Input((4,), name="x"), layers.Input((4,), name="z")
    constant = tf.constant([1.0, 2.0, 3.0, 4.0])
    found = [2 * x + 1, 1 - x, x / 3, 2 / (z * z + 1), -x, x**2, x // 2, x % 2, x + constant, constant * x, x - z]
    found += [tf.maximum(0.5, x), tf.minimum(x, z), tf.math.squared_difference(x, z), tf.abs(x), tf.sign(x)]
    found += [tf.where(x > z, x, 0.0), x >= 0, tf.logical_and(x < 1, z <= 1), tf.logical_not(x > 0)]
    found += [tf.math.equal(x, z), tf.not_equal(x, z), tf.cast(x, "int32"), tf.cast(x, "float16")]
    found += [tf.sqrt(tf.square(x)), tf.math.rsqrt(z * z + 1), tf.exp(x), tf.math.log1p(tf.abs(x)), tf.round(x)]
    found += [tf.sin(x), tf.floor(x), tf.math.ceil(x), tf.clip_by_value(x, -0.5, 0.5), tf.math.erf(x)]
    return tf_keras.Model([x, z], [*found, tf.identity(x), tf.ones_like(x), tf.zeros_like(z), tf.stop_gradient(x)])


@_case
def activations() -> Any:
    x = layers.Input((4,), name="x")
    names = "relu relu6 elu selu gelu silu softmax log_softmax softplus softsign".split()
    found = [getattr(tf.nn, name)(x) for name in names]
    found += [tf.sigmoid(x), tf.tanh(x), tf.nn.leaky_relu(x, alpha=0.3), tf.nn.gelu(x, approximate=True)]
    return tf_keras.Model(
        x, [*found, tf_keras.activations.swish(x), tf.nn.softmax(x, axis=0), tf.math.l2_normalize(x, -1)]
    )


@_case
def reductions() -> Any:
    x = layers.Input((3, 4), name="x")
    names = "mean sum prod max min std variance logsumexp".split()
    found = [getattr(tf.math, f"reduce_{name}")(x, axis=1, keepdims=name == "max") for name in names]
    found += [tf.reduce_any(x > 0, axis=-1), tf.reduce_all(x > 0, axis=[1, 2]), tf.argmax(x, axis=-1), tf.argmin(x, 1)]
    found += [tf.argmax(x, axis=-1, output_type=tf.int32), tf.cumsum(x, axis=1), tf.norm(x, axis=-1)]
    found += [tf_keras.backend.mean(x, axis=-1), tf_keras.backend.sum(x, axis=[1, 2]), tf.math.top_k(x, 2)[0]]
    return tf_keras.Model(x, found)


@_case
def shapes() -> Any:
    x, z = layers.Input((4, 6), name="x"), layers.Input((4, 6), name="z")
    found = [tf.expand_dims(x, 1), tf.squeeze(tf.expand_dims(x, 2), 2), tf.transpose(x, [0, 2, 1])]
    found += [tf.reshape(x, [-1, 24]), tf.tile(x, [1, 2, 1]), tf.reverse(x, [1]), tf.roll(x, 1, axis=1)]
    found += [
        tf.pad(x, [[0, 0], [1, 0], [2, 2]]),
        tf.pad(x, [[0, 0], [1, 1], [0, 0]], "REFLECT"),
        tf.repeat(x, 2, axis=1),
    ]
    found += [tf.concat([x, z], axis=-1), tf.stack([x, z], axis=1), *tf.unstack(x, axis=1)[:2]]
    found += [*tf.split(x, 2, axis=-1), *tf.split(x, [1, 2, 3], axis=-1), tf.gather(x, [0, 2], axis=1)]
    found += [x[..., 0], x[:, 1:3], x[:, tf.newaxis, ::2, -1], x[:, -1], tf.one_hot(tf.argmax(x, -1), 6)]
    found += [tf.matmul(x, z, transpose_b=True), tf.matmul(x, z, transpose_a=True)]
    image = tf.reshape(x, (-1, 2, 3, 4))
    return tf_keras.Model([x, z], [*found, tf.nn.depth_to_space(image, 2)])


@_case
def sizes_that_are_computed() -> Any:
    x = layers.Input((4, 6), name="x")
    batch = tf.shape(x)[0]
    found = [tf.reshape(x, (batch, 24)), tf.reshape(x, [batch, 2, 2, 6]), tf.reshape(x, tf.stack([batch, 3, 8]))]
    return tf_keras.Model(x, found)
