"""Taps: names for values inside a file or block, for whoever uses it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graphbuilder.api import check, lower
from graphbuilder.blueprint import load, parse_blueprint
from graphbuilder.graph import Graph, Value
from graphbuilder.lowering.resolved import resolved_text

TEXT = """
blueprint: 1
inputs: {x: {shape: [8]}}
blocks:
  encoder:
    params: {depth: 2, head: false}
    inputs: [x]
    nodes:
      first: {layer: Dense, units: 8}
      deep: {block: leaf, repeat: $depth}
      top: {block: leaf, when: $head}
    taps: {early: first, late: deep.1.inner, last: deep, third: deep.2.a, headed: top.inner}
  leaf:
    inputs: [x]
    nodes:
      a: {layer: Dense, units: 8}
      b: {layer: Dense, units: 8}
    taps: {inner: a}
nodes:
  one: {block: encoder}
  many: {block: encoder, repeat: 2}
  out: {layer: Add, from: [one, many]}
"""


def graph_with(outputs: str, text: str = TEXT) -> Graph:
    return lower(parse_blueprint(f"{text}outputs: {outputs}\n"))


def named(outputs: str) -> list[str]:
    given: Any = graph_with(outputs).outputs
    return [value.name for value in (given if isinstance(given, tuple) else [given]) if isinstance(value, Value)]


def problems(outputs: str, text: str = TEXT, params: dict[str, Any] | None = None) -> list[str]:
    return [
        f"{each.code} {each.message}" for each in check(parse_blueprint(f"{text}outputs: {outputs}\n"), params).errors
    ]


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ("one.early", "one.first"),
        ("one.late", "one.deep.1.a"),
        ("one.last", "one.deep.1.b"),
        ("many.0.early", "many.0.first"),
        ("many.1.late", "many.1.deep.1.a"),
        ("one.deep.0.inner", "one.deep.0.a"),
    ],
)
def test_a_tap_is_the_value_that_it_names(reference: str, value: str) -> None:
    assert named(f"[{reference}]") == [value]


def test_the_bare_name_stays_the_output_and_no_tap_is_one() -> None:
    assert named("[one, many]") == ["one.deep.1.b", "many.1.deep.1.b"]
    plain = TEXT.replace(
        "    taps: {early: first, late: deep.1.inner, last: deep, third: deep.2.a, headed: top.inner}\n", ""
    )
    assert list(graph_with("out", plain).calls) == list(graph_with("out").calls)


def test_taps_of_a_file_change_nothing_where_it_stands_alone() -> None:
    with_taps = lower(parse_blueprint(f"{TEXT}outputs: one\ntaps: {{other: many.0.early}}\n"))
    assert resolved_text(with_taps) == resolved_text(graph_with("one"))


def test_what_only_a_tap_names_is_no_warning_and_not_in_the_model() -> None:
    text = (
        "blueprint: 1\ninputs: {x: {shape: [8]}}\nnodes:\n  kept: {layer: Dense, units: 2}\n"
        "  aside: {layer: Dense, from: x, units: 3}\noutputs: kept\ntaps: {branch: aside}\n"
    )
    checked = check(parse_blueprint(text))
    assert checked.diagnostics == ()
    assert checked.graph is not None
    assert list(checked.graph.calls) == ["kept"]


def test_a_file_used_as_a_block_has_its_taps(tmp_path: Path) -> None:
    (tmp_path / "encoder.yaml").write_text(f"{TEXT}outputs: out\ntaps: {{halfway: many.0}}\n")
    main = tmp_path / "main.yaml"
    main.write_text(
        "blueprint: 1\nimports: {encoder: ./encoder.yaml}\ninputs: {x: {shape: [8]}}\nnodes:\n"
        "  coded: {block: encoder}\n  score: {layer: Dense, from: coded.halfway, units: 1}\n"
    )
    graph = lower(load(main))
    assert [value.name for value in graph.calls["score"].inputs()] == ["coded.many.0.deep.1.b"]


def test_what_is_left_out_is_no_fault_until_it_is_taken() -> None:
    assert problems("one") == []
    assert problems("one.third") == ["GB301 one.third names nothing here: deep has no 2"]
    assert problems("many.1.headed") == [
        "GB301 many.1.headed names nothing here: top is left out here, and with it inner"
    ]
    deeper = TEXT.replace("one: {block: encoder}", "one: {block: encoder, depth: 3, head: true}")
    given: Any = graph_with("[one.third, one.headed]", deeper).outputs
    assert [value.name for value in given] == ["one.deep.2.a", "one.top.a"]


def test_copies_that_no_param_decides_are_a_fault_where_the_tap_is_declared() -> None:
    fixed = TEXT.replace("repeat: $depth", "repeat: 2")
    assert problems("one", fixed) == ["GB301 deep has no 2"]


@pytest.mark.parametrize("name", ["x", "first", "deep"])
def test_a_name_that_means_something_already_is_refused(name: str) -> None:
    (found,) = problems("one", TEXT.replace("{early: first", f"{{{name}: top"))
    assert found == f"GB206 {name} is the name of {'an input' if name == 'x' else 'a node'} too"


def test_a_name_of_an_output_is_refused() -> None:
    text = TEXT.replace("    taps: {inner: a}", "    outputs: {result: b}\n    taps: {result: a}")
    assert "GB206 result is the name of an output too" in problems("out", text)


def test_a_wrong_tap_is_told_once_and_not_again_where_it_is_used() -> None:
    assert problems("[one.early, many.0.early]", TEXT.replace("early: first", "early: frst")) == [
        "GB301 there is no node or input frst"
    ]


def test_a_tap_of_several_values_must_say_which() -> None:
    split = """
      two: {op: split, from: first, indices_or_sections: 2, axis: 1}
      back: {op: concatenate, from: [two.0, two.1], axis: 1}
"""
    text = TEXT.replace("first: {layer: Dense, units: 8}\n", f"first: {{layer: Dense, units: 8}}{split}")
    assert problems("one", text.replace("early: first", "early: two")) == [
        "GB301 two has 2 outputs in a list or mapping"
    ]
    given: Any = graph_with("[one.early]", text.replace("early: first", "early: two.1")).outputs
    assert [value.name for value in given] == ["one.two.1"]


def test_a_tap_lends_no_weights() -> None:
    text = TEXT.replace("  out:", "  again: {reuse: one.early, from: x}\n  out:")
    assert problems("out", text) == ["GB310 one.early has no weights to be used again"]


def test_blocks_that_nobody_uses_have_their_taps_checked() -> None:
    text = (
        "blueprint: 1\nblocks:\n  step:\n    inputs: [x]\n    nodes: {a: {layer: Dense, units: 2}}\n    taps: {b: c}\n"
    )
    assert [each.message for each in check(parse_blueprint(text)).errors] == ["there is no node or input c"]
