"""Two forms of a blueprint that can be compared: the graph that it means, and the nodes as they are written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from graphbuilder.blueprint import Document
from graphbuilder.catalog import BATCH, Entry, LayerEntry, OpEntry, TensorType
from graphbuilder.catalog.defaults import with_defaults
from graphbuilder.catalog.objects import KINDS, ObjectSpec
from graphbuilder.graph import Call, Constant, CustomLayer, Graph, GraphInput, Layer, Structure, Value, flatten
from graphbuilder.lowering.resolved_names import legal_name
from graphbuilder.lowering.resolved_values import plain_entry, written_constant

__all__ = ["Node", "Reference", "Scope", "data_of", "graph_scope", "written_scopes"]

# The keys that say what kind of node a node is.
_KINDS = ("layer", "op", "fuse", "block", "reuse")


@dataclass(frozen=True, slots=True)
class Reference:
    """What stands at a port.

    Arguments:
        node: the node or input that gives it; None for a constant.
        part: which of the values that it gives, or which of the nodes inside it; the constant's text.
    """

    node: str | None
    part: str = ""

    def __str__(self) -> str:
        if self.node is None:
            return self.part
        return f"{self.node}.{self.part}" if self.part else self.node


@dataclass(frozen=True)
class Node:
    """A node or an input, as far as it is compared.

    Arguments:
        name: its name, unique in its scope.
        kind: what is applied; "input" for an input.
        arguments: what it is made with, as plain data, without what is the default.
        inputs: what stands at each port, by the port.
        shares: the node whose weights it uses, where they are another's.
        types: what it gives, where that is known.
        entry: the catalog's entry, which knows the defaults.
        canonical: the arguments with one name for each thing that has several; None where they have none.
    """

    name: str
    kind: str
    arguments: Mapping[str, Any]
    inputs: Mapping[str, Reference]
    shares: str | None = None
    types: tuple[TensorType | None, ...] = ()
    entry: Entry | None = None
    canonical: Mapping[str, Any] | None = None

    @cached_property
    def short(self) -> str:
        """The name without what a flat file cannot say: `encoder.2.norm` is `encoder_2_norm` there."""
        return legal_name(self.name)

    @cached_property
    def signature(self) -> tuple[str, str]:
        """What it is, whatever it is called and connected to."""
        return self.kind, json.dumps(self.compared, sort_keys=True, default=str)

    @property
    def compared(self) -> Mapping[str, Any]:
        """The arguments as they are compared."""
        return self.arguments if self.canonical is None else self.canonical

    def default(self, argument: str) -> Any:
        """What an argument is where nothing is said; None where that is not known."""
        known = None if self.entry is None else type(self.entry).model_fields.get(argument)
        if known is None or known.is_required() or known.default is None:
            return None
        found = known.default
        if isinstance(found, tuple):
            return list(found)
        return found if isinstance(found, bool | int | float) else str(found)


@dataclass(frozen=True, slots=True)
class Scope:
    """Nodes that may refer to each other.

    Arguments:
        nodes: by name, the inputs among them.
        outputs: what the scope gives, by its key.
    """

    nodes: Mapping[str, Node]
    outputs: Mapping[str, Reference] = field(default_factory=dict)


def graph_scope(graph: Graph, *, axis_names: bool = True) -> Scope:
    """A graph: its inputs, and its calls with blocks, params and fusions expanded.

    Arguments:
        graph: the graph.
        axis_names: whether an unknown axis keeps its name.
    """
    nodes = {name: _input(name, item, axis_names) for name, item in graph.inputs.items()}
    owner = {item.value.name: Reference(name) for name, item in graph.inputs.items()}
    made: dict[str, str] = {}
    for call in graph.calls.values():
        for number, value in enumerate(call.outputs):
            owner[value.name] = Reference(call.name, str(number) if call.several else "")
        shares = made.setdefault(call.target.name, call.name) if isinstance(call.target, Layer) else call.name
        nodes[call.name] = _call(call, owner, None if shares == call.name else shares, axis_names)
    return Scope(nodes, _outputs_of(graph.outputs, owner))


def _input(name: str, item: GraphInput, axis_names: bool) -> Node:
    found = _named(item.value.type, axis_names)
    arguments = {} if found is None else {"shape": list(found.shape[1:]), "dtype": found.dtype}
    return Node(name, "input", arguments, {}, types=(found,))


def _named(found: TensorType | None, axis_names: bool) -> TensorType | None:
    """A type, without the names of unknown axes where those are not wanted."""
    if found is None or axis_names:
        return found
    return found.with_shape(axis if axis == BATCH or isinstance(axis, int) else None for axis in found.shape)


def _call(call: Call, owner: Mapping[str, Reference], shares: str | None, axis_names: bool) -> Node:
    target = call.target.entry if isinstance(call.target, Layer) else call.target
    arguments = dict(target.arguments) if isinstance(target, CustomLayer) else plain_entry(target)
    known = {} if isinstance(target, CustomLayer) else target.call_arguments
    options = {key: value for key, value in call.options.items() if key not in known or known[key].default != value}
    said = {"call": data_of(options)} if options else {}
    saved_as = target.saved_as if isinstance(target, OpEntry) else None
    return Node(
        call.name,
        saved_as or call.kind,
        {**arguments, **said},
        {
            port: reference
            for name, argument in call.arguments.items()
            for port, reference in _leaves(argument, name, owner)
        },
        shares,
        tuple(_named(value.type, axis_names) for value in call.outputs),
        None if isinstance(target, CustomLayer) else target,
        None if isinstance(target, CustomLayer) else {**_canonical(target, call.rank), **said},
    )


def _canonical(entry: Entry, rank: int | None) -> dict[str, Any]:
    """The arguments but for those that say what is meant anyway, with one name for each initializer and its like."""
    entry = with_defaults(entry, rank) if isinstance(entry, LayerEntry) else entry
    found = plain_entry(entry)
    for name in list(found):
        value = getattr(entry, name, None)
        if isinstance(value, ObjectSpec):
            found[name] = _one_name(value)
    return found


def _one_name(value: ObjectSpec) -> dict[str, Any]:
    return {str(KINDS[value.kind].canonical(value.name)): data_of(value.options)}


def _leaves(argument: Any, port: str, owner: Mapping[str, Reference]) -> Iterator[tuple[str, Reference]]:
    """What stands at a port, by the port's name and the places within it."""
    if isinstance(argument, Value):
        yield port, owner[argument.name]
    elif isinstance(argument, Constant):
        yield port, Reference(None, json.dumps(written_constant(argument), default=str))
    elif isinstance(argument, Mapping):
        for key, item in argument.items():
            yield from _leaves(item, f"{port}.{key}", owner)
    else:
        for number, item in enumerate(argument):
            yield from _leaves(item, f"{port}.{number}", owner)


