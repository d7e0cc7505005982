"""A graph as the text of a Graphviz drawing, blocks as clusters."""

from __future__ import annotations

from collections.abc import Iterator

from graphbuilder.blueprint import Document
from graphbuilder.export.drawing import Box, Drawing, drawn, frames_of
from graphbuilder.graph import Graph

__all__ = ["dot"]

_STYLES = {
    "input": 'shape=box, style="rounded,filled", fillcolor="#eef3f8"',
    "output": 'shape=box, style="rounded,filled", fillcolor="#eef3f8"',
    "layer": 'shape=box, style=filled, fillcolor="#ffffff"',
    "op": 'shape=box, style="rounded,filled", fillcolor="#f6f6f6"',
    "fuse": 'shape=hexagon, style=filled, fillcolor="#fdf3e3"',
    "block": 'shape=box, peripheries=2, style=filled, fillcolor="#ffffff"',
}


def dot(graph: Graph, depth: int | None = None, document: Document | None = None) -> str:
    """A graph for `dot`: a box for each layer and op, clusters for blocks, shapes on the edges.

    Arguments:
        graph: what to draw.
        depth: how many names deep blocks are drawn; None draws all.
        document: what the graph was made of, so that folded boxes say which block they are.

    Example:
        >>> from graphbuilder.blueprint import load
        >>> from graphbuilder.lowering import lower
        >>> print(dot(lower(load("blueprints/image_text.yaml"))).splitlines()[0])
        digraph "image_text" {
    """
    drawing = drawn(graph, depth, document)
    numbers = {path: f"n{number}" for number, path in enumerate(drawing.boxes)}
    lines = [
        f"digraph {_quoted(graph.name)} {{",
        "    rankdir=TB;",
        '    graph [fontname="Helvetica", fontsize=11, labeljust=l, color="#9aa4ae"];',
        '    node [fontname="Helvetica", fontsize=11, color="#4a5561", margin="0.15,0.06"];',
        '    edge [fontname="Helvetica", fontsize=9, color="#4a5561", fontcolor="#4a5561", arrowsize=0.7];',
        *_clusters(drawing, numbers),
    ]
    for source, target, flows in drawing.edges:
        label = f" [label={_quoted(flows)}]" if flows else ""
        lines.append(f"    {numbers[source]} -> {numbers[target]}{label};")
    return "\n".join([*lines, "}"]) + "\n"


def _clusters(drawing: Drawing, numbers: dict[str, str]) -> Iterator[str]:
    """The boxes, those of one block inside a cluster, each cluster where its first box stands."""
    frames = frames_of(drawing)
    inside: dict[str, dict[str, bool]] = {"": {}}
    for path, around in frames.items():
        outer = ""
        for name in around:
            # A box may have the path of a frame, so that the two are told apart by what they are.
            inside[outer].setdefault(f"{name}:", True)
            outer = f"{name}:"
            inside.setdefault(outer, {})
        inside[outer][path] = False
    opened = 0
    waiting: list[tuple[str, bool, int]] = [(name, frame, 1) for name, frame in reversed(inside[""].items())]
    while waiting:
        name, frame, level = waiting.pop()
        indent = "    " * level
        if not name:
            yield f"{indent}}}"
        elif frame:
            yield f"{indent}subgraph cluster_{opened} {{"
            yield f"{indent}    label={_quoted(name[:-1])};"
            opened += 1
            waiting.append(("", False, level))
            waiting.extend((item, is_frame, level + 1) for item, is_frame in reversed(inside[name].items()))
        else:
            yield f"{indent}{numbers[name]} [{_label(drawing.boxes[name])}];"


def _label(box: Box) -> str:
    return f"label={_quoted(box.title, box.detail)}, {_STYLES[box.kind]}"


def _quoted(*lines: str) -> str:
    """A string of Graphviz's language, whose lines are those given."""
    shown = (
        "".join(character if character.isprintable() else "\ufffd" for character in " ".join(line.split()))
        for line in lines
        if line
    )
    return '"' + "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"') for line in shown) + '"'
