"""graphbuilder: neural networks as YAML or JSON layer graphs, checked without TensorFlow, compiled to Keras.

Every name is loaded on first use, so that importing graphbuilder imports nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphbuilder.api import (
        Checked,
        check,
        compile,
        compress,
        copy_weights,
        explain,
        from_keras,
        fusions_that_fit,
        json_schema,
        load,
        load_model,
        lower,
        merge,
        parse,
        save,
        train,
    )
    from graphbuilder.errors import BlueprintError, CommandError, Diagnostic, GraphbuilderError, MissingError
    from graphbuilder.graph import Graph
    from graphbuilder.lowering import GraphLimits

_PLACES = {
    "BlueprintError": "errors",
    "Checked": "api",
    "CommandError": "errors",
    "Diagnostic": "errors",
    "Graph": "graph",
    "GraphLimits": "lowering",
    "GraphbuilderError": "errors",
    "MissingError": "errors",
    "check": "api",
    "compile": "api",
    "compress": "api",
    "copy_weights": "api",
    "explain": "api",
    "from_keras": "api",
    "fusions_that_fit": "api",
    "json_schema": "api",
    "load": "api",
    "load_model": "api",
    "lower": "api",
    "merge": "api",
    "parse": "api",
    "save": "api",
    "train": "api",
}

__all__ = [
    "BlueprintError",
    "Checked",
    "CommandError",
    "Diagnostic",
    "Graph",
    "GraphLimits",
    "GraphbuilderError",
    "MissingError",
    "check",
    "compile",
    "compress",
    "copy_weights",
    "explain",
    "from_keras",
    "fusions_that_fit",
    "json_schema",
    "load",
    "load_model",
    "lower",
    "merge",
    "parse",
    "save",
    "train",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("graphbuilder")
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module 'graphbuilder' has no attribute {name!r}")
    found = getattr(import_module(f"graphbuilder.{place}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *_PLACES])
