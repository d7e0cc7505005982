"""The order and the names of an ONNX model, the same each time: the converter leaves both to the order of its sets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["settle"]

# What the converter puts behind names to tell them apart.
_NUMBER = re.compile(r"__\d+(?=$|[:/])")


def settle(proto: Any) -> None:
    """Orders nodes by what they take, from the outputs up, and names them and what flows between them by that order.

    The names of the model's inputs and outputs stay. A constant is called after the first node that takes it.

    Arguments:
        proto: an `onnx.ModelProto`; it is changed.
    """
    _order(proto.graph)
    _rename(proto.graph, {}, set())


def _order(graph: Any) -> None:
    """Puts each node behind those that feed it, the first input's first."""
    makers = {name: number for number, node in enumerate(graph.node) for name in node.output if name}
    nodes = list(graph.node)
    done: dict[int, None] = {}
    waiting = [(makers[end.name], False) for end in reversed(graph.output) if end.name in makers]
    while waiting:
        number, fed = waiting.pop()
        if number in done:
            continue
        if fed:
            done[number] = None
            continue
        feeding = [makers[name] for name in _taken_by(nodes[number]) if name in makers]
        waiting.append((number, True))
        waiting += [(other, False) for other in reversed(feeding) if other not in done]
    ordered = [_copy(nodes[number]) for number in done]
    del graph.node[:]
    graph.node.extend(ordered)
    for node in graph.node:
        for inner in _inner(node):
            _order(inner)


def _copy(message: Any) -> Any:
    return type(message).FromString(message.SerializeToString())


def _rename(graph: Any, around: Mapping[str, str], taken: set[str]) -> None:
    """Renames what one graph holds.

    Arguments:
        graph: the model's graph, or one inside a node, such as the body of a loop.
        around: the new names of what the graphs around it hold.
        taken: all names that are in use.
    """
    # How deep graphs lie in each other is up to the converter: loops of layers, never layers themselves.
    ends = [end.name for end in (*graph.input, *graph.output)]
    names = {**around, **{name: name for name in ends}}
    taken.update(ends)
    constants = {constant.name: constant for constant in graph.initializer}
    used: dict[str, Any] = {}
    for node in graph.node:
        node.name = _new(_NUMBER.sub("", node.name) or node.op_type, taken)
        for place, name in enumerate(_taken_by(node)):
            if name in constants and name not in used:
                used[name] = constants[name]
                if name not in ends:
                    names[name] = _new(f"{node.name}/{place}", taken)
        for place, name in enumerate(node.output):
            if name and name not in names:
                names[name] = _new(f"{node.name}:{place}", taken)
        for inner in _inner(node):
            _rename(inner, names, taken)
        for side in (node.input, node.output):
            side[:] = [names.get(name, name) for name in side]
    rest = [constant for name, constant in constants.items() if name not in used and name in ends]
    kept = [*used.values(), *rest]
    for constant in kept:
        constant.name = names[constant.name]
    copies = [_copy(constant) for constant in kept]
    del graph.initializer[:]
    graph.initializer.extend(copies)
    for info in graph.value_info:
        info.name = names.get(info.name, info.name)


def _taken_by(node: Any) -> Iterator[str]:
    """The names that a node takes, those inside of it included."""
    yield from node.input
    for inner in _inner(node):
        own = {name for each in inner.node for name in each.output} | {end.name for end in inner.input}
        own |= {constant.name for constant in inner.initializer}
        yield from (name for each in inner.node for name in _taken_by(each) if name not in own)


def _inner(node: Any) -> Iterator[Any]:
    """The graphs inside a node."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _new(name: str, taken: set[str]) -> str:
    unique, number = name, 2
    while unique in taken:
        unique = f"{name}_{number}"
        number += 1
    taken.add(unique)
    return unique
