"""`zoo.` names: what finds them, what is said of wrong ones, and what hides them."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphbuilder.api import check, load
from graphbuilder.blueprint import parse_blueprint
from graphbuilder.blueprint.loading import load_shipped
from graphbuilder.blueprint.shipped import block_about, blocks_in, blueprint_path, zoo_names
from graphbuilder.editing.commands.blocks import InlineBlock
from graphbuilder.editing.kinds import kind_of
from graphbuilder.editing.session import Session
from graphbuilder.errors import BlueprintError
from tests.cli.conftest import Run, run

__all__ = ["run"]

HEAD = "blueprint: 1\ninputs:\n  x: {shape: [64, 64, 3]}\nnodes:\n"


def said_of(node: str, outputs: str = "a") -> str:
    """What is wrong with a blueprint of one node."""
    try:
        checked = check(parse_blueprint(f"{HEAD}  a: {{{node}}}\noutputs: {outputs}\n"))
    except BlueprintError as error:
        return str(error)
    return "\n".join(str(each) for each in checked.diagnostics)


@pytest.mark.parametrize(
    ("node", "outputs", "expected"),
    [
        (
            "block: zoo.mobilenetv2, from: x",
            "a",
            "<blueprint>:5:14: GB205 a: zoo.mobilenetv2 is not a block\n  hint: did you mean zoo.mobilenet_v2?",
        ),
        (
            "block: zoo.lion, from: x",
            "a",
            "<blueprint>:5:14: GB205 a: zoo.lion is not a block\n  hint: `graphbuilder layers --blocks` lists them",
        ),
        (
            "block: zoo.mobilenet_v2, from: x, include_tops: false",
            "a",
            "<blueprint>:5:41: GB201 a: zoo.mobilenet_v2 has no param include_tops\n  hint: did you mean include_top?",
        ),
        (
            "block: zoo.vgg16, from: x, include_top: false, pooling: mean",
            "a",
            "<blueprint>:5:63: GB203 a: pooling is 'mean'; expected one of 'avg', 'max'\n  hint: one of: avg, max",
        ),
        (
            "block: zoo.mobilenet_v2, from: x, include_top: false",
            "a.block_6_expan",
            "<blueprint>:6:10: GB301 a has no block_6_expan\n  hint: did you mean a.block_6_expand?",
        ),
    ],
)
def test_a_wrong_name_is_told_with_the_near_one(node: str, outputs: str, expected: str) -> None:
    assert said_of(node, outputs) == expected


def test_a_fault_inside_stands_at_the_node_that_uses_the_model() -> None:
    said = said_of("block: zoo.inception_v3, from: x, include_top: false")
    assert said.splitlines()[0].startswith("<blueprint>:5:3: GB304 a.mixed8.")
    assert "  <zoo.inception_v3>:" in said


def test_an_import_of_that_name_hides_the_zoo(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "blueprint: 1\nblocks:\n  part: {inputs: [x], nodes: {d: {layer: Dense, units: 3}}}\n"
    )
    text = HEAD.replace("inputs:", "imports: {zoo: ./mine.yaml}\ninputs:", 1)
    (tmp_path / "a.yaml").write_text(f"{text}  a: {{block: zoo.part, from: x}}\n")
    graph = check(tmp_path / "a.yaml").graph
    assert graph is not None
    assert list(graph.calls) == ["a.d"]
    (tmp_path / "b.yaml").write_text(f"{text}  a: {{block: zoo.vgg16, from: x}}\n")
    checked = check(tmp_path / "b.yaml")
    assert [each.code for each in checked.diagnostics] == ["GB205"]


def test_what_is_said_of_a_block_in_lists_is_what_its_file_says() -> None:
    for space in ("std", "zoo"):
        for name in blocks_in(space):
            place = load_shipped(f"{space}.{name}")
            assert place is not None
            assert block_about(f"{space}.{name}") == " ".join((place.definition.about or "").split()) != ""
    assert load_shipped("zoo.lion") is load_shipped("circus.lion") is None
    assert block_about("zoo.lion") == ""


def test_the_editor_knows_ports_and_params() -> None:
    kind = kind_of(parse_blueprint("blueprint: 1\n"), "block", "zoo.resnet50")
    assert [port.name for port in kind.ports or ()] == ["image"]
    assert "include_top" in kind.params


@pytest.mark.parametrize("name", ["mobilenet_v2", "resnet50", "mobilenet_v3_small", "nasnet_mobile"])
def test_a_model_of_the_zoo_is_put_in_the_place_of_its_node(name: str) -> None:
    text = f"{HEAD}  a: {{block: zoo.{name}, from: x, include_top: false}}\n  last: {{layer: GlobalMaxPooling2D}}\n"
    session = Session(text)
    session.run(InlineBlock("a"))
    before, after = check(parse_blueprint(text)), check(session.document())
    assert not after.diagnostics
    assert before.graph is not None
    assert after.graph is not None
    assert f"zoo.{name}," not in session.text
    assert after.graph.parameters == before.graph.parameters
    assert len(after.graph.calls) == len(before.graph.calls)


def test_a_model_of_the_zoo_is_copied_and_described(run: Run) -> None:
    said = run("new", "zoo.mobilenet_v2")
    shipped = blueprint_path("zoo.mobilenet_v2")
    assert said.code == 0
    assert shipped is not None
    assert Path("mobilenet_v2.yaml").read_bytes() == shipped.read_bytes()
    assert run("validate", "mobilenet_v2.yaml", "--strict").code == 0
    page = run("layers", "zoo.mobilenet_v2").out
    assert "pooling: avg, max or null; default null" in page
    assert "image: a tensor" in page
    assert "stride_2, stride_4, stride_8, stride_16, stride_32" in page
    assert all(name in run("new").out for name in zoo_names())
    assert all(f" {name} " in run("layers", "--blocks").out for name in ("zoo.vgg16", "zoo.resnet_stage", "std.mlp"))
    assert run("new", "mobilenetv2").err == (
        "graphbuilder: GB603 mobilenetv2 is not a shipped blueprint\n  hint: did you mean zoo.mobilenet_v2?\n"
    )


@pytest.mark.parametrize("name", ["zoo.resnet50", "cnn"])
def test_a_shipped_name_in_the_place_of_a_file_is_told_how_to_get_one(run: Run, name: str) -> None:
    said = run("show", name)
    assert said.code == 1
    hint = f"`graphbuilder new {name}` copies the shipped blueprint of that name"
    assert said.err == f"{name}: GB101 there is no such file\n  hint: {hint}\n"


def test_a_model_of_the_zoo_is_resolved_to_a_flat_file(run: Run, tmp_path: Path) -> None:
    text = f"{HEAD}  a: {{block: zoo.mobilenet_v2, from: x, include_top: false, alpha: 0.35}}\n"
    (tmp_path / "a.yaml").write_text(text)
    assert run("resolve", "a.yaml", "-o", "flat.yaml").code == 0
    flat, graph = check("flat.yaml").graph, check("a.yaml").graph
    assert flat is not None
    assert graph is not None
    assert not load("flat.yaml").blueprint.blocks
    assert (flat.parameters, len(flat.calls)) == (graph.parameters, len(graph.calls))
