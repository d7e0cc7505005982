"""The catalog: what each layer and op is, as data, without importing Keras."""

from __future__ import annotations

from graphbuilder.catalog.entry import Entry, Example, LayerEntry, Legacy, Masking, OpEntry, Outputs, Weight
from graphbuilder.catalog.meaning import Keeping, Neighbours, Reading
from graphbuilder.catalog.ports import CallArgument, Inputs, Misfit, Port
from graphbuilder.catalog.tables import REFUSED, layers, ops
from graphbuilder.catalog.tensor import BATCH, DTYPES, Dim, Shape, TensorType, shape_text

__all__ = [
    "BATCH",
    "DTYPES",
    "REFUSED",
    "CallArgument",
    "Dim",
    "Entry",
    "Example",
    "Inputs",
    "Keeping",
    "LayerEntry",
    "Legacy",
    "Masking",
    "Misfit",
    "Neighbours",
    "OpEntry",
    "Outputs",
    "Port",
    "Reading",
    "Shape",
    "TensorType",
    "Weight",
    "layers",
    "ops",
    "shape_text",
]
