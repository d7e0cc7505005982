"""Attention without projections: queries scored against keys, values averaged by the scores."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any, ClassVar, Literal

from graphbuilder.catalog.arguments import Fraction, argument
from graphbuilder.catalog.broadcasting import may_equal
from graphbuilder.catalog.checks import Takes, known_axis, require_dtype
from graphbuilder.catalog.entry import Example, LayerEntry, Masking, Outputs, Weight
from graphbuilder.catalog.meaning import Reading
from graphbuilder.catalog.ports import CallArgument, Inputs, Misfit, Port, wrong_rank
from graphbuilder.catalog.tensor import BATCH, Dim, Shape, TensorType, is_float, promote, shape_text

__all__ = ["AdditiveAttention", "Attention", "check_mask", "fits"]


def fits(given: Dim, wanted: Dim) -> bool:
    """Whether an axis can be stretched to a size: it can be of that size, or it is 1."""
    return given == 1 or may_equal(given, wanted)


def check_mask(name: str, mask: TensorType, wanted: Shape) -> None:
    """Refuses a mask of another shape.

    Arguments:
        name: the port.
        mask: what stands at it.
        wanted: its shape; an axis of the mask may be 1 instead.

    Raises:
        Misfit: it has other axes, or holds no numbers.
    """
    if mask.rank != len(wanted) or not all(map(fits, mask.shape, wanted)):
        raise Misfit(f"{name} is {shape_text(mask.shape)}", found=shape_text(mask.shape), expected=shape_text(wanted))
    require_dtype(mask, Takes.REAL, f"{name} is a mask: it")


class _Dot(LayerEntry):
    """What the attention layers without projections share.

    Inputs are a query (…, queries, features), a value (…, values, width) and a key (…, values, features), for which the
    value stands when it is left out. The output is (…, queries, width), and with return_attention_scores the scores
    (…, queries, values) follow.
    """

    family = "attention"
    masking = Masking.PASSES
    reading = Reading.QUANTITIES
    ports = (
        Port("query", about="what is looked up"),
        Port("value", about="what is averaged"),
        Port("key", optional=True, about="what the query is scored against; left out, the value"),
        Port("query_mask", optional=True, about="where it is false the output is zero, (batch, queries)"),
        Port("value_mask", optional=True, about="where it is false a value is not looked at, (batch, values)"),
    )
    call_arguments: ClassVar[Mapping[str, CallArgument]] = {
        "training": CallArgument(bool, False, "whether dropout acts"),
        "return_attention_scores": CallArgument(bool, False, "whether the scores are given beside the output"),
        "use_causal_mask": CallArgument(bool, False, "whether a query sees only values up to its own place"),
    }

    dropout: Fraction = argument("share of the scores that is dropped in training", 0.0)

    # Its default is the subclass's.
    use_scale: bool

    def _additive(self) -> bool:
        """Whether queries and keys are added, where Keras multiplies them otherwise."""
        return True

    def _multiplies(self) -> bool:
        """Whether a score is a sum of products over the features."""
        raise NotImplementedError

    def outputs(self, inputs: Inputs) -> Outputs:
        query, value = inputs.one("query"), inputs.one("value")
        key = inputs.get("key") or value
        if query.rank < 2:
            raise wrong_rank(query, "(batch, queries, features)", "add axes with a Reshape")
        for name, other in (("value", value), ("key", key)):
            if other.rank != query.rank or not all(map(fits, other.shape[:-2], query.shape[:-2])):
                raise _unlike(name, other, query, "as many axes, and the same sizes before the last two")
        if not may_equal(key.shape[-2], value.shape[-2]):
            raise _unlike("key", key, value, f"{value.shape[-2]} in its last axis but one", "value")
        features = (key.shape[-1], query.shape[-1])
        if not (may_equal(*features) or (self._additive() and 1 in features)):
            hint = "bring them to one size with a Dense layer, or use MultiHeadAttention, which does"
            raise _unlike("key" if "key" in inputs.ports else "value", key, query, f"{features[1]} features", hint=hint)
        self._check_dtypes(query, key, value)
        self._check_masks(inputs, query, value)
        output = TensorType((*query.shape[:-1], value.shape[-1]), self.compute_dtype)
        if not inputs.call.get("return_attention_scores"):
            return output
        return output, TensorType((*query.shape[:-1], key.shape[-2]), self.compute_dtype)

    def _check_dtypes(self, query: TensorType, key: TensorType, value: TensorType) -> None:
        kind = type(self).name()
        for tensor in (query, key, value):
            require_dtype(tensor, Takes.REAL, kind)
        dtypes = self.cast(query.dtype), self.cast(key.dtype)
        message = None
        if self._additive() and dtypes[0] != dtypes[1]:
            message = f"{kind} cannot add a query of {dtypes[0]} and a key of {dtypes[1]}"
        elif self._additive():
            require_dtype(TensorType((), dtypes[0]), Takes.FLOATS_OR_INTEGERS, kind)
        elif not self.use_scale and not is_float(promote(*dtypes)):
            message = f"{kind} cannot compute with a query of {dtypes[0]} and a key of {dtypes[1]}"
        if message is not None:
            raise Misfit(
                message,
                found=" and ".join(dtypes),
                expected="a float dtype",
                hint="cast them first, with {op: cast, dtype: float32}",
                code="GB305",
            )

    def _check_masks(self, inputs: Inputs, query: TensorType, value: TensorType) -> None:
        query_mask, value_mask = inputs.get("query_mask"), inputs.get("value_mask")
        if query_mask is not None:
            check_mask("query_mask", query_mask, query.shape[:-1])
        if value_mask is None:
            return
        wanted = value.shape[:-1]
        causal = inputs.call.get("use_causal_mask")
        if not causal and (query.rank > 3 or value_mask.rank == query.rank):
            # Keras lays such a mask over the scores as it is.
            wanted = (*query.shape[:-1], value.shape[-2])
        check_mask("value_mask", value_mask, wanted)

    def output_count(self, call: Mapping[str, Any]) -> int | None:
        return 2 if call.get("return_attention_scores") else None

    def keras_call(self, arguments: Mapping[str, Any], call: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Keras takes one list [query, value, key], and the masks as one list [query_mask, value_mask]."""
        tensors = [arguments[name] for name in ("query", "value", "key") if name in arguments]
        masks = [arguments.get(name) for name in ("query_mask", "value_mask")]
        given = {} if masks == [None, None] else {"mask": masks}
        return [tensors], {**given, **call}

    def macs(self, inputs: Inputs, outputs: Outputs) -> int | None:
        """Queries × values × (width of a value + features, where a score is a sum of products over them)."""
        query, value = inputs.one("query"), inputs.one("value")
        width = value.shape[-1]
        scored: Dim = query.shape[-1] if self._multiplies() else 0
        places = [*query.shape[1:-1], value.shape[-2]] if query.rank > 2 else [None]
        known = [size for size in places if isinstance(size, int)]
        if len(known) < len(places) or not isinstance(width, int) or not isinstance(scored, int):
            return None
        return prod(known) * (scored + width)


