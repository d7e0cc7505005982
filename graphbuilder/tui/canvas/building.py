"""From a document to its scene: the boxes that are in sight, with the edges between them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from graphbuilder.blueprint import BlockNode, Document, Node, ReuseNode
from graphbuilder.lowering import Lowered
from graphbuilder.text.collector import collector_paused
from graphbuilder.tui.canvas.kinds import arguments_of, family_of, kind_of
from graphbuilder.tui.canvas.known import Known, known_of
from graphbuilder.tui.canvas.remembered import Drawn
from graphbuilder.tui.canvas.scene import OUTPUT, Box, Edge, Group, Scene
from graphbuilder.tui.canvas.scopes import Leaf, Level, Taken, output_references, root_level, taken
from graphbuilder.tui.canvas.wording import safe

__all__ = ["foldable_below", "scene_of"]


def scene_of(
    document: Document,
    lowered: Lowered | None = None,
    *,
    unfolded: Collection[str] = frozenset(),
    marks: Mapping[str, Collection[str]] | None = None,
    drawn: Drawn | None = None,
) -> Scene:
    """The scene of a document, which may be wrong.

    Blocks are single boxes unless they are unfolded. Where the copies of a block have numbers, unfolding the node shows
    the copies, and unfolding a copy shows what is in it.

    Arguments:
        document: the blueprint.
        lowered: what came of lowering it or an earlier state of it, for shapes, parameters and what is wrong; None
            where that is not known.
        unfolded: the paths of the block nodes, and of copies such as `encoder.2`, that are unfolded.
        marks: more marks, by the paths of nodes; a box has those of all nodes that it shows.
        drawn: what was drawn of this document before, of which is taken what has not changed.

    Example:
        >>> from graphbuilder.blueprint import load
        >>> scene = scene_of(load("blueprints/cnn.yaml"))
        >>> [box.id for box in scene.boxes][:2], scene.boxes[1].kind
        (['image', 'conv'], 'Conv2D')
    """
    with collector_paused():
        building = _Building(known_of(lowered), frozenset(unfolded), drawn or Drawn())
        root = root_level(document)
        building.drawn.begin(building.known, root)
        building.inputs(root)
        building.level(root, None)
        building.outputs(root)
        return building.scene(marks or {})


def foldable_below(document: Document, path: str | None = None, *, most: int = 2_000) -> frozenset[str]:
    """The paths of all block nodes and copies at and below a path, so that all of it can be unfolded at once.

    Arguments:
        document: the blueprint.
        path: a block node or a copy; None for the whole file.
        most: how many paths are given at most, the outermost first.
    """
    root = root_level(document)
    waiting: list[tuple[Level, str, int | None]] = []
    if path is None:
        waiting += [(root, name, None) for name in root.definition.nodes]
    elif (at := _place(root, path)) is not None:
        waiting.append(at)
    found: list[str] = []
    for level, name, copy in waiting:  # grows while it is walked
        if len(found) >= most:
            break
        if copy is None and level.block(name) is not None and level.copies(name):
            found.append(level.join(name))
            numbers = range(level.copies(name) or 0) if level.numbered(name) else (-1,)
            waiting += [(level, name, number) for number in numbers]
        elif copy is not None:
            if copy >= 0:
                found.append(f"{level.join(name)}.{copy}")
            inner = level.within(name, max(copy, 0))
            if inner is not None:
                waiting += [(inner, each, None) for each in inner.definition.nodes]
    return frozenset(found[:most])


def _place(root: Level, path: str) -> tuple[Level, str, int | None] | None:
    """The level and name of a block node, and the number where a path is that of a copy."""
    outer, _, last = path.rpartition(".")
    if outer and last.isdecimal():
        found = root.inside(outer)
        if found is not None and found[0].numbered(found[1]):
            return (*found, int(last)) if int(last) < (found[0].copies(found[1]) or 0) else None
    found = root.inside(path)
    return None if found is None else (*found, None)


_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What leads to a box, until all boxes are known.

    Arguments:
        target: the box.
        level: where the references are asked.
        references: what it takes.
        ports: where each arrives.
    """

    target: str
    level: Level
    references: Sequence[Taken]
    ports: Sequence[str]


