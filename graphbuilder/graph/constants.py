"""Numbers and arrays that stand in a blueprint, as constants of the graph."""

from __future__ import annotations

from typing import Any

from graphbuilder.catalog import TensorType
from graphbuilder.catalog.arguments import as_written
from graphbuilder.graph.model import Constant

__all__ = ["constant_of"]


def constant_of(value: Any, dtype: str | None = None) -> Constant:
    """A number, or nested lists of numbers, as a constant of the graph.

    Raises:
        ValueError: the lists are ragged, or hold something that is no number.
    """
    shape: list[int] = []
    here = value
    while isinstance(here, list):
        shape.append(len(here))
        here = here[0] if here else 0
    kinds: set[str] = set()

    def check(item: Any, depth: int) -> None:
        if depth == len(shape):
            if isinstance(item, list) or not isinstance(item, (int, float)):
                raise ValueError(f"{as_written(item)} is no number")
            kinds.add("bool" if isinstance(item, bool) else type(item).__name__)
        elif not isinstance(item, list) or len(item) != shape[depth]:
            raise ValueError("its rows differ in length")
        else:
            for part in item:
                check(part, depth + 1)

    check(value, 0)
    weak = "float" if "float" in kinds or not kinds else ("int" if "int" in kinds else "bool")
    # A plain number takes on the dtype of what it meets; an array is a tensor of its own.
    concrete = dtype or (None if not shape else {"float": "float32", "int": "int32", "bool": "bool"}[weak])
    return Constant(value, concrete, TensorType(tuple(shape), concrete or weak))
