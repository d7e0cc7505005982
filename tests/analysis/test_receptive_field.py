"""Receptive fields, held against what Keras's models do depend on."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import Any

import pytest

from graphbuilder.analysis.receptive_field import AxisField, receptive_fields
from graphbuilder.api import compile, lower, parse
from graphbuilder.graph import Graph

# Weights are positive and activations linear, so that nothing that is seen is cancelled out.
_POSITIVE = "use_bias: false, {kernel}: {random_uniform: {minval: 0.5, maxval: 1.0, seed: 1}}"
_CONV = _POSITIVE.replace("{kernel}", "kernel_initializer")
_DEPTHWISE = _POSITIVE.replace("{kernel}", "depthwise_initializer")
_SEPARABLE = f"{_DEPTHWISE}, pointwise_initializer: {{random_uniform: {{minval: 0.5, maxval: 1.0, seed: 1}}}}"

# By what they show: the nodes, and the sizes of the input.
NETS = {
    "valid": (f"a: {{layer: Conv2D, filters: 2, kernel_size: [3, 5], strides: [2, 1], {_CONV}}}", (17, 15)),
    "same, odd": (
        (
            f"a: {{layer: Conv2D, filters: 2, kernel_size: 3, strides: 2, padding: same, {_CONV}}}\n"
            f"  b: {{layer: Conv2D, filters: 2, kernel_size: 4, strides: 3, padding: same, {_CONV}}}"
        ),
        (31, 29),
    ),
    "same, even": (
        (
            f"a: {{layer: Conv2D, filters: 2, kernel_size: 3, strides: 2, padding: same, {_CONV}}}\n"
            f"  b: {{layer: Conv2D, filters: 2, kernel_size: 5, padding: same, {_CONV}}}"
        ),
        (32, 30),
    ),
    "dilated": (
        (
            f"a: {{layer: Conv2D, filters: 2, kernel_size: 3, dilation_rate: [2, 3], {_CONV}}}\n"
            f"  b: {{layer: Conv2D, filters: 2, kernel_size: 2, {_CONV}}}"
        ),
        (20, 22),
    ),
    "causal": (
        (
            f"a: {{layer: Conv1D, filters: 2, kernel_size: 3, dilation_rate: 2, padding: causal, {_CONV}}}\n"
            f"  b: {{layer: Conv1D, filters: 2, kernel_size: 2, strides: 2, padding: causal, {_CONV}}}"
        ),
        (24,),
    ),
    "pooled": (
        (
            f"a: {{layer: Conv2D, filters: 2, kernel_size: 3, padding: same, {_CONV}}}\n"
            "  b: {layer: AveragePooling2D, pool_size: 3, strides: 2, padding: same}\n"
            "  c: {layer: MaxPooling2D, pool_size: 2}"
        ),
        (24, 26),
    ),
    "by channel": (
        (
            f"a: {{layer: DepthwiseConv2D, kernel_size: 3, strides: 2, {_DEPTHWISE}}}\n"
            f"  b: {{layer: SeparableConv2D, filters: 3, kernel_size: 3, padding: same, {_SEPARABLE}}}\n"
            "  c: {layer: BatchNormalization}"
        ),
        (21, 24),
    ),
    "volume": (f"a: {{layer: Conv3D, filters: 1, kernel_size: [2, 3, 1], strides: [1, 2, 1], {_CONV}}}", (5, 9, 4)),
    "edges": (
        (
            "a: {layer: ZeroPadding2D, padding: [[3, 2], [0, 1]]}\n"
            f"  b: {{layer: Conv2D, filters: 1, kernel_size: 5, {_CONV}}}\n"
            "  c: {layer: Cropping2D, cropping: [[1, 0], [2, 3]]}"
        ),
        (18, 18),
    ),
    "residual": (
        (
            f"a: {{layer: Conv2D, filters: 2, kernel_size: 3, strides: 2, padding: same, {_CONV}}}\n"
            f"  b: {{layer: Conv2D, filters: 2, kernel_size: 3, padding: same, {_CONV}}}\n"
            "  c: {layer: Add, from: [a, b]}\n"
            f"  d: {{layer: Conv2D, from: b, filters: 3, kernel_size: 2, padding: same, {_CONV}}}\n"
            "  e: {layer: Concatenate, from: [c, d]}\n"
            f"  f: {{layer: Dense, units: 2, {_CONV}}}"
        ),
        (24, 22),
    ),
    "gated": (
        (
            f"a: {{layer: Conv2D, filters: 2, kernel_size: 3, padding: same, {_CONV}}}\n"
            "  b: {layer: GlobalAveragePooling2D, keepdims: true}\n"
            f"  c: {{layer: Dense, units: 2, {_CONV}}}\n"
            "  d: {layer: Multiply, from: [a, c]}"
        ),
        (10, 12),
    ),
    "of all": (
        f"a: {{layer: Conv2D, filters: 2, kernel_size: 3, strides: 2, {_CONV}}}\n  b: {{layer: GlobalMaxPooling2D}}",
        (12, 11),
    ),
    "nearest": (
        (
            f"a: {{layer: Conv2D, filters: 2, kernel_size: 3, strides: 2, padding: same, {_CONV}}}\n"
            "  b: {layer: UpSampling2D, size: [2, 3]}\n"
            f"  c: {{layer: Conv2D, filters: 2, kernel_size: 3, padding: same, {_CONV}}}"
        ),
        (24, 22),
    ),
    "bilinear": (
        (
            f"a: {{layer: Conv2D, filters: 2, kernel_size: 3, strides: 2, padding: same, {_CONV}}}\n"
            "  b: {layer: UpSampling2D, size: [2, 3], interpolation: bilinear}"
        ),
        (24, 22),
    ),
    "transposed": (
        (
            f"a: {{layer: Conv2D, filters: 2, kernel_size: 3, strides: 2, padding: same, {_CONV}}}\n"
            f"  b: {{layer: Conv2DTranspose, filters: 2, kernel_size: [4, 3], strides: 2, padding: same, {_CONV}}}\n"
            f"  c: {{layer: Conv2DTranspose, filters: 2, kernel_size: 3, strides: [1, 3], {_CONV}}}"
        ),
        (16, 14),
    ),
}


def graph_of(nodes: str, sizes: tuple[int, ...]) -> Graph:
    shape = [*sizes, 2]
    return lower(parse(f"blueprint: 1\ninputs: {{x: {{shape: {shape}}}}}\nnodes:\n  {nodes}\n"))


def numbers(axis: AxisField) -> list[object]:
    """Size, stride and start."""
    return [axis.size, axis.stride, axis.start]


def ends(axis: AxisField, position: int, size: int) -> tuple[int, int]:
    """The first and last position of the input that the number at a position may depend on."""
    assert axis.size is not None
    start = axis.start + (axis.stride or 0) * position
    return max(0, ceil(start)), min(size - 1, floor(start + axis.size - 1))


@pytest.fixture(scope="module")
def influence() -> Any:
    """What each output position depends on: the input's positions whose gradient is not 0."""
    import numpy as np
    import tensorflow as tf

    def measure(model: Any, sizes: tuple[int, ...], place: tuple[int, ...], several: int) -> Any:
        # Where the largest of several numbers counts, the gradient reaches one of them: another one for each sample.
        random = np.random.default_rng(0)
        given = tf.constant(random.uniform(0.1, 1.0, (several, *sizes, 2)).astype("float32"))
        with tf.GradientTape() as tape:
            tape.watch(given)
            found = model(given, training=False)[(slice(None), *place)]
        gradient = tape.gradient(found, given)
        return np.abs(gradient.numpy()).sum(axis=(0, -1)) > 0

    return measure


