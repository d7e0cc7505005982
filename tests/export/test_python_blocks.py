"""Exported code keeps what the blueprint's author made: blocks, repeats, params, comments."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from keras.src.utils import naming

from graphbuilder.api import load, lower, parse
from graphbuilder.backend.build import build
from graphbuilder.export import Exported, export_python
from tests.export.test_python_source import SHIPPED, assert_same_model, parts

ROOT = Path(__file__).parents[2]


def exported(text: str, **params: Any) -> Exported:
    document = parse(text)
    return export_python(lower(document, params), document)


def called(source: str) -> list[str]:
    """The functions of the code, in order."""
    return re.findall(r"^def (\w+)\(", source, re.MULTILINE)


STACK = """
blueprint: 1
name: stack
params: {units: 8, copies: 3}
inputs: {x: {shape: [8]}}
blocks:
  # Why there are two layers.
  pair:
    about: Two layers.
    params: {units: {type: int, min: 1, about: how wide}, rate: 0.1}
    inputs: [x]
    nodes:
      # What comes in.
      first: {layer: Dense, units: $units, activation: relu}  # and why
      second: {layer: Dropout, rate: $rate, about: drops some}
nodes:
  pairs: {block: pair, repeat: $copies, units: $units}
  out: {layer: Dense, units: 2}
"""


def test_a_block_is_a_function_and_a_repeat_a_loop() -> None:
    source = exported(STACK).source
    assert called(source) == ["pair", "build_model"]
    assert "def pair(x, *, units, rate=0.1, name):\n" in source
    assert "    for index in range(copies):\n" in source
    assert 'pairs = pair(pairs, units=units, name=f"pairs.{index}")\n' in source


def test_what_people_wrote_stands_in_the_code() -> None:
    source = exported(STACK).source
    assert "# Why there are two layers.\ndef pair(" in source
    assert '    """Two layers.\n\n    Args:\n        units: how wide\n' in source
    assert "    # What comes in.\n    # and why\n    first = " in source
    assert "    # drops some\n    second = " in source


@pytest.mark.parametrize("params", [{"units": 5}, {"copies": 2}, {"copies": 4, "units": 3}])
def test_an_argument_does_what_the_param_does(params: dict[str, Any], tmp_path: Path) -> None:
    made = exported(STACK)
    assert made.params == ("units", "copies")
    path = tmp_path / "model.py"
    path.write_text(made.source)
    naming.reset_uids()
    theirs = runpy.run_path(str(path))["build_model"](**params)
    naming.reset_uids()
    mine = build(lower(parse(STACK), params), compiled=False)
    assert parts(theirs) == parts(mine)


def test_a_param_that_changes_more_than_the_code_tells_is_no_argument() -> None:
    # Whether there is a second layer cannot be told by an argument of a function without conditions.
    text = """
blueprint: 1
params: {deep: true, units: 4}
inputs: {x: {shape: [8]}}
nodes:
  a: {layer: Dense, units: $units}
  b: {layer: Dense, units: $units, when: $deep}
"""
    made = exported(text)
    assert (made.params, made.fixed) == (("units",), ("deep",))
    assert "def build_model(*, units=4):" in made.source


def test_a_param_that_is_computed_from_others_follows_them(tmp_path: Path) -> None:
    text = """
blueprint: 1
params: {width: 4, hidden: $(2 * width)}
inputs: {x: {shape: [8]}}
nodes:
  a: {layer: Dense, units: $hidden}
  b: {layer: Dense, units: $(hidden * width ** 2)}
"""
    made = exported(text)
    assert made.params == ("width",)
    assert "    hidden = 2 * width\n" in made.source
    assert "layers.Dense(hidden * width**2, name=" in made.source
    path = tmp_path / "model.py"
    path.write_text(made.source)
    model = runpy.run_path(str(path))["build_model"](width=3)
    assert [layer.units for layer in model.layers[1:]] == [6, 54]
    # Given by hand it is a param like any other.
    assert exported(text, hidden=5).params == ("width", "hidden")


def test_copies_that_are_tapped_are_no_loop(tmp_path: Path) -> None:
    document = parse(STACK + "outputs: {last: out, inner: pairs.1}\n")
    graph = lower(document)
    source = export_python(graph, document).source
    assert " in range(" not in source
    assert 'name="pairs.1"' in source
    assert_same_model(graph, tmp_path, document=document)


