"""The types of arguments that count positions at the edges of sequences, images and volumes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field, WithJsonSchema

from graphbuilder.catalog.arguments import refuse

__all__ = ["Edge", "Edges1", "Edges2", "Edges3", "Extra1", "Extra2", "Extra3"]

# Positions before and after an axis.
Edge: TypeAlias = tuple[int, int]


def _counted(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _each(rank: int) -> Callable[[Any], Any]:
    """A validator that spreads one count over all axes, as Keras does."""
    expected = "an integer of 0 or more" + (f", or a list of {rank}" if rank > 1 else "")

    def spread(value: Any) -> Any:
        if _counted(value):
            return (value,) * rank
        if not isinstance(value, (list, tuple)) or len(value) != rank or not all(_counted(item) for item in value):
            raise refuse(expected)
        return tuple(value)

    return spread


def _edge(value: Any) -> Edge | None:
    """A count on both sides of an axis, or one for each; None when it is neither."""
    if _counted(value):
        return value, value
    if isinstance(value, (list, tuple)) and len(value) == 2 and all(_counted(item) for item in value):
        return value[0], value[1]
    return None


def _both_sides(value: Any) -> Any:
    edge = _edge(value)
    if edge is None:
        raise refuse("an integer of 0 or more, or [before, after]")
    return edge


def _all_sides(rank: int) -> Callable[[Any], Any]:
    """A validator that makes a pair for each axis out of one count, or of a count or pair for each axis."""
    expected = f"an integer of 0 or more, or a list of {rank}, each an integer or [before, after]"

    def spread(value: Any) -> Any:
        values = (value,) * rank if _counted(value) else value
        if not isinstance(values, (list, tuple)) or len(values) != rank:
            raise refuse(expected)
        edges = tuple(_edge(item) for item in values)
        if None in edges:
            raise refuse(expected)
        return edges

    return spread


_COUNT = {"type": "integer", "minimum": 0}


def _list_of(item: Any, length: int) -> dict[str, Any]:
    return {"type": "array", "items": item, "minItems": length, "maxItems": length}


_EDGE: dict[str, Any] = {"anyOf": [_COUNT, _list_of(_COUNT, 2)]}


def _schema(item: Any, length: int) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [_COUNT, _list_of(item, length)]})


Extra1 = Annotated[tuple[int], BeforeValidator(_each(1)), Field(strict=False), _schema(_COUNT, 1)]
Extra2 = Annotated[tuple[int, int], BeforeValidator(_each(2)), Field(strict=False), _schema(_COUNT, 2)]
Extra3 = Annotated[tuple[int, int, int], BeforeValidator(_each(3)), Field(strict=False), _schema(_COUNT, 3)]

Edges1 = Annotated[Edge, BeforeValidator(_both_sides), Field(strict=False), _schema(_COUNT, 2)]
Edges2 = Annotated[tuple[Edge, Edge], BeforeValidator(_all_sides(2)), Field(strict=False), _schema(_EDGE, 2)]
Edges3 = Annotated[tuple[Edge, Edge, Edge], BeforeValidator(_all_sides(3)), Field(strict=False), _schema(_EDGE, 3)]
