"""What the references of a document lead to, also through blocks, told without a graph and for wrong documents too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from graphbuilder.blueprint import (
    Block,
    BlockNode,
    BlockPlace,
    Blueprint,
    Document,
    ExpressionError,
    Node,
    ReuseNode,
    resolve_params,
    resolve_values,
)
from graphbuilder.editing.references import references
from graphbuilder.lowering import GraphLimits
from graphbuilder.text.source import Path

__all__ = ["Leaf", "Level", "Taken", "output_references", "root_level", "taken"]

_LIMITS = GraphLimits()


class Leaf(NamedTuple):
    """The node, or input of the model, that a reference leads to in the end.

    Arguments:
        path: its path in the graph.
        port: which of its outputs is meant, where that is written.
    """

    path: str
    port: str = ""

    @property
    def value(self) -> str:
        """The name that the value has in a graph, if the node has several outputs."""
        return f"{self.path}.{self.port}" if self.port else self.path


class Taken(NamedTuple):
    """One reference of a node.

    Arguments:
        reference: as it is written, or the name of the node above.
        path: the keys that lead to it, from the file or block in which the node stands.
        implied: whether it is left to the order of the nodes.
    """

    reference: str
    path: Path
    implied: bool = False


@dataclass(eq=False)
class Level:
    """One level of names: a file, or one use of a block.

    Arguments:
        document: the file in which its nodes stand.
        definition: the file, or the block.
        where: the keys that lead to the definition in the user's own file, or None where it is another file's.
        path: the path of the node that uses the block, with the number of its copy; empty for the file itself.
        params: the values of the params, or None where they cannot be known.
        outer: the level of the node that uses the block.
        user: the name of that node.
        copy: the number of the copy.
        depth: the levels around this one.
    """

    document: Document
    definition: Block | Blueprint
    where: Path | None
    path: str = ""
    params: Mapping[str, Any] | None = None
    outer: Level | None = None
    user: str = ""
    copy: int = 0
    depth: int = 0
    _inner: dict[tuple[str, int], Level | None] = field(default_factory=dict)
    _copies: dict[str, int | None] = field(default_factory=dict)
    _left_out: dict[str, bool] = field(default_factory=dict)
    _blocks: dict[str, BlockPlace | None] = field(default_factory=dict)

    def join(self, name: str) -> str:
        """The path of a node of this level."""
        return f"{self.path}.{name}" if self.path else name

    def value(self, written: Any) -> Any:
        """What a written value comes to with the params of this level; as it is written where that is not known."""
        if self.params is None:
            return written
        try:
            return resolve_values(written, self.params)
        except ExpressionError:
            return written

    @cached_property
    def above(self) -> Mapping[str, str]:
        """The node above each node."""
        names = list(self.definition.nodes)
        return dict(zip(names[1:], names, strict=False))

    def left_out(self, name: str) -> bool:
        """Whether a node's `when` is false, or it has no copies, so that its first input passes through."""
        if name not in self._left_out:
            node = self.definition.nodes[name]
            if node.when is True and not isinstance(node, BlockNode):
                return False
            off = node.when is not True and self.value(node.when) is False
            self._left_out[name] = off or (isinstance(node, BlockNode) and self.copies(name) == 0)
        return self._left_out[name]

    def made(self, name: str) -> tuple[Level, str] | None:
        """The node whose weights a node uses, which is itself unless it is a reuse; None where there is none."""
        level, seen = self, set()
        while True:
            node = level.definition.nodes.get(name)
            if not isinstance(node, ReuseNode):
                return None if node is None else (level, name)
            if (id(level), name) in seen:
                return None
            seen.add((id(level), name))
            found = level.inside(node.reuse)
            if found is None:
                return None
            level, name = found

    def inside(self, reference: str) -> tuple[Level, str] | None:
        """The level and name of the node that a path leads to, numbers of copies included."""
        level = self
        name, *steps = reference.split(".")
        while steps:
            copy = int(steps.pop(0)) if level.numbered(name) and steps[0].isdecimal() else None
            inner = level.within(name, copy)
            if inner is None:
                return None
            if not steps:
                break
            level, name = inner, steps.pop(0)
        return (level, name) if name in level.definition.nodes else None

    def block(self, name: str) -> BlockPlace | None:
        """The block that a node uses, itself or by reuse."""
        if not isinstance(self.definition.nodes.get(name), BlockNode | ReuseNode):
            return None
        if name not in self._blocks:
            self._blocks[name] = self._find_block(name)
        return self._blocks[name]

    def _find_block(self, name: str) -> BlockPlace | None:
        made = self.made(name)
        if made is None:
            return None
        node = made[0].definition.nodes[made[1]]
        return made[0].document.find_block(node.block) if isinstance(node, BlockNode) else None

    def numbered(self, name: str) -> bool:
        """Whether the copies of a node's block have numbers."""
        made = self.made(name)
        if made is None:
            return False
        node = made[0].definition.nodes[made[1]]
        return isinstance(node, BlockNode) and "repeat" in node.model_fields_set

    def copies(self, name: str) -> int | None:
        """How many copies of its block a node has; None where that is not known, or too many."""
        if name not in self._copies:
            self._copies[name] = self._count(name)
        return self._copies[name]

    def _count(self, name: str) -> int | None:
        made = self.made(name)
        node = made[0].definition.nodes[made[1]] if made is not None else None
        if made is None or not isinstance(node, BlockNode):
            return None
        repeat = made[0].value(node.repeat)
        sound = isinstance(repeat, int) and not isinstance(repeat, bool) and 0 <= repeat <= _LIMITS.repeat
        return repeat if sound else None

    def within(self, name: str, copy: int | None = None) -> Level | None:
        """The level inside a node's block; None where the node uses none, or has no such copy.

        Arguments:
            name: the node.
            copy: the number of the copy; left out, the last one.
        """
        if name not in self.definition.nodes:
            return None
        count = self.copies(name)
        if not count or self.depth >= _LIMITS.depth:
            return None
        copy = count - 1 if copy is None else copy
        if copy >= count:
            return None
        key = (name, copy)
        if key not in self._inner:
            self._inner[key] = self._made_level(name, copy)
        return self._inner[key]

    def _made_level(self, name: str, copy: int) -> Level | None:
        made, place = self.made(name), self.block(name)
        if made is None or place is None:
            return None
        node = made[0].definition.nodes[made[1]]
        assert isinstance(node, BlockNode)
        given = {key: made[0].value(value) for key, value in node.given(place.definition.params).items()}
        params = resolve_params(place.definition.params, given, lambda problem: None)
        root: Level = self
        while root.outer is not None:
            root = root.outer
        return Level(
            place.document,
            place.definition,
            place.path if place.document is root.document else None,
            f"{self.join(name)}.{copy}" if self.numbered(name) else self.join(name),
            None if params is None else {"index": copy, **params},
            self,
            name,
            copy,
            self.depth + 1,
        )

    def leaf(self, reference: str) -> Leaf | None:
        """What a reference of this level leads to in the end; None where it leads nowhere."""
        here: _Asked = (self, reference)
        seen = set()
        while True:
            level, asked = here
            if (id(level), asked) in seen:
                return None
            seen.add((id(level), asked))
            found = _step(level, asked)
            if found is None or isinstance(found, Leaf):
                return found
            here = found


