"""Data to train, test and calibrate with: found, checked against a graph, and given in batches. No TensorFlow here."""

from graphbuilder.data.images import Pixels, pixels_for
from graphbuilder.data.opening import given_arrays, open_plain
from graphbuilder.data.parts import Arrays, ArraySource, Batch, Data, IndexedPart, Part, Pieces, Source
from graphbuilder.data.spec import Spec, parse_columns, parse_spec
from graphbuilder.data.wants import Wanted, Wants, wants_of

__all__ = [
    "ArraySource",
    "Arrays",
    "Batch",
    "Data",
    "IndexedPart",
    "Part",
    "Pieces",
    "Pixels",
    "Source",
    "Spec",
    "Wanted",
    "Wants",
    "given_arrays",
    "open_plain",
    "parse_columns",
    "parse_spec",
    "pixels_for",
    "wants_of",
]
