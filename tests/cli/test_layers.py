"""`graphbuilder layers`: lists, pages, and examples that can be pasted."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from graphbuilder.api import check, parse
from graphbuilder.cli.example_blueprint import block_example, examples_of
from graphbuilder.cli.shelves import TABLES, block_item, block_names, items
from tests.cli.conftest import Run


def examples() -> Iterator[tuple[str, str]]:
    for key, table in TABLES.items():
        for name in table.names():
            entry = table.get(name)
            assert entry is not None
            for number, text in enumerate(examples_of(key, entry)):
                yield f"{key} {name} {number}", text


@pytest.mark.parametrize(("name", "text"), [pytest.param(*pair, id=pair[0]) for pair in examples()])
def test_every_example_is_a_valid_blueprint(name: str, text: str) -> None:
    checked = check(parse(text))
    assert checked.ok, f"{name}\n{text}\n" + "\n".join(map(str, checked.errors))


def test_everything_in_the_catalog_has_an_example() -> None:
    shown = {name.rpartition(" ")[0] for name, _ in examples()}
    missing = {f"{key} {name}" for key, table in TABLES.items() for name in table.names()} - shown
    assert not missing


@pytest.mark.parametrize("name", block_names())
def test_a_block_s_example_is_a_legal_node(name: str) -> None:
    assert parse(f"blueprint: 1\n{block_example(block_item(name))}").blueprint.nodes


def test_the_list_has_every_layer_with_a_line(run: Run) -> None:
    said = run("layers")
    assert said.code == 0
    lines = said.out.splitlines()
    assert max(map(len, lines[:-1])) <= 80
    for item in items("layer"):
        assert any(line.startswith(f"  {item.name} ") for line in lines), item.name
        assert item.headline
    assert "convolution" in lines


@pytest.mark.parametrize(
    "kind", ["ops", "fusions", "blocks", "activations", "initializers", "regularizers", "constraints"]
)
def test_the_other_lists(run: Run, kind: str) -> None:
    said = run("layers", f"--{kind}")
    assert said.code == 0
    data = json.loads(run("layers", f"--{kind}", "--format", "json").out)
    assert list(data) == [kind]
    for each in data[kind]:
        assert f"  {each['name']}" in said.out


def test_one_family_and_several_lists(run: Run) -> None:
    said = run("layers", "--family", "pooling")
    assert "MaxPooling2D" in said.out
    assert "Dense  " not in said.out
    assert list(json.loads(run("layers", "--ops", "--blocks", "--format", "json").out)) == ["ops", "blocks"]


def test_a_page_on_a_layer(run: Run) -> None:
    said = run("layers", "Conv2D")
    assert said.code == 0
    for line in [
        "Conv2D  layer, convolution",
        "Slides kernels over an image (batch, height, width, channels).",
        "  filters: integer of at least 1; required",
        "      how many kernels; the channels of the output",
        "  padding: valid or same; default valid",
        "  kernel_initializer: initializer; default glorot_uniform",
        "  strides: integer of at least 1 or list of 2; default [1, 1]",
        "  inputs: a tensor",
        "    conv2d: {layer: Conv2D, filters: 32, kernel_size: 3, padding: same, activation: relu}",
    ]:
        assert line in said.out.splitlines(), line


def test_a_page_tells_ports_calls_and_what_tf_keras_lacks(run: Run) -> None:
    said = run("layers", "MultiHeadAttention")
    assert "  key: a tensor, may be left out" in said.out
    assert "  use_causal_mask: true or false; default false" in said.out
    assert "tf_keras, the Keras 2 twin\n  lacks " in said.out


def test_a_wrapper_wraps(run: Run) -> None:
    said = run("layers", "Bidirectional")
    assert "  wraps: layer; required" in said.out
    assert "wraps: {layer: LSTM, units: 64}" in said.out


def test_one_name_may_be_several_things(run: Run) -> None:
    data = json.loads(run("layers", "add", "--format", "json").out)
    assert [entry["kind"] for entry in data["entries"]] == ["op", "fusion"]
    assert list(data["entries"][0]) == [
        "kind",
        "name",
        "family",
        "about",
        "arguments",
        "inputs",
        "call",
        "taps",
        "masking",
        "tf_keras",
        "examples",
    ]


@pytest.mark.parametrize("name", ["std.residual_basic", "residual_basic"])
def test_a_page_on_a_block(run: Run, name: str) -> None:
    said = run("layers", name)
    assert said.code == 0
    assert "  filters: integer of at least 1; required" in said.out
    assert "residual_basic: {block: std.residual_basic, filters: 64}" in said.out


@pytest.mark.parametrize("key", [*TABLES, "block"])
def test_every_page_can_be_printed(run: Run, key: str) -> None:
    for item in items(key):
        said = run("layers", item.name)
        assert said.code == 0, said.err
        assert item.name in said.out


def test_what_keras_has_and_blueprints_cannot_use(run: Run) -> None:
    found = {each["name"]: each for each in json.loads(run("layers", "--missing", "--format", "json").out)["missing"]}
    assert found["Lambda"]["reason"] == "it holds code, and opening a blueprint runs none"
    assert found["Lambda"]["instead"] == "use `op:` nodes, or a custom layer with --trust"
    assert [name for name, each in found.items() if each["reason"] is None] == []
    assert not found.keys() & {item.name for item in items("layer")}
    said = run("layers", "--missing").out
    assert f"{len(found)} layers of Keras cannot be used" in said
    assert all(f"\n{name}\n" in f"\n{said}" for name in found)