@dataclass
class _Building:
    """The boxes so far, and the references that wait until all boxes are known."""

    known: Known
    unfolded: frozenset[str]
    drawn: Drawn
    boxes: list[Box] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    waiting: list[_Waiting | tuple[Edge, ...]] = field(default_factory=list)

    def inputs(self, root: Level) -> None:
        """The boxes of the model's inputs."""
        for name, spec in root.document.blueprint.inputs.items():
            arguments = [] if spec.modality is None else [f"modality {spec.modality}"]
            axes = spec.shape if isinstance(spec.shape, list) else []
            written = ["?" if axis is None else str(root.value(axis)) for axis in axes]
            shape = self.known.shapes.get(name) or "×".join(written)
            self.boxes.append(
                Box(name, safe(name), "input", "input", tuple(map(safe, arguments)), safe(shape), 0, frozenset(), None,
                    ("inputs", name))
            )  # fmt: skip

    def outputs(self, root: Level) -> None:
        """The boxes of the model's outputs."""
        ports, single = output_references(root.definition)
        for port, reference in ports.items():
            leaf = root.leaf(reference.reference)
            box = OUTPUT if single else f"{OUTPUT}{port}"
            shape = "" if leaf is None else self._shape(leaf)
            where = ("outputs",) if single else reference.path
            title = "output" if single else safe(port)
            self.boxes.append(Box(box, title, "output", "output", (), shape, 0, frozenset(), None, where))
            self.waiting.append(_Waiting(box, root, (reference,), ("",)))

    def level(self, level: Level, group: str | None) -> None:
        """The boxes of the nodes of one level."""
        own = level.outer is None
        for name in level.definition.nodes:
            kept = self.drawn.box(level, name) if own else None
            if kept is not None and kept.edges is not None:
                self.boxes.append(kept.box)
                self.waiting.append(kept.edges)
                continue
            path = level.join(name)
            copies = level.copies(name) if path in self.unfolded and level.block(name) is not None else 0
            inside = level.within(name) if copies else None
            if not copies or inside is None or not inside.definition.nodes or level.left_out(name):
                self._node(level, name, group)
                continue
            self._group(path, name, level, name, group)
            if not level.numbered(name):
                self.level(inside, path)
                continue
            for number in range(copies):
                inner = level.within(name, number)
                if inner is None:
                    continue
                if inner.path in self.unfolded:
                    self._group(inner.path, f"{name}.{number}", level, name, path)
                    self.level(inner, inner.path)
                else:
                    self._copy(inner, level, name, number, path)

    def scene(self, marks: Mapping[str, Collection[str]]) -> Scene:
        """The scene of what was found."""
        more: dict[str, set[str]] = {}
        # Inputs and nodes share their names in a right file; in a wrong one the node gives way.
        inputs = {box.id for box in self.boxes if box.family == "input"}
        boxes = [box._replace(id=f"{box.id}:") if box.id in inputs and box.family != "input" else box
                 for box in self.boxes]  # fmt: skip
        scene = Scene(tuple(boxes), (), tuple(self.groups))
        for path, noted in [*((path, (mark,)) for path, mark in self.known.troubled.items()), *marks.items()]:
            shown = scene.shown(path)
            if shown is not None:
                more.setdefault(shown, set()).update(noted)
        edges: list[Edge] = []
        for waiting in self.waiting:
            if not isinstance(waiting, _Waiting):
                edges += waiting
                continue
            made = self._edges(waiting, scene, inputs)
            edges += made
            if waiting.level.outer is None:
                self.drawn.keep_edges(waiting.level, waiting.target, waiting.references, made)
        if not more:
            return Scene(tuple(boxes), tuple(edges), tuple(self.groups))
        return Scene(
            tuple(box._replace(marks=box.marks | more[box.id]) if box.id in more else box for box in boxes),
            tuple(edges),
            tuple(replace(each, marks=each.marks | more[each.id]) if each.id in more else each for each in self.groups),
        )

    def _edges(self, waiting: _Waiting, scene: Scene, inputs: Collection[str]) -> list[Edge]:
        """The edges to one box."""
        found = []
        level = waiting.level
        for reference, port in zip(waiting.references, waiting.ports, strict=True):
            leaf = level.leaf(reference.reference)
            source = None if leaf is None else scene.shown(leaf.path)
            if leaf is None or source is None or source not in scene.box:
                continue
            target = f"{waiting.target}:" if waiting.target in inputs else waiting.target
            found.append(
                Edge(source, target, self._value(leaf), self._shape(leaf), port, safe(reference.reference),
                     None if level.where is None else (*level.where, *reference.path), reference.implied)
            )  # fmt: skip
        return found

    def _node(self, level: Level, name: str, group: str | None) -> None:
        """The box of a node that is not unfolded."""
        node = level.definition.nodes[name]
        path = level.join(name)
        kind, marks, used = kind_of(node), _NONE, node
        if isinstance(node, BlockNode | ReuseNode):
            kind, marks, used = self._block(level, name, node)
        if level.left_out(name):
            marks |= {"left out"}
        if path in self.known.shared:
            marks |= {"shared"}
        values = {key: level.value(value) for key, value in used.arguments.items()}
        arguments = arguments_of(used, values)
        if isinstance(node, ReuseNode):
            arguments = (safe(f"reuse {node.reuse}"), *arguments)
        box = Box(path, safe(name), kind, family_of(used), arguments, self._gives(level, name),
                  self.known.parameters.get(path), marks, group, self._where(level, name))  # fmt: skip
        self.boxes.append(box)
        if level.outer is None:
            self.drawn.keep(level, name, box)
        references = taken(level, name)
        several = len(references) > 1
        prefix = ("nodes", name, "from")
        ports = (".".join(map(str, each.path[len(prefix) :])) if several else "" for each in references)
        self.waiting.append(_Waiting(path, level, references, tuple(ports)))

    def _block(self, level: Level, name: str, node: BlockNode | ReuseNode) -> tuple[str, frozenset[str], Node]:
        """The kind and marks of a node that uses a block, or another node, and the node that says what it is."""
        made = level.made(name)
        used = node if made is None else made[0].definition.nodes[made[1]]
        marks = frozenset({"shared"}) if isinstance(node, ReuseNode) else _NONE
        kind = kind_of(used)
        if isinstance(used, BlockNode):
            if level.numbered(name):
                kind = f"{kind} ×{safe(str(made[0].value(used.repeat) if made else used.repeat))}"
            if level.copies(name):
                marks |= {"folded"}
        return kind, marks, used

    def _copy(self, inner: Level, level: Level, name: str, number: int, group: str) -> None:
        """The box of one copy of a repeated block."""
        marks = {"folded"} | ({"shared"} if self._shares(inner.path) else set())
        made = level.made(name)
        kind = "" if made is None else kind_of(made[0].definition.nodes[made[1]])
        ports, _ = output_references(inner.definition)
        leaf = next((inner.leaf(each.reference) for each in ports.values()), None)
        self.boxes.append(
            Box(inner.path, f"{safe(name)}.{number}", kind, "block", (), "" if leaf is None else self._shape(leaf),
                self.known.parameters.get(inner.path), frozenset(marks), group, self._where(level, name))
        )  # fmt: skip
        inputs = list(inner.definition.inputs)
        written = dict(zip(inputs, taken(level, name), strict=False)) if number == 0 else {}
        for port in inputs:
            shown = port if len(inputs) > 1 else ""
            found = written.get(port)
            if found is not None and level.where is not None:
                self.waiting.append(_Waiting(inner.path, level, (found,), (shown,)))
            else:
                self.waiting.append(_Waiting(inner.path, inner, (Taken(port, (), implied=True),), (shown,)))

    def _group(self, path: str, title: str, level: Level, name: str, group: str | None) -> None:
        made = level.made(name)
        kind = "" if made is None else kind_of(made[0].definition.nodes[made[1]])
        marks = {"unfolded"} | ({"shared"} if self._shares(path) else set())
        self.groups.append(Group(path, safe(title), kind, frozenset(marks), group, self._where(level, name)))

    def _where(self, level: Level, name: str) -> tuple[str | int, ...] | None:
        return None if level.where is None else (*level.where, "nodes", name)

    def _shares(self, path: str) -> bool:
        return path in self.known.shared

    def _gives(self, level: Level, name: str) -> str:
        """The shape of what a node gives; of several values the first, with how many more there are."""
        uses = isinstance(level.definition.nodes[name], BlockNode | ReuseNode)
        inner = level.within(name) if uses and level.block(name) is not None else None
        if inner is not None:
            leaves = [inner.leaf(each.reference) for each in output_references(inner.definition)[0].values()]
            shapes = [self._shape(leaf) for leaf in leaves if leaf is not None]
        else:
            path = level.join(name)
            found = self.known.shapes.get(path)
            if found is not None:
                return found
            # Keras gives a list, whose items have the numbers from 0.
            shapes = []
            while (value := f"{path}.{len(shapes)}") in self.known.shapes:
                shapes.append(self.known.shapes[value] or "?")
        more = f" +{len(shapes) - 1}" if len(shapes) > 1 else ""
        return f"{shapes[0]}{more}" if shapes and shapes[0] else ""

    def _value(self, leaf: Leaf) -> str:
        # Of a node with one output, `x.0` is `x`.
        return leaf.path if leaf.path in self.known.shapes else leaf.value

    def _shape(self, leaf: Leaf) -> str:
        return self.known.shapes.get(self._value(leaf), "")