@pytest.mark.parametrize("name", NETS)
def test_fields_are_what_gradients_reach(name: str, influence: Any) -> None:
    nodes, sizes = NETS[name]
    graph = graph_of(nodes, sizes)
    last = list(graph.calls.values())[-1]
    field = receptive_fields(graph)[last.name][0]
    model = compile(graph)
    given = last.outputs[0].type
    assert given is not None
    spatial = [axis for axis in given.shape[1:-1] if isinstance(axis, int)]
    reached: list[list[tuple[int, int]]] = [[] for _ in field.axes]
    for place in _places(spatial):
        seen = influence(model, sizes, place, 300 if "Max" in nodes else 1)
        for number, axis in enumerate(field.axes):
            others = tuple(other for other in range(seen.ndim) if other != axis.axis - 1)
            positions = seen.any(axis=others).nonzero()[0]
            lowest, highest = int(positions[0]), int(positions[-1])
            own = place[number] if place else 0
            first, final = ends(axis, own, sizes[axis.axis - 1])
            assert first <= lowest, (name, place, axis)
            assert highest <= final, (name, place, axis)
            start = axis.start + (axis.stride or 0) * own
            assert axis.size is not None
            inside = start >= 0 and start + axis.size <= sizes[axis.axis - 1]
            if axis.exact and inside:
                assert (lowest, highest) == (first, final), (name, place, axis)
            reached[number].append((highest - lowest + 1, min(floor(axis.size), sizes[axis.axis - 1])))
    for found in reached:
        # The bound is no idle one: somewhere it is met, but for what an enlarged image loses to rounding.
        assert any(seen >= told - (0 if field.axes[0].exact else 3) for seen, told in found), (name, found)


