"""`graphbuilder resolve`: one flat file in the place of params, blocks, imports and fusions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from graphbuilder.api import lower
from graphbuilder.blueprint.shipped import blueprint_names
from graphbuilder.lowering.resolved import resolved_text
from tests.cli.conftest import Run

COMPRESSED = """
blueprint: 1
imports: {parts: ./parts.yaml}
params: {share: 0.5}
inputs: {x: {shape: [8]}}
nodes:
  body: {block: parts.body}
  out: {layer: Dense, units: 2, activation: softmax}
compression:
  - {pass: prune, sparsity: $share, where: {nodes: [body]}, overrides: {body.second: {sparsity: 0.7}}}
  - {pass: quantize, scheme: dynamic}
"""
PARTS = """
blueprint: 1
blocks:
  body:
    inputs: [x]
    nodes:
      first: {layer: Dense, units: 16, activation: relu}
      norm: {layer: LayerNormalization}
      second: {layer: Dense, units: 16, activation: relu}
"""


@pytest.mark.parametrize("name", blueprint_names())
def test_shipped_blueprints(run: Run, blueprints: Path, name: str) -> None:
    said = run("resolve", blueprints / f"{name}.yaml", "-o", f"{name}.yaml")
    count = len(lower(blueprints / f"{name}.yaml").calls)
    assert (said.code, said.err) == (0, "")
    assert said.out == f"{name}.yaml written, {count} nodes\n"
    assert run("validate", "--strict", f"{name}.yaml").code == 0
    # What is flat already stays as it is.
    again = run("resolve", f"{name}.yaml")
    assert again.out == Path(f"{name}.yaml").read_text("utf-8")


def test_stdout_has_the_text_and_params_are_set(run: Run, blueprints: Path) -> None:
    path = blueprints / "rnn.yaml"
    said = run("resolve", path, "--set", "features=7")
    assert said.out == resolved_text(lower(path, {"features": 7}))
    assert "7]" in said.out
    assert run("resolve", path, "-o", "-", "--set", "features=7").out == said.out
    assert list(Path().iterdir()) == []


def test_imports_are_gone_and_passes_choose_the_same_layers(run: Run) -> None:
    Path("a.yaml").write_text(COMPRESSED)
    Path("parts.yaml").write_text(PARTS)
    plan = run("compress", "a.yaml", "--dry-run", "--format", "json", "--set", "share=0.4")
    assert run("resolve", "a.yaml", "-o", "elsewhere/flat.yaml", "--set", "share=0.4").code == 0
    Path("parts.yaml").unlink()
    text = Path("elsewhere/flat.yaml").read_text()
    assert "sparsity: 0.4" in text
    assert "where: {nodes: [body_*]}" in text
    assert "body_second: {sparsity: 0.7}" in text
    flat = run("compress", "elsewhere/flat.yaml", "--dry-run", "--format", "json")
    assert (plan.code, flat.code) == (0, 0), (plan, flat)
    assert json.loads(flat.out) == json.loads(plan.out.replace("body.", "body_"))


def test_json_is_written_by_the_ending(run: Run, blueprints: Path) -> None:
    assert run("resolve", blueprints / "siamese.yaml", "-o", "a.json").code == 0
    data = json.loads(Path("a.json").read_text("utf-8"))
    assert data["nodes"]["right_code_code"] == {"reuse": "left_code_code", "from": "right_code_pooled"}
    assert run("resolve", "a.json").out == resolved_text(lower(blueprints / "siamese.yaml"))


def test_warnings_are_told_and_errors_stop_it(run: Run) -> None:
    Path("a.yaml").write_text("blueprint: 1\ninputs: {x: {shape: [3]}, y: {shape: [3]}}\n"
                              "nodes: {d: {layer: Dense, from: x, units: 1}}\n")  # fmt: skip
    said = run("resolve", "a.yaml")
    assert said.code == 0
    assert said.err.startswith("a.yaml:2:27: warning GB307 y: y feeds no output\n")
    Path("b.yaml").write_text("blueprint: 1\ninputs: {x: {shape: [3]}}\nnodes: {d: {layer: Dense, units: 1}}\n"
                              "compression: [{pass: prune, sparsity: 0.5, where: {nodes: [e]}}]\n")  # fmt: skip
    said = run("resolve", "b.yaml", "-o", "c.yaml")
    assert said.code == 1
    assert "b.yaml:4:60: GB831" in said.err
    Path("d.yaml").write_text(PARTS)
    assert "GB202 there are no nodes" in run("resolve", "d.yaml").err
    assert not Path("c.yaml").exists()


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("a.txt", "a.txt does not say in which syntax to write"),
        ("there.yaml", "there.yaml exists already"),
        ("folder.yaml", "folder.yaml is a folder"),
    ],
)
def test_what_cannot_be_written_is_said_first(run: Run, output: str, message: str) -> None:
    Path("there.yaml").write_text("mine")
    Path("folder.yaml").mkdir()
    said = run("resolve", "nowhere.yaml", "-o", output)
    assert said.code == 2
    assert message in said.err
    assert Path("there.yaml").read_text() == "mine"
