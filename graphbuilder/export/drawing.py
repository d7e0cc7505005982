"""A graph folded into boxes and edges, as drawings show it, with the shape that flows along each edge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Any

from graphbuilder.blueprint import Document
from graphbuilder.catalog import LayerEntry, TensorType
from graphbuilder.catalog.objects import ObjectSpec
from graphbuilder.export.code_layers import in_front
from graphbuilder.export.units import Unkept, structured
from graphbuilder.graph import Call, Graph, Layer, Structure, Value
from graphbuilder.lowering.resolved_values import plain_entry

__all__ = ["Box", "Drawing", "drawn", "frames_of", "sizes_text"]


@dataclass(slots=True)
class Box:
    """One box.

    Arguments:
        path: the node's path, or what stands for an output.
        title: what it is called.
        detail: what it is.
        kind: "input", "output", "layer", "op", "fuse" or "block".
        calls: how many calls it stands for.
    """

    path: str
    title: str
    detail: str
    kind: str
    calls: int = 1


@dataclass(slots=True)
class Drawing:
    """What is drawn.

    Arguments:
        name: the model's name.
        boxes: by path, each after those that feed it.
        edges: from box to box, with the shape that flows; each once.
    """

    name: str
    boxes: dict[str, Box] = field(default_factory=dict)
    edges: dict[tuple[str, str, str], None] = field(default_factory=dict)


def sizes_text(shape: Sequence[int | str | None]) -> str:
    """A shape without the batch axis, as people write it.

    Example:
        >>> sizes_text((224, 224, 3)), sizes_text(("steps", None)), sizes_text(())
        ('224 × 224 × 3', 'steps × ?', 'scalar')
    """
    return " × ".join("?" if size is None else str(size) for size in shape) or "scalar"


def drawn(graph: Graph, depth: int | None = None, document: Document | None = None) -> Drawing:
    """The boxes and edges of a graph.

    Arguments:
        graph: what to draw.
        depth: how many names deep blocks and fusions are drawn; what lies deeper is one box. None or 0 draws all.
        document: what the graph was made of, so that folded boxes say which block they are.

    Example:
        >>> from graphbuilder.blueprint import load
        >>> from graphbuilder.lowering import lower
        >>> drawing = drawn(lower(load("blueprints/image_text.yaml")), 1)
        >>> [(box.title, box.detail) for box in drawing.boxes.values()][2:5]
        [('image_features', 'Conv2D 64, 3×3, relu'), ('text_features', 'Embedding'), ('merged', 'concat of 2 branches')]
    """
    made = Drawing(graph.name)
    place: dict[str, str] = {}
    for name, given in graph.inputs.items():
        modality = given.modality if given.modality != name else None
        made.boxes[name] = Box(name, name, modality or _dtype(given.value.type), "input")
        place[given.value.name] = name
    feeds: dict[str, set[str]] = {name: set() for name in made.boxes}
    for call in graph.calls.values():
        path = _folded(call.name, depth)
        sources = {place[value.name] for value in call.inputs()}
        # What is fed by a box that it feeds itself would be a circle; the rest of the block is a box of its own.
        while path in graph.inputs or (path in made.boxes and _reaches(feeds, sources - {path}, path)):
            path = f"{path} "
        feeds.setdefault(path, set()).update(sources - {path})
        _add(made, graph, path, call)
        for value in call.inputs():
            _join(made, place[value.name], path, value)
        for value in call.outputs:
            place[value.name] = path
    for number, (name, value) in enumerate(_named(graph.outputs, "")):
        # No node is called so: names have no colon.
        path = f"outputs:{number}"
        made.boxes[path] = Box(path, name or "output", _dtype(value.type), "output")
        _join(made, place[value.name], path, value)
        feeds[path] = {place[value.name]}
    made.boxes = {path: made.boxes[path] for path in _in_order(feeds)}
    if document is not None:
        _say_blocks(made, graph, document)
    return made


def _named(outputs: Structure, name: str) -> Iterator[tuple[str, Value]]:
    """The outputs by the keys under which they stand."""
    # Structures are written by people, at most as deep as the reader lets them be.
    if isinstance(outputs, Value):
        yield name, outputs
        return
    several = outputs.items() if isinstance(outputs, Mapping) else enumerate(outputs, 1)
    for key, inner in several:
        yield from _named(inner, f"{name}.{key}" if name else f"{key}" if isinstance(key, str) else f"output {key}")


def _say_blocks(made: Drawing, graph: Graph, document: Document) -> None:
    """Has folded boxes say which block they are a use of, and how many copies of it."""
    try:
        units = structured(graph, document).units()
    except Unkept:
        return
    for unit in units:
        kind = unit.kind.rpartition(".")[2]
        for path in {unit.used_as, unit.path}:
            box = made.boxes.get(path)
            if box is not None and box.kind == "block" and unit.fusion is None and kind != box.title:
                copies = (unit.copy or 0) + 1 if path != unit.path else 1
                box.detail = f"{kind} × {copies}" if copies > 1 else kind


def _reaches(feeds: Mapping[str, set[str]], starts: Iterable[str], wanted: str) -> bool:
    """Whether a box feeds one of others, however indirectly."""
    seen: set[str] = set()
    waiting = list(starts)
    while waiting:
        path = waiting.pop()
        if path == wanted:
            return True
        if path not in seen:
            seen.add(path)
            waiting.extend(feeds[path])
    return False


def _in_order(feeds: Mapping[str, set[str]]) -> Iterator[str]:
    """The boxes, each after those that feed it, else in the order in which they came."""
    numbers = {path: number for number, path in enumerate(feeds)}
    paths = list(feeds)
    fed: dict[str, list[str]] = {path: [] for path in feeds}
    missing = {path: len(sources) for path, sources in feeds.items()}
    for path, sources in feeds.items():
        for source in sources:
            fed[source].append(path)
    ready = [numbers[path] for path, count in missing.items() if not count]
    heapify(ready)
    while ready:
        path = paths[heappop(ready)]
        yield path
        for target in fed[path]:
            missing[target] -= 1
            if not missing[target]:
                heappush(ready, numbers[target])


def _add(made: Drawing, graph: Graph, path: str, call: Call) -> None:
    if path not in made.boxes:
        kind = "layer" if isinstance(call.target, Layer) else "op"
        box = Box(path, path.rpartition(".")[2].strip(), _kind(call), kind)
        made.boxes[path] = box
        if path.strip() != call.name:
            # A block of one call is a block all the same.
            box.kind, box.detail = "block", f"1 node: {call.kind}"
    else:
        box = made.boxes[path]
        box.calls += 1
        box.kind, box.detail = "block", f"{box.calls:,} nodes"
    fusion = graph.fusions.get(path.strip())
    if fusion is not None and box.kind == "block":
        box.kind, box.detail = "fuse", f"{fusion.strategy} of {len(fusion.branches)} branches"


def frames_of(drawing: Drawing) -> dict[str, tuple[str, ...]]:
    """The frames around each box, from the outside in, by their paths: the blocks and fusions that it lies in."""
    inside = {box: tuple(_above(box)) for box in drawing.boxes}
    held = {frame for frames in inside.values() for frame in frames}
    # A fusion's last node bears the fusion's own name, and lies in its frame.
    return {box: (*frames, box) if box in held else frames for box, frames in inside.items()}


def _above(path: str) -> Iterator[str]:
    parts = path.split(".")
    for length in range(1, len(parts)):
        yield ".".join(parts[:length])


def _join(made: Drawing, source: str, target: str, value: Value) -> None:
    if source != target:
        made.edges[source, target, "" if value.type is None else sizes_text(value.type.shape[1:])] = None


def _folded(path: str, depth: int | None) -> str:
    return path if depth is None or depth < 1 else ".".join(path.split(".")[:depth])


def _kind(call: Call) -> str:
    """What a call applies, with the arguments that people tell layers apart by."""
    target = call.target
    if not isinstance(target, Layer) or not isinstance(target.entry, LayerEntry):
        return call.kind
    if target.name != call.name:
        return f"{call.kind}, shared with {target.name}"
    told = [_argument(getattr(target.entry, key)) for key in in_front(target.entry)]
    plain = plain_entry(target.entry)
    told += [f"stride {_argument(plain['strides'])}"] if "strides" in plain and told[1:] else []
    told += [_argument(plain["activation"])] if "activation" in plain and call.kind != "Activation" else []
    said = ", ".join(text for text in told if text)
    return f"{call.kind} {said}" if said else call.kind


def _argument(value: Any) -> str:
    if isinstance(value, (tuple, list)) and all(isinstance(item, int) for item in value):
        return "×".join(map(str, value))
    if isinstance(value, ObjectSpec):
        return value.name
    return f"{value:g}" if isinstance(value, float) else str(value) if isinstance(value, (int, str)) else ""


def _dtype(kind: TensorType | None) -> str:
    return "" if kind is None else kind.dtype
