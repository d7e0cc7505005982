"""The structure of a document, found again in its graph: which calls came of which use of a block or fusion."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphbuilder.blueprint import (
    BlockNode,
    BlockPlace,
    Document,
    ExpressionError,
    FuseNode,
    Node,
    ReuseNode,
    resolve_params,
    resolve_values,
)
from graphbuilder.graph import Call, Fusion, Graph, Layer, Value, flatten, layer_names

__all__ = ["Structured", "Unit", "Unkept", "function_kinds", "structured"]


class Unkept(Exception):
    """A graph in which the structure of its document cannot be found again.

    Arguments:
        reason: why, in one clause without a full stop.
    """


@dataclass(slots=True, eq=False)
class Unit:
    """One use of a block or a fusion, or the model itself.

    Arguments:
        path: of the node that uses it, with the number of its copy; empty for the model.
        kind: what it is a use of: the block's name, or the way of merging.
        document: the file in which its nodes stand.
        where: the keys that lead to its definition in that file.
        nodes: its nodes by name; none for a fusion.
        params: the values of its params, `index` included.
        node: the node that uses it.
        place: the block that is used.
        fusion: the fusion.
        copy: the number of its copy under a `repeat`.
        owner: the path of the unit whose layers it calls again; its own path where they are its own.
        reuse: the node that calls the block again, if one does.
        items: its calls, and the units within it, in order.
        inputs: the values that come from outside, in the order of their first use.
        results: its values that are used outside, in order.
    """

    path: str
    kind: str
    document: Document
    where: tuple[str | int, ...]
    nodes: Mapping[str, Node]
    params: Mapping[str, Any]
    node: BlockNode | FuseNode | None = None
    place: BlockPlace | None = None
    fusion: Fusion | None = None
    copy: int | None = None
    items: list[Call | Unit] = field(default_factory=list)
    inputs: list[Value] = field(default_factory=list)
    results: list[Value] = field(default_factory=list)
    owner: str = ""
    reuse: ReuseNode | None = None

    @property
    def used_as(self) -> str:
        """The path of the node that uses it, without the number of the copy."""
        return self.path if self.copy is None else self.path.rpartition(".")[0]

    @property
    def owned_as(self) -> str:
        """The same of the node that owns its layers."""
        return self.owner if self.copy is None else self.owner.rpartition(".")[0]

    @property
    def function_kind(self) -> str:
        """What a function for it is called after."""
        return self.kind if self.fusion is None else f"fuse_{self.kind}"

    def within(self, path: str) -> str:
        """What of a path stands behind the unit's own, its dot included."""
        return path[len(self.path) :]

    def owned(self, path: str) -> str:
        """What of a layer's path stands behind that of the unit that owns it, its dot included."""
        return path[len(self.owner) :]

    def calls(self) -> Iterator[Call]:
        """All calls, those of the units within it included."""
        waiting: list[Call | Unit] = list(reversed(self.items))
        while waiting:
            item = waiting.pop()
            if isinstance(item, Unit):
                waiting.extend(reversed(item.items))
            else:
                yield item


@dataclass(frozen=True, slots=True)
class Structured:
    """The units of a graph.

    Arguments:
        root: the model.
        consumers: for each value, the names of the calls that it feeds; the model's outputs are `""`.
        written_out: the nodes whose blocks are no units, because their layers are shared with what is outside.
    """

    root: Unit
    consumers: Mapping[str, tuple[str, ...]]
    written_out: frozenset[str]

    def units(self) -> list[Unit]:
        """All units but the model itself, the inner ones after those around them."""
        return [chain[-1] for chain in _walk(self.root) if len(chain) > 1]


def structured(graph: Graph, document: Document | None, apart: Collection[str] = ()) -> Structured:
    """The units of a graph.

    A block whose layers are called from outside of it too is none: its calls stand with those around it.

    Arguments:
        graph: what was made of the document.
        document: the document; without one the model is a single unit.
        apart: nodes whose blocks and fusions are no units.

    Raises:
        Unkept: the graph is not what the document says, such as one that passes have rewritten.
    """
    flat: set[str] = set(apart)
    while True:
        root = _Finder(graph, document, frozenset(flat)).root()
        found = {*_sharing(root), *_named_otherwise(root, layer_names(graph))}
        if not found:
            break
        flat |= found
    consumers: dict[str, list[str]] = {}
    for call in graph.calls.values():
        for value in call.inputs():
            consumers.setdefault(value.name, []).append(call.name)
    for leaf in flatten(graph.outputs):
        assert isinstance(leaf, Value)
        consumers.setdefault(leaf.name, []).append("")
    _connect(root, consumers)
    return Structured(root, {name: tuple(names) for name, names in consumers.items()}, frozenset(flat))


