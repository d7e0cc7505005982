"""Each adapter does to a branch what its line in the documentation says, in both Kerases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any, Literal

import numpy as np
import pytest
import yaml

from graphbuilder.api import check, lower
from graphbuilder.fusion.adapters import ADAPTERS
from tests.fusion.layers_by_hand import Array, masked_mean
from tests.fusion.models import built, document

SAMPLES = 3


def over_positions(function: Callable[..., Array]) -> Callable[[Array], Array]:
    """A reduction over all axes between batch and features."""
    return lambda x: function(x, axis=tuple(range(1, x.ndim - 1)))


def reshaped(*shape: int) -> Callable[[Array], Array]:
    return lambda x: x.reshape(len(x), *shape)


def resized(*sizes: int) -> Callable[[Array], Array]:
    """Interpolated linearly between the centres of positions, along one axis after the other."""

    def resize(x: Array) -> Array:
        for axis, size in enumerate(sizes, 1):
            places = (np.arange(size) + 0.5) * x.shape[axis] / size - 0.5
            places = np.clip(places, 0, x.shape[axis] - 1)
            below = np.floor(places).astype(int)
            above = np.minimum(below + 1, x.shape[axis] - 1)
            share = (places - below).reshape(-1, *(1,) * (x.ndim - axis - 1))
            x = np.take(x, below, axis) * (1 - share) + np.take(x, above, axis) * share
        return x

    return resize


def repeated(*factors: int) -> Callable[[Array], Array]:
    def repeat(x: Array) -> Array:
        for axis, factor in enumerate(factors, 1):
            x = np.repeat(x, factor, axis)
        return x

    return repeat


def in_windows(*windows: int) -> Callable[[Array], Array]:
    """Averages of windows; one that is cut short is the average of what it has, half of the lack on each side."""

    def average(x: Array) -> Array:
        for axis, window in enumerate(windows, 1):
            count = ceil(x.shape[axis] / window)
            before = (count * window - x.shape[axis]) // 2
            parts = []
            for number in range(count):
                start = number * window - before
                chosen = np.arange(max(start, 0), min(start + window, x.shape[axis]))
                parts.append(np.take(x, chosen, axis).mean(axis, keepdims=True))
            x = np.concatenate(parts, axis)
        return x

    return average


# The adapter as it is written, the shape and dtype that it is given, and what it makes of numbers.
CASES: list[tuple[str, Sequence[int | None], str, Callable[[Array], Array]]] = [
    ("pool", (5, 3), "float32", over_positions(np.mean)),
    ("pool", (4, 5, 3), "float32", over_positions(np.mean)),
    ("pool", (None, 2, 3, 3), "float32", over_positions(np.mean)),
    ("pool", (2, 2, 2, 2, 3), "float32", over_positions(np.mean)),
    ("max_pool", (None, 3), "float32", over_positions(np.max)),
    ("max_pool", (4, 5, 3), "float32", over_positions(np.max)),
    ("max_pool", (2, 3, 2, 3), "float32", over_positions(np.max)),
    ("max_pool", (2, 2, 2, 2, 3), "float32", over_positions(np.max)),
    ("flatten", (4, 5, 3), "float32", reshaped(60)),
    ("flatten", (5, 3), "float32", reshaped(15)),
    ("last", (None, 3), "float32", lambda x: x[:, -1]),
    ("tokens", (4, 5, 3), "float32", reshaped(20, 3)),
    ("tokens", (None, 5, 3), "float32", reshaped(-1, 3)),
    ("tokens", (2, 3, 4, 2), "float32", reshaped(24, 2)),
    ("steps", (4, 5, 3), "float32", reshaped(4, 15)),
    ("steps", (None, 5, 3), "float32", reshaped(-1, 15)),
    ("frames", (3, 4, 5, 2), "float32", lambda x: x.mean((2, 3))),
    ("frames", (None, 4, 5, 2), "float32", lambda x: x.mean((2, 3))),
    ("token", (4,), "float32", lambda x: x[:, None]),
    ("expand", (4,), "float32", lambda x: x[..., None]),
    ("expand", (), "float32", lambda x: x[..., None]),
    ("cast", (4,), "int32", lambda x: x.astype("float32")),
    ("cast", (4, 2), "bool", lambda x: x.astype("float32")),
    ("{resize: [8, 10]}", (4, 5, 3), "float32", resized(8, 10)),
    ("{resize: [2, 2]}", (4, 6, 3), "float32", in_windows(2, 3)),
    ("{resize: [3, 7]}", (4, 5, 3), "float32", resized(3, 7)),
    ("{resize: [6, 3]}", (4, 5, 3), "float32", resized(6, 3)),
    ("{resize: [3, 3]}", (None, None, 3), "float32", resized(3, 3)),
    ("{resize: [6]}", (3, 2), "float32", repeated(2)),
    ("{resize: [3]}", (6, 2), "float32", in_windows(2)),
    ("{resize: [2, 4, 2]}", (2, 2, 1, 2), "float32", repeated(1, 2, 2)),
    ("{shrink: 3}", (6, 3), "float32", in_windows(2)),
    ("{shrink: 3}", (7, 3), "float32", in_windows(3)),
    ("{shrink: 4}", (9, 4, 3), "float32", in_windows(3, 1)),
    ("{shrink: 2}", (5, 4, 3, 2), "float32", in_windows(1, 2, 2)),
]


def fitting(written: str, shape: Sequence[int | None], dtype: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    """The inputs and nodes of a fusion that does one thing to a branch, and the path of what it does."""
    adapter = yaml.safe_load(written)
    name = adapter if isinstance(adapter, str) else next(iter(adapter))
    inputs = {"x": {"shape": list(shape), "dtype": dtype}, "other": {"shape": [2]}}
    node = {"fuse": "film", "from": {"features": "x", "condition": "other"}, "align": {"x": adapter}}
    return inputs, {"merged": node}, f"merged.x.{name}"


def adapted(written: str, shape: Sequence[int | None], dtype: str, keras: Literal[2, 3]) -> tuple[Array, Array]:
    """Numbers, and what the adapter makes of them."""
    inputs, nodes, path = fitting(written, shape, dtype)
    found = built(document(inputs, nodes, {"merged": "merged", "adapted": path}), keras)
    random = np.random.default_rng(0)
    x: Array = random.normal(size=(SAMPLES, *(6 if axis is None else axis for axis in shape)))
    x = (x > 0 if dtype == "bool" else x * 5).astype(dtype)
    produced = found({"x": x, "other": np.ones((SAMPLES, 2), "float32")})["adapted"]
    told = found.graph.fusions["merged"].branches[0]
    assert told.stated
    assert [adapter.call for adapter in told.adapters] == [path]
    assert [yaml.safe_load(adapter.written) for adapter in told.adapters] == [yaml.safe_load(written)]
    return x, produced


@pytest.mark.parametrize("keras", [3, 2])
@pytest.mark.parametrize(("written", "shape", "dtype", "expected"), CASES, ids=[f"{c[0]} of {c[1]}" for c in CASES])
def test_adapter(
    written: str, shape: Sequence[int | None], dtype: str, expected: Callable[[Array], Array], keras: Literal[2, 3]
) -> None:
    x, produced = adapted(written, shape, dtype, keras)
    assert produced.dtype == "float32"
    wanted = expected(x)
    assert produced.shape == wanted.shape
    np.testing.assert_allclose(produced, wanted, atol=1e-5)


def test_every_adapter_is_tried() -> None:
    tried = {yaml.safe_load(written) if "{" not in written else written[1:].partition(":")[0] for written, *_ in CASES}
    assert tried | {"project"} == set(ADAPTERS)


@pytest.mark.parametrize("keras", [3, 2])
def test_project_is_a_dense_layer_without_activation(keras: Literal[2, 3]) -> None:
    nodes = {"merged": {"fuse": "add", "from": ["x", "y"], "align": {"x": [{"project": 5}, {"project": 4}]}}}
    outputs = {"merged": "merged", "one": "merged.x.project", "two": "merged.x.project_2"}
    found = built(document({"x": {"shape": [2, 3]}, "y": {"shape": [2, 4]}}, nodes, outputs), keras)
    x = np.random.default_rng(0).normal(size=(SAMPLES, 2, 3)).astype("float32")
    produced = found({"x": x, "y": np.zeros((SAMPLES, 2, 4), "float32")})
    for name, given in (("project", x), ("project_2", produced["one"])):
        weights = found.weights[f"merged.x.{name}"]
        wanted = given @ weights["kernel"].numpy() + weights["bias"].numpy()
        np.testing.assert_allclose(produced["one" if name == "project" else "two"], wanted, atol=1e-5)
    np.testing.assert_allclose(produced["merged"], produced["two"], atol=1e-6)


@pytest.mark.parametrize("presence", [False, True])
@pytest.mark.parametrize("keras", [3, 2])
def test_pool_leaves_masked_steps_out(keras: Literal[2, 3], presence: bool) -> None:
    """Also where a sample may lack the text, whose steps are then all masked: the average is a number all the same."""
    inputs: dict[str, Any] = {"ids": {"shape": [None], "dtype": "int32"}, "v": {"shape": [3]}, "there": {"shape": []}}
    words = {"layer": "Embedding", "from": "ids", "input_dim": 9, "output_dim": 3, "mask_zero": True}
    source = {"inputs": ["words", "v"], "presence": {"words": "there"}} if presence else ["words", "v"]
    nodes = {"words": words, "merged": {"fuse": "gated", "from": source}}
    found = built(document(inputs, nodes, {"merged": "merged", "pooled": "merged.words.pool"}), keras)
    ids = np.array([[3, 4, 5, 6], [7, 8, 0, 0], [2, 0, 0, 0], [1, 1, 1, 1]])
    if presence:
        ids[2] = 0
    table = found.weights["words"]["embeddings"].numpy()
    given = {"ids": ids.astype("int32"), "v": np.ones((4, 3), "float32"), "there": np.array([1, 1, 0, 1], "float32")}
    produced = found(given)
    wanted = masked_mean(table[ids], ids != 0)
    lacking = [False, False, presence, False]
    np.testing.assert_allclose(produced["pooled"][~np.array(lacking)], wanted[~np.array(lacking)], atol=1e-6)
    assert np.isfinite(produced["pooled"]).all()
    assert np.isfinite(produced["merged"]).all()


def test_adapters_follow_each_other_and_are_numbered() -> None:
    inputs = {"x": {"shape": [8, 8, 4]}, "y": {"shape": [4]}}
    align = {"x": [{"shrink": 4}, {"shrink": 2}, "tokens", "flatten", {"project": 4}]}
    fusion = lower(document(inputs, {"merged": {"fuse": "add", "from": ["x", "y"], "align": align}})).fusions["merged"]
    calls = [adapter.call for adapter in fusion.branches[0].adapters]
    assert calls == [f"merged.x.{name}" for name in ("shrink", "shrink_2", "tokens", "flatten", "project")]
    assert str(fusion.gives.type) == "(batch, 4)"


IMPOSSIBLE: list[tuple[str, Sequence[int | None], str]] = [
    ("pool", (4,), "float32"),
    ("max_pool", (), "float32"),
    ("flatten", (4,), "float32"),
    ("last", (4,), "float32"),
    ("tokens", (4, 3), "float32"),
    ("tokens", (4, 3, None), "float32"),
    ("steps", (4, None, 3), "float32"),
    ("frames", (4, 4, 3), "float32"),
    ("token", (4, 3), "float32"),
    ("token", (None,), "float32"),
    ("cast", (4,), "string"),
    ("{project: 4}", (3, None), "float32"),
    ("{resize: [4, 4]}", (4, 3), "float32"),
    ("{resize: 5}", (4, 3), "float32"),
    ("{shrink: 4}", (None, 3), "float32"),
]


@pytest.mark.parametrize(("written", "shape", "dtype"), IMPOSSIBLE)
def test_an_adapter_that_cannot_be_used_is_refused_at_its_place(
    written: str, shape: Sequence[int | None], dtype: str
) -> None:
    inputs, nodes, _ = fitting(written, shape, dtype)
    (error,) = check(document(inputs, nodes)).errors
    assert error.code in ("GB304", "GB305")
    assert error.message.startswith("x: ")
    assert error.expected
