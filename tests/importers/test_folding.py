"""Repeated structure becomes blocks, and what was folded means what it meant before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from graphbuilder.api import lower, parse
from graphbuilder.importers import import_file
from graphbuilder.importers.folding import Folded, folded
from graphbuilder.importers.written import blueprint_text
from graphbuilder.lowering.resolved_proof import first_difference
from graphbuilder.text import to_yaml

Nodes = dict[str, dict[str, Any]]


def data_of(nodes: Nodes, outputs: Any = None, **more: Any) -> dict[str, Any]:
    """A flat blueprint of nodes that take an image `x`, unless `inputs` are given."""
    inputs = more.pop("inputs", {"x": {"shape": [32, 32, 8]}})
    outputs = list(nodes)[-1] if outputs is None else outputs
    return {"blueprint": 1, "name": "model", "inputs": inputs, **more, "nodes": nodes, "outputs": outputs}


def fold(data: Mapping[str, Any]) -> tuple[Folded, dict[str, Any]]:
    """What became of a flat blueprint, and its data, after it was held against the flat one from the outside."""
    flat = lower(parse(to_yaml(data)))
    found = folded(data, flat)
    graph = lower(parse(found.text))
    assert sorted(map(found.path, flat.calls)) == sorted(graph.calls)
    for name, call in flat.calls.items():
        other = graph.calls[found.path(name)]
        assert (call.kind, [value.type for value in call.outputs]) == (other.kind, [v.type for v in other.outputs])
        assert [found.path(value.name) for value in call.inputs()] == [value.name for value in other.inputs()]
    written: dict[str, Any] = parse(found.text).source.data
    return found, written


def conv(source: Any, filters: int = 8, **arguments: Any) -> dict[str, Any]:
    """A convolution that keeps the size."""
    return {"layer": "Conv2D", "from": source, "filters": filters, "kernel_size": 3, "padding": "same", **arguments}


def norm(source: Any) -> dict[str, Any]:
    return {"layer": "BatchNormalization", "from": source}


def relu(source: Any) -> dict[str, Any]:
    return {"layer": "Activation", "from": source, "activation": "relu"}


def residual(name: str, source: str, filters: int, *, strides: int = 1, shortcut: bool = False) -> Nodes:
    """The nodes of a residual block."""
    stepped = {"strides": strides} if strides > 1 else {}
    nodes: Nodes = {
        f"{name}_1_conv": conv(source, filters, **stepped),
        f"{name}_1_bn": norm(f"{name}_1_conv"),
        f"{name}_1_act": relu(f"{name}_1_bn"),
        f"{name}_2_conv": conv(f"{name}_1_act", filters),
    }
    if shortcut:
        nodes[f"{name}_0_conv"] = {"layer": "Conv2D", "from": source, "filters": filters, "kernel_size": 1, **stepped}
    nodes[f"{name}_2_bn"] = norm(f"{name}_2_conv")
    nodes[f"{name}_add"] = {
        "layer": "Add",
        "from": [f"{name}_0_conv" if shortcut else source, f"{name}_2_bn"],
    }
    nodes[f"{name}_out"] = relu(f"{name}_add")
    return nodes


def tower() -> Nodes:
    """Three stages of residual blocks, the first of each with another shape."""
    nodes: Nodes = {"stem_conv": conv("x", 16)}
    source = "stem_conv"
    for stage, filters in enumerate((16, 32, 64), 1):
        for block in range(1, 4):
            name = f"conv{stage}_block{block}"
            first = block == 1
            nodes |= residual(name, source, filters, strides=2 if first else 1, shortcut=first)
            source = f"{name}_out"
    nodes["pooled"] = {"layer": "GlobalAveragePooling2D", "from": source}
    nodes["scores"] = {"layer": "Dense", "from": "pooled", "units": 10}
    return nodes


def test_a_residual_network_is_one_block_with_params() -> None:
    found, written = fold(data_of(tower()))
    assert written["blocks"]["block"]["params"] == {"filters": {"type": "int"}, "shortcut": False}
    assert written["blocks"]["block"]["nodes"] == {
        "conv_1": {
            "layer": "Conv2D",
            "filters": "$filters",
            "kernel_size": 3,
            "padding": "same",
            "strides": "$(2 if shortcut else 1)",
        },
        "bn_1": {"layer": "BatchNormalization"},
        "act_1": {"layer": "Activation", "activation": "relu"},
        "conv_2": {"layer": "Conv2D", "filters": "$filters", "kernel_size": 3, "padding": "same"},
        "conv_0": {
            "layer": "Conv2D",
            "from": "x",
            "when": "$shortcut",
            "filters": "$filters",
            "kernel_size": 1,
            "strides": 2,
        },
        "bn_2": {"layer": "BatchNormalization", "from": "conv_2"},
        "add": {"layer": "Add", "from": ["conv_0", "bn_2"]},
        "out": {"layer": "Activation", "activation": "relu"},
    }
    assert written["nodes"]["conv2_block1"] == {"block": "block", "filters": 32, "shortcut": True}
    assert written["nodes"]["conv2_blocks"] == {"block": "block", "filters": 32, "repeat": 2}
    assert list(written["nodes"])[-2:] == ["pooled", "scores"]
    assert found.path("conv2_block3_1_bn") == "conv2_blocks.1.bn_1"
    assert found.path("conv1_block1_0_conv") == "conv1_block1.conv_0"
    assert found.path("pooled") == "pooled"


def test_a_chain_needs_no_from_and_becomes_no_block() -> None:
    nodes = {"conv": conv("x"), "act": relu("conv"), "flat": {"layer": "Flatten", "from": "act"}}
    _, written = fold(data_of(nodes))
    assert "blocks" not in written
    assert not any("from" in node for node in written["nodes"].values())


def test_the_same_block_over_and_over_is_repeated() -> None:
    nodes: Nodes = {"conv": conv("x")}
    source = "conv"
    for number in range(6):
        nodes |= residual(f"layer_{number}", source, 8)
        source = f"layer_{number}_out"
    found, written = fold(data_of(nodes))
    assert written["nodes"]["layer"] == {"block": "layer", "repeat": 6}
    assert "params" not in written["blocks"]["layer"]
    # The copies bear the names that the nodes had.
    assert found.path("layer_4_add") == "layer.4.add"


def test_names_that_keras_made_up_are_not_kept() -> None:
    nodes: Nodes = {"stem": conv("x")}
    source = "stem"
    for number in range(8):
        tail = f"_{number}" if number else ""
        nodes[f"conv2d{tail}"] = conv(source, 8 * (number // 2 + 1), use_bias=False)
        nodes[f"batch_normalization{tail}"] = norm(f"conv2d{tail}")
        nodes[f"re_lu{tail}"] = {"layer": "ReLU", "from": f"batch_normalization{tail}"}
        source = f"re_lu{tail}"
    _, written = fold(data_of(nodes))
    ((name, block),) = written["blocks"].items()
    assert name == "conv_bn_re_lu"
    assert list(block["nodes"]) == ["conv", "bn", "re_lu"]
    assert [node.get("repeat") for node in written["nodes"].values()] == [None, 2, 2, 2, 2]


def test_a_block_may_take_the_same_second_input_everywhere() -> None:
    inputs = {"x": {"shape": ["steps", 16]}, "mask": {"shape": ["steps"], "dtype": "bool"}}
    nodes: Nodes = {"start": {"layer": "Dense", "from": "x", "units": 16}}
    source = "start"
    for number in range(5):
        name = f"layer{number}"
        attended = {"query": source, "value": source, "value_mask": "mask"}
        nodes |= {
            f"{name}_attention": {"layer": "MultiHeadAttention", "from": attended, "num_heads": 2, "key_dim": 8},
            f"{name}_sum": {"layer": "Add", "from": [source, f"{name}_attention"]},
            f"{name}_norm": {"layer": "LayerNormalization", "from": f"{name}_sum"},
            f"{name}_dense": {"layer": "Dense", "from": f"{name}_norm", "units": 16, "activation": "gelu"},
        }
        source = f"{name}_dense"
    _, written = fold(data_of(nodes, inputs=inputs))
    assert written["blocks"]["layer"]["inputs"] == ["x", "mask"]
    assert written["nodes"]["layer0_to_4"] == {"block": "layer", "from": ["start", "mask"], "repeat": 5}


def test_what_leaves_the_middle_of_a_block_is_named_by_its_path() -> None:
    nodes = tower()
    outputs = {"early": "conv1_block2_1_act", "between": "conv2_block2_out", "last": "scores"}
    _, written = fold(data_of(nodes, outputs))
    assert written["outputs"] == {
        "early": "conv1_blocks.0.act_1",
        "between": "conv2_block2",
        "last": "scores",
    }


def test_layers_are_shared_within_a_block_and_from_outside() -> None:
    nodes: Nodes = {"first": {"layer": "Dense", "from": "x", "units": 8}}
    source = "first"
    for number in range(4):
        name = f"unit{number}"
        nodes |= {
            f"{name}_dense": {"layer": "Dense", "from": source, "units": 8},
            f"{name}_act": relu(f"{name}_dense"),
            f"{name}_again": {"reuse": f"{name}_dense", "from": f"{name}_act"},
            f"{name}_norm": {"layer": "LayerNormalization", "from": f"{name}_again"},
        }
        source = f"{name}_norm"
    nodes["last"] = {"reuse": "unit2_dense", "from": source}
    found, written = fold(data_of(nodes, inputs={"x": {"shape": [8]}}))
    assert written["blocks"]["unit"]["nodes"]["again"] == {"reuse": "dense"}
    assert written["nodes"]["last"] == {"reuse": found.path("unit2_dense")}
    assert found.path("unit2_dense") == "unit0_to_3.2.dense"


def test_a_value_that_grows_from_copy_to_copy_is_counted() -> None:
    nodes: Nodes = {"stem": conv("x")}
    source = "stem"
    for number in range(1, 9):
        name = f"block{number}"
        nodes |= {
            f"{name}_conv": conv(source, 8),
            f"{name}_drop": {"layer": "Dropout", "from": f"{name}_conv", "rate": 0.2 * number / 9},
            f"{name}_add": {"layer": "Add", "from": [source, f"{name}_drop"]},
            f"{name}_out": relu(f"{name}_add"),
        }
        source = f"{name}_out"
    _, written = fold(data_of(nodes))
    assert written["blocks"]["block"]["nodes"]["drop"]["rate"] == "$(0.2 * (number + index) / 9)"
    assert written["nodes"]["block1_to_8"] == {"block": "block", "repeat": 8, "number": 1}


def test_a_sum_that_names_the_connection_first_can_be_left_out() -> None:
    nodes: Nodes = {"stem": conv("x", 16)}
    source = "stem"
    for number in range(1, 10):
        name = f"block_{number}"
        nodes |= {
            f"{name}_expand": conv(source, 64 + 16 * (number // 3), use_bias=False),
            f"{name}_expand_bn": norm(f"{name}_expand"),
            f"{name}_depthwise": {
                "layer": "DepthwiseConv2D",
                "from": f"{name}_expand_bn",
                "kernel_size": 3,
                "padding": "same",
            },
            f"{name}_depthwise_bn": norm(f"{name}_depthwise"),
            f"{name}_act": relu(f"{name}_depthwise_bn"),
            f"{name}_project": conv(f"{name}_act", 16),
        }
        if number % 3:
            nodes[f"{name}_add"] = {"layer": "Add", "from": [source, f"{name}_project"]}
        source = list(nodes)[-1]
    found, written = fold(data_of(nodes))
    assert written["blocks"]["residual"] == {
        "inputs": ["x", "shortcut"],
        "nodes": {"add": {"layer": "Add", "from": ["shortcut", "x"]}},
    }
    added = written["blocks"]["block"]["nodes"]["add"]
    assert added == {"block": "residual", "from": ["project", "x"], "when": "$residual"}
    assert found.path("block_4_add").endswith(".add.add")


def test_what_many_nodes_of_a_block_say_at_length_is_said_once() -> None:
    scaled = {"variance_scaling": {"scale": 2.0, "mode": "fan_out"}}
    nodes: Nodes = {}
    source = "x"
    for number in range(4):
        for part in ("wide", "deep", "last"):
            name = f"block{number}_{part}"
            nodes[name] = conv(source, 8 * (number + 1), kernel_initializer=scaled)
            source = name
        nodes[f"block{number}_norm"] = norm(source)
        source = f"block{number}_norm"
    _, written = fold(data_of(nodes))
    block = written["blocks"]["block"]
    assert block["params"]["kernel_initializer"] == {"default": scaled}
    assert [node.get("kernel_initializer") for node in block["nodes"].values()] == [*["$kernel_initializer"] * 3, None]


def test_chains_are_found_where_their_nodes_do_not_stand_together() -> None:
    nodes: Nodes = {}
    source = "x"
    for number in range(3):
        left, right = f"left{number}", f"right{number}"
        nodes |= {
            f"{left}_conv": conv(source, 8 + number, use_bias=False),
            f"{right}_conv": conv(source, 16 + 3 * number, use_bias=False),
            f"{left}_bn": norm(f"{left}_conv"),
            f"{right}_bn": norm(f"{right}_conv"),
            f"{left}_act": relu(f"{left}_bn"),
            f"{right}_act": relu(f"{right}_bn"),
            f"join{number}": {"layer": "Concatenate", "from": [f"{left}_act", f"{right}_act"]},
            f"pool{number}": conv(f"join{number}", kernel_size=number + 1),
        }
        source = f"pool{number}"
    _, written = fold(data_of(nodes))
    (block,) = written["blocks"].values()
    assert [node["layer"] for node in block["nodes"].values()] == ["Conv2D", "BatchNormalization", "Activation"]
    assert [key for key, node in written["nodes"].items() if "block" in node] == [
        "left0", "right0", "left1", "right1", "left2", "right2",
    ]  # fmt: skip


def test_arguments_with_dollar_signs_stay_as_they_are() -> None:
    nodes: Nodes = {"start": {"layer": "Dense", "from": "x", "units": 4}}
    source = "start"
    for number in range(5):
        places = {"layer": "tests.support.custom_layers:Scale", "args": {"text": "$$5", "factor": number // 2}}
        nodes |= {
            f"step{number}_scale": {**places, "from": source, "gives": {"shape": [4]}},
            f"step{number}_dense": {"layer": "Dense", "from": f"step{number}_scale", "units": 4},
            f"step{number}_act": relu(f"step{number}_dense"),
        }
        source = f"step{number}_act"
    found, _ = fold(data_of(nodes, inputs={"x": {"shape": [4]}}))
    scales = [call.target for call in lower(parse(found.text)).calls.values() if ":" in call.kind]
    assert [each.entry.arguments for each in scales] == [{"text": "$5", "factor": n // 2} for n in range(5)]  # type: ignore[union-attr]


def test_losses_keep_the_names_of_their_outputs() -> None:
    nodes: Nodes = {}
    source = "x"
    for number in range(6):
        nodes |= {
            f"layer{number}_dense": {"layer": "Dense", "from": source, "units": 8},
            f"layer{number}_norm": {"layer": "LayerNormalization", "from": f"layer{number}_dense"},
            f"layer{number}_act": relu(f"layer{number}_norm"),
        }
        source = f"layer{number}_act"
    training = {"loss": {"layer2_act": "mse", "layer5_act": "mse"}}
    data = data_of(nodes, ["layer2_act", "layer5_act"], inputs={"x": {"shape": [8]}}, training=training)
    found, written = fold(data)
    assert written["training"] == training
    assert first_difference(lower(parse(to_yaml(data))), lower(parse(found.text))) is None


def test_it_stays_flat_where_folding_means_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphbuilder.importers.folding._without_from", lambda nodes, inputs: {
        name: {key: value for key, value in node.items() if key != "from"} for name, node in nodes.items()
    })  # fmt: skip
    data = data_of(tower())
    found, written = fold(data)
    assert found.text == blueprint_text(data)
    assert written["nodes"] == data["nodes"]


def saved(folder: Path) -> Path:
    """A file of a model with blocks that repeat, as Keras 3 writes its configuration."""

    def tensor(name: str) -> dict[str, Any]:
        return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}}

    def layer(kind: str, name: str, config: Mapping[str, Any], source: str | None) -> dict[str, Any]:
        nodes = [] if source is None else [{"args": [tensor(source)], "kwargs": {}}]
        return {
            "class_name": kind, "module": "keras.layers", "name": name, "config": config, "inbound_nodes": nodes,
        }  # fmt: skip

    def chain() -> Iterator[dict[str, Any]]:
        yield layer("InputLayer", "x", {"batch_shape": [None, 8]}, None)
        source = "x"
        for number in range(5):
            yield layer("Dense", f"layer{number}_dense", {"units": 8}, source)
            yield layer("LayerNormalization", f"layer{number}_norm", {}, f"layer{number}_dense")
            yield layer("Activation", f"layer{number}_act", {"activation": "relu"}, f"layer{number}_norm")
            source = f"layer{number}_act"

    config = {
        "name": "small",
        "layers": list(chain()),
        "input_layers": [["x", 0, 0]],
        "output_layers": [["layer4_act", 0, 0]],
    }
    path = folder / "small.json"
    path.write_text(json.dumps({"class_name": "Functional", "module": "keras.src.models.functional", "config": config}))
    return path


def test_an_import_is_folded_unless_it_is_to_be_flat(tmp_path: Path) -> None:
    path = saved(tmp_path)
    short, flat = import_file(path), import_file(path, flat=True)
    assert "layer0_to_4: {block: layer, repeat: 5}" in short.text
    assert short.names["layer3_norm"] == "layer0_to_4.3.norm"
    assert "block" not in flat.text
    assert flat.names["layer3_norm"] == "layer3_norm"


def test_the_command_writes_the_same_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    path = saved(tmp_path)
    texts = set()
    command = [sys.executable, "-m", "graphbuilder", "import", str(path)]
    for seed in ("0", "1", "77"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        texts.add(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
        assert b"repeat: 5" in next(iter(texts))
    assert len(texts) == 1
    flat = subprocess.run([*command, "--flat"], capture_output=True, check=True, text=True).stdout
    assert flat == import_file(path, flat=True).text