# A reference, and the level on which it is asked.
_Asked = tuple[Level, str]


def root_level(document: Document) -> Level:
    """The level of the file itself, its params at their defaults."""
    params = resolve_params(document.blueprint.params, {}, lambda problem: None)
    return Level(document, document.blueprint, (), params=params)


def taken(level: Level, name: str) -> list[Taken]:
    """The references of a node, in order."""
    source, path = level.definition.nodes[name].source, ("nodes", name, "from")
    if isinstance(source, str) and "$" not in source:
        return [Taken(source, path)]
    if source is not None:
        return [Taken(reference, place) for reference, place in references(source, path)]
    inputs = level.definition.inputs
    above = level.above.get(name) or (next(iter(inputs)) if len(inputs) == 1 else None)
    return [] if above is None else [Taken(above, path, implied=True)]


def output_references(definition: Block | Blueprint) -> tuple[dict[str, Taken], bool]:
    """What the outputs of a file or block take, by port, and whether it is a single one without a name."""
    outputs = definition.outputs
    if outputs is None:
        last = next(reversed(definition.nodes or definition.inputs), None)
        return ({} if last is None else {"0": Taken(last, ("outputs",), implied=True)}), True
    if isinstance(outputs, str):
        return {"0": Taken(outputs, ("outputs",))}, True
    items = outputs.items() if isinstance(outputs, dict) else enumerate(outputs if isinstance(outputs, list) else ())
    found = {str(port): Taken(item, ("outputs", port)) for port, item in items if isinstance(item, str)}
    return found, False


def _step(level: Level, reference: str) -> Leaf | _Asked | None:
    """One step of following a reference: where it ends, or where to ask next."""
    name, *steps = reference.split(".")
    if name in level.definition.inputs and name not in level.definition.nodes:
        return _arriving(level, name)
    node: Node | None = level.definition.nodes.get(name)
    if node is None:
        return None
    if node.when is True and not isinstance(node, BlockNode | ReuseNode):
        return Leaf(level.join(name), steps[0] if steps else "")
    if level.left_out(name):
        first = next(iter(taken(level, name)), None)
        return None if first is None else (level, first.reference)
    if level.block(name) is None:
        return Leaf(level.join(name), steps[0] if steps else "")
    copy = int(steps.pop(0)) if steps and steps[0].isdecimal() and level.numbered(name) else None
    inner = level.within(name, copy)
    if inner is None:
        return Leaf(level.join(name))
    ports, single = output_references(inner.definition)
    if steps:
        # A port comes before a node inside of the same name, as when the file is lowered.
        if not single and len(steps) == 1 and steps[0] in ports:
            return inner, ports[steps[0]].reference
        return inner, inner.definition.taps.get(steps[0], ".".join(steps)) if len(steps) == 1 else ".".join(steps)
    last = next(iter(ports.values()), None)
    return Leaf(level.join(name)) if last is None else (inner, last.reference)


def _arriving(level: Level, port: str) -> Leaf | _Asked | None:
    """What arrives at an input: what the node that uses the block takes there, or what the copy before gives."""
    outer = level.outer
    if outer is None:
        return Leaf(port)
    ports = list(level.definition.inputs)
    if level.copy:
        before = outer.within(level.user, level.copy - 1)
        if before is None:
            return None
        given, single = output_references(before.definition)
        following = given.get("0") if single and port == ports[0] else None if single else given.get(port)
        if following is not None:
            return before, following.reference
        # A port that the copies do not feed keeps what the first one was given.
        first = outer.within(level.user, 0)
        return None if first is None else (first, port)
    written = outer.definition.nodes[level.user].source
    if isinstance(written, dict) and "constant" not in written:
        reference = written.get(port)
    elif isinstance(written, list):
        reference = dict(zip(ports, written, strict=False)).get(port)
    elif written is None:
        implied = taken(outer, level.user)
        reference = implied[0].reference if implied and port == ports[0] else None
    else:
        reference = written if port == ports[0] else None
    return (outer, reference) if isinstance(reference, str) and "$" not in reference else None
