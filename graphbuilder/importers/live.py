"""The configuration of a model in memory, from which its file would be written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from graphbuilder.errors import CommandError, Diagnostic

__all__ = ["configuration"]


def configuration(model: Any) -> dict[str, Any]:
    """What `to_json` gives of a model, with what it leaves out: which layers of several models are the same.

    Arguments:
        model: a model of either Keras.

    Raises:
        CommandError: it is no model of Keras, or one that cannot say what it is made of.
    """
    if not callable(getattr(model, "to_json", None)):
        what = type(model).__name__
        raise CommandError(Diagnostic("GB851", f"a {what} is no model of Keras", expected="a keras.Model"))
    try:
        saved: dict[str, Any] = json.loads(model.to_json())
    except (NotImplementedError, TypeError, ValueError) as error:
        # What Keras says when a class has no `get_config`, or one whose result is no JSON.
        reason = " ".join(str(error).split())[:400]
        raise CommandError(Diagnostic("GB851", f"{model.name} cannot say what it is made of: {reason}")) from error
    for described, layer in _pairs(saved, model):
        described.setdefault("shared_object_id", id(layer))
    return saved


def _pairs(saved: Mapping[str, Any], model: Any) -> Iterator[tuple[dict[str, Any], Any]]:
    """Each layer of a configuration, and the layer that it describes."""
    config = saved.get("config")
    layers = {layer.name: layer for layer in getattr(model, "layers", ())}
    for each in config.get("layers", ()) if isinstance(config, Mapping) else ():
        layer = layers.get(each.get("name") or each["config"].get("name"))
        if layer is not None:
            yield each, layer
            yield from _pairs(each, layer)
