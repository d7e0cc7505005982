"""Passes choose the same layers, and do the same to each, in a blueprint whose nodes have other names."""

from __future__ import annotations

from typing import Any

import pytest

from graphbuilder.api import check, lower, parse
from graphbuilder.compression.plan import CompressionPlan, plan_compression
from graphbuilder.compression.renaming import renamed_passes
from graphbuilder.lowering.resolved import resolved_blueprint, resolved_text
from graphbuilder.text import to_yaml

NETWORK = """
blueprint: 1
inputs: {x: {shape: [8]}}
blocks:
  body:
    inputs: [x]
    nodes:
      first: {layer: Dense, units: 8}
      norm: {layer: LayerNormalization}
      second: {layer: Dense, units: 8}
nodes:
  one: {block: body}
  many: {block: body, repeat: 2}
  many_2: {layer: Dense, units: 8}
  out: {layer: Dense, units: 2}
"""

CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "everything": ({}, {}),
    "a name": ({"where": {"nodes": ["out"]}}, {"where": {"nodes": ["out"]}}),
    "no list": ({"where": {"nodes": "one.first"}}, {"where": {"nodes": ["one_first"]}}),
    "a block": ({"where": {"nodes": ["one"]}}, {"where": {"nodes": ["one_*"]}}),
    "a copy of a block": ({"where": {"nodes": ["many.1"]}}, {"where": {"nodes": ["many_1_*"]}}),
    "a pattern": ({"where": {"nodes": ["o*", "many.*.first"]}}, {"where": {"nodes": ["o*", "many_*_first"]}}),
    "a pattern of copies": ({"where": {"nodes": ["many.*"]}}, {"where": {"nodes": ["many_*_*"]}}),
    "a block beside a node that is called alike": (
        {"where": {"nodes": ["many"]}},
        {"where": {"nodes": [f"[m]any_{copy}_{name}" for copy in (0, 1) for name in ("first", "norm", "second")]}},
    ),
    "kinds and exceptions": (
        {"where": {"layers": ["Dense"], "except": ["LayerNormalization", "one", "out"]}},
        {"where": {"layers": ["Dense"], "except": ["LayerNormalization", "one_*", "out"]}},
    ),
    "overrides by name": (
        {"overrides": {"one.first": {"sparsity": 0.2}, "out": {"sparsity": 0.3}}},
        {"overrides": {"one_first": {"sparsity": 0.2}, "out": {"sparsity": 0.3}}},
    ),
    "overrides that stay": (
        {"overrides": {"o*": {"sparsity": 0.2}, "out": {"sparsity": 0.3}}},
        {"overrides": {"o*": {"sparsity": 0.2}, "out": {"sparsity": 0.3}}},
    ),
    "a block over a name, and names over patterns": (
        {"overrides": {"one.first": {"sparsity": 0.2}, "one": {"sparsity": 0.3}, "*second": {"sparsity": 0.4}}},
        {"overrides": {
            "one_second": {"sparsity": 0.3},
            "many_0_second": {"sparsity": 0.4},
            "many_1_second": {"sparsity": 0.4},
            "one_first": {"sparsity": 0.3},
            "one_norm": {"sparsity": 0.3},
        }},
    ),
}  # fmt: skip


def said(plan: CompressionPlan, names: dict[str, str]) -> list[Any]:
    return [
        (names.get(one.layer, one.layer), one.kind, one.ruling.verdict, one.asked(), stage.declared.about)
        for stage in plan.stages
        for one in stage.layers
    ]


@pytest.mark.parametrize("case", CASES)
def test_the_plan_is_the_same(case: str) -> None:
    written, expected = CASES[case]
    common = {"pass": "prune", "sparsity": 0.5, "about": "$ for people"}
    graph = lower(parse(NETWORK + to_yaml({"compression": [{**common, **written}]})))
    resolved = resolved_blueprint(graph)
    passes = renamed_passes(graph, resolved.layers)
    assert passes == [{**common, **expected}]
    assert list(passes[0].get("overrides", {})) == list(expected.get("overrides", {}))
    again = check(parse(resolved_text(graph, compression=passes)))
    assert again.graph is not None, again.diagnostics
    plan, found = plan_compression(graph)
    assert not found
    assert said(plan, dict(resolved.layers)) == said(plan_compression(again.graph)[0], {})
