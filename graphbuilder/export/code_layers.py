"""Layers and their arguments as expressions of Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graphbuilder.catalog import LayerEntry
from graphbuilder.catalog.nested import held_by, held_names
from graphbuilder.catalog.objects import ACTIVATION_LAYERS, KINDS, ObjectSpec
from graphbuilder.export.expressions import Calling, Code
from graphbuilder.lowering.resolved_values import plain_entry

__all__ = ["Tell", "in_front", "lacking", "made"]

# Makes the expression of an argument, by its name and its value; the value itself where there is none.
Tell = Callable[[str, Any], Any]


# What tf_keras has another default for, beside what it calls otherwise; 0 where Keras 3 has 0.0 is another one.
_OTHER_DEFAULTS = frozenset({"recurrent_activation", "value_range"})
# What tf_keras keeps as it is given, a number or a tuple of one.
_KEPT = frozenset({"output_shape"})
# What tf_keras calls the options of activation functions.
_LEGACY_OPTIONS = {"leaky_relu": {"negative_slope": "alpha"}}


def made(entry: LayerEntry, name: Any, tell: Tell, *, legacy: bool = False) -> Calling:
    """The expression that makes a layer of the catalog, with what differs from Keras's defaults.

    Arguments:
        entry: the layer.
        name: the expression of its name; None leaves it out.
        tell: gives what is written in the place of an argument's value. What is told by an expression is written
            also where it is at its default.
        legacy: whether it is for tf_keras.
    """
    plain = plain_entry(entry)
    fields = type(entry).model_fields
    told = {key: code for key in fields if isinstance(code := _told(key, getattr(entry, key), tell), Code)}
    keys = {*("layer" if key == "wraps" else key for key in plain), *told}
    renamed: Mapping[str, str] = {}
    if legacy:
        # A seed changes neither weights nor inference; anything else that tf_keras lacks is refused before.
        keys = (keys | (_OTHER_DEFAULTS & fields.keys())) - set(entry.legacy.lacking)
        renamed = entry.legacy.renamed
    found: dict[str, Any] = {}
    held = held_names(entry)
    # The order does not depend on the values, so that uses with other values are written alike.
    for key in sorted(keys, key=lambda key: _place(entry, key)):
        value = getattr(entry, key)
        short = plain.get(key)
        if key in told:
            found[key] = told[key]
        elif key in held:
            inner = [_held(each, own, legacy) for each, own in zip(held_by(entry, key), held[key], strict=True)]
            found[key] = inner if isinstance(value, tuple) else inner[0]
        elif isinstance(value, tuple) and isinstance(short, int) and not (legacy and key in _KEPT):
            # One size stands for all axes where a blueprint and Keras both take it so.
            found[key] = short
        else:
            found[key] = _value(tell(key, value), legacy)
    positional = tuple(found.pop(key) for key in in_front(entry))
    found = {renamed.get(key, key): value for key, value in found.items()}
    kind = (entry.legacy.name if legacy else None) or type(entry).name()
    return Calling(f"layers.{kind}", positional, found if name is None else {**found, "name": name})


def lacking(entry: LayerEntry) -> str | None:
    """What tf_keras lacks of a layer, in one clause; None where it has it all."""
    kind = type(entry).name()
    refusal = entry.legacy.refusal(kind)
    if refusal is not None:
        return refusal
    fields = type(entry).model_fields
    for key in entry.legacy.lacking:
        if key in fields and key != "seed" and getattr(entry, key) != fields[key].default:
            return f"{kind} of tf_keras has no argument {key}"
    inner = (held for key in fields for held in held_by(entry, key))
    return next((found for held in inner if (found := lacking(held))), None)


def in_front(entry: LayerEntry) -> list[str]:
    """The arguments that people give without their names: those that must be given, as long as no two are alike.

    Arguments:
        entry: the layer.

    Example:
        >>> from graphbuilder.catalog import layers
        >>> in_front(layers.get("Conv2D")(filters=8, kernel_size=3)), in_front(layers.get("ReLU")())
        (['filters', 'kernel_size'], [])
    """
    fields = type(entry).model_fields
    first = sorted((key for key in fields if fields[key].is_required()), key=lambda key: _place(entry, key))
    kinds = [type(getattr(entry, key)) for key in first]
    return first if len(set(kinds)) == len(kinds) else []


def _place(entry: LayerEntry, key: str) -> tuple[int, int]:
    """How far in front an argument stands: what must be given, numbers before sizes, and last what all layers have."""
    fields = type(entry).model_fields
    if fields[key].is_required():
        group = 1 if isinstance(getattr(entry, key), tuple) else 0
    else:
        group = 3 if key in LayerEntry.model_fields else 2
    return group, list(fields).index(key)


def _told(key: str, value: Any, tell: Tell) -> Any:
    """What is told of a value, which may be one size for all axes, or the name of an activation."""
    told = tell(key, value)
    if isinstance(told, Code):
        return told
    if isinstance(value, tuple) and value and all(type(item) is int and item == value[0] for item in value):
        return tell(key, value[0])
    if isinstance(value, ObjectSpec) and not value.options:
        return tell(key, value.name) if value.name == _canonical(value) else None
    return None


def _held(entry: LayerEntry, name: str, legacy: bool) -> Calling:
    """A layer inside another one, under the name that it has in models that graphbuilder builds."""
    return made(entry, name, lambda _, value: value, legacy=legacy)


def _canonical(spec: ObjectSpec) -> str:
    return KINDS[spec.kind].canonical(spec.name) or spec.name


def _value(value: Any, legacy: bool) -> Any:
    """An argument's value as an expression."""
    if not isinstance(value, ObjectSpec):
        return value
    name = _canonical(value)
    if value.kind != "activation":
        return Calling(f"{value.kind}s.{name}", (), value.options)
    names = _LEGACY_OPTIONS.get(name, {}) if legacy else {}
    options = {names.get(option, option): given for option, given in value.options.items()}
    return Calling(f"layers.{ACTIVATION_LAYERS[name]}", (), options) if options else name
