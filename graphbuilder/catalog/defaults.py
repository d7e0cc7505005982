"""Arguments that say what is meant anyway: Keras saves them although nobody wrote them, once it has worked them out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, get_args

from pydantic import WithJsonSchema

from graphbuilder.catalog.entry import Entry, LayerEntry
from graphbuilder.catalog.objects import KINDS, ObjectSpec

__all__ = ["as_one_number", "with_defaults"]


def with_defaults(entry: LayerEntry, rank: int | None = None) -> LayerEntry:
    """An entry in which what means the default is the default, so that it is not written.

    Arguments:
        entry: a layer, as Keras has saved it or a person has written it.
        rank: how many axes its first input has at every call, where that is known.

    Example:
        >>> from graphbuilder.catalog import layers
        >>> with_defaults(layers.get("MaxPooling2D")(pool_size=3, strides=3)).strides is None
        True
    """
    changed: dict[str, Any] = {}
    for name, field in type(entry).model_fields.items():
        given = getattr(entry, name)
        value = as_one_number(type(entry), name, given)
        if value is not given:
            changed[name] = value
        if value != field.default and _means_the_same(name, value, field.default):
            changed[name] = field.default
    if _is_of_ids(entry):
        changed["dtype"] = None
    if rank is not None and _is_last_axis(entry, rank):
        changed["axis"] = -1
    for name, follows in _FOLLOWING.items():
        if getattr(entry, name, None) is not None and type(entry).model_fields[name].default is None:
            value = follows(entry, rank)
            if value is not None and value == getattr(entry, name):
                changed[name] = None
    return entry.model_copy(update=changed) if changed else entry


def as_one_number(kind: type[Entry], name: str, value: Any) -> Any:
    """One number where two were given between which the layer draws, and the one means them; anything else as it is.

    Arguments:
        kind: the layer.
        name: the argument.
        value: what it is.

    Example:
        >>> from graphbuilder.catalog import layers
        >>> as_one_number(layers.get("RandomRotation"), "factor", (-0.1, 0.1))
        0.1
    """
    if not isinstance(value, (list, tuple)) or len(value) != 2 or name not in kind.model_fields:
        return value
    if (kind.__name__, name) in _ONE_FOR_BOTH and value[0] == value[1]:
        return value[0]
    least = _least_strength(kind, name)
    if least is None or not all(isinstance(each, (int, float)) for each in value):
        return value
    low, high = value
    return high if high >= 0 and low in (-high, max(least, -high)) else value


@cache
def _least_strength(kind: type[Entry], name: str) -> float | None:
    """The smallest number of an argument that is one number or two between which the layer draws; None for others."""
    field = kind.model_fields[name]
    for schema in (found.json_schema or {} for found in _schemas(field.metadata, field.annotation)):
        one, *others = [form for form in schema.get("anyOf", ()) if isinstance(form, dict)] or [{}]
        several = any(form.get("type") == "array" and form.get("items") == one for form in others)
        least = one.get("minimum", one.get("exclusiveMinimum"))
        # Two integers are most often a size, of which each number counts.
        drawn = one.get("type") == "number" or (kind.__name__, name) in _DRAWN_INTEGERS
        if several and drawn and isinstance(least, (int, float)):
            return least
    return None


def _schemas(metadata: Any, annotation: Any) -> Iterator[WithJsonSchema]:
    """The schemas that an argument's type is annotated with, those of a type that may be null among them."""
    yield from (each for each in metadata if isinstance(each, WithJsonSchema))
    for part in get_args(annotation):
        yield from _schemas(getattr(part, "__metadata__", ()), None)


def _is_last_axis(entry: Entry, rank: int) -> bool:
    """Whether an axis is the last one by its number, and the last one is what is meant when nothing is said."""
    field = type(entry).model_fields.get("axis")
    return field is not None and field.default == -1 and getattr(entry, "axis", None) in (rank - 1, (rank - 1,), (-1,))


def _is_of_ids(entry: Entry) -> bool:
    """Whether a layer gives integers, which Keras keeps in 64 bits whatever the policy."""
    return getattr(entry, "dtype", None) == "int64" and getattr(entry, "output_mode", None) == "int"


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


def _sequence_length(entry: Entry, rank: int | None) -> Any:
    return getattr(entry, "fft_length", None)


def _max_freq(entry: Entry, rank: int | None) -> Any:
    """Half the sampling rate: no higher frequency can be heard in the samples."""
    rate = getattr(entry, "sampling_rate", None)
    return None if rate is None else rate / 2


# Sizes and numbers of which one stands for both, and which the catalog keeps as they are written.
_ONE_FOR_BOTH = (
    ("Hashing", "salt"),
    ("IntegerLookup", "salt"),
    ("RandomGaussianBlur", "kernel_size"),
    ("StringLookup", "salt"),
)
# Two integers between which a layer draws.
_DRAWN_INTEGERS = (("RandomPosterization", "factor"),)
# What an argument is where it is left out and follows from others.
_FOLLOWING: dict[str, Callable[[Entry, int | None], Any]] = {
    "attention_axes": _attention_axes,
    "backward_layer": _backward_layer,
    "max_freq": _max_freq,
    "sequence_length": _sequence_length,
    "strides": _strides,
    "value_dim": _value_dim,
}
