"""The inputs of a model: their shapes and dtypes, expressions resolved."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from graphbuilder.blueprint import InputSpec
from graphbuilder.catalog import BATCH, DTYPES, TensorType
from graphbuilder.catalog.arguments import as_written
from graphbuilder.errors import suggestion
from graphbuilder.graph import GraphInput, Value
from graphbuilder.lowering.arguments import resolved
from graphbuilder.lowering.reports import Reports
from graphbuilder.lowering.scope import Scope

__all__ = ["model_input"]


def model_input(scope: Scope, reports: Reports, name: str, spec: InputSpec) -> GraphInput | None:
    """An input of the model, or None after reports.

    Arguments:
        scope: the scope of the file.
        reports: told of what is wrong.
        name: what the input is called.
        spec: what the file says of it.
    """
    path = ("inputs", name)
    before = reports.count
    shape = resolved(scope, reports, spec.shape, (*path, "shape"), name)
    dtype = resolved(scope, reports, spec.dtype, (*path, "dtype"), name)
    if reports.count == before:
        _check_shape(scope, reports, shape, (*path, "shape"), name)
        if dtype not in DTYPES:
            reports.add(
                scope, "GB203", f"dtype is {as_written(dtype)}", (*path, "dtype"), node=name,
                expected="a dtype such as float32", hint=suggestion(str(dtype), DTYPES),
            )  # fmt: skip
    if reports.count > before:
        return None
    modalities = () if spec.modality is None else (spec.modality,)
    value = Value(name, TensorType((BATCH, *shape), dtype), modalities=modalities)
    return GraphInput(value, spec.modality, scope.origin(*path), spec.about)


def _check_shape(scope: Scope, reports: Reports, shape: Any, path: tuple[str | int, ...], name: str) -> None:
    """Sizes that came out of expressions; those written as such were checked with the file."""
    good = isinstance(shape, list)
    for index, axis in enumerate(shape if good else ()):
        if not _is_axis(axis):
            expected = "a word such as steps, other than batch" if isinstance(axis, str) else "a positive integer"
            reports.add(scope, "GB203", f"the size is {as_written(axis)}", (*path, index), node=name, expected=expected)
    if not good:
        reports.add(scope, "GB204", f"shape is {as_written(shape)}", path, node=name, expected="a list")


def _is_axis(axis: Any) -> bool:
    """Whether what an expression gave may stand in the shape of an input, where the schema saw the expression alone."""
    try:
        InputSpec(shape=[axis])
    except ValidationError:
        return False
    return True
