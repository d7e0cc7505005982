"""A blueprint as the text of a Mermaid flowchart, which GitHub, GitLab and many editors draw where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from graphbuilder.blueprint import BlockNode, Document, FuseNode, LayerNode, Node, OpNode, ReuseNode
from graphbuilder.catalog import TensorType
from graphbuilder.graph import Call, Graph, Layer, Value, flatten
from graphbuilder.lowering.order import references

__all__ = ["mermaid"]

# What ends a label, begins a tag or an entity, or makes a label Markdown. `#` is how Mermaid itself escapes.
_ESCAPED = {
    character: f"#{code};"
    for character, code in {
        '"': "quot", "#": "35", "&": "amp", "<": "lt", ">": "gt", "`": "96", "\\": "92", "$": "36",
    }.items()
}  # fmt: skip
_LONGEST = 80

# How boxes of each kind are drawn.
_SHAPES = {
    "input": ("([", "])"),
    "output": ("([", "])"),
    "layer": ("[", "]"),
    "op": ("(", ")"),
    "fuse": ("{{", "}}"),
    "block": ("[[", "]]"),
}


@dataclass(slots=True)
class _Box:
    """One box.

    Arguments:
        lines: what stands in it, as it was written by somebody.
        kind: a key of `_SHAPES`.
        calls: how many calls it stands for.
        framed: whether it stands in a frame of its own name, beside others that it is made of.
    """

    lines: list[str]
    kind: str
    calls: int = 1
    framed: bool = False


@dataclass(slots=True)
class _Diagram:
    """The boxes by their paths, and the edges between them with what flows there, each once."""

    boxes: dict[str, _Box] = field(default_factory=dict)
    edges: dict[tuple[str, str, str], None] = field(default_factory=dict)

    def text(self) -> str:
        numbers = {path: f"n{number}" for number, path in enumerate(self.boxes)}
        lines = ["flowchart TD", *self._frames(numbers)]
        for source, target, flows in self.edges:
            label = f'|"{_escaped(flows)}"|' if flows else ""
            lines.append(f"    {numbers[source]} -->{label} {numbers[target]}")
        return "\n".join(lines) + "\n"

    def _frames(self, numbers: dict[str, str]) -> Iterator[str]:
        """The boxes, those of one block inside a frame."""
        opened: list[str] = []
        frames = 0
        # What belongs to one block stands together, wherever its nodes stand among the others.
        for path in _grouped(self.boxes):
            inside = _frame(path, self.boxes)
            while opened != inside[: len(opened)]:
                opened.pop()
                yield f"{'    ' * (len(opened) + 1)}end"
            while len(opened) < len(inside):
                indent = "    " * (len(opened) + 1)
                opened.append(inside[len(opened)])
                yield f'{indent}subgraph f{frames} ["{_escaped(".".join(opened))}"]'
                frames += 1
            box = self.boxes[path]
            begin, end = _SHAPES[box.kind]
            label = "<br/>".join(_escaped(line) for line in box.lines if line)
            yield f'{"    " * (len(opened) + 1)}{numbers[path]}{begin}"{label}"{end}'
        while opened:
            opened.pop()
            yield f"{'    ' * (len(opened) + 1)}end"


def _frame(path: str, paths: Mapping[str, _Box]) -> list[str]:
    """The names of the frames around a box. A fusion's last node stands with those that it is made of."""
    parts = path.split(".")
    return parts if paths[path].framed else parts[:-1]


def _grouped(paths: Mapping[str, _Box]) -> Iterator[str]:
    """The paths, those with a common beginning together, each group where its first one stands."""
    # What stands in each frame, in order; a frame's key ends in a dot, because a node may have the name of a frame.
    inside: dict[str, dict[str, None]] = {"": {}}
    for path in paths:
        frame = ""
        for part in _frame(path, paths):
            inside[frame].setdefault(f"{frame}{part}.")
            frame = f"{frame}{part}."
            inside.setdefault(frame, {})
        inside[frame][path] = None
    waiting = list(reversed(inside[""]))
    while waiting:
        path = waiting.pop()
        if path.endswith("."):
            waiting.extend(reversed(inside[path]))
        else:
            yield path


def mermaid(model: Graph | Document, depth: int | None = None) -> str:
    """A model as a flowchart, from top to bottom.

    A graph is drawn with a box for each layer and op, in frames for blocks, and with shapes on the edges. A document,
    which may hold errors, is drawn as it is written: a box for each node, blocks folded.

    Mermaid draws at most 500 edges unless it is told otherwise; `depth` folds what is larger.

    Arguments:
        model: what to draw.
        depth: of a graph, how many names deep blocks are drawn; None draws all. Names and descriptions are escaped.

    Example:
        >>> from graphbuilder.blueprint import load
        >>> from graphbuilder.lowering import lower
        >>> print(mermaid(lower(load("blueprints/image_text.yaml"))).splitlines()[1].strip())
        n0(["image<br/>float32 [224, 224, 3]"])
    """
    return (_of_graph(model, depth) if isinstance(model, Graph) else _of_document(model)).text()


