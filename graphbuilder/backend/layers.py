"""Catalog entries turned into the layers and objects of one Keras."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphbuilder.backend.frameworks import Framework
from graphbuilder.catalog import LayerEntry, Legacy
from graphbuilder.catalog.nested import held_by, held_names
from graphbuilder.catalog.objects import ACTIVATION_LAYERS, KINDS, ObjectSpec

__all__ = ["Unbuildable", "keras_layer", "keras_object"]


class Unbuildable(Exception):
    """What the chosen Keras does not have.

    Arguments:
        message: what it lacks, in one sentence without a full stop.
        hint: how to mend it.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


# What tf_keras calls the options of activation functions.
_LEGACY_OPTIONS = {"leaky_relu": {"negative_slope": "alpha"}}


def keras_object(spec: ObjectSpec, framework: Framework) -> Any:
    """The Keras object that a blueprint names.

    Arguments:
        spec: an initializer, regularizer, constraint or activation.
        framework: the Keras it is for.

    Raises:
        Unbuildable: that Keras has no such object.
    """
    keras = framework.keras
    name = KINDS[spec.kind].canonical(spec.name) or spec.name
    if spec.kind == "activation":
        if spec.options:
            renamed = _LEGACY_OPTIONS.get(name, {}) if framework.legacy else {}
            options = {renamed.get(option, option): value for option, value in spec.options.items()}
            return getattr(keras.layers, ACTIVATION_LAYERS[name])(**options)
        try:
            return keras.activations.get(name)
        except ValueError:
            hint = "use an activation that both Kerases have"
            raise Unbuildable(f"tf_keras has no activation {name}", hint) from None
    found = getattr(getattr(keras, f"{spec.kind}s"), name, None)
    if found is None:
        raise Unbuildable(f"tf_keras has no {spec.kind} {name}", f"use a {spec.kind} that both Kerases have")
    return found(**spec.options)


def keras_layer(entry: LayerEntry, framework: Framework, name: str | None = None) -> Any:
    """The Keras layer of a catalog entry.

    Arguments:
        entry: its kind and arguments.
        framework: the Keras it is for.
        name: the layer's name; Keras makes one up when it is left out.

    Raises:
        Unbuildable: that Keras lacks the layer, or an argument that is not at its default.
    """
    kind = type(entry).name()
    if framework.legacy:
        legacy = entry.legacy
        refusal = legacy.refusal(kind)
        if refusal is not None:
            raise Unbuildable(refusal, "build it with Keras 3")
        kind = legacy.name or kind
    made = getattr(framework.keras.layers, kind)
    arguments = {key: keras_value(value, framework) for key, value in constructor_arguments(entry, framework).items()}
    for field, names in held_names(entry).items():
        held = [keras_layer(each, framework, own) for each, own in zip(held_by(entry, field), names, strict=True)]
        arguments[field] = held if isinstance(getattr(entry, field), tuple) else held[0]
    return made(**arguments, **({} if name is None else {"name": name}))


def constructor_arguments(entry: LayerEntry, framework: Framework) -> Mapping[str, Any]:
    """The arguments to construct a layer with, by the names of that Keras, their values as the catalog has them.

    Keras 3 is given what differs from its defaults. tf_keras is given all, because some of its defaults are others.

    Raises:
        Unbuildable: tf_keras lacks an argument that is not at its default.
    """
    fields = type(entry).model_fields
    values = {name: getattr(entry, name) for name in fields}
    if not framework.legacy:
        return {
            name: value for name, value in values.items() if fields[name].is_required() or value != fields[name].default
        }
    legacy: Legacy = entry.legacy
    found = {}
    for name, value in values.items():
        at_default = not fields[name].is_required() and value == fields[name].default
        if name in legacy.lacking:
            # A seed changes neither weights nor inference, so a twin without it is a twin all the same.
            if not at_default and name != "seed":
                kind = type(entry).name()
                raise Unbuildable(
                    f"{kind} of tf_keras has no argument {name}", f"leave {name} out, or build with Keras 3"
                )
            continue
        if at_default and name in ("trainable", "dtype"):
            continue
        found[legacy.renamed.get(name, name)] = value
    return found


def keras_value(value: Any, framework: Framework) -> Any:
    """An argument's value as that Keras takes it."""
    if isinstance(value, ObjectSpec):
        return keras_object(value, framework)
    return value
