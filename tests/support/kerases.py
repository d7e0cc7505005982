"""Keras layers from catalog entries, and from arguments that the catalog refuses.

Importing this imports TensorFlow, so only test files that need it do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import tf_keras
from keras.src.utils import naming

from graphbuilder.backend.frameworks import Framework, framework
from graphbuilder.backend.layers import Unbuildable, keras_layer, keras_object
from graphbuilder.catalog import LayerEntry, layers
from graphbuilder.catalog.objects import KINDS, ObjectSpec

__all__ = ["KERAS", "TWIN", "Unbuildable", "fresh_names", "keras_layer", "object_kind", "raw_layer"]

KERAS: Framework = framework(3)
TWIN: Framework = framework(2)


def fresh_names(chosen: Framework) -> None:
    """Forgets which automatic names were given, so that parts are named as in a new session."""
    if chosen.legacy:
        tf_keras.backend.clear_session()
    else:
        naming.reset_uids()


def raw_layer(kind: type[LayerEntry], arguments: Mapping[str, Any], name: str | None = None) -> Any:
    """A Keras 3 layer with arguments as a blueprint writes them, right or wrong."""
    made = getattr(keras.layers, kind.name())
    values = {key: _raw_value(value, object_kind(kind, key)) for key, value in arguments.items()}
    return made(**values, **({} if name is None else {"name": name}))


def _raw_value(value: Any, kind: str | None) -> Any:
    if kind is not None and isinstance(value, dict) and len(value) == 1:
        ((name, options),) = value.items()
        if not KINDS[kind].canonical(name):
            return value
        return keras_object(ObjectSpec(kind, name, options or {}), KERAS)
    if isinstance(value, ObjectSpec):
        return keras_object(value, KERAS)
    if isinstance(value, LayerEntry):
        return keras_layer(value, KERAS)
    if isinstance(value, dict) and isinstance(value.get("layer"), str):
        inner = layers.get(value["layer"])
        if inner is None:
            raise ValueError(f"Keras has no layer {value['layer']}")
        # In a nested description "layer" names the kind, so the layer that a wrapper wraps stands under "wraps".
        given = {key: item for key, item in value.items() if key not in ("layer", "wraps")}
        return raw_layer(inner, given | ({"layer": value["wraps"]} if "wraps" in value else {}))
    if isinstance(value, (list, tuple)):
        return type(value)(_raw_value(item, kind) for item in value)
    return value


def object_kind(entry: type[LayerEntry], argument: str) -> str | None:
    """Which kind of object an argument holds, read off its JSON Schema, or None."""
    field = entry.model_fields.get(argument)
    for item in field.metadata if field else ():
        schema = getattr(item, "json_schema", None)
        if isinstance(schema, dict) and "anyOf" in schema and "enum" in schema["anyOf"][0]:
            for name, kind in KINDS.items():
                if schema["anyOf"][0]["enum"] == kind.names:
                    return name
    return None
