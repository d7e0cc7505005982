"""Arguments that are layers themselves: what a wrapper wraps, written as a mapping of a layer's name and arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import PlainValidator, ValidationError, WithJsonSchema
from pydantic_core import InitErrorDetails, PydanticCustomError

from graphbuilder.catalog.arguments import conflict, refuse
from graphbuilder.catalog.entry import LayerEntry
from graphbuilder.errors import nearest, suggestion

__all__ = ["DEEPEST", "LayerSpec", "LayerSpecs", "held_by", "held_names", "keras_name"]

# How many layers may stand inside one another.
DEEPEST = 8

_FORM = "a mapping of a layer and its arguments, such as {layer: LSTM, units: 64}"

# Where a written layer may hold another one, or several.
_HOLDERS = ("wraps", "layer", "backward_layer", "cell", "cells", "layers")


def keras_name(entry: LayerEntry) -> str:
    """The name that Keras makes up for the first layer of a kind.

    Example:
        >>> from graphbuilder.catalog import layers
        >>> keras_name(layers.get("ConvLSTM2D")(filters=1, kernel_size=(3, 3)))
        'conv_lstm2d'
    """
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", type(entry).name())
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()


def held_names(entry: LayerEntry) -> dict[str, tuple[str, ...]]:
    """The names that graphbuilder gives to the layers that a layer holds, by the argument that holds them.

    Those are Keras's own for a first layer of a kind, with a number behind the second of a kind and all after it, so
    that they do not depend on what else the process has built.

    Example:
        >>> from graphbuilder.catalog import layers
        >>> cell = {"layer": "GRUCell", "units": 4}
        >>> held_names(layers.get("StackedRNNCells")(cells=[cell, cell]))
        {'cells': ('gru_cell', 'gru_cell_1')}
    """
    found: dict[str, tuple[str, ...]] = {}
    counts: dict[str, int] = {}
    for field in type(entry).model_fields:
        for held in held_by(entry, field):
            name = keras_name(held)
            number = counts.get(name, 0)
            counts[name] = number + 1
            found[field] = (*found.get(field, ()), f"{name}_{number}" if number else name)
    return found


def held_by(entry: LayerEntry, field: str) -> tuple[LayerEntry, ...]:
    """The layers that one argument holds, in order."""
    value = getattr(entry, field)
    return tuple(held for held in (value if isinstance(value, tuple) else (value,)) if isinstance(held, LayerEntry))


def _layer(value: Any) -> LayerEntry:
    """The layer that a mapping {layer: NAME, …arguments} describes; a wrapper's own layer stands under `wraps`."""
    if isinstance(value, LayerEntry):
        return value
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise refuse(_FORM)
    if _too_deep(value):
        message = "it holds too many layers inside one another"
        raise conflict((), message, f"at most {DEEPEST}", "wrap the layer fewer times", code="GB405")
    if "layer" not in value:
        hint = "name the layer, such as {layer: LSTM, units: 64}"
        raise _failed([_at("layer", PydanticCustomError("missing", "layer is missing", {"hint": hint}), value)])
    kind = _kind(value["layer"])
    arguments = {key: item for key, item in value.items() if key not in ("layer", "wraps")}
    wrapper = "layer" in kind.model_fields
    faults = []
    if wrapper and "wraps" in value:
        arguments["layer"] = value["wraps"]
    elif "wraps" in value:
        message = f"{kind.name()} wraps no layer"
        faults.append(_at("wraps", conflict((), message, code="GB201", on_key=True), value["wraps"]))
    made = None
    try:
        made = kind.model_validate(arguments)
    except ValidationError as error:
        faults += _as_blueprints_write(error, kind, wrapper)
    if made is None or faults:
        raise _failed(faults)
    return made


def _kind(name: Any) -> type[LayerEntry]:
    """The catalog's entry of a name."""
    from graphbuilder.catalog.tables import REFUSED, layers

    kind = layers.get(name) if isinstance(name, str) else None
    if kind is not None:
        return kind
    if not isinstance(name, str):
        raise _failed([_at("layer", refuse("the name of a layer"), name)])
    if name in REFUSED:
        fault = conflict((), f"{name} cannot be used: {REFUSED[name]}", code="GB213")
    else:
        hint = suggestion(name, layers.names(), listing="`graphbuilder layers` lists them")
        if ":" in name:
            hint = "only layers of the catalog can be wrapped; a custom layer can do the wrapping itself"
        fault = conflict((), f"{name} is not a layer", hint=hint, code="GB205")
    raise _failed([_at("layer", fault, name)])


