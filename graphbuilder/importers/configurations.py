"""A configuration in neutral form, whichever Keras it was written by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphbuilder.importers.described import DescribedModel
from graphbuilder.importers.keras2 import described2
from graphbuilder.importers.keras3 import described3
from graphbuilder.importers.soundness import check_soundness
from graphbuilder.importers.structure import check_structure

__all__ = ["described"]


def described(saved: Mapping[str, Any], version: str = "") -> DescribedModel:
    """The model that a configuration describes.

    Arguments:
        saved: what `model.to_json()` gives, read.
        version: of the Keras that wrote it, where that is known from elsewhere.

    Raises:
        NotCarried: it is no functional or sequential model, or contradicts itself.
    """
    legacy = _is_legacy(saved, version or str(saved.get("keras_version") or ""))
    check_structure(saved, legacy=legacy)
    if "training_config" in saved:
        saved = {"compile_config": _compile_config(saved["training_config"]), **saved}
    model = described2(saved) if legacy else described3(saved)
    check_soundness(model)
    return model


def _compile_config(saved: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What a model was compiled with, as `.keras` files have it, from what `.h5` files have."""
    if not saved:
        return None
    found = {key: value for key, value in saved.items() if key != "optimizer_config"}
    optimizer = saved.get("optimizer_config")
    if isinstance(optimizer, Mapping) and isinstance(optimizer.get("class_name"), str):
        # tf_keras registers its own optimizers in the package of what users register.
        optimizer = {**optimizer, "class_name": optimizer["class_name"].removeprefix("Custom>")}
    return {**found, "optimizer": optimizer}


def _is_legacy(saved: Mapping[str, Any], version: str) -> bool:
    """Whether Keras 2, or a Keras before it, wrote a configuration; nothing of it is sure yet."""
    layers = list(_layers(saved))
    # The form of a call says it, and it is the form that has to be read.
    for layer in layers:
        nodes = layer.get("inbound_nodes")
        if isinstance(nodes, list) and nodes:
            return not (isinstance(nodes[0], Mapping) and "args" in nodes[0])
    if version:
        return version.partition(".")[0] in ("0", "1", "2")
    configs = [layer.get("config") for layer in layers]
    return any(isinstance(config, Mapping) and "batch_input_shape" in config for config in configs)


def _layers(saved: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    config = saved.get("config")
    layers = config.get("layers") if isinstance(config, Mapping) else config
    yield from (layer for layer in layers if isinstance(layer, Mapping)) if isinstance(layers, list) else ()
