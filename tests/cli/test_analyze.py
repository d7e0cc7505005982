"""`graphbuilder analyze`: its table, its JSON, and budgets that `validate` and `compile` hold a model to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

CNN = """\
node    kind             output  parameters    MACs  field
conv    Conv2D          480 KiB         896  3.32 M  3×3@1
pool    MaxPooling2D    120 KiB           0       0  4×4@2
flat    Flatten         120 KiB           0       0  ≤64×64
hidden  Dense         256 bytes   1,968,192  1.97 M  ≤64×64
scores  Dense          40 bytes         650     640  ≤64×64

parameters  1,969,738: 1,969,738 trainable, 0 non-trainable
size        7.51 MiB of float32
MACs        5,289,984 for one sample
memory      601 KiB of activations for one sample, while pool runs
held then   conv 480 KiB, pool 120 KiB
"""
SMALL = """\
blueprint: 1
inputs: {x: {shape: [64]}}
nodes: {hidden: {layer: Dense, units: 32}, answer: {layer: Dense, units: 2}}
"""


def test_cnn_is_analyzed_so(run: Run, blueprints: Path) -> None:
    said = run("analyze", blueprints / "cnn.yaml")
    assert (said.code, said.out, said.err) == (0, CNN, "")


def test_the_costliest_come_first(run: Run, blueprints: Path) -> None:
    said = run("analyze", blueprints / "cnn.yaml", "--sort", "parameters", "--top", "2")
    _titles, first, second, *rest = said.out.splitlines()
    assert (first.split()[0], second.split()[0]) == ("hidden", "conv")
    assert rest[1] == "shown       2 of 5 nodes"
    found = json.loads(run("analyze", blueprints / "cnn.yaml", "--sort", "output", "--format", "json").out)
    sizes = [node["output_bytes"] for node in found["nodes"]]
    assert sizes == sorted(sizes, reverse=True)


def test_json_has_all_of_it(run: Run, blueprints: Path) -> None:
    found = json.loads(run("analyze", blueprints / "cnn.yaml", "--format", "json").out)
    pool = found["nodes"][1]
    assert (pool["name"], pool["output_bytes"], pool["macs"]) == ("pool", 123_008, 0)
    axis = {"axis": 1, "size": 4, "stride": 2, "start": 0, "exact": True}
    assert pool["receptive_field"] == [{"input": "image", "axes": [axis, {**axis, "axis": 2}]}]
    memory = found["totals"]["memory"]
    assert (memory["peak"], memory["at"], memory["best"]) == (615_040, "pool", True)
    assert memory["order"] == ["conv", "pool", "flat", "hidden", "scores"]
    assert found["totals"]["size"] == 4 * 1_969_738


def test_show_tells_memory_and_fields_too(run: Run, blueprints: Path) -> None:
    found = json.loads(run("show", blueprints / "cnn.yaml", "--format", "json").out)
    assert found["totals"]["memory"]["peak"] == 615_040
    assert found["nodes"][0]["output_bytes"] == 492_032
    assert found["nodes"][0]["receptive_field"][0]["axes"][0]["size"] == 3


def test_what_is_unknown_is_said(run: Run, blueprints: Path) -> None:
    said = run("analyze", blueprints / "rnn.yaml")
    assert "MACs        at least 50 for one sample; unknown: memory" in said.out
    assert "unknown     the sizes of sequence" in said.out


@pytest.mark.parametrize(
    ("budget", "exceeded"),
    [
        ("params: 2146", ()),
        ("params: 2.146K, macs: 2112, memory: 384, size: 8.584KB", ()),
        ("params: 2145", ("params is 2,146, budget 2,145",)),
        ("macs: 2K, size: 8 KiB", ("macs is 2,112, budget 2,000", "size is 8,584 bytes, budget 8,192")),
        ("memory: 383", ("memory is 384 bytes, budget 383",)),
        ("params: $limit", ("params is 2,146, budget 100",)),
        ("params: null, accuracy_drop: 0.1", ()),
    ],
)
def test_a_budget_is_held(run: Run, tmp_path: Path, budget: str, exceeded: tuple[str, ...]) -> None:
    head = SMALL.replace("blueprint: 1", "blueprint: 1\nparams: {limit: 100}") if "$" in budget else SMALL
    (tmp_path / "small.yaml").write_text(f"{head}budget: {{{budget}}}\n", encoding="utf-8")
    said = run("validate", "small.yaml")
    assert said.code == (1 if exceeded else 0), said
    assert said.err.count("GB406") == len(exceeded)
    for message in exceeded:
        assert message in said.err


def test_compile_refuses_what_exceeds_its_budget_before_tensorflow(run: Run, tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(f"{SMALL}budget: {{params: 2K}}\n", encoding="utf-8")
    for words in (
        ("compile", "small.yaml", "-o", "small.keras"),
        ("train", "small.yaml", "--data", "digits", "-o", "small.keras"),
        ("export", "small.yaml", "-o", "small.py"),
        ("export", "small.yaml", "-o", "small.tflite", "--no-verify"),
    ):
        said = run(*words)
        assert said.code == 1
        assert "small.yaml:4:18: GB406 params is 2,146, budget 2,000" in said.err
        assert "Importing TensorFlow" not in said.err
        assert [path.name for path in tmp_path.iterdir()] == ["small.yaml"]
    assert run("export", "small.yaml", "-o", "small.svg").code == 0


def test_what_exceeds_its_budget_is_shown_and_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(f"{SMALL}budget: {{params: 2K}}\n", encoding="utf-8")
    for command in ("show", "analyze"):
        said = run(command, "small.yaml")
        assert said.code == 0
        assert "hidden" in said.out
        assert "GB406" in said.err
