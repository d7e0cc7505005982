"""The graph and the weights with two thinner layers in the place of one."""

from __future__ import annotations

import numpy as np
import pytest

from graphbuilder.api import lower, parse
from graphbuilder.compression.low_rank import Factored, factored
from graphbuilder.compression.passes import LowRank
from graphbuilder.compression.targets import Target
from graphbuilder.graph import Graph

NETWORK = """
blueprint: 1
name: network
inputs: {ids: {shape: [9], dtype: int32}}
nodes:
  words: {layer: Embedding, input_dim: 20, output_dim: 12, mask_zero: true}
  slid: {layer: Conv1D, filters: 16, kernel_size: 3, strides: 2, padding: causal, activation: relu}
  flat: {layer: Flatten}
  out: {layer: Dense, units: 80}
  again: {reuse: out}
outputs: again
"""


@pytest.fixture
def graph() -> Graph:
    return lower(parse(NETWORK))


def weights(graph: Graph) -> dict[tuple[str, str], np.ndarray]:
    random = np.random.default_rng(0)
    return {
        (name, weight.name): random.normal(size=weight.shape).astype("float32")
        for name, layer in graph.layers.items()
        for weight in layer.weights or ()
    }


def thinner(graph: Graph, options: LowRank, **paths: str) -> Factored:
    return factored(graph, [Target(name, options, (path,)) for name, path in paths.items()], weights(graph))


def test_two_layers_stand_in_the_place_of_one(graph: Graph) -> None:
    made = thinner(graph, LowRank(rank=4), words="embeddings", slid="kernel", out="kernel")
    calls = made.graph.calls
    assert list(calls) == [
        "words.basis",
        "words",
        "slid.basis",
        "slid",
        "flat",
        "out.basis",
        "out",
        "again.basis",
        "again",
    ]
    assert calls["out"].target is calls["again"].target
    assert calls["out.basis"].target is calls["again.basis"].target
    assert [made.graph.layers[name].kind for name in ("words.basis", "words")] == ["Embedding", "Dense"]
    shapes = {name: [weight.shape for weight in layer.weights or ()] for name, layer in made.graph.layers.items()}
    assert shapes["slid.basis"] == [(3, 12, 4)]
    assert shapes["slid"] == [(1, 4, 16), (16,)]
    assert shapes["out.basis"] == [(80, 4)]
    assert {place: array.shape for place, array in made.weights.items()} == {
        (name, path): shape
        for name, listed in shapes.items()
        for shape, path in zip(listed, ["embeddings" if name == "words.basis" else "kernel", "bias"], strict=False)
    }
    # What follows a mask, and what it costs, is known as before.
    assert calls["words"].outputs[0].masked
    assert calls["words.basis"].outputs[0].masked
    assert calls["slid.basis"].macs == 5 * 3 * 12 * 4
    assert calls["slid"].macs == 5 * 4 * 16
    assert made.graph.outputs is graph.outputs


def test_the_product_is_the_nearest_of_its_rank(graph: Graph) -> None:
    made = thinner(graph, LowRank(rank=5), out="kernel")
    kernel = weights(graph)["out", "kernel"]
    values = np.linalg.svd(kernel, compute_uv=False)
    product = made.weights["out.basis", "kernel"] @ made.weights["out", "kernel"]
    assert np.linalg.norm(kernel - product) == pytest.approx(np.sqrt((values[5:] ** 2).sum()), rel=1e-4)
    assert made.ranks == {"out": 5}
    assert made.first == {"out": "out.basis"}


def test_the_rank_holds_the_energy_that_is_asked_for(graph: Graph) -> None:
    made = thinner(graph, LowRank(energy=0.4), out="kernel")
    squares = np.linalg.svd(weights(graph)["out", "kernel"], compute_uv=False) ** 2
    shares = np.cumsum(squares) / squares.sum()
    rank = made.ranks["out"]
    assert shares[rank - 1] >= 0.4 > shares[rank - 2]


def test_a_layer_that_would_not_become_thinner_stays(graph: Graph) -> None:
    made = thinner(graph, LowRank(energy=0.99), out="kernel")
    assert made.ranks == {}
    assert list(made.graph.calls) == list(graph.calls)
    assert made.skipped["out"].startswith("99 % of the squared singular values need rank")


def test_names_that_are_taken_are_not_taken_again() -> None:
    graph = lower(
        parse(
            "blueprint: 1\nname: n\ninputs: {x: {shape: [9]}}\n"
            "blocks:\n  b:\n    inputs: [x]\n    nodes:\n      basis: {layer: Dense, units: 9}\n"
            "    outputs: basis\n"
            "nodes:\n  d: {block: b}\n  e: {layer: Dense, units: 9}\noutputs: e\n"
        )
    )
    names = list(graph.layers)
    made = thinner(graph, LowRank(rank=2), **{names[-1]: "kernel"})
    assert len(made.graph.layers) == 3
