"""The public functions: load, check, explain, import, merge, compile, train, compress and save from Python."""

from graphbuilder.api.editing import explain, fusions_that_fit, merge
from graphbuilder.api.importing import from_keras
from graphbuilder.api.models import compile, compress, copy_weights, load_model, save, train
from graphbuilder.api.reading import Blueprintish, Checked, check, json_schema, load, lower, parse

__all__ = [
    "Blueprintish",
    "Checked",
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
