"""One call of a layer or op as a node writes it: what stands under `from`, and under `call`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import EllipsisType
from typing import Any

from graphbuilder.catalog import Entry, LayerEntry
from graphbuilder.graph import constant_of
from graphbuilder.importers.described import DescribedArray, DescribedCall, DescribedTensor, Given, tensors_in
from graphbuilder.importers.problems import NotCarried
from graphbuilder.lowering.resolved_values import written_constant

__all__ = ["Reference", "call_options", "custom_call", "layer_call", "written_given", "written_source"]

# What a tensor is called in the blueprint.
Reference = Callable[[DescribedTensor], str]


def layer_call(kind: type[LayerEntry], call: DescribedCall, reference: Reference) -> tuple[Any, dict[str, Any]]:
    """What stands under `from` and under `call` where a layer of the catalog is called.

    Arguments:
        kind: the layer.
        call: the call.
        reference: what each tensor is called.

    Raises:
        NotCarried: the layer has no such port or call argument.
    """
    ports, options = _bound(kind, call)
    written = {port: written_given(value, reference) for port, value in ports.items()}
    return written_source(kind, written), options


def call_options(kind: type[LayerEntry], call: DescribedCall) -> dict[str, Any]:
    """The call arguments of a layer that are not tensors.

    Raises:
        NotCarried: the layer has no such port or call argument.
    """
    return _bound(kind, call)[1]


def _bound(kind: type[LayerEntry], call: DescribedCall) -> tuple[dict[str, Given], dict[str, Any]]:
    """What stands at each port, and the call arguments that are not tensors and not at their defaults."""
    ports: dict[str, Given] = {}
    options: dict[str, Any] = {}
    names = [port.name for port in kind.ports]
    # By position Keras takes tensors alone.
    tensors = list(_spread(kind, call.arguments))
    if len(tensors) > len(names):
        raise NotCarried(f"{kind.name()} is called with more than {len(names)} arguments by position")
    ports |= {name: value for name, value in zip(names, tensors, strict=False) if value is not None}
    for name, value in _keywords(kind, call.keywords):
        if value is None:
            continue
        known = kind.call_arguments.get(name)
        if name in names:
            ports[name] = value
        elif known is not None and not _holds_tensors(value):
            _refuse_marked(name, value)
            if value != known.default:
                options[name] = value
        elif value is not False:
            raise NotCarried(f"{kind.name()} is called with {name}, which the catalog does not know")
    # Keras takes the states of stacked cells cell by cell, a blueprint one after another.
    flat = {port.name: _unnested(ports[port.name]) for port in kind.ports if port.many and port.name in ports}
    return {name: flat.get(name, ports[name]) for name in names if name in ports}, options


def _unnested(value: Given) -> Given:
    """A list of tensors without the lists in it."""
    if not isinstance(value, list):
        return value
    found: list[Given] = []
    for item in value:
        inner = _unnested(item) if _holds_tensors(item) else item
        found += inner if isinstance(inner, list) and _holds_tensors(inner) else [inner]
    return found


def _spread(kind: type[LayerEntry], arguments: tuple[Given, ...]) -> Iterable[Given]:
    """The arguments by position; Attention takes its query, value and key as one list."""
    if len(arguments) == 1 and isinstance(arguments[0], list) and not kind.ports[0].many:
        return arguments[0]
    return arguments


def _keywords(kind: type[LayerEntry], keywords: Mapping[str, Given]) -> Iterable[tuple[str, Given]]:
    """The arguments by name; Attention takes the masks of its query and value as one list."""
    names = [port.name for port in kind.ports]
    for name, value in keywords.items():
        if name == "mask" and isinstance(value, list) and "mask" not in names and "query_mask" in names:
            yield from zip(("query_mask", "value_mask"), value, strict=False)
        else:
            yield name, value


def custom_call(call: DescribedCall, reference: Reference) -> tuple[Any, dict[str, Any]]:
    """The same for a layer that the catalog does not know.

    Raises:
        NotCarried: it is called with several arguments by position, whose names nobody knows.
    """
    if len(call.arguments) > 1:
        raise NotCarried(
            f"a custom layer is called with {len(call.arguments)} arguments by position",
            "call it with one by position and the others by name",
        )
    tensors = {name: value for name, value in call.keywords.items() if _holds_tensors(value)}
    # Whoever calls the model decides of training, unless it is true here; all else may have any default.
    options = {
        name: value
        for name, value in call.keywords.items()
        if name not in tensors and value is not None and (name, value) != ("training", False)
    }
    for name, value in options.items():
        _refuse_marked(name, value)
    given = {name: written_given(value, reference) for name, value in tensors.items()}
    if not call.arguments:
        return given, options
    alone = written_given(call.arguments[0], reference)
    return ({"": alone, **given} if given or isinstance(alone, dict) else alone), options


def written_source(kind: type[Entry], ports: Mapping[str, Any]) -> Any:
    """What stands under `from`, in the shortest form that a layer or op takes.

    Arguments:
        kind: the layer or op.
        ports: what stands at each port, written, in the order of the ports.

    Example:
        >>> from graphbuilder.catalog import layers
        >>> written_source(layers.get("LSTM"), {"sequences": "words"})
        'words'
        >>> written_source(layers.get("LSTM"), {"sequences": "words", "mask": "known"})
        {'sequences': 'words', 'mask': 'known'}
    """
    names = [port.name for port in kind.ports]
    if list(ports) == names[:1]:
        return ports[names[0]]
    if list(ports) == names[: len(ports)] and not any(isinstance(value, list) for value in ports.values()):
        return list(ports.values())
    return dict(ports)


def written_given(value: Given, reference: Reference) -> Any:
    """A tensor, a constant, or a structure of them, as it stands under `from`.

    Arguments:
        value: what the call is given.
        reference: what each tensor is called.

    Raises:
        NotCarried: it holds something else.
    """
    if isinstance(value, DescribedTensor):
        return reference(value)
    if isinstance(value, DescribedArray):
        try:
            return written_constant(constant_of(value.value, value.dtype))
        except ValueError as error:
            raise NotCarried(f"it is called with an array that is no constant: {error}") from None
    if isinstance(value, list):
        if value and not _holds_tensors(value) and not _holds(value, DescribedArray):
            _refuse_marked("list", value)
            return {"constant": value}
        return [written_given(item, reference) for item in value]
    if isinstance(value, dict):
        return {key: written_given(item, reference) for key, item in value.items()}
    if isinstance(value, (bool, int, float)):
        return value
    raise NotCarried(f"it is called with {value!r}, which is neither a tensor nor a number")


def _refuse_marked(name: str, value: Given) -> None:
    """Refuses a call argument that plain data has no form for."""
    if any(_holds(value, kind) for kind in (slice, EllipsisType, DescribedArray)):
        raise NotCarried(f"it is called with a {name} that is no plain data")


def _holds_tensors(value: Given) -> bool:
    return next(tensors_in(value), None) is not None


def _holds(value: Given, kind: type) -> bool:
    items = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    return isinstance(value, kind) or any(_holds(item, kind) for item in items)
