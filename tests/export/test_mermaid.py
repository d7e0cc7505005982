"""Flowcharts say what the graph says, and no name in them can be taken for anything else."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from graphbuilder.api import lower, parse
from graphbuilder.blueprint import load
from graphbuilder.export import mermaid
from graphbuilder.graph import Graph, Value, flatten

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "blueprints").glob("*.yaml"))

_BOX = re.compile(r'(n\d+)(?:\(\[|\[\[|\{\{|\[|\()"([^"]*)"(?:\]\)|\]\]|\}\}|\]|\))')
_EDGE = re.compile(r'(n\d+) -->(?:\|"([^"]*)"\|)? (n\d+)')
_FRAME = re.compile(r'subgraph f\d+ \["([^"]*)"\]')


class Read:
    """A flowchart read again, by the rules of Mermaid's grammar that it may use."""

    def __init__(self, text: str) -> None:
        self.boxes: dict[str, str] = {}
        self.frames: dict[str, tuple[str, ...]] = {}
        self.edges: list[tuple[str, str, str]] = []
        opened: list[str] = []
        head, *lines = text.splitlines()
        assert head == "flowchart TD"
        for line in lines:
            item = line.strip()
            if found := _BOX.fullmatch(item):
                assert found[1] not in self.boxes
                self.boxes[found[1]] = found[2]
                self.frames[found[1]] = tuple(opened)
            elif found := _FRAME.fullmatch(item):
                opened.append(found[1])
            elif found := _EDGE.fullmatch(item):
                assert {found[1], found[3]} <= self.boxes.keys()
                self.edges.append((found[1], found[2] or "", found[3]))
            else:
                assert item == "end", line
                opened.pop()
        assert not opened

    def path(self, box: str) -> str:
        name = self.boxes[box].split("<br/>")[0]
        return f"{self.frames[box][-1]}.{name}" if self.frames[box] else name


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_call_is_a_box_and_every_use_an_edge(path: Path) -> None:
    graph = lower(path)
    read = Read(mermaid(graph))
    outputs = [leaf for leaf in flatten(graph.outputs) if isinstance(leaf, Value)]
    assert len(read.boxes) == len(graph.inputs) + len(graph.calls) + len(outputs)
    giver = {value.name: name for name, call in graph.calls.items() for value in call.outputs}
    uses = {(giver.get(value.name, value.name), name) for name, call in graph.calls.items() for value in call.inputs()}
    fused = {f"{name}.{name.rpartition('.')[2]}": name for name in graph.fusions}

    def found(box: str) -> str:
        name = read.path(box)
        return fused.get(name, name) if name not in graph.calls else name

    drawn = {(found(source), found(target)) for source, _, target in read.edges}
    assert {edge for edge in drawn if edge[1] != "output"} == uses
    assert len(read.boxes) == len(set(read.boxes))


def test_folded_to_a_depth_blocks_are_one_box() -> None:
    graph = lower(ROOT / "blueprints" / "resnet50.yaml")
    read = Read(mermaid(graph, 1))
    assert len(read.boxes) < 20
    assert "conv2<br/>32 nodes" in read.boxes.values()
    assert not any(read.frames.values())
    assert mermaid(graph, 99) == mermaid(graph) == mermaid(graph, 0)


def test_nodes_of_a_block_stand_in_its_frame() -> None:
    read = Read(mermaid(lower(ROOT / "blueprints" / "image_text.yaml")))
    assert {read.frames[box] for box in read.boxes if "pool<br/>" in read.boxes[box]} == {
        ("merged", "merged.image_features"),
        ("merged", "merged.text_features"),
    }
    assert {read.frames[box] for box, label in read.boxes.items() if label.startswith("merged<br/>")} == {("merged",)}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_document_is_drawn_as_it_is_written(path: Path) -> None:
    document = load(path)
    read = Read(mermaid(document))
    names = [html.unescape(label).split("<br/>")[0] for label in read.boxes.values()]
    assert names[: len(document.blueprint.inputs)] == list(document.blueprint.inputs)
    assert set(document.blueprint.nodes) <= set(names)
    assert read.edges


def test_a_document_with_errors_is_drawn_too() -> None:
    text = (
        "blueprint: 1\ninputs: {x: {shape: [4]}}\n"
        "nodes:\n  a: {layer: Dense, units: -1, from: c}\n  b: {layer: Nothing, from: [a, x, b]}\noutputs: [b, c]\n"
    )
    read = Read(mermaid(parse(text)))
    assert [(read.path(source), read.path(target)) for source, _, target in read.edges] == [
        ("a", "b"),
        ("x", "b"),
        ("b", "b"),
        ("b", "output"),
    ]


HOSTILE = '"]; click n0 "javascript:alert(1)" <img src=x onerror=alert(1)> `**bold**` #quot; \\ \x1b[31m \u202e $$x$$'


def test_no_name_can_leave_its_label() -> None:
    # Names of nodes are checked, so what is hostile comes from elsewhere: a kind, an axis, a reference.
    document = parse(
        "blueprint: 1\ninputs: {x: {shape: [4]}}\nnodes:\n  a: {layer: '" + HOSTILE.replace("\x1b", "") + "'}\n"
    )
    text = mermaid(document)
    read = Read(text)
    (label,) = (label for label in read.boxes.values() if label.startswith("a<br/>"))
    shown = label.removeprefix("a<br/>")
    assert not set('"<>`\\$\u202e') & set(shown)
    assert "#quot;]; click n0 #quot;javascript" in shown
    assert text.count("click") == 1


def test_an_empty_file_is_an_empty_chart() -> None:
    document = parse("blueprint: 1\nblocks: {b: {inputs: [x], nodes: {d: {layer: Flatten}}}}\n")
    assert mermaid(document) == "flowchart TD\n"


def test_golden(root: Path) -> None:
    graph: Graph = lower(root / "blueprints" / "image_text.yaml")
    assert mermaid(graph) == (Path(__file__).parent / "image_text.mmd").read_text()