def test_copies_know_their_numbers(tmp_path: Path) -> None:
    text = """
blueprint: 1
name: m
inputs: {x: {shape: [8]}, y: {shape: [8]}}
blocks:
  step:
    inputs: [x, y]
    nodes:
      wide: {layer: Dense, from: x, units: $(4 * 2 ** index)}
      side: {layer: Dense, from: y, units: $(4 * 2 ** index)}
      sum: {layer: Add, from: [wide, side]}
nodes:
  steps: {block: step, repeat: 4, from: {x: x, y: y}}
"""
    document = parse(text)
    graph = lower(document)
    source = export_python(graph, document).source
    assert 'steps = step(steps, y, index=index, name=f"steps.{index}")' in source
    assert_same_model(graph, tmp_path, document=document)


def test_layers_that_are_shared_are_written_once(tmp_path: Path) -> None:
    text = """
blueprint: 1
name: m
inputs: {x: {shape: [8]}, y: {shape: [8]}}
blocks:
  tower:
    inputs: [x]
    nodes:
      a: {layer: Dense, units: 4}
      b: {layer: Dense, units: 4}
nodes:
  left: {block: tower, from: x}
  right: {reuse: left, from: y}
  both: {block: tower, from: x}
  sum: {layer: Add, from: [left, right, both]}
"""
    document = parse(text)
    graph = lower(document)
    source = export_python(graph, document).source
    assert called(source) == ["tower", "build_model"]
    assert (
        '    left_layers = tower(name="left")\n'
        "    left = left_layers(x)\n"
        "    right = left_layers(y)\n"
        '    both = tower(name="both")(x)\n'
    ) in source


def test_layers_of_a_block_that_are_called_by_themselves_are_written_out(tmp_path: Path) -> None:
    text = """
blueprint: 1
name: m
inputs: {x: {shape: [8]}, y: {shape: [8]}}
blocks:
  tower:
    inputs: [x]
    nodes:
      a: {layer: Dense, units: 4}
      b: {layer: Dense, units: 4}
nodes:
  left: {block: tower, from: x}
  right: {reuse: left.a, from: y}
  sum: {layer: Add, from: [left, right]}
"""
    document = parse(text)
    graph = lower(document)
    source = export_python(graph, document).source
    assert "# left is written out, because its layers are called from two places." in source
    assert called(source) == ["build_model"]
    assert_same_model(graph, tmp_path, document=document)


def test_what_is_called_again_may_hold_anything(tmp_path: Path) -> None:
    text = """
blueprint: 1
name: m
inputs: {x: {shape: [8]}, y: {shape: [8]}, z: {shape: [8]}}
blocks:
  step:
    params: {units: 8}
    inputs: [x]
    nodes:
      dense: {layer: Dense, units: $units}
      wide: {op: multiply, from: [dense, 2.0]}
      again: {reuse: dense, from: wide}
  tower:
    params: {depth: {type: int}}
    inputs: [x]
    nodes:
      first: {block: step}
      second: {reuse: first}
      steps: {block: step, repeat: $depth}
      merged: {fuse: concat, from: [first, steps]}
      small: {layer: Dense, units: 8}
nodes:
  left: {block: tower, from: x, depth: 3}
  right: {reuse: left, from: y}
  third: {reuse: right, from: z}
  other: {block: tower, from: right, depth: 2}
  some: {block: step, repeat: 2, from: x}
  more: {reuse: some, from: z}
  sum: {layer: Add, from: [left, third, other, some, more]}
"""
    document = parse(text)
    graph = lower(document)
    source = export_python(graph, document).source
    assert "for index, each in enumerate(steps_layers):" in source
    assert 'third = left_layers(z, name="third")' in source
    assert 'other = tower(depth=2, name="other")(right)' in source
    assert called(source)[-1] == "build_model"
    assert len(called(source)) == 4
    assert_same_model(graph, tmp_path, document=document)


