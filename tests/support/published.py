"""Files of weights in the form in which Keras publishes them, and machines without a network."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras

__all__ = ["environment_without_network", "publish", "stirred"]

_NO_NETWORK = """
import socket


def _refused(*arguments, **options):
    raise OSError(101, "Network is unreachable")


socket.socket.connect = _refused
socket.getaddrinfo = _refused
"""


def stirred(model: Any, seed: int = 0) -> Any:
    """A model whose weights are all other numbers, small enough for what it computes to stay finite.

    Arguments:
        model: a model of either Keras.
        seed: of which numbers.
    """
    random = np.random.default_rng(seed)
    for weight in model.weights:
        values = random.normal(0, 0.1, weight.shape)
        if "variance" in (getattr(weight, "path", None) or weight.name):
            values = 1 + np.abs(values)
        weight.assign(values.astype("float32"))
    return model


def publish(function: str, file: str, home: Path, *, seed: int = 0, **arguments: Any) -> Path:
    """Writes weights of a model into a cache of Keras, as Keras 2 did for those that are published.

    Arguments:
        function: a function of `keras.applications`.
        file: what Keras calls the file.
        home: the cache, which KERAS_HOME names.
        seed: of which numbers.
        arguments: of the function.
    """
    path = home / "models" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    model = getattr(tf_keras.applications, function)(weights=None, **arguments)
    stirred(model, seed).save_weights(str(path), save_format="h5")
    return path


def environment_without_network(folder: Path, home: Path, *, also: Iterable[Path] = ()) -> dict[str, str]:
    """The environment of a process, and of all that it starts, whose every connection fails.

    Arguments:
        folder: where to write what does that.
        home: the cache of Keras.
        also: more folders to import from.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(_NO_NETWORK, encoding="utf-8")
    paths = [str(folder), *map(str, also), *(entry for entry in sys.path if entry)]
    return {**os.environ, "KERAS_HOME": str(home), "PYTHONPATH": os.pathsep.join(paths)}
