"""`graphbuilder show`: the table, the drawing, the totals, and the same as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from graphbuilder.cli.show_text import amount, size_text
from tests.cli.conftest import Run

CNN = """\
cnn: Classifies 64×64 colour images into ten classes.

   node    kind          output               parameters    MACs  from
○  image   input         (batch, 64, 64, 3)
●  conv    Conv2D        (batch, 62, 62, 32)         896  3.32 M
●  pool    MaxPooling2D  (batch, 31, 31, 32)           0       0
●  flat    Flatten       (batch, 30752)                0       0
●  hidden  Dense         (batch, 64)           1,968,192  1.97 M
◆  scores  Dense         (batch, 10)                 650     640

parameters  1,969,738: 1,969,738 trainable, 0 non-trainable
size        7.51 MiB of float32
MACs        5,289,984 for one sample
memory      601 KiB of activations for one sample, while pool runs
input       image (batch, 64, 64, 3), image
output      scores (batch, 10)
"""

# Two branches that share a layer, a custom layer, an unknown axis, and a mask.
MIXED = """\
blueprint: 1
name: mixed
inputs:
  first: {shape: [steps], dtype: int32}
  second: {shape: [steps], dtype: int32}
nodes:
  looked_up: {layer: Embedding, from: first, input_dim: 100, output_dim: 8, mask_zero: true}
  again: {reuse: looked_up, from: second}
  merged: {layer: Concatenate, from: [looked_up, again]}
  strange: {layer: "mine.layers:Strange", gives: {shape: [8]}}
  answer: {layer: Dense, units: 2, trainable: false}
outputs: {answer: answer, merged: merged}
"""

FUSED = """\
blueprint: 1
inputs:
  image: {shape: [62, 62, 3], modality: image}
  text: {shape: [64], dtype: int32, modality: text}
nodes:
  seen: {layer: Conv2D, from: image, filters: 64, kernel_size: 3, activation: relu}
  read: {layer: Embedding, from: text, input_dim: 1000, output_dim: 128}
  merged: {fuse: add, from: [seen, read]}
  answer: {layer: Dense, units: 1}