def _outputs_of(outputs: Structure, owner: Mapping[str, Reference]) -> dict[str, Reference]:
    """What a graph gives, by its key, its number, or nothing for a single tensor."""
    if isinstance(outputs, Value):
        return {"": owner[outputs.name]}
    if isinstance(outputs, Mapping):
        parts = [(str(key), part) for key, part in outputs.items()]
    else:
        parts = [(str(number), part) for number, part in enumerate(outputs)]
    found = {}
    for key, part in parts:
        leaves = [leaf for leaf in flatten(part) if isinstance(leaf, Value)]
        for number, leaf in enumerate(leaves):
            found[key if len(leaves) == 1 else f"{key}.{number}"] = owner[leaf.name]
    return found


def written_scopes(document: Document) -> dict[str, Scope]:
    """The nodes of a file and of each of its blocks as they are written, by the block; "" for the file.

    Arguments:
        document: a loaded blueprint.
    """
    data = document.source.data
    found = {"": _written(data)}
    for name, block in (data.get("blocks") or {}).items():
        found[str(name)] = _written(block)
    return found


def _written(data: Mapping[str, Any]) -> Scope:
    inputs = data.get("inputs") or {}
    names = [str(name) for name in inputs]
    written = inputs if isinstance(inputs, Mapping) else {}
    nodes = {name: Node(name, "input", _without_about(written.get(name) or {}), {}) for name in names}
    above = Reference(names[0]) if names else Reference(None, "nothing")
    for name, node in (data.get("nodes") or {}).items():
        key = next((key for key in _KINDS if key in node), "layer")
        kind = str(node.get(key)) if key in ("layer", "op") else f"{key} {node.get(key)}"
        arguments = {name: value for name, value in _without_about(node).items() if name not in (key, "from")}
        source = node.get("from")
        nodes[name] = Node(name, kind, arguments, {"": above} if source is None else dict(_sources(source, "")))
        above = Reference(name)
    outputs = data.get("outputs")
    return Scope(nodes, {"": above} if outputs is None else dict(_sources(outputs, "")))


def _without_about(data: Mapping[str, Any]) -> dict[str, Any]:
    return {str(key): value for key, value in data.items() if key != "about"}


def _sources(written: Any, place: str) -> Iterator[tuple[str, Reference]]:
    """What stands under `from`, by the places within it."""
    if isinstance(written, str) and not written.startswith("$"):
        head, _, part = written.partition(".")
        yield place, Reference(head, part)
    elif isinstance(written, Mapping) and "constant" not in written:
        for key, item in written.items():
            yield from _sources(item, f"{place}.{key}" if place else str(key))
    elif isinstance(written, list):
        for number, item in enumerate(written):
            yield from _sources(item, f"{place}.{number}" if place else str(number))
    else:
        yield place, Reference(None, json.dumps(written, default=str))


def data_of(value: Any) -> Any:
    """Plain data with lists for tuples."""
    if isinstance(value, Mapping):
        return {str(key): data_of(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [data_of(item) for item in value]
    return value