def _escaped(text: str) -> str:
    shown = " ".join(text.split())
    if len(shown) > _LONGEST:
        shown = f"{shown[: _LONGEST - 1]}…"
    return "".join(_ESCAPED.get(character, character if character.isprintable() else "\ufffd") for character in shown)


def _type_text(kind: TensorType | None) -> str:
    return "" if kind is None else f"{kind.dtype} {_sizes(kind.shape[1:])}"


def _sizes(shape: Sequence[int | str | None]) -> str:
    """A shape without the batch axis, as a blueprint writes it."""
    return f"[{', '.join('?' if size is None else str(size) for size in shape)}]"


def _of_graph(graph: Graph, depth: int | None) -> _Diagram:
    diagram = _Diagram()
    place: dict[str, str] = {}
    for name, given in graph.inputs.items():
        diagram.boxes[name] = _Box([name, _type_text(given.value.type)], "input")
        place[given.value.name] = name
    for call in graph.calls.values():
        path = _folded(call.name, depth)
        if path in diagram.boxes:
            box = diagram.boxes[path]
            box.calls += 1
            box.kind = "block"
            box.lines = [path, f"{box.calls:,} nodes"]
        else:
            diagram.boxes[path] = _Box([path.rpartition(".")[2], _kind(call)], _shape(call))
        for value in call.inputs():
            _join(diagram, place[value.name], path, value)
        for value in call.outputs:
            place[value.name] = path
    for fusion in graph.fusions.values():
        # Folded, or made of one call, it has no frame.
        drawn = {_folded(name, depth) for name in fusion.calls}
        if fusion.name in drawn and len(drawn) > 1:
            diagram.boxes[fusion.name].framed = True
    given_back = (leaf for leaf in flatten(graph.outputs) if isinstance(leaf, Value))
    for number, value in enumerate(given_back):
        # No node is called so: names have no colon.
        path = f"outputs:{number}"
        diagram.boxes[path] = _Box(["output", _type_text(value.type)], "output")
        _join(diagram, place[value.name], path, value)
    return diagram


def _join(diagram: _Diagram, source: str, target: str, value: Value) -> None:
    if source != target:
        shape = "" if value.type is None else _sizes(value.type.shape[1:])
        diagram.edges[source, target, shape] = None


def _folded(path: str, depth: int | None) -> str:
    return path if depth is None or depth < 1 else ".".join(path.split(".")[:depth])


def _kind(call: Call) -> str:
    target = call.target
    shared = isinstance(target, Layer) and target.name != call.name
    return f"{call.kind}, shared with {target.name}" if isinstance(target, Layer) and shared else call.kind


def _shape(call: Call) -> str:
    return "layer" if isinstance(call.target, Layer) else "op"


def _of_document(document: Document) -> _Diagram:
    diagram = _Diagram()
    blueprint = document.blueprint
    for name, given in blueprint.inputs.items():
        diagram.boxes[name] = _Box([name, f"{given.dtype} {_sizes(given.shape)}"], "input")
    above = next(iter(blueprint.inputs)) if len(blueprint.inputs) == 1 else None
    for name, node in blueprint.nodes.items():
        diagram.boxes[name] = _Box([name, _written_kind(node)], _written_shape(node))
    for name, node in blueprint.nodes.items():
        implied = [] if above is None else [above]
        _refer(diagram, implied if node.source is None else references(node.source), name)
        above = name
    last = list(blueprint.nodes)[-1:]
    for number, reference in enumerate(last if blueprint.outputs is None else references(blueprint.outputs)):
        path = f"outputs:{number}"
        diagram.boxes[path] = _Box(["output"], "output")
        _refer(diagram, [reference], path)
    return diagram


def _refer(diagram: _Diagram, written: Iterable[str], target: str) -> None:
    """Joins what a node refers to; a reference that names nothing has no edge, and the errors tell of it."""
    for reference in written:
        name, _, inner = reference.partition(".")
        if name in diagram.boxes:
            diagram.edges[name, target, inner] = None


def _written_kind(node: Node) -> str:
    match node:
        case LayerNode():
            return node.layer
        case OpNode():
            return node.op
        case FuseNode():
            return node.fuse
        case BlockNode():
            return node.block if node.repeat == 1 else f"{node.block} × {node.repeat}"
        case ReuseNode():
            return f"shared with {node.reuse}"


def _written_shape(node: Node) -> str:
    kinds = {OpNode: "op", FuseNode: "fuse", BlockNode: "block"}
    return kinds.get(type(node), "layer")
