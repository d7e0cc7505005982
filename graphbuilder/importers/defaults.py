"""Arguments that Keras saves although nobody wrote them, because it has worked them out by then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphbuilder.catalog import Entry, LayerEntry
from graphbuilder.catalog.objects import KINDS, ObjectSpec

__all__ = ["with_defaults"]


def with_defaults(entry: LayerEntry, rank: int | None = None) -> LayerEntry:
    """An entry in which what means the default is the default, so that it is not written.

    Arguments:
        entry: a layer as Keras has saved it.
        rank: how many axes its first input has, where that is known.

    Example:
        >>> from graphbuilder.catalog import layers
        >>> with_defaults(layers.get("MaxPooling2D")(pool_size=3, strides=3)).strides is None
        True
    """
    changed: dict[str, Any] = {}
    for name, field in type(entry).model_fields.items():
        value = getattr(entry, name)
        if value != field.default and _means_the_same(name, value, field.default):
            changed[name] = field.default
    for name, follows in _FOLLOWING.items():
        if getattr(entry, name, None) is not None and type(entry).model_fields[name].default is None:
            value = follows(entry, rank)
            if value is not None and value == getattr(entry, name):
                changed[name] = None
    return entry.model_copy(update=changed) if changed else entry


def _means_the_same(name: str, value: Any, default: Any) -> bool:
    if name == "data_format":
        return default is None and value == "channels_last"
    if isinstance(value, tuple) and type(default) is int:
        return value == (default,)
    if not isinstance(value, ObjectSpec):
        return False
    if default is None:
        return value.kind == "activation" and value.name == "linear" and not value.options
    canonical = KINDS[value.kind].canonical
    same = isinstance(default, ObjectSpec) and canonical(value.name) == canonical(default.name)
    return same and value.options == default.options


def _strides(entry: Entry, rank: int | None) -> Any:
    """Pooling moves by the size of its window."""
    return getattr(entry, "pool_size", None)


def _value_dim(entry: Entry, rank: int | None) -> Any:
    return getattr(entry, "key_dim", None)


def _attention_axes(entry: Entry, rank: int | None) -> Any:
    """All but the batch and the features."""
    return None if rank is None else tuple(range(1, rank - 1))


def _backward_layer(entry: Entry, rank: int | None) -> Any:
    """The layer itself, the other way round."""
    layer = getattr(entry, "layer", None)
    if not isinstance(layer, LayerEntry) or not hasattr(layer, "go_backwards"):
        return None
    return layer.model_copy(update={"go_backwards": not layer.go_backwards})


# What an argument is where it is left out and follows from others.
_FOLLOWING: dict[str, Callable[[Entry, int | None], Any]] = {
    "attention_axes": _attention_axes,
    "backward_layer": _backward_layer,
    "strides": _strides,
    "value_dim": _value_dim,
}
