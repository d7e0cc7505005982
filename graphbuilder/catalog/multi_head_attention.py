"""Attention of several heads: query, key and value projected, scored in each head, and projected back."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from graphbuilder.catalog.arguments import Axes, PositiveInt, argument, conflict, refuse
from graphbuilder.catalog.broadcasting import may_equal
from graphbuilder.catalog.checks import known_axis
from graphbuilder.catalog.entry import Example, Legacy, Outputs, Weight
from graphbuilder.catalog.heads import Heads, same_axis
from graphbuilder.catalog.ports import Inputs, Misfit, wrong_rank
from graphbuilder.catalog.tensor import BATCH, Shape, TensorType, shape_text

__all__ = ["GroupQueryAttention", "MultiHeadAttention"]


def _sizes(value: Any) -> Any:
    """One size or several, as a tuple; Keras takes 0 and an empty list for none."""
    if value is None or (value in (0, [], ()) and value is not False):
        return None
    sizes = (value,) if isinstance(value, int) else value
    if not isinstance(sizes, (list, tuple)) or not all(type(size) is int and size >= 1 for size in sizes):
        raise refuse("a positive integer, a list of them, or null")
    return tuple(sizes)


_OutputShape = Annotated[
    Annotated[tuple[int, ...], Field(strict=False)] | None,
    BeforeValidator(_sizes),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "array", "items": {"type": "integer", "minimum": 1}},
                {"type": "null"},
            ]
        }
    ),
]


class MultiHeadAttention(Heads):
    """Attends from each place of the query (batch, …, features) to the places of the value, in several heads at once.

    With return_attention_scores the scores follow. Keras announces them as (batch, heads, queries, queries) even where
    the value has another number of places, and so does this entry.

    Source: Vaswani et al., 2017, https://arxiv.org/abs/1706.03762
    """

    ports = tuple(
        replace(port, about="has no effect: Keras heeds the mask that the query carries")
        if port.name == "query_mask"
        else port
        for port in Heads.ports
    )
    legacy = Legacy(lacking=("sliding_window", "flash_attention", "use_gate", "seed"))
    examples = (
        Example({"num_heads": 4, "key_dim": 16}, (TensorType((BATCH, 20, 64)), TensorType((BATCH, 20, 64)))),
        Example(
            {"num_heads": 2, "key_dim": 5, "value_dim": 3, "output_shape": [7], "use_bias": False, "dropout": 0.1},
            (TensorType((BATCH, "words", 6)), TensorType((BATCH, 9, 4)), TensorType((BATCH, 9, 8))),
            {"return_attention_scores": True, "use_causal_mask": True},
        ),
        Example(
            {"num_heads": 2, "key_dim": 4, "attention_axes": [2]},
            (TensorType((BATCH, 3, 5, 6)), TensorType((BATCH, 3, 7, 6))),
        ),
    )

    num_heads: PositiveInt = argument("how many heads")
    key_dim: PositiveInt = argument("the size of a query and a key in each head")
    value_dim: PositiveInt | None = argument("the size of a value in each head; null means key_dim", None)
    output_shape: _OutputShape = argument("the output's last axes; null means the query's last axis", None)
    attention_axes: Axes | None = argument("the axes attended over; null means all between batch and features", None)

    def _axes(self, query: TensorType) -> tuple[int, ...]:
        """The axes that attention runs over, counted from the front.

        Raises:
            Misfit: one of them holds no places to attend to.
        """
        if self.attention_axes is None:
            return tuple(range(1, query.rank - 1))
        given = (self.attention_axes,) if isinstance(self.attention_axes, int) else self.attention_axes
        axes = tuple(axis if axis >= 0 else query.rank + axis for axis in given)
        for axis, written in zip(axes, given, strict=True):
            if not 1 <= axis <= query.rank - 2 or axes.count(axis) > 1:
                raise Misfit(
                    f"attention_axes holds {written}, and the query is {shape_text(query.shape)}",
                    found=str(written),
                    expected="1" if query.rank == 3 else f"different axes from 1 to {query.rank - 2}",
                    hint="leave it out to attend over all of them",
                    code="GB203",
                    argument="attention_axes",
                )
        if not axes:
            raise Misfit(
                "attention_axes is empty",
                expected="an axis",
                hint="leave it out",
                code="GB203",
                argument="attention_axes",
            )
        return axes

    def score_shape(self, query: TensorType, value: TensorType) -> Shape:
        axes = self._axes(query)
        free = tuple(size for axis, size in enumerate(query.shape[:-1]) if axis not in axes)
        attending = tuple(query.shape[axis] for axis in axes)
        return (*free, self.num_heads, *attending, *(value.shape[axis] for axis in axes))

    def outputs(self, inputs: Inputs) -> Outputs:
        query, value, _ = self.three(inputs)
        if query.rank < 3:
            raise wrong_rank(query, "(batch, places, features)", "add an axis with a Reshape")
        axes = self._axes(query)
        for axis in range(1, query.rank - 1):
            if axis not in axes and not may_equal(query.shape[axis], value.shape[axis]):
                raise Misfit(
                    f"axis {axis} is {value.shape[axis]} in the value and {query.shape[axis]} in the query",
                    found=shape_text(value.shape),
                    expected="the same size in the axes not attended over",
                )
        self.check_flash(inputs, obeyed=query.rank == 3)
        self._check_order(inputs, query, axes)
        self.check_masks(inputs, self.score_shape(query, value), len(axes))
        last = self.output_shape or query.shape[-1:]
        output = TensorType((*query.shape[:-1], *last), self.compute_dtype)
        if not inputs.call.get("return_attention_scores"):
            return output
        batch, length = query.shape[:2]
        return output, TensorType((batch, self.num_heads, length, length), self.compute_dtype)

    def _check_order(self, inputs: Inputs, query: TensorType, axes: tuple[int, ...]) -> None:
        """Refuses what counts places along axis 1 where attention runs over other axes."""
        asks = {
            "sliding_window": self.sliding_window is not None,
            "use_causal_mask": bool(inputs.call.get("use_causal_mask")),
            **{name: name in inputs.ports for name in ("value_mask", "key_mask")},
        }
        for name, stands in asks.items():
            if stands and axes != (1,):
                raise Misfit(
                    f"{name} counts places along axis 1, and attention over {shape_text(query.shape)} runs along "
                    + " and ".join(map(str, axes)),
                    expected="attention along axis 1",
                    hint=f"write attention_axes: 1, or leave {name} out",
                )

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        query, value, key = self.three(inputs)
        width = self.value_dim or self.key_dim
        asked = (known_axis(query, -1, "the query's projection depends on it"),)
        keyed = (known_axis(key, -1, "the key's projection depends on it"),)
        valued = (known_axis(value, -1, "the value's projection depends on it"),)
        return (
            *self.projection("query", asked, (self.num_heads, self.key_dim)),
            *self.projection("key", keyed, (self.num_heads, self.key_dim)),
            *(self.projection("gate", asked, (self.num_heads, width)) if self.use_gate else ()),
            *self.projection("value", valued, (self.num_heads, width)),
            *self.projection("attention_output", (self.num_heads, width), self.output_shape or asked),
        )

    def depth(self) -> int:
        return self.key_dim + (self.value_dim or self.key_dim)


class GroupQueryAttention(Heads):
    """Attends from each place of the query (batch, queries, features) to the value; heads share keys and values.

    Source: Ainslie et al., 2023, https://arxiv.org/abs/2305.13245
    """

    legacy = Legacy(absent="Keras 3 added it")
    examples = (
        Example(
            {"head_dim": 16, "num_query_heads": 8, "num_key_value_heads": 2},
            (TensorType((BATCH, 20, 64)), TensorType((BATCH, 20, 64))),
        ),
        Example(
            {"head_dim": 4, "num_query_heads": 4, "num_key_value_heads": 2, "use_gate": True, "use_bias": False},
            (TensorType((BATCH, "words", 6)), TensorType((BATCH, 9, 6)), TensorType((BATCH, 9, 8))),
            {"return_attention_scores": True, "use_causal_mask": True},
        ),
        Example(
            {"head_dim": 4, "num_query_heads": 4, "num_key_value_heads": 1, "sliding_window": 2},
            (
                TensorType((BATCH, 5, 6)),
                TensorType((BATCH, 7, 6)),
                TensorType((BATCH, 7, 3)),
                TensorType((BATCH, 5), "bool"),
                TensorType((BATCH, 7), "bool"),
                TensorType((BATCH, 7), "bool"),
                TensorType((BATCH, 5, 7), "bool"),
            ),
        ),
    )

    head_dim: PositiveInt = argument("the size of a query, a key and a value in each head")
    num_query_heads: PositiveInt = argument("how many heads")
    num_key_value_heads: PositiveInt = argument(
        "how many of them have keys and values of their own, which the rest share"
    )

    @model_validator(mode="after")
    def _heads_share_evenly(self) -> GroupQueryAttention:
        if self.num_query_heads % self.num_key_value_heads:
            told = f"num_key_value_heads is {self.num_key_value_heads} for {self.num_query_heads} query heads"
            raise conflict("num_key_value_heads", told, "a divisor of num_query_heads")
        return self

    def score_shape(self, query: TensorType, value: TensorType) -> Shape:
        return (query.shape[0], self.num_query_heads, query.shape[1], value.shape[1])

    def outputs(self, inputs: Inputs) -> Outputs:
        query, value, _ = self.three(inputs)
        if query.rank != 3:
            raise wrong_rank(query, "(batch, queries, features)", "merge or add axes with a Reshape")
        if not same_axis(query.shape[-1], value.shape[-1]):
            raise Misfit(
                f"value is {shape_text(value.shape)} beside a query of {shape_text(query.shape)}",
                found=shape_text(value.shape),
                expected=f"{shape_text(query.shape[-1:])[1:-2]} features",
                hint="bring the value to the query's size with a Dense layer, or use MultiHeadAttention",
            )
        self.check_flash(inputs, obeyed=True)
        scores = self.score_shape(query, value)
        self.check_masks(inputs, scores, 1)
        output = TensorType(query.shape, self.compute_dtype)
        if not inputs.call.get("return_attention_scores"):
            return output
        return output, TensorType(scores, self.compute_dtype)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        query, value, key = self.three(inputs)
        asked = (known_axis(query, -1, "the query's projection depends on it"),)
        keyed = (known_axis(key, -1, "the key's projection depends on it"),)
        valued = (known_axis(value, -1, "the value's projection depends on it"),)
        heads, shared = (self.num_query_heads, self.head_dim), (self.num_key_value_heads, self.head_dim)
        return (
            *self.projection("query", asked, heads),
            *self.projection("key", keyed, shared),
            *(self.projection("gate", asked, heads) if self.use_gate else ()),
            *self.projection("value", valued, shared),
            *self.projection("attention_output", heads, asked),
        )

    def depth(self) -> int:
        return 2 * self.head_dim
