"""`graphbuilder explain`: what it prints for people and for machines, and what it says to names that mean nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from graphbuilder.api import check
from tests.cli.conftest import Run

VQA = """\
blueprint: 1
inputs:
  image: {shape: [62, 62, 3], modality: image, about: a photo}
  text: {shape: [64], dtype: int32, modality: text}
nodes:
  seen: {layer: Conv2D, from: image, filters: 64, kernel_size: 3, activation: relu}
  read: {layer: Embedding, from: text, input_dim: 1000, output_dim: 128}
  merged: {fuse: add, from: [seen, read], about: both together}
  answer: {layer: Dense, units: 1, activation: sigmoid}
"""

LAYER = """\
seen: Conv2D, a layer

Slides kernels over an image (batch, height, width, channels).

written     vqa.yaml:6:3
given       image (batch, 62, 62, 3), an input
gives       (batch, 60, 60, 64), from image
read by     merged.seen.pool
parameters  1,792, all trainable
            kernel (3, 3, 3, 64): 1,728
            bias (64,): 64
MACs        6.22 M
arguments   kernel_size: [3, 3]  (height and width of a kernel)
            filters: 64  (how many kernels; the channels of the output)
            activation: relu  (applied to the result)
defaults    strides: [1, 1], dilation_rate: [1, 1], padding: valid, data_format:
            null, use_bias: true, bias_initializer: zeros, bias_regularizer:
            null, activity_regularizer: null, bias_constraint: null, groups: 1,
            kernel_initializer: glorot_uniform, kernel_regularizer: null,
            kernel_constraint: null, trainable: true, dtype: null
"""

FUSION = """\
merged: add, a fusion

both together

The sum of the branches, as in residual connections.
y = Σᵢ xᵢ. A sample that lacks a branch has the sum of its others.
Source: He et al. 2015, https://arxiv.org/abs/1512.03385

written     vqa.yaml:8:3
gives       (batch, 128), from image and text
read by     answer
parameters  8,320, all trainable
MACs        8.19 K
defaults    align: auto, modality_dropout: 0.0
came from   image (batch, 62, 62, 3) → seen (batch, 60, 60, 64)
            text (batch, 64) int32 → read (batch, 64, 128)

seen, from image
  (batch, 60, 60, 64) becomes (batch, 128)
  pool is merged.seen.pool, GlobalAveragePooling2D
    does   the average over all positions, masked ones left out
    why    the branches have no positions in common: its 60 × 60 positions are
           averaged
    gives  (batch, 64); 230,400 numbers become 64
    costs  no parameters, no MACs
