"""Blueprints to fit data to, and what is said of data that does not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from graphbuilder.api import lower, parse
from graphbuilder.data import Data, open_plain, parse_spec, wants_of
from graphbuilder.errors import BlueprintError
from graphbuilder.graph import Graph

__all__ = ["IMAGE", "ROW", "TWO", "graph_of", "images", "opened", "said"]

IMAGE = """\
blueprint: 1
name: tiny
inputs: {image: {shape: [4, 4, 1], modality: image}}
nodes:
  flat: {layer: Flatten}
  scores: {layer: Dense, units: 3, activation: softmax}
training: {loss: sparse_categorical_crossentropy, metrics: [accuracy], batch_size: 2, seed: 1}
"""

ROW = """\
blueprint: 1
name: rows
inputs: {row: {shape: [2], modality: tabular}}
nodes:
  hidden: {layer: Dense, units: 4, activation: relu}
  kind: {layer: Dense, units: 3, activation: softmax}
training: {loss: sparse_categorical_crossentropy, metrics: [accuracy], batch_size: 2, seed: 1}
"""

TWO = """\
blueprint: 1
name: two
inputs:
  words: {shape: [length], dtype: int32, modality: text}
  marks: {shape: [length, 2]}
  price: {shape: []}
nodes:
  codes: {layer: Embedding, from: words, input_dim: 10, output_dim: 2}
  both: {layer: Add, from: [codes, marks]}
  text: {layer: GlobalAveragePooling1D}
  tag: {op: expand_dims, from: price, axis: -1}
  all: {layer: Concatenate, from: [text, tag]}
  good: {layer: Dense, units: 1, activation: sigmoid}
  stars: {layer: Dense, from: all, units: 1}
outputs: {good: good, stars: stars}
training: {loss: {good: binary_crossentropy, stars: mse}, batch_size: 2, seed: 1}
"""


def graph_of(text: str) -> Graph:
    """The graph of a blueprint's text."""
    return lower(parse(text))


def _no_decoding(*_: Any) -> Any:
    raise AssertionError("nothing is to be decoded yet")


def opened(text: str, spec: str, columns: Mapping[str, Sequence[str]] | None = None, **options: Any) -> Data:
    """The data of a file, for a blueprint's text."""
    options = {"decode": _no_decoding, **options}
    found = open_plain(parse_spec(spec), wants_of(graph_of(text)), columns=columns, **options)
    assert found is not None
    return found


def said(text: str, spec: str, columns: Mapping[str, Sequence[str]] | None = None, **options: Any) -> str:
    """What is said of data that does not fit."""
    with pytest.raises(BlueprintError) as caught:
        opened(text, spec, columns, **options)
    return "".join(f"{found}\n" for found in caught.value.diagnostics)


def images(count: int = 4, *, channels: int = 1) -> Any:
    """Some images of 4×4 pixels."""
    return np.linspace(0, 1, count * 16 * channels, dtype="float32").reshape(count, 4, 4, channels)
