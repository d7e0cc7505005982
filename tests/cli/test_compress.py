"""`graphbuilder compress --dry-run` prints the plan, for people and for machines."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run

BLUEPRINT = """
blueprint: 1
inputs:
  image: {shape: [8, 8, 1]}
nodes:
  conv: {layer: Conv2D, filters: 32, kernel_size: 3, activation: relu}
  flat: {layer: Flatten}
  scores: {layer: Dense, units: 10, activation: softmax}
compression:
  - {pass: prune, sparsity: 0.8, where: {except: scores}}
  - {pass: quantize}
"""


def test_the_plan_is_printed(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(BLUEPRINT)
    said = run("compress", path, "--dry-run")
    assert said.code == 0
    assert "1. prune 80 %\n" in said.out
    assert "2. quantize int8, aware in training\n" in said.out
    assert "  skipped flat: it computes nothing that could be quantized\n" in said.out
    assert "times smaller" in said.out
    assert max(map(len, said.out.splitlines())) <= 80


NOTED = """
blueprint: 1
inputs:
  heard: {shape: [12, 8]}
nodes:
  filtered: {layer: SeparableConv1D, filters: 8, kernel_size: 3}
  memory: {layer: LSTM, units: 16}
  scores: {layer: Dense, units: 4}
compression:
  - {pass: prune, sparsity: 0.5, structure: {block: [2, 2]}, where: {except: memory}}
  - {pass: quantize, where: {except: scores}}
"""


def test_the_plan_says_what_stays_and_what_is_left_out(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "noted.yaml"
    path.write_text(NOTED)
    said = " ".join(run("compress", path, "--dry-run").out.split())
    assert "sparsity 0.5, structure 2 × 2" in said
    assert "filtered: depthwise_kernel stays as it is: its kernel has one input for each output" in said
    assert "filtered: some of it stays float: training measures no ranges within it" in said
    assert "skipped memory: TFLite's converter refuses an LSTM that was trained for 8 bits" in said
    assert "(write aware: false, under which it is quantized after training)" in said
    assert "left out memory: it stays as it is, in float32" in said
    assert "left out scores: between layers that were trained for 8 bits the converter quantizes it too" in said


def test_a_plan_that_was_written_must_be_the_one_that_is_carried_out(run: Run, tmp_path: Path) -> None:
    path, plan = tmp_path / "small.yaml", tmp_path / "plan.json"
    path.write_text(BLUEPRINT)
    assert run("compress", path, "--dry-run", "-o", plan).code == 0
    assert run("compress", path, "--dry-run", "--plan", plan).code == 0
    path.write_text(BLUEPRINT.replace("sparsity: 0.8", "sparsity: 0.7"))
    said = run("compress", path, "--dry-run", "--plan", plan)
    assert said.code == 1
    assert "GB819 stage 1, conv: sparsity was 0.8 and is 0.7 now" in said.err


def test_the_plan_is_written_as_json_and_nothing_else_is_touched(run: Run, tmp_path: Path) -> None:
    path, plan = tmp_path / "small.yaml", tmp_path / "plan.json"
    path.write_text(BLUEPRINT)
    said = run("compress", path, "--dry-run", "--format", "json", "-o", plan)
    assert said.code == 0
    assert json.loads(said.out) == json.loads(plan.read_text())
    assert {found.name for found in tmp_path.iterdir()} == {"small.yaml", "plan.json"}
    assert run("compress", path, "--dry-run", "-o", plan).code == 2


def test_a_run_needs_data_and_a_place(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(BLUEPRINT)
    said = run("compress", path)
    assert said.code == 2
    assert "--data digits -o small/" in said.err


def test_without_passes_there_is_nothing_to_plan(run: Run, blueprints: Path) -> None:
    said = run("compress", blueprints / "cnn.yaml", "--dry-run")
    assert said.code == 2
    assert "declares no compression" in said.err