"""


@pytest.fixture
def vqa(run: Run) -> Run:
    """A folder with `vqa.yaml` in it."""
    Path("vqa.yaml").write_text(VQA)
    return run


def test_a_layer_is_explained_so(vqa: Run) -> None:
    said = vqa("explain", "vqa.yaml", "seen")
    assert (said.code, said.out, said.err) == (0, LAYER, "")


def test_a_fusion_is_explained_so(vqa: Run) -> None:
    said = vqa("explain", "vqa.yaml", "merged")
    assert said.code == 0
    assert said.out.startswith(FUSION)
    assert "    align: {seen: [max_pool, {project: 128}], read: pool}\n" in said.out
    assert "      branch (batch, 128), merged (batch, 128); at the same cost\n" in said.out
    assert "what add itself adds\n  merged, Add: no parameters, no MACs\n" in said.out
    assert said.out.endswith("  graphbuilder merge vqa.yaml seen read --list\n")


def test_an_adapter_says_why_it_is_there(vqa: Run) -> None:
    said = vqa("explain", "vqa.yaml", "merged.seen.pool")
    assert "inside      merged\n" in said.out
    assert "why         the branches have no positions in common" in said.out


def test_an_input_is_explained(vqa: Run) -> None:
    said = vqa("explain", "vqa.yaml", "image")
    assert said.out.startswith("image: an input\n\na photo\n")
    assert "gives       (batch, 62, 62, 3), from image\n" in said.out
    assert "read by     seen\n" in said.out


@pytest.mark.parametrize("name", ["cnn", "resnet50", "rnn", "transformer", "visual_question_answering", "siamese"])
def test_no_line_is_longer_than_80_but_those_to_copy(run: Run, blueprints: Path, name: str) -> None:
    path = blueprints / f"{name}.yaml"
    graph = check(path).graph
    assert graph is not None
    for node in [*graph.inputs, *list(graph.calls)[::9], *graph.fusions, *{name.split(".")[0] for name in graph.calls}]:
        said = run("explain", path, node)
        assert said.code == 0
        for line in said.out.splitlines():
            copied = line.lstrip().startswith(("align: ", "graphbuilder merge ", "used at ", "written "))
            assert len(line) <= 80 or copied, line


def test_a_name_that_means_nothing(vqa: Run) -> None:
    said = vqa("explain", "vqa.yaml", "mergd")
    assert (said.code, said.out) == (2, "")
    assert said.err == "vqa.yaml: GB301 there is no node or input mergd\n  hint: did you mean merged?\n"
    data = json.loads(vqa("explain", "vqa.yaml", "mergd", "--format", "json").out)
    assert (data["ok"], data["diagnostics"][0]["code"]) == (False, "GB301")


def test_a_wrong_blueprint_is_told_as_show_does(run: Run) -> None:
    Path("wrong.yaml").write_text(VQA.replace("fuse: add", "fuse: add, align: none"))
    said, shown = run("explain", "wrong.yaml", "merged"), run("show", "wrong.yaml")
    assert (said.code, said.err, said.out) == (1, shown.err, "")
    assert "GB304" in said.err


def test_params_can_be_set(run: Run, blueprints: Path) -> None:
    said = run("explain", blueprints / "resnet50.yaml", "scores", "--set", "classes=10")
    assert "gives       (batch, 10), from image\n" in said.out
    assert "an output of the model" in said.out


def test_the_warnings_about_it_go_to_stderr(run: Run) -> None:
    text = VQA.replace("modality: image", "modality: audio").replace(
        "[seen, read],", "[seen, read], align: {seen: pool},"
    )
    Path("heard.yaml").write_text(text)
    assert "GB311" in run("explain", "heard.yaml", "merged").err
    assert run("explain", "heard.yaml", "read").err == ""


def test_the_json_is_complete(vqa: Run) -> None:
    data = json.loads(vqa("explain", "vqa.yaml", "merged", "--format", "json").out)
    assert data["ok"] is True
    assert (data["node"], data["kind"], data["about"]) == ("fusion", "add", "both together")
    assert data["place"] == {"file": "vqa.yaml", "line": 8, "column": 3}
    assert data["outputs"] == [
        {
            "name": "merged",
            "shape": ["batch", 128],
            "dtype": "float32",
            "masked": False,
            "modalities": ["image", "text"],
        }
    ]
    assert [weight["size"] for weight in data["weights"]] == [8192, 128]
    assert [call["name"] for call in data["calls"]] == [
        "merged.seen.pool", "merged.seen.project", "merged.read.pool", "merged"]  # fmt: skip
    assert [[link["name"] for link in chain] for chain in data["chains"]] == [["image", "seen"], ["text", "read"]]
    seen = data["fusion"]["branches"][0]
    assert seen["arrives"] == {"shape": ["batch", 60, 60, 64], "dtype": "float32"}
    assert seen["adapters"][0]["elements"] == [230400, 64]
    other = seen["alternatives"][0]
    assert other == {
        "written": "align: {seen: pool}",
        "adapters": ["pool"],
        "does": "the average over all positions, masked ones left out",
        "branch": {"shape": ["batch", 64], "dtype": "float32"},
        "merged": {"shape": ["batch", 64], "dtype": "float32"},
        "parameters": -128,
        "macs": -64,
        "others": {"read": {"shape": ["batch", 64], "dtype": "float32"}},
    }


def test_a_block_shows_what_lies_inside(run: Run, blueprints: Path) -> None:
    said = run("explain", blueprints / "transformer.yaml", "encoder")
    assert said.out.startswith("encoder: std.transformer_encoder, a block\n")
    assert "  layers.1  10 nodes " in said.out
    inner = run("explain", blueprints / "transformer.yaml", "encoder.layers.0.attention")
    assert "written     <std.transformer_encoder_layer>:" in inner.out
    assert "used at " in inner.out
