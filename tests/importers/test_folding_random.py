"""Whatever is folded means what the flat blueprint means: networks drawn from motifs that come again with changes."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.importers.test_folding import Nodes, data_of, fold

WIDTH = 8
# What a node of a motif may be, with how many tensors it takes.
KINDS: dict[str, tuple[dict[str, Any], int]] = {
    "dense": ({"layer": "Dense", "units": WIDTH}, 1),
    "gelu": ({"layer": "Dense", "units": WIDTH, "activation": "gelu"}, 1),
    "norm": ({"layer": "LayerNormalization"}, 1),
    "relu": ({"layer": "Activation", "activation": "relu"}, 1),
    "drop": ({"layer": "Dropout", "rate": 0.1}, 1),
    "add": ({"layer": "Add"}, 2),
    "multiply": ({"layer": "Multiply"}, 2),
    "subtract": ({"op": "subtract"}, 2),
    "half": ({"op": "multiply"}, 1),
    "again": ({}, 1),
}


@st.composite
def motifs(draw: st.DrawFn) -> list[tuple[str, list[int]]]:
    """Nodes, and how far above each one of them stands what it takes."""
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=2, max_size=6))
    found: list[tuple[str, list[int]]] = []
    for index, kind in enumerate(kinds):
        back = st.just(1) if draw(st.integers(0, 2)) else st.integers(1, index + 1)
        found.append((kind, [draw(back) for _ in range(KINDS[kind][1])]))
    return found


def changed(draw: st.DrawFn, kind: str, copy: int) -> dict[str, Any]:
    """A node's arguments, now and then other ones than those of the copies before."""
    node = dict(KINDS[kind][0])
    if kind == "drop":
        node["rate"] = 0.3 * (copy + 1) / 20 if draw(st.booleans()) else 0.1
    if kind in ("dense", "gelu") and draw(st.integers(0, 9)) == 0:
        node["use_bias"] = False
    return node


@st.composite
def networks(draw: st.DrawFn) -> dict[str, Any]:
    """A flat blueprint: motifs in a row, repeated, with nodes left out or changed, and taps anywhere."""
    shapes = draw(st.lists(motifs(), min_size=1, max_size=2))
    named = draw(st.booleans())
    nodes: Nodes = {}
    values = ["x"]
    dense: list[str] = []
    for copy in range(draw(st.integers(4, 14))):
        motif = draw(st.sampled_from(shapes))
        left_out = draw(st.integers(-20, len(motif) - 1))
        start = len(values)
        for index, (kind, backs) in enumerate(motif):
            if index == left_out and len(motif) > 1:
                continue
            name = f"block{copy}_{kind}_{index}" if named else f"{kind}_{len(nodes)}"
            # A distance that leads out of the motif leads to what stands above it.
            sources = [values[max(start - 1, len(values) - back)] for back in backs]
            node = changed(draw, kind, copy)
            if kind == "again":
                if not dense:
                    continue
                node["reuse"] = draw(st.sampled_from([dense[-1], dense[0]]))
            elif "units" in node:
                dense.append(name)
            if kind == "half":
                node["from"] = draw(st.sampled_from([[sources[0], 0.5], [2.0, sources[0]]]))
            else:
                node["from"] = sources if len(backs) > 1 else sources[0]
            nodes[name] = node
            values.append(name)
    if not nodes:
        nodes["dense"] = {"layer": "Dense", "units": 1, "from": "x"}
        values.append("dense")
    taps = draw(st.lists(st.sampled_from(values[1:]), max_size=2))
    outputs = [values[-1], *taps] if taps else values[-1]
    return data_of(nodes, outputs, inputs={"x": {"shape": [WIDTH]}})


@settings(max_examples=200)
@given(networks())
def test_what_is_folded_means_the_same(data: dict[str, Any]) -> None:
    fold(data)


@settings(max_examples=100)
@given(motifs(), st.integers(5, 12))
def test_equal_motifs_in_a_row_make_fewer_nodes(motif: list[tuple[str, list[int]]], copies: int) -> None:
    kinds = [(kind, backs) for kind, backs in motif if kind != "again"]
    nodes: Nodes = {}
    values = ["x"]
    for copy in range(copies):
        start = len(values)
        for index, (kind, backs) in enumerate(kinds):
            sources = [values[max(start - 1, len(values) - back)] for back in backs]
            node = {**KINDS[kind][0], "from": sources if len(backs) > 1 else sources[0]}
            if kind == "half":
                node["from"] = [sources[0], 0.5]
            name = f"block{copy}_{kind}_{index}"
            nodes[name] = node
            values.append(name)
    if len(kinds) < 2:
        return
    _, written = fold(data_of(nodes, inputs={"x": {"shape": [WIDTH]}}))
    # Nodes that feed nothing are left out of the model, and may keep a stretch from being cut where it ends.
    fed = {source for node in nodes.values() for source in str(node["from"]).strip("[]").replace("'", "").split(", ")}
    if fed >= set(values[1:-1]):
        assert len(written["nodes"]) + sum(len(b["nodes"]) for b in written.get("blocks", {}).values()) < len(nodes)