def _unlike(
    name: str, tensor: TensorType, other: TensorType, expected: str, beside: str = "query", hint: str | None = None
) -> Misfit:
    told = f"{name} is {shape_text(tensor.shape)} beside a {beside} of {shape_text(other.shape)}"
    return Misfit(told, found=shape_text(tensor.shape), expected=expected, hint=hint)


class Attention(_Dot):
    """Scores each query against each key by their product, and averages the values by the scores' softmax.

    Source: Luong et al., 2015, https://arxiv.org/abs/1508.04025
    """

    examples = (
        Example({}, (TensorType((BATCH, 20, 16)), TensorType((BATCH, 30, 16)))),
        Example(
            {"use_scale": True, "score_mode": "concat", "dropout": 0.1},
            (TensorType((BATCH, "words", 6)), TensorType((BATCH, 9, 4)), TensorType((BATCH, 9, 6))),
            {"return_attention_scores": True},
        ),
        Example(
            {"use_scale": True},
            (
                TensorType((BATCH, 5, 3)),
                TensorType((BATCH, 7, 3)),
                TensorType((BATCH, 7, 3)),
                TensorType((BATCH, 5), "bool"),
                TensorType((BATCH, 7), "bool"),
            ),
            {"use_causal_mask": True},
        ),
    )

    use_scale: bool = argument("whether the scores are multiplied by a number that is trained", False)
    score_mode: Literal["dot", "concat"] = argument(
        "dot: the product of query and key; concat: the summed tanh of their sum, times a trained number", "dot"
    )
    seed: int | None = argument("makes the dropout repeatable", None)

    def _additive(self) -> bool:
        return self.score_mode == "concat"

    def _multiplies(self) -> bool:
        return self.score_mode == "dot"

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        scale = (Weight("scale", ()),) if self.use_scale else ()
        return (*scale, Weight("concat_score_weight", ())) if self.score_mode == "concat" else scale


class AdditiveAttention(_Dot):
    """Scores each query against each key by the tanh of their sum, and averages the values by the scores' softmax.

    Source: Bahdanau et al., 2014, https://arxiv.org/abs/1409.0473
    """

    examples = (
        Example({}, (TensorType((BATCH, 20, 16)), TensorType((BATCH, 30, 16)))),
        Example(
            {"use_scale": False},
            (TensorType((BATCH, "words", 6)), TensorType((BATCH, 9, 4)), TensorType((BATCH, 9, 6))),
            {"return_attention_scores": True},
        ),
    )

    use_scale: bool = argument("whether the features of a score are weighted by numbers that are trained", True)

    def _multiplies(self) -> bool:
        return self.use_scale

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        if not self.use_scale:
            return ()
        return (Weight("scale", (known_axis(inputs.one("query"), -1, "the scale's size depends on it"),)),)
