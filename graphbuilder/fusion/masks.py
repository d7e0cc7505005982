"""Masks of sequences as tensors, which ops can compute with."""

from __future__ import annotations

from graphbuilder.fusion.adapters import layer_entry
from graphbuilder.fusion.calls import Calls
from graphbuilder.graph import Value

__all__ = ["even_attention", "masked_average"]


def even_attention(calls: Calls, suffix: str, sequence: Value, *, scores: bool) -> Value:
    """Attention that looks at all steps alike which the sequence's mask leaves.

    A mask is no tensor that calls could be given, but attention heeds it: for a query of zeros its scores are equal for
    the steps that count and 0 for the others. Where no step counts they are equal for all, so that nothing is divided
    by zero, as global pooling does.

    Arguments:
        calls: adds calls.
        suffix: what stands before the names of the calls.
        sequence: (batch, steps, features).
        scores: whether the scores are wanted, (batch, 1, steps), or the average, (batch, 1, features).
    """
    first = calls.op(f"{suffix}.first", "get_item", sequence, key=":, :1")
    query = calls.op(f"{suffix}.query", "zeros_like", first)
    options = {"return_attention_scores": True} if scores else {}
    return calls.add(f"{suffix}.even", layer_entry("Attention"), {"query": query, "value": sequence}, options)


def masked_average(calls: Calls, suffix: str, sequence: Value) -> Value:
    """The average over the steps that the mask leaves, (batch, features); a number also where it leaves none."""
    assert sequence.type is not None
    average = even_attention(calls, suffix, sequence, scores=False)
    return calls.op(suffix, "squeeze", average, axis=1)