"""


def test_cnn_is_shown_so(run: Run, blueprints: Path) -> None:
    said = run("show", blueprints / "cnn.yaml")
    assert (said.code, said.out, said.err) == (0, CNN, "")


@pytest.mark.parametrize("name", ["cnn", "resnet50", "rnn", "transformer"])
@pytest.mark.parametrize("words", [[], ["--depth", "0"], ["--depth", "1"], ["--no-drawing", "--depth", "0"]])
def test_no_line_is_longer_than_80(run: Run, blueprints: Path, name: str, words: list[str]) -> None:
    said = run("show", blueprints / f"{name}.yaml", *words)
    assert said.code == 0
    assert max(map(len, said.out.splitlines())) <= 80


def test_a_long_graph_is_folded_to_its_blocks(run: Run, blueprints: Path) -> None:
    said = run("show", blueprints / "resnet50.yaml")
    assert "●  conv2.first  12 nodes " in said.out
    assert "25,636,712: 25,583,592 trainable, 53,120 non-trainable" in said.out
    assert "--depth 0 shows every node" in said.out
    everything = run("show", blueprints / "resnet50.yaml", "--depth", "0")
    assert len(everything.out.splitlines()) > 175
    assert "├─●" in everything.out
    assert "●─╯" in everything.out


def test_what_is_frozen_and_pretrained_is_said(run: Run, blueprints: Path) -> None:
    said = run("show", blueprints / "transfer_learning.yaml")
    assert "parameters  2,264,389: 6,405 trainable, 2,257,984 non-trainable" in said.out
    assert "pretrained  backbone: imagenet" in said.out
    said = run("show", blueprints / "transfer_learning.yaml", "--set", "weights=null", "--set", "trainable=true")
    assert "2,264,389: 2,230,277 trainable" in said.out
    assert "pretrained" not in said.out


def test_what_is_shared_unknown_and_masked_is_said(run: Run) -> None:
    Path("mixed.yaml").write_text(MIXED)
    said = run("show", "mixed.yaml")
    assert said.code == 0
    rows = {line.split()[-1 if line.startswith("│") else 0]: line for line in said.out.splitlines() if line}
    assert "shared" in next(line for line in rows.values() if " again " in line)
    assert "parameters  at least 818: 800 trainable, 18 non-trainable; unknown: strange" in said.out
    assert "shared      again uses the weights of looked_up" in said.out
    assert "masked      looked_up, again, merged" in said.out
    assert "MACs        at least 16 for one sample; unknown: strange" in said.out


def test_the_json_is_complete(run: Run) -> None:
    Path("mixed.yaml").write_text(MIXED)
    said = run("show", "mixed.yaml", "--format", "json")
    data = json.loads(said.out)
    assert said.code == 0
    assert list(data) == [
        "ok",
        "name",
        "about",
        "params",
        "inputs",
        "nodes",
        "fusions",
        "pretrained",
        "outputs",
        "totals",
        "rows",
        "diagnostics",
    ]
    nodes = {node["name"]: node for node in data["nodes"]}
    assert nodes["looked_up"]["shared_by"] == ["again"]
    assert nodes["again"] == {
        "name": "again",
        "kind": "Embedding",
        "inputs": ["second"],
        "outputs": [{"name": "again", "shape": ["batch", "steps", 8], "dtype": "float32", "masked": True}],
        "layer": "looked_up",
        "shares": "looked_up",
        "shared_by": [],
        "parameters": 0,
        "trainable": 0,
        "non_trainable": 0,
        "macs": 0,
        "about": None,
        "output_bytes": None,
        "receptive_field": [],
    }
    assert nodes["strange"]["parameters"] is None
    assert data["outputs"][0] == {
        "name": "answer",
        "value": "answer",
        "shape": ["batch", 2],
        "dtype": "float32",
        "masked": False,
    }
    memory = data["totals"].pop("memory")
    assert (memory["peak"], memory["at"]) == (4 * 8 + 4 * 2, "answer")
    assert data["totals"] == {
        "parameters": 818,
        "trainable": 800,
        "non_trainable": 18,
        "unknown_weights": ["strange"],
        "size": {"float32": 3272},
        "macs": 16,
        "unknown_macs": ["strange"],
    }
    assert data["rows"] is None


def test_the_json_has_the_folded_rows_that_are_asked_for(run: Run, blueprints: Path) -> None:
    data = json.loads(run("show", blueprints / "resnet50.yaml", "--depth", "1", "--format", "json").out)
    rows = {row["name"]: row for row in data["rows"]}
    assert len(data["nodes"]) == 176
    assert rows["conv2"]["sources"] == ["pool1"]
    assert rows["conv2"]["shape"] == ["batch", 56, 56, 256]
    assert sum(row["parameters"] for row in data["rows"]) == 25_636_712
    assert sum(row["macs"] for row in data["rows"]) == data["totals"]["macs"]


def test_adapters_are_rows_and_a_fusion_folds_as_a_block(run: Run) -> None:
    Path("fused.yaml").write_text(FUSED)
    said = run("show", "fused.yaml")
    assert "● │  merged.seen.pool" in said.out
    assert "│ ●  merged.read.pool" in said.out
    assert "fusion      merged is add of seen (pool, {project: 128}), read (pool)" in said.out
    folded = run("show", "fused.yaml", "--depth", "1")
    assert "●─╯  merged  add, 4 nodes  (batch, 128)" in folded.out
    assert "merged.seen" not in folded.out.partition("\n\n")[2].partition("\n\n")[0]


def test_the_json_tells_what_fusions_became(run: Run) -> None:
    Path("fused.yaml").write_text(FUSED)
    (fusion,) = json.loads(run("show", "fused.yaml", "--format", "json").out)["fusions"]
    seen, read = fusion.pop("branches")
    assert fusion == {
        "name": "merged",
        "strategy": "add",
        "calls": ["merged.seen.pool", "merged.seen.project", "merged.read.pool", "merged"],
        "about": None,
    }
    assert (seen["name"], seen["shape"], seen["merged"]["shape"], seen["modalities"], seen["stated"]) == (
        "seen",
        ["batch", 60, 60, 64],
        ["batch", 128],
        ["image"],
        False,
    )
    assert seen["adapters"][1] == {
        "call": "merged.seen.project",
        "written": "{project: 128}",
        "reason": "add takes branches of one width, 128 as read has",
        "shape": ["batch", 128],
        "dtype": "float32",
    }
    assert [adapter["written"] for adapter in read["adapters"]] == ["pool"]


def test_a_wrong_blueprint_as_json(run: Run) -> None:
    Path("wrong.yaml").write_text("blueprint: 1\nnodes: {a: {layer: Dens}}\n")
    said = run("show", "wrong.yaml", "--format", "json")
    assert said.code == 1
    assert json.loads(said.out)["ok"] is False


def test_params_can_be_set(run: Run, blueprints: Path) -> None:
    said = run("show", blueprints / "resnet50.yaml", "--set", "classes=10")
    assert "(batch, 10)" in said.out


def test_warnings_go_to_stderr(run: Run) -> None:
    text = "blueprint: 1\ninputs: {x: {shape: [4]}, y: {shape: [4]}}\nnodes: {a: {layer: Dense, from: x, units: 2}}\n"
    Path("loose.yaml").write_text(text)
    said = run("show", "loose.yaml")
    assert said.code == 0
    assert "warning GB307" in said.err
    assert "GB307" not in said.out


def test_a_wide_terminal_is_used(run: Run, blueprints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphbuilder.cli.show_text.terminal_width", lambda: 200)
    said = run("show", blueprints / "transformer.yaml")
    assert "encoder.layers.0.feedforward_dropout" in said.out
    assert "…" not in said.out


def test_a_terminal_gets_bold_titles(run: Run, blueprints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphbuilder.cli.output.colour", lambda _: True)
    assert "\x1b[1m   node" in run("show", blueprints / "cnn.yaml").out


def test_rich_is_not_needed(run: Run, blueprints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich", None)
    assert run("show", blueprints / "cnn.yaml").code == 0


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.00 K"),
        (9_999, "10.0 K"),
        (99_960, "100 K"),
        (999_600, "1.00 M"),
        (10**18, "1000 P"),
    ],
)
def test_amounts(number: int, text: str) -> None:
    assert amount(number) == text


@pytest.mark.parametrize(
    ("size", "text"), [(12, "12 bytes"), (4096, "4.00 KiB"), (7_878_952, "7.51 MiB"), (2**40, "1.00 TiB")]
)
def test_sizes(size: int, text: str) -> None:
    assert size_text(size) == text