class _Finder:
    """Puts each call into its unit."""

    def __init__(self, graph: Graph, document: Document | None, flat: frozenset[str]) -> None:
        self._graph = graph
        self._document = document
        self._flat = flat
        self._units: dict[str, Unit] = {}

    def root(self) -> Unit:
        document = self._document
        nodes = {} if document is None else document.blueprint.nodes
        # Without a document nothing looks it up.
        root = Unit("", "", document, (), nodes, self._graph.params)  # type: ignore[arg-type]
        placed: set[str] = set()
        for call in self._graph.calls.values():
            unit = root
            while (inner := self._inside(unit, call)) is not None:
                if inner.path not in placed:
                    placed.add(inner.path)
                    unit.items.append(inner)
                elif unit.items[-1] is not inner:
                    raise Unkept(f"the nodes of {inner.path} do not follow one another")
                unit = inner
            unit.items.append(call)
        return root

    def _inside(self, unit: Unit, call: Call) -> Unit | None:
        """The unit of a call that is nearest to a unit around it; None where that is the call's own."""
        parts = unit.within(call.name).lstrip(".").split(".")
        node = unit.nodes.get(parts[0])
        base = f"{unit.path}.{parts[0]}" if unit.path else parts[0]
        owner = f"{unit.owner}.{parts[0]}" if unit.owner else parts[0]
        reuse = None
        while isinstance(node, ReuseNode) and "." not in node.reuse:
            reuse = reuse or node
            owner = f"{unit.owner}.{node.reuse}" if unit.owner else node.reuse
            node = unit.nodes.get(node.reuse)
        if isinstance(node, FuseNode):
            found = self._fusion(unit, base, node)
        elif not isinstance(node, BlockNode) or base in self._flat or len(parts) < 2:
            return None
        else:
            numbered = "repeat" in node.model_fields_set
            path = f"{base}.{parts[1]}" if numbered else base
            owner = f"{owner}.{parts[1]}" if numbered else owner
            if path not in self._units:
                self._units[path] = self._block(unit, path, node, int(parts[1]) if numbered else None)
            found = self._units[path]
        if found is not None:
            found.owner, found.reuse = owner, reuse
        return found

    def _fusion(self, unit: Unit, path: str, node: FuseNode) -> Unit | None:
        fusion = self._graph.fusions.get(path)
        if fusion is None or len(fusion.calls) < 2 or path in self._flat:
            return None
        if path not in self._units:
            where = (*unit.where, "nodes", path.rpartition(".")[2])
            self._units[path] = Unit(path, fusion.strategy, unit.document, where, {}, {}, node, fusion=fusion)
        return self._units[path]

    def _block(self, unit: Unit, path: str, node: BlockNode, copy: int | None) -> Unit:
        place = unit.document.find_block(node.block)
        if place is None:
            raise Unkept(f"there is no block {node.block}")
        try:
            given = {
                key: resolve_values(value, unit.params) for key, value in node.given(place.definition.params).items()
            }
        except ExpressionError as error:
            raise Unkept(f"the params of {path} cannot be computed") from error
        problems: list[Any] = []
        values = resolve_params(place.definition.params, given, problems.append)
        if values is None:
            raise Unkept(f"the params of {path} are not accepted")
        params = {"index": copy or 0, **values}
        return Unit(
            path, node.block, place.document, place.path, place.definition.nodes, params, node, place, None, copy
        )


def _walk(root: Unit) -> Iterator[tuple[Unit, ...]]:
    """Every unit with those around it, from the outside in, the inner ones after the outer ones."""
    waiting: list[tuple[Unit, ...]] = [(root,)]
    while waiting:
        chain = waiting.pop()
        yield chain
        waiting.extend((*chain, item) for item in reversed(chain[-1].items) if isinstance(item, Unit))


def function_kinds(root: Unit) -> list[str]:
    """What the functions for the units within one are called after, each once."""
    return list(dict.fromkeys(chain[-1].function_kind for chain in _walk(root) if len(chain) > 1))


def _sharing(root: Unit) -> Iterator[str]:
    """The nodes whose blocks have layers that are called elsewhere too, other than by calling the whole block again."""
    homes: dict[str, list[tuple[Unit, ...]]] = {}
    for chain in _walk(root):
        for item in chain[-1].items:
            if isinstance(item, Call) and isinstance(item.target, Layer):
                homes.setdefault(item.target.name, []).append(chain)
    for chains in homes.values():
        # Uses of one block that are made once and called several times are told as that.
        if len({tuple(unit.owner for unit in chain) for chain in chains}) == 1:
            continue
        for chain in chains:
            depth = next(
                (level for level, unit in enumerate(chain) if any(unit not in other for other in chains)), len(chain)
            )
            if depth < len(chain):
                yield chain[depth].used_as


def _named_otherwise(root: Unit, built: Mapping[str, str]) -> Iterator[str]:
    """The nodes whose layers have names in the model that do not begin as one."""
    for chain in _walk(root):
        unit = chain[-1]
        names = [(path, built[path]) for call in unit.calls() if (path := _path(call)) in built]
        if unit.path and any(name != path for path, name in names):
            yield chain[1].used_as


def _path(call: Call) -> str:
    """Under which name a call's layer or op is built."""
    return call.target.name if isinstance(call.target, Layer) else call.name


def _connect(root: Unit, consumers: Mapping[str, list[str]]) -> None:
    """Finds what goes into each unit and comes out of it."""
    for chain in _walk(root):
        unit = chain[-1]
        calls = {call.name: call for call in unit.calls()}
        own = {value.name for call in calls.values() for value in call.outputs}
        inputs = {value.name: value for call in calls.values() for value in call.inputs() if value.name not in own}
        unit.inputs = list(inputs.values())
        unit.results = [
            value
            for call in calls.values()
            for value in call.outputs
            if any(name not in calls for name in consumers.get(value.name, ()))
        ]
