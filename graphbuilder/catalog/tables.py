"""The tables of what the catalog has: layer and op names, each with the module that describes it."""

from __future__ import annotations

from graphbuilder.catalog.entry import LayerEntry, OpEntry
from graphbuilder.registry import Registry

__all__ = ["REFUSED", "layers", "ops"]

layers: Registry[type[LayerEntry]] = Registry("layer", "graphbuilder.layers")
ops: Registry[type[OpEntry]] = Registry("op", "graphbuilder.ops")

_HERE = "graphbuilder.catalog"

layers.add_family(f"{_HERE}.core", "Dense")
layers.add_family(f"{_HERE}.convolution", "Conv1D Conv2D Conv3D")
layers.add_family(f"{_HERE}.pooling", "MaxPooling1D MaxPooling2D MaxPooling3D")
layers.add_family(f"{_HERE}.reshaping", "Flatten")

# Layers of Keras that a blueprint cannot hold, with the reason and what to use instead.
REFUSED: dict[str, str] = {
    "Lambda": "it holds code, and opening a blueprint runs none; use `op:` nodes, or a custom layer with --trust",
    "JaxLayer": "it wraps a JAX function; use a custom layer with --trust",
    "FlaxLayer": "it wraps a Flax module; use a custom layer with --trust",
    "TorchModuleWrapper": "it wraps a PyTorch module; use a custom layer with --trust",
    "TFSMLayer": "it runs a SavedModel's code; import the model as a blueprint instead",
    "InputLayer": "inputs stand under `inputs:`",
}