def test_what_is_called_again_need_not_be_called_before(tmp_path: Path) -> None:
    # What `left` gives is not used, so the model has only the second call of its layers.
    text = """
blueprint: 1
name: m
inputs: {x: {shape: [8]}, y: {shape: [8]}}
blocks:
  tower:
    inputs: [x]
    nodes:
      a: {layer: Dense, units: 4}
      b: {op: relu}
nodes:
  left: {block: tower, from: x}
  right: {reuse: left, from: y}
outputs: right
"""
    document = parse(text)
    graph = lower(document)
    assert 'right = tower(name="left")(y, name="right")' in export_python(graph, document).source
    assert_same_model(graph, tmp_path, document=document)
    assert_same_model(graph, tmp_path, document=document)


def test_a_fusion_is_a_function() -> None:
    document = load(ROOT / "blueprints" / "image_text.yaml")
    source = export_python(lower(document), document).source
    assert called(source) == ["fuse_concat", "build_model"]
    assert '    """Merges image_features and text_features: concat."""\n' in source
    assert 'merged = fuse_concat(image_features, text_features, name="merged")' in source


def test_names_that_mean_something_in_the_code_are_others(tmp_path: Path) -> None:
    text = """
blueprint: 1
name: m
params: {layers: 2, name: 4, keras: relu}
inputs: {x: {shape: [8]}}
blocks:
  layers:
    params: {name: {type: int}, keras: {type: str}}
    inputs: [ops]
    nodes:
      np: {layer: Dense, units: $name, activation: $keras}
      layers: {op: add, from: [np, 1.0]}
nodes:
  layers: {block: layers, repeat: $layers, name: $name, keras: $keras}
  _hidden: {block: layers, name: 3, keras: relu}
  build_model: {layer: Dense, units: $name}
"""
    document = parse(text)
    assert_same_model(lower(document), tmp_path, document=document)


def test_a_param_may_be_called_like_its_block(tmp_path: Path) -> None:
    text = """
blueprint: 1
name: m
inputs: {x: {shape: [8]}}
blocks:
  wide:
    params: {wide: {type: int}, wide_2: 3}
    inputs: [x]
    nodes:
      a: {layer: Dense, units: $wide}
      b: {layer: Dense, units: $wide_2}
nodes:
  one: {block: wide, wide: 4}
  two: {block: wide, wide: 5}
"""
    document = parse(text)
    graph = lower(document)
    assert "def wide(x, *, wide_, wide_2_=3, name):" in export_python(graph, document).source
    assert_same_model(graph, tmp_path, document=document)


def test_a_graph_that_is_not_the_documents_is_written_flat() -> None:
    text = """
blueprint: 1
inputs: {x: {shape: [8]}}
blocks:
  pair:
    inputs: [x]
    nodes:
      a: {layer: Dense, units: 4}
      b: {layer: Dense, units: 4}
nodes:
  one: {block: pair}
  two: {block: pair, from: x}
  sum: {layer: Add, from: [one, two]}
"""
    document = parse(text)
    graph = lower(document)
    mixed = {name: graph.calls[name] for name in ("one.a", "two.a", "one.b", "two.b", "sum")}
    made = export_python(replace(graph, calls=mixed), document)
    assert made.flat == "the nodes of one do not follow one another"
    assert called(made.source) == ["build_model"]


@pytest.mark.parametrize("said", ["fmt: off", "noqa", "type: ignore", "!/bin/sh", "% run"])
def test_a_comment_gives_no_orders(said: str) -> None:
    source = exported(f"blueprint: 1\ninputs: {{x: {{shape: [8]}}}}\nnodes:\n  # {said}\n  a: {{layer: ReLU}}\n").source
    assert f"# The blueprint says: {said}" in source


def _ruff(*words: str, cwd: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "ruff", *words], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_code_is_formatted_and_found_faultless(tmp_path: Path) -> None:
    texts = {path.stem: load(path) for path in [*SHIPPED, *(ROOT / "tests" / "backend" / "hard").glob("*.yaml")]}
    texts["stack"] = parse(STACK)
    for name, document in texts.items():
        graph = lower(document)
        (tmp_path / f"{name}.py").write_text(export_python(graph, document).source)
        (tmp_path / f"{name}_flat.py").write_text(export_python(graph).source)
    _ruff("format", "--isolated", "--diff", ".", cwd=tmp_path)
    _ruff("check", "--isolated", ".", cwd=tmp_path)
