"""Drawings: every node and every shape stands in them, and they are well formed whatever authors write."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from graphbuilder.api import lower, parse
from graphbuilder.export import dot, svg
from graphbuilder.export.drawing import drawn
from graphbuilder.graph import Graph

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "blueprints").glob("*.yaml"))
SPACE = "{http://www.w3.org/2000/svg}"


def words(text: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(text).iter(f"{SPACE}text")]


def boxes(text: str) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of what nodes are drawn as."""
    found = []
    for group in ElementTree.fromstring(text).iter(f"{SPACE}g"):
        rect = group.find(f"{SPACE}rect")
        if rect is not None:
            x, y, width, height = (float(rect.attrib[key]) for key in ("x", "y", "width", "height"))
            found.append((x, y, x + width, y + height))
    return found


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
@pytest.mark.parametrize("depth", [1, 2, None])
def test_every_box_and_shape_is_drawn_and_nothing_overlaps(path: Path, depth: int | None) -> None:
    graph = lower(path)
    drawing = drawn(graph, depth)
    text = svg(graph, depth)
    said = words(text)
    for box in drawing.boxes.values():
        assert box.title in said or len(box.title) > 40
    assert {shape for _, _, shape in drawing.edges} <= set(said)
    placed = boxes(text)
    assert len(placed) == len(drawing.boxes)
    for at, (left, top, right, bottom) in enumerate(placed):
        for other_left, other_top, other_right, other_bottom in placed[at + 1 :]:
            assert right <= other_left or other_right <= left or bottom <= other_top or other_bottom <= top
    root = ElementTree.fromstring(text)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    assert all(left >= 0 and top >= 0 and right <= width and bottom <= height for left, top, right, bottom in placed)
    # Nothing is fetched when it is shown.
    assert not re.search(r"href|url\(|@import|<script|<style", text)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_node_of_a_graphviz_text_is_in_one_cluster_at_most(path: Path) -> None:
    graph = lower(path)
    text = dot(graph)
    drawing = drawn(graph)
    defined = re.findall(r"^\s+(n\d+) \[label=", text, re.MULTILINE)
    assert sorted(defined) == sorted(f"n{number}" for number in range(len(drawing.boxes)))
    used = re.findall(r"^    (n\d+) -> (n\d+)", text, re.MULTILINE)
    assert len(used) == len(drawing.edges)
    assert text.count("{") == text.count("}")


def test_a_graphviz_text_looks_so() -> None:
    path = Path(__file__).parent / "image_text.dot"
    assert dot(lower(ROOT / "blueprints" / "image_text.yaml")) == path.read_text(encoding="utf-8")


def test_a_drawing_looks_so() -> None:
    path = Path(__file__).parent / "image_text.svg"
    assert svg(lower(ROOT / "blueprints" / "image_text.yaml"), None) == path.read_text(encoding="utf-8")


def graph_of(nodes: str, about: str = "") -> Graph:
    return lower(parse(f"blueprint: 1\nname: m\n{about}inputs:\n  x: {{shape: [4]}}\nnodes:\n{nodes}\n"))


@pytest.mark.parametrize("said", ["<script>alert(1)</script>", 'a "b" & c', "]]>", "\\x07 bell", "\\u202e turned"])
def test_what_the_author_says_never_becomes_markup(said: str) -> None:
    quoted = '"' + said.replace('"', '\\"') + '"'
    graph = graph_of("  d: {layer: Dense, units: 2}", f"about: {quoted}\n")
    root = ElementTree.fromstring(svg(graph))
    assert root.find(f"{SPACE}script") is None
    described = root.find(f"{SPACE}desc")
    assert described is not None
    assert described.text == " ".join(
        "".join(c if c.isprintable() or c == " " else "\ufffd" for c in graph.about or "").split()
    )


def test_a_fusion_that_is_folded_says_how_it_merges() -> None:
    drawing = drawn(lower(ROOT / "blueprints" / "visual_question_answering.yaml"), 1)
    assert (drawing.boxes["merged"].kind, drawing.boxes["merged"].detail) == ("fuse", "cross_attention of 2 branches")


def test_a_box_that_gives_several_shapes_has_each_where_it_arrives() -> None:
    graph = graph_of(
        "  l: {layer: Reshape, target_shape: [2, 2]}\n"
        "  g: {layer: LSTM, units: 3, return_state: true}\n"
        "  a: {layer: Concatenate, from: [g.0, g.1]}\n  b: {layer: Concatenate, from: [a, x]}"
    )
    said = words(svg(graph))
    assert said.count("3") >= 2
    assert said.count("2 × 2") == 2


def test_a_long_chain_is_drawn() -> None:
    graph = graph_of("\n".join(f"  a{number}: {{layer: ReLU}}" for number in range(1500)))
    assert len(boxes(svg(graph, None))) == 1502
