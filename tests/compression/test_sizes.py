"""Sizes are counted the same every time, and predicted within the error that is stated."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from graphbuilder.api import lower, parse
from graphbuilder.compression.conversions import Scheme
from graphbuilder.compression.sizes import array_facts, file_size, gzip_bytes, predict_size, predicted_bits
from tests.support.size_runs import sizes_measured


def test_gzip_is_the_same_at_every_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = np.random.default_rng(0).integers(0, 5, 10_000).astype("int8").tobytes()
    before = gzip_bytes(content)
    monkeypatch.setattr(time, "time", lambda: 1e9)
    assert gzip_bytes(content) == before
    path = tmp_path / "a.tflite"
    path.write_bytes(content)
    size = file_size(path)
    assert (size.raw, size.gzip, size.level) == (10_000, before, 9)
    assert size == file_size(content)
    assert size.ratio == pytest.approx(10_000 / before)
    assert gzip_bytes(content, 1) >= before


def test_what_an_array_holds() -> None:
    facts = array_facts(np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 1.0], [-0.0, 1.0]]))
    assert (facts.size, facts.zeros, facts.unique, facts.unique_per_channel) == (8, 4, 3, 2)
    assert facts.sparsity == 0.5
    assert facts.entropy == pytest.approx(0.5 * 1 + 0.375 * np.log2(8 / 3) + 0.125 * 3)
    even = array_facts(np.arange(256))
    assert (even.entropy, even.unique_per_channel) == (8.0, None)
    empty = array_facts(np.array([]))
    assert (empty.size, empty.sparsity, empty.entropy) == (0, 0.0, 0.0)


@pytest.mark.parametrize("sparsity", [0.0, 0.5, 0.8, 0.95])
@pytest.mark.parametrize("clusters", [None, 4, 16, 64])
def test_bits_are_predicted_as_deflate_takes_them(sparsity: float, clusters: int | None) -> None:
    random = np.random.default_rng(0)
    values = np.clip(np.round(random.normal(0, 40, 60_000)), -127, 127)
    kept = np.abs(values) > np.quantile(np.abs(values), sparsity) if sparsity else np.ones(len(values), bool)
    if clusters is not None:
        centres = np.quantile(values[kept], (np.arange(clusters) + 0.5) / clusters).round()
        values = centres[np.abs(values[:, None] - centres).argmin(-1)]
    values = np.where(kept, values, 0).astype("int8")
    bits = 8 * gzip_bytes(values.tobytes()) / len(values)
    share = 1 - np.count_nonzero(kept) / len(kept)
    assert predicted_bits("int8", share, clusters) == pytest.approx(bits, rel=0.2)


def test_unknown_weights_are_told() -> None:
    text = "blueprint: 1\ninputs: {x: {shape: [4]}}\nnodes:\n  own: {layer: mine:Layer, gives: {shape: [4]}}\n"
    found = predict_size(lower(parse(text)), "int8")
    assert found.unknown == ("own",)


def test_a_normalization_that_is_folded_costs_nothing(root: Path) -> None:
    text = """\
blueprint: 1
inputs: {x: {shape: [8, 8, 3]}}
nodes:
  conv: {layer: Conv2D, filters: 64, kernel_size: 3ACTIVATION}
  norm: {layer: BatchNormalization}
"""
    folded = predict_size(lower(parse(text.replace("ACTIVATION", ""))), "float32")
    apart = predict_size(lower(parse(text.replace("ACTIVATION", ", activation: relu"))), "float32")
    assert apart.weights - folded.weights == 2 * 64 * 4


SPARSE_AND_SHARED = [(0.0, None), (0.8, None), (0.8, 16)]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rnn", "image_tabular", "siamese", "cnn"])
@pytest.mark.parametrize(("sparsity", "clusters"), SPARSE_AND_SHARED)
def test_sizes_are_predicted_within_the_stated_error(
    root: Path, name: str, sparsity: float, clusters: int | None
) -> None:
    path = root / "blueprints" / f"{name}.yaml"
    graph = lower(path)
    schemes: list[Scheme] = ["float32", "int8"] if sparsity else ["float32", "float16", "dynamic", "int8"]
    for scheme, raw, gzip in sizes_measured(path, list(schemes), sparsity, clusters):
        shares = dict.fromkeys(graph.layers, sparsity) if sparsity else None
        shared = dict.fromkeys(graph.layers, clusters) if clusters is not None else None
        found = predict_size(graph, scheme, sparsity=shares, clusters=shared)  # type: ignore[arg-type]  # of `schemes`
        assert abs(found.raw / raw - 1) <= found.raw_error, (scheme, found, raw)
        assert abs(found.gzip / gzip - 1) <= found.gzip_error, (scheme, found, gzip)
