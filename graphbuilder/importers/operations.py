"""Ops of a Keras model as op nodes of a blueprint."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import EllipsisType
from typing import Any

from pydantic import ValidationError

from graphbuilder.catalog import OpEntry, ops
from graphbuilder.importers.calling import Reference, written_given, written_source
from graphbuilder.importers.described import DescribedCall, DescribedLayer, DescribedTensor, Given, tensors_in
from graphbuilder.importers.problems import NotCarried
from graphbuilder.lowering.resolved_values import written_entry

__all__ = ["Operation", "is_operation", "operation", "without_unused_operations"]

# Where a word of a class name begins, but for its first.
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# Functions that keras.ops has under two names.
_ALIASES = {"amax": "max", "amin": "min", "swish": "silu"}
# What some functions take by position after their tensors.
_POSITIONAL = {"get_item": ("key",)}


def is_operation(layer: DescribedLayer) -> bool:
    """Whether a layer is a call of a function of `keras.ops`."""
    return layer.module == "keras.ops" or layer.module.startswith(("keras.ops.", "keras.src.ops"))


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of an op.

    Arguments:
        entry: the op, as the catalog has it.
        ports: what stands at each port.
    """

    entry: OpEntry
    ports: Mapping[str, Given]

    def written(self, reference: Reference) -> dict[str, Any]:
        """The node.

        Arguments:
            reference: what each tensor is called.

        Raises:
            NotCarried: it is given something that cannot be said.
        """
        given = {port: written_given(value, reference) for port, value in self.ports.items()}
        kind = type(self.entry)
        return {"op": kind.name(), "from": written_source(kind, given), **written_entry(self.entry)}


def operation(layer: DescribedLayer, call: DescribedCall) -> Operation:
    """A call of an op, as the catalog has it.

    Arguments:
        layer: the op, as Keras saves it among the layers.
        call: its call.

    Raises:
        NotCarried: the catalog has no such op, or it is used in a way that the catalog cannot say.

    Example:
        >>> x = DescribedTensor("x", shape=(None, 4))
        >>> mean = operation(DescribedLayer("m", "Mean", "keras.ops", {"axis": 1}), DescribedCall((x,)))
        >>> mean.written(lambda tensor: tensor.layer)
        {'op': 'mean', 'from': 'x', 'axis': 1}
    """
    name = _WORD_START.sub("_", layer.kind).lower()
    name = _ALIASES.get(name, name)
    kind = ops.get(name)
    if kind is None:
        raise NotCarried(f"the catalog has no op {name}", "`graphbuilder layers --ops` lists those it has")
    # Files of Keras 2 have TensorFlow's name.
    name = kind.saved_as or name
    kind = ops.get(name) or kind
    ports, arguments = _bound(kind, name, layer.config, call)
    try:
        return Operation(kind.model_validate(arguments), ports)
    except ValidationError as error:
        told = error.errors()[0]
        where = ".".join(map(str, told["loc"]))
        raise NotCarried(f"{name} is used with {where} in a way that cannot be said: {told['msg']}") from None


def _bound(
    kind: type[OpEntry], name: str, config: Mapping[str, Any], call: DescribedCall
) -> tuple[dict[str, Given], dict[str, Any]]:
    """What stands at each port, and the arguments that are no tensors."""
    ports: dict[str, Given] = {}
    arguments = {key: value for key, value in config.items() if key != "name" and value is not None}
    names = [port.name for port in kind.ports]
    positional = list(call.arguments)
    if name == "einsum":
        # Its operands follow one another.
        positional = [positional]
    for key, value in zip((*names, *_POSITIONAL.get(name, ())), positional, strict=False):
        (ports if key in names else arguments)[key] = value
    if len(positional) > len(names) + len(_POSITIONAL.get(name, ())):
        raise NotCarried(f"{name} is called with {len(positional)} arguments by position")
    for key, value in call.keywords.items():
        if value is not None:
            (ports if key in names else arguments)[key] = value
    if name == "get_item":
        arguments["key"] = _index(arguments.get("key"))
    if name == "one_hot" and arguments.get("dtype") == "float32":
        # What it gives when nothing is said.
        del arguments["dtype"]
    if name == "unstack" and "num" not in arguments:
        arguments["num"] = _size(ports.get("x"), arguments.get("axis", 0))
    for key, value in arguments.items():
        if key not in kind.model_fields:
            raise NotCarried(f"{name} is used with {key}, which the catalog does not know")
        if next(tensors_in(value), None) is not None:
            raise NotCarried(f"{name} is used with a {key} that is computed", "the catalog takes plain data there")
    return {key: ports[key] for key in names if ports.get(key) is not None}, arguments


def _size(given: Given, axis: Any) -> int:
    shape = given.shape if isinstance(given, DescribedTensor) else None
    known = shape is not None and type(axis) is int and -len(shape) <= axis < len(shape)
    size = shape[axis] if shape is not None and known else None
    if size is None:
        raise NotCarried(f"unstack parts axis {axis}, and the file does not say how large that is")
    return int(size)


def _index(key: Any) -> str:
    """An index between brackets as text.

    Raises:
        NotCarried: it is no index of whole numbers, slices, new axes and an ellipsis.
    """
    parts = key if isinstance(key, list) else [key]
    return ", ".join(map(_index_part, parts))


def _index_part(part: Any) -> str:
    if isinstance(part, EllipsisType):
        return "..."
    if part is None:
        return "None"
    if isinstance(part, slice):
        bounds = [part.start, part.stop, *([] if part.step is None else [part.step])]
        if all(bound is None or isinstance(bound, int) for bound in bounds):
            return ":".join("" if bound is None else str(bound) for bound in bounds)
    elif isinstance(part, int) and not isinstance(part, bool):
        return str(part)
    raise NotCarried(
        "it picks elements by an index that is computed, or by a list",
        "use take, or an index of whole numbers and slices",
    )


def without_unused_operations(layers: Iterable[DescribedLayer], outputs: Given) -> tuple[DescribedLayer, ...]:
    """The layers without ops of which nobody needs what they give, and then without those that only these needed.

    Arguments:
        layers: of one model.
        outputs: what the model gives.

    Example:
        >>> x = DescribedTensor("x")
        >>> a = DescribedLayer("a", "Tanh", "keras.ops", {}, (DescribedCall((x,)),))
        >>> b = DescribedLayer("b", "Tanh", "keras.ops", {}, (DescribedCall((DescribedTensor("a"),)),))
        >>> without_unused_operations([a, b], x), len(without_unused_operations([a, b], DescribedTensor("b")))
        ((), 2)
    """
    known = {layer.name: layer for layer in layers}
    used: dict[str, int] = {}
    for tensor in [*tensors_in(outputs), *(tensor for layer in known.values() for tensor in _needed(layer))]:
        used[tensor.layer] = used.get(tensor.layer, 0) + 1
    waiting = [layer for layer in known.values() if is_operation(layer) and layer.name not in used]
    while waiting:
        layer = waiting.pop()
        del known[layer.name]
        for tensor in _needed(layer):
            used[tensor.layer] -= 1
            above = known.get(tensor.layer)
            if above is not None and not used[tensor.layer] and is_operation(above):
                waiting.append(above)
    return tuple(known.values())


def _needed(layer: DescribedLayer) -> Iterator[DescribedTensor]:
    for call in layer.calls:
        yield from tensors_in([*call.arguments, *call.keywords.values()])
