"""Uses of a block that have different nodes share one function, with an `if` for what only some have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphbuilder.api import lower, parse
from graphbuilder.export import export_python
from graphbuilder.text import to_yaml
from tests.export.test_python_blocks import called
from tests.export.test_python_source import assert_same_model


def checked(text: str, folder: Path) -> str:
    """The code of a blueprint, once its model is known to be the same."""
    document = parse(text)
    graph = lower(document)
    assert_same_model(graph, folder, document=document)
    return export_python(graph, document).source


def stage(nodes: str, uses: str, params: str = "norm: false", inputs: str = "x") -> str:
    return f"""
blueprint: 1
name: m
inputs: {{x: {{shape: [8]}}, y: {{shape: [8]}}}}
blocks:
  stage:
    params: {{{params}}}
    inputs: [{inputs}]
    nodes:
{nodes}
nodes:
{uses}
"""


def test_what_only_some_uses_have_stands_under_an_if(tmp_path: Path) -> None:
    nodes = """
      first: {layer: Dense, units: 8}
      norm: {layer: BatchNormalization, when: $norm}
      last: {layer: ReLU}
"""
    uses = "  one: {block: stage, from: x, norm: true}\n  two: {block: stage}\n  three: {block: stage, norm: true}\n"
    source = checked(stage(nodes, uses + "  end: {layer: Add, from: [three, y]}"), tmp_path)
    assert called(source) == ["stage", "build_model"]
    assert "def stage(x, *, norm=False, name):" in source
    assert (
        "    if norm:\n"
        '        norm_2 = layers.BatchNormalization(name=f"{name}.norm")(first)\n'
        "    else:\n"
        "        norm_2 = first\n"
        '    last = layers.ReLU(name=f"{name}.last")(norm_2)\n'
    ) in source
    assert '    two = stage(one, name="two")\n' in source


def test_a_shortcut_is_a_projection_only_where_it_must_be(tmp_path: Path) -> None:
    nodes = """
      main: {layer: Dense, units: 8}
      wide: {layer: Dense, from: x, units: 8, when: $project}
      norm: {layer: BatchNormalization, when: $project}
      sum: {layer: Add, from: [norm, main]}
"""
    uses = (
        "  one: {block: stage, from: x, project: true}\n  more: {block: stage, repeat: 3}\n"
        "  end: {layer: Add, from: [more, y]}"
    )
    source = checked(stage(nodes, uses, "project: false"), tmp_path)
    assert called(source) == ["stage", "build_model"]
    # The run has one `else`, for what is read behind it.
    assert source.count("    else:\n        norm = x\n") == 1
    assert source.count("else:") == 1
    assert 'Add(name=f"{name}.sum")([norm, main])' in source


def test_the_same_value_may_arrive_by_two_names(tmp_path: Path) -> None:
    nodes = """
      side: {layer: Dense, units: 8, when: $norm}
      sum: {layer: Add, from: [x, side]}
"""
    uses = "  one: {block: stage, from: x, norm: true}\n  two: {block: stage}\n  end: {layer: Add, from: [two, y]}"
    source = checked(stage(nodes, uses), tmp_path)
    assert called(source) == ["stage", "build_model"]
    assert "([x, side])" in source


def test_arguments_depend_on_conditions(tmp_path: Path) -> None:
    nodes = """
      first: {layer: Dense, units: $(16 if norm else 8), activation: $('relu' if norm and deep else 'tanh')}
      norm: {layer: BatchNormalization, when: $(norm and deep)}
      last: {layer: Dense, units: 8}
"""
    uses = (
        "  one: {block: stage, from: x, norm: true}\n  two: {block: stage}\n  three: {block: stage, deep: false}\n"
        "  end: {layer: Add, from: [three, y]}"
    )
    source = checked(stage(nodes, uses, "norm: false, deep: true"), tmp_path)
    assert called(source) == ["stage", "build_model"]
    assert "        16 if norm else 8,\n" in source
    assert '        activation="relu" if norm and deep else "tanh",\n' in source
    assert "    if norm and deep:\n" in source


def test_a_single_use_may_be_a_copy_or_not(tmp_path: Path) -> None:
    nodes = """
      first: {layer: Dense, units: 8}
      drop: {layer: Dropout, rate: $(0.1 * (number + index)), when: $(number > 0)}
"""
    uses = (
        "  one: {block: stage, from: x, number: 1}\n  more: {block: stage, repeat: 3, number: 2}\n"
        "  bare: {block: stage}\n  end: {layer: Add, from: [bare, y]}"
    )
    source = checked(stage(nodes, uses, "number: 0"), tmp_path)
    assert "def stage(x, *, index=0, number=0, name):" in source
    assert 'more = stage(more, number=2, index=index, name=f"more.{index}")' in source


def test_nodes_that_differ_in_more_are_functions_of_their_own(tmp_path: Path) -> None:
    # An initializer is made of a mapping, which is no expression of the code.
    nodes = """
      first: {layer: Dense, units: 8, kernel_initializer: $made}
      norm: {layer: BatchNormalization, when: $norm}
"""
    uses = (
        "  one: {block: stage, from: x, norm: true, made: {constant: {value: 1.0}}}\n"
        "  two: {block: stage, made: {constant: {value: 2.0}}}\n"
        "  three: {block: stage, norm: true, made: {constant: {value: 2.0}}}\n"
        "  end: {layer: Add, from: [three, y]}"
    )
    source = checked(stage(nodes, uses, "norm: false, made: {type: any}"), tmp_path)
    assert called(source) == ["stage", "stage_2", "build_model"]
    assert source.count("    if norm:") == 1


@st.composite
def blueprints(draw: st.DrawFn) -> str:
    """A block of nodes that take one another's outputs, many of them with a `when`, used several times."""
    nodes: dict[str, Any] = {}
    flags = ["p", "q"]
    for number in range(draw(st.integers(2, 6))):
        known = ["x", "y", *nodes]
        taken = draw(st.lists(st.sampled_from(known), min_size=1, max_size=3))
        node: dict[str, Any] = {"layer": "Dense", "units": 8, "from": taken[0]}
        if len(taken) > 1:
            node = {"layer": "Add", "from": taken}
        elif draw(st.booleans()) and number:
            del node["from"]
        if draw(st.booleans()):
            node["when"] = draw(st.sampled_from(["$p", "$q", "$(not p)", "$(p and q)", "$(p or not q)"]))
        nodes[f"n{number}"] = node
    outputs = draw(st.sampled_from(list(nodes)))
    uses: dict[str, Any] = {}
    for number in range(draw(st.integers(2, 4))):
        known = ["a", "b", *uses]
        given_flags = {flag: draw(st.booleans()) for flag in flags}
        source = {port: draw(st.sampled_from(known)) for port in ("x", "y")}
        uses[f"u{number}"] = {"block": "part", **given_flags, "from": source}
        if draw(st.integers(0, 3)) == 0 and number:
            uses[f"u{number}"] = {"reuse": draw(st.sampled_from(list(uses)[:-1])), "from": source}
    uses["end"] = {"layer": "Concatenate", "from": [*uses, "a", "b"]}
    block = {"params": {"p": True, "q": True}, "inputs": ["x", "y"], "nodes": nodes, "outputs": outputs}
    inputs = {name: {"shape": [8]} for name in ("a", "b")}
    return to_yaml({"blueprint": 1, "name": "m", "inputs": inputs, "blocks": {"part": block}, "nodes": uses})


@given(text=blueprints())
def test_whatever_is_left_out_the_model_is_the_same(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    checked(text, tmp_path_factory.mktemp("model"))
