"""The two Kerases behind one face: catalog arguments in, Keras layers out.

Importing this imports TensorFlow, so only test files that need it do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import keras
import tf_keras
from keras.src.utils import naming

from graphbuilder.catalog import LayerEntry, layers
from graphbuilder.catalog.objects import KINDS, ObjectSpec

__all__ = ["KERAS", "TWIN", "Kerases", "NotExpressible", "own_name"]

# Activations that have options are layers of another spelling.
_ACTIVATION_LAYERS = {"elu": "ELU", "leaky_relu": "LeakyReLU", "relu": "ReLU", "softmax": "Softmax"}


class NotExpressible(Exception):
    """The twin has no way to say it: an argument that it lacks, or a name of an object that it does not know."""


@dataclass(frozen=True, slots=True)
class Kerases:
    """One of the two.

    Arguments:
        module: keras or tf_keras.
        legacy: whether the entries' `legacy` facts apply.
    """

    module: ModuleType
    legacy: bool

    def __str__(self) -> str:
        return "tf_keras" if self.legacy else "keras"

    def fresh(self) -> None:
        """Forgets which automatic names were given, so that parts are named as in a new session."""
        if self.legacy:
            self.module.backend.clear_session()
        else:
            naming.reset_uids()

    def layer(self, entry: LayerEntry, name: str) -> Any:
        """The layer that an entry describes, with the arguments that were given and Keras's own defaults for the rest."""
        given = {field: getattr(entry, field) for field in type(entry).model_fields if field in entry.model_fields_set}
        return self.raw_layer(type(entry), self._for_twin(entry, given) if self.legacy else given, name)

    def raw_layer(self, kind: type[LayerEntry], arguments: Mapping[str, Any], name: str) -> Any:
        """The layer of some kind with arguments that need not be right."""
        legacy_name = kind.legacy.name if self.legacy else None
        made = getattr(self.module.layers, legacy_name or kind.name())
        values = {key: self.value(value, _object_kind(kind, key)) for key, value in arguments.items()}
        return made(**values, name=name)

    def _for_twin(self, entry: LayerEntry, given: Mapping[str, Any]) -> dict[str, Any]:
        legacy = entry.legacy
        for argument in legacy.lacking:
            if getattr(entry, argument) != type(entry).model_fields[argument].default:
                raise NotExpressible(f"tf_keras's {type(entry).name()} has no {argument}")
        told = {key: value for key, value in given.items() if key not in legacy.lacking}
        told |= {key: getattr(entry, key) for key in legacy.defaults}
        return {legacy.renamed.get(key, key): value for key, value in told.items()}

    def value(self, value: Any, kind: str | None) -> Any:
        """A value of an argument as Keras takes it.

        Arguments:
            value: as an entry holds it, or as a blueprint writes it.
            kind: the kind of object, where the argument holds one.
        """
        if isinstance(value, LayerEntry):
            return self.layer(value, own_name(type(value)))
        if isinstance(value, ObjectSpec):
            return self.object(value.kind, value.name, value.options)
        if isinstance(value, dict) and isinstance(value.get("layer"), str) and value["layer"] in layers:
            inner = layers.get(value["layer"])
            assert inner is not None
            return self.raw_layer(inner, {k: v for k, v in value.items() if k != "layer"}, own_name(inner))
        if kind is not None and isinstance(value, dict) and len(value) == 1:
            name, options = next(iter(value.items()))
            return self.object(kind, name, options or {})
        if isinstance(value, (tuple, list)) and any(isinstance(item, (LayerEntry, dict)) for item in value):
            # Cells of one kind get numbers, as automatic names do.
            made = [self.value(item, kind) for item in value]
            return made
        return value

    def object(self, kind: str, name: str, options: Mapping[str, Any]) -> Any:
        """An initializer, regularizer, constraint or activation; by its bare name where it has no options."""
        if not options:
            return name
        canonical = KINDS[kind].canonical(name)
        if kind == "activation":
            return getattr(self.module.layers, _ACTIVATION_LAYERS[canonical or ""])(**options)
        found = getattr(getattr(self.module, f"{kind}s"), canonical or name, None)
        if found is None and self.legacy:
            raise NotExpressible(f"tf_keras has no {kind} {name}")
        assert found is not None, f"Keras has no {kind} {name}"
        return found(**options)


KERAS = Kerases(keras, legacy=False)
TWIN = Kerases(tf_keras, legacy=True)


def own_name(kind: type[LayerEntry]) -> str:
    """The name that Keras would give to the first layer of a kind."""
    return str(naming.to_snake_case(kind.name()))


def _object_kind(entry: type[LayerEntry], argument: str) -> str | None:
    """Which kind of object an argument holds, read off its JSON Schema, or None."""
    field = entry.model_fields.get(argument)
    for item in field.metadata if field else ():
        choices = getattr(item, "json_schema", None)
        if isinstance(choices, dict) and "anyOf" in choices and "enum" in choices["anyOf"][0]:
            for name, kind in KINDS.items():
                if choices["anyOf"][0]["enum"] == kind.names:
                    return name
    return None
