"""Calls of either Keras with a configuration: on symbolic tensors, or on numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import keras
from pydantic import ValidationError

from graphbuilder.backend.frameworks import Framework
from graphbuilder.backend.legacy_ops import LEGACY_OPS
from graphbuilder.catalog import LayerEntry, OpEntry, TensorType
from tests.catalog.cases import Case
from tests.support.kerases import KERAS, Unbuildable, fresh_names, keras_layer, raw_layer

__all__ = ["NUMBERS_OF", "Shape", "below", "call", "known", "listed", "short"]

# The name of the layer under test; weights are named below it.
_OUTER = "outer"

Shape: TypeAlias = tuple[int | None, ...]

# A plain number of each weak dtype.
NUMBERS_OF = {"int": 2, "float": 2.5}


def short(error: BaseException) -> str:
    text = " ".join(str(error).replace("\x1b[1m", "").split())
    text = re.sub(r"Exception encountered when calling .*?\. |\{\{function_node \S+\}\} ", "", text)
    return f"{type(error).__name__}: {text[:240]}"


def known(shape: Sequence[Any]) -> Shape:
    return tuple(dim if isinstance(dim, int) else None for dim in shape)


def call(case: Case, chosen: Framework, make: Callable[[TensorType], Any]) -> tuple[Any, Any]:
    """The layer (None for an op) and what it gives for tensors made from the case's types."""
    tensors = {
        port: make(found) if isinstance(found, TensorType) else [make(item) for item in found]
        for port, found in case.inputs.items()
    }
    try:
        entry = case.kind.model_validate(dict(case.arguments))
    except ValidationError:
        return _call_refused(case, tensors)
    positional, keywords = entry.keras_call(tensors, case.call)
    fresh_names(chosen)
    if isinstance(entry, OpEntry):
        return None, _op(entry, chosen)(*positional, **keywords)
    assert isinstance(entry, LayerEntry)
    layer = keras_layer(entry, chosen, _OUTER)
    return layer, layer(*positional, **keywords)


def _op(entry: OpEntry, chosen: Framework) -> Callable[..., Any]:
    """The function that computes an op."""
    name = type(entry).name()
    if not chosen.legacy:
        function: Callable[..., Any] = getattr(keras.ops, name)
        return function
    if entry.legacy.absent is not None:
        raise Unbuildable(entry.legacy.absent)
    return LEGACY_OPS[name]


def _call_refused(case: Case, tensors: dict[str, Any]) -> tuple[Any, Any]:
    """Calls Keras 3 with arguments that the entry refuses."""
    guess = case.kind.model_construct(**case.arguments)
    positional, keywords = guess.keras_call(tensors, case.call)
    fresh_names(KERAS)
    if not issubclass(case.kind, LayerEntry):
        return None, getattr(keras.ops, case.kind.name())(*positional, **keywords)
    layer = raw_layer(case.kind, case.arguments, _OUTER)
    return layer, layer(*positional, **keywords)


def listed(produced: Any) -> tuple[list[Any], bool]:
    if isinstance(produced, dict):
        return list(produced.values()), True
    if isinstance(produced, (list, tuple)):
        return [tensor for item in produced for tensor in listed(item)[0]], True
    return [produced], False


def below(path: str) -> str:
    return path.split(":")[0].removeprefix(f"{_OUTER}/")