def _too_deep(value: Mapping[str, Any]) -> bool:
    waiting = [(value, 1)]
    while waiting:
        here, depth = waiting.pop()
        if depth > DEEPEST:
            return True
        for held in (here.get(key) for key in _HOLDERS):
            several = held if isinstance(held, (list, tuple)) else (held,)
            waiting += [(inner, depth + 1) for inner in several if isinstance(inner, Mapping)]
    return False


def _as_blueprints_write(error: ValidationError, kind: type[LayerEntry], wrapper: bool) -> Iterator[InitErrorDetails]:
    """The faults of an inner layer's arguments, each with the keys that the author wrote and a hint.

    Arguments:
        error: what pydantic raised.
        kind: the inner layer.
        wrapper: whether it holds a layer in turn, which stands under `wraps`.
    """
    items = error.errors(include_url=False)
    known = [field for field in kind.model_fields if not (wrapper and field == "layer")]
    unknown = {item["loc"][0] for item in items if item["type"] == "extra_forbidden" and len(item["loc"]) == 1}
    meant = {nearest(str(key), known) for key in unknown}
    for item in items:
        location: tuple[str | int, ...] = item["loc"]
        context = dict(item.get("ctx", {}))
        if item["type"] == "missing" and location and location[0] in meant:
            continue  # a misspelt key is unknown, and the key it was meant to be is missing: that is one fault
        if item["type"] == "missing" and len(location) == 1:
            context["hint"] = kind.model_fields[str(location[0])].description
            if wrapper and location[0] == "layer":
                context["hint"] = "write the layer that it wraps, such as wraps: {layer: LSTM, units: 64}"
        if wrapper and location[:1] == ("layer",):
            location = ("wraps", *location[1:])
        elif wrapper and item["type"] == "conflict" and not location and context["path"][:1] == ("layer",):
            context["path"] = ("wraps", *context["path"][1:])
        # A custom error keeps the name and the context of pydantic's own kinds, with the text already made.
        fault = PydanticCustomError(item["type"], "{said}", {**context, "said": item["msg"]})
        if item["type"] == "extra_forbidden" and len(location) == 1:
            listing = f"`graphbuilder layers {kind.name()}` lists its arguments"
            hint = suggestion(str(location[0]), known, listing=listing)
            fault = conflict((), f"{kind.name()} has no argument {location[0]}", hint=hint, code="GB201", on_key=True)
        yield InitErrorDetails(type=fault, loc=location, input=item["input"])


def _at(key: str, fault: PydanticCustomError, value: Any) -> InitErrorDetails:
    return InitErrorDetails(type=fault, loc=(key,), input=value)


def _failed(faults: list[InitErrorDetails]) -> ValidationError:
    # Pydantic adopts the faults of a ValidationError that a validator raises, each with its place.
    return ValidationError.from_exception_data("layer", faults)


_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": _FORM,
    "properties": {"layer": {"type": "string"}, "wraps": {"type": "object"}},
    "required": ["layer"],
}


def _layers(value: Any) -> tuple[LayerEntry, ...]:
    """The layers that a list of mappings describes."""
    if not isinstance(value, (list, tuple)) or not value:
        raise refuse(f"a list of layers, each {_FORM}")
    made, faults = [], []
    for index, item in enumerate(value):
        try:
            made.append(_layer(item))
        except ValidationError as error:
            faults += [
                InitErrorDetails(
                    type=PydanticCustomError(fault["type"], "{said}", {**fault.get("ctx", {}), "said": fault["msg"]}),
                    loc=(index, *fault["loc"]),
                    input=fault["input"],
                )
                for fault in error.errors(include_url=False)
            ]
        except PydanticCustomError as fault:
            faults.append(InitErrorDetails(type=fault, loc=(index,), input=item))
    if faults:
        raise _failed(faults)
    return tuple(made)


LayerSpec = Annotated[LayerEntry, PlainValidator(_layer), WithJsonSchema(_SCHEMA)]
LayerSpecs = Annotated[
    tuple[LayerEntry, ...],
    PlainValidator(_layers),
    WithJsonSchema({"type": "array", "items": _SCHEMA, "minItems": 1}),
]