def _places(spatial: list[int]) -> list[tuple[int, ...]]:
    """The middle of an output, its first and last positions, and those around the middle."""
    middle = tuple(size // 2 for size in spatial)
    around = [tuple(max(0, min(size - 1, size // 2 + step)) for size in spatial) for step in (-2, -1, 1, 2)]
    ends_ = [tuple(0 for _ in spatial), tuple(size - 1 for size in spatial)]
    return list(dict.fromkeys([middle, *around, *ends_]))


def field_of(nodes: str, sizes: tuple[int, ...], node: str) -> tuple[AxisField, ...]:
    return receptive_fields(graph_of(nodes, sizes))[node][0].axes


def test_resnet50_sees_what_araujo_and_others_tell(root: Any) -> None:
    """They give 483 with a stride of 32 for the last convolution of ResNet-50."""
    fields = receptive_fields(lower(root / "blueprints" / "resnet50.yaml"))
    axis = fields["conv5.rest.1.conv_3"][0].axes[0]
    assert numbers(axis)[:2] == [483, 32]
    assert axis.exact


def test_a_chain_has_the_size_and_start_of_the_formula() -> None:
    nodes = (
        "a: {layer: Conv2D, filters: 1, kernel_size: 7, strides: 2, padding: same}\n"
        "  b: {layer: MaxPooling2D, pool_size: 3, strides: 2}\n"
        "  c: {layer: Conv2D, filters: 1, kernel_size: 3, padding: same}"
    )
    height, width = field_of(nodes, (64, 64), "c")
    # 1 + 6 + 2 * 2 + 2 * 4 positions, 2 in front of the first layer's and 1 * 4 of the last one's.
    assert numbers(height) == numbers(width) == [19, 4, -6]
    assert height.exact


def test_a_dense_layer_behind_flatten_sees_at_most_everything() -> None:
    nodes = "a: {layer: Conv2D, filters: 1, kernel_size: 3}\n  b: {layer: Flatten}\n  c: {layer: Dense, units: 3}"
    for axis in field_of(nodes, (9, 9), "c"):
        assert numbers(axis) == [9, None, 0]
        assert not axis.exact


def test_channels_may_stand_in_front() -> None:
    node = "a: {layer: AveragePooling2D, pool_size: [3, 5], strides: [2, 1], data_format: channels_first}"
    graph = lower(parse(f"blueprint: 1\ninputs: {{x: {{shape: [3, 15, 17]}}}}\nnodes:\n  {node}\n"))
    axes = receptive_fields(graph)["a"][0].axes
    assert [axis.axis for axis in axes] == [2, 3]
    assert [numbers(axis)[:2] for axis in axes] == [[3, 2], [5, 1]]


def test_where_nothing_slides_there_is_no_field() -> None:
    graph = graph_of("a: {layer: Dense, units: 3}\n  b: {layer: Activation, activation: relu}", (4, 4))
    assert receptive_fields(graph) == {"a": (), "b": ()}


def test_unknown_sizes_count_as_multiples_of_the_stride() -> None:
    graph = lower(
        parse(
            "blueprint: 1\ninputs: {x: {shape: [null, null, 3]}}\nnodes:\n"
            "  a: {layer: Conv2D, filters: 2, kernel_size: 3, strides: 2, padding: same}\n"
            "  b: {layer: GlobalAveragePooling2D}"
        )
    )
    fields = receptive_fields(graph)
    assert [numbers(axis) for axis in fields["a"][0].axes] == [[3, 2, 0]] * 2
    assert [(axis.size, axis.stride) for axis in fields["b"][0].axes] == [(None, None)] * 2


def test_each_input_has_a_field_of_its_own() -> None:
    graph = lower(
        parse(
            "blueprint: 1\ninputs: {x: {shape: [8, 8, 1]}, y: {shape: [8, 8, 1]}}\nnodes:\n"
            "  a: {layer: Conv2D, from: x, filters: 2, kernel_size: 3, padding: same}\n"
            "  b: {layer: Conv2D, from: y, filters: 2, kernel_size: 5, padding: same}\n"
            "  c: {layer: Add, from: [a, b]}"
        )
    )
    found = receptive_fields(graph)["c"]
    assert [field.input for field in found] == ["x", "y"]
    assert [numbers(field.axes[0])[0] for field in found] == [3, 5]
    assert found[0].axes[0].start == Fraction(-1)
