"""Contents of model files, made without Keras."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import h5py

__all__ = ["archive", "dense_config", "dense_model", "hdf5"]


def dense_model(layer: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The configuration of a small functional model of Keras 3, with a layer in the place of its Dense."""
    tensor = {
        "class_name": "__keras_tensor__",
        "config": {"shape": [None, 4], "dtype": "float32", "keras_history": ["x", 0, 0]},
    }
    made = {
        "module": "keras.layers",
        "class_name": "Dense",
        "config": {"name": "y", "units": 3},
        "registered_name": None,
    }
    given = {"name": "y", "inbound_nodes": [{"args": [tensor], "kwargs": {}}]}
    start = {"batch_shape": [None, 4], "dtype": "float32", "name": "x"}
    layers = [
        {"module": "keras.layers", "class_name": "InputLayer", "config": start, "name": "x", "inbound_nodes": []},
        {**made, **given, **(layer or {})},
    ]
    config = {"name": "model", "layers": layers, "input_layers": ["x", 0, 0], "output_layers": ["y", 0, 0]}
    return {"module": "keras", "class_name": "Functional", "config": config, "registered_name": "Functional"}


def archive(entries: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive with these entries."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as file:
        for name, content in entries.items():
            file.writestr(name, content)
    return written.getvalue()


def hdf5(attributes: Mapping[str, Any], **options: Any) -> bytes:
    """An HDF5 file with these attributes at its root."""
    written = io.BytesIO()
    with h5py.File(written, "w", **options) as file:
        for name, value in attributes.items():
            file.attrs[name] = value
        file.create_group("model_weights")
    return written.getvalue()


def dense_config(**changes: Any) -> bytes:
    """The same as JSON; what is named stands in the place of what the Dense has."""
    return json.dumps(dense_model(changes)).encode()
