"""Masks of sequences as tensors, which ops can compute with."""

from __future__ import annotations

from collections.abc import Sequence

from graphbuilder.fusion.adapters import layer_entry
from graphbuilder.fusion.branch import Branch
from graphbuilder.fusion.calls import Calls
from graphbuilder.graph import Value

__all__ = [
    "even_attention",
    "kept_side_by_side",
    "masked_average",
    "present_steps",
    "steps_of_any",
    "steps_unless_absent",
    "unmasked_steps",
    "with_mask",
    "without_mask",
]

# What steps that do not count are filled with, so that Masking finds them: far from what a network computes, and a
# power of two, which every floating dtype holds exactly.
_FILLER = -16384.0


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
    return calls.op(suffix, "get_item", even_attention(calls, suffix, sequence, scores=False), key=":, 0")


def unmasked_steps(branch: Branch, calls: Calls) -> Value | None:
    """Which steps of a branch its mask leaves, (batch, steps) of 1 and 0; None where it has no mask."""
    if not branch.value.masked:
        return None
    name = f"{branch.name}.mask"
    scores = even_attention(calls, name, branch.value, scores=True)
    return calls.op(name, "sign", calls.op(f"{name}.row", "get_item", scores, key=":, 0"))


def present_steps(branch: Branch, unmasked: Value | None, calls: Calls) -> Value | None:
    """Which steps of a branch count: those that its mask leaves, of samples that have it; None where all do."""
    if branch.presence is None:
        return unmasked
    if unmasked is None:
        first = calls.op(f"{branch.name}.first_feature", "get_item", branch.value, key="..., 0")
        unmasked = calls.op(f"{branch.name}.all_steps", "ones_like", first)
    return calls.two(f"{branch.name}.kept", "multiply", unmasked, branch.presence)


def steps_unless_absent(branch: Branch, unmasked: Value | None, calls: Calls) -> Value | None:
    """Which steps its mask leaves, all of them for samples that lack the branch: what is fed for it says nothing.

    Arguments:
        branch: the branch.
        unmasked: which steps its mask leaves; None for all.
        calls: adds calls.
    """
    if branch.presence is None or unmasked is None:
        return unmasked
    absent = calls.two(f"{branch.name}.lacking", "subtract", 1.0, branch.presence)
    return calls.two(f"{branch.name}.steps", "maximum", unmasked, absent)


def steps_of_any(branches: Sequence[Branch], calls: Calls) -> Value | None:
    """Which steps of a merged sequence count: those of any branch that has steps; None where all do."""
    sequences = [branch for branch in branches if branch.type.rank > 2]
    if not sequences or not all(branch.value.masked and branch.type.rank == 3 for branch in sequences):
        return None
    if len(sequences) == 1:
        return steps_unless_absent(sequences[0], unmasked_steps(sequences[0], calls), calls)
    rows = [present_steps(branch, unmasked_steps(branch, calls), calls) for branch in sequences]
    told = tuple(branch.presence for branch in sequences if branch.presence is not None)
    if len(told) == len(sequences):
        # Of a sample that lacks them all, nothing is padding.
        rows.append(calls.two("no_sequence", "subtract", 1.0, calls.layer("some_sequence", "Maximum", told)))
    return calls.layer("kept", "Maximum", tuple(row for row in rows if row is not None))


def kept_side_by_side(tokens: Sequence[Value], kept: Sequence[Value | None], calls: Calls, suffix: str) -> Value | None:
    """Which steps count of several sequences one behind the other; None where all do.

    Arguments:
        tokens: the sequences.
        kept: which steps of each count; None where all do.
        calls: adds calls.
        suffix: the name of the result.
    """
    if all(steps is None for steps in kept):
        return None
    rows = []
    for number, (sequence, steps) in enumerate(zip(tokens, kept, strict=True), start=1):
        if steps is None:
            first = calls.op(f"{suffix}_feature_{number}", "get_item", sequence, key="..., 0")
            steps = calls.op(f"{suffix}_ones_{number}", "ones_like", first)
        rows.append(steps)
    return rows[0] if len(rows) == 1 else calls.layer(suffix, "Concatenate", tuple(rows))


def without_mask(calls: Calls, suffix: str, value: Value) -> Value:
    """The same numbers without a mask, which ops take off."""
    return calls.op(suffix, "get_item", value, key=":") if value.masked else value


def with_mask(calls: Calls, sequence: Value, kept: Value) -> Value:
    """A sequence with a mask that leaves the steps which count.

    Arguments:
        calls: adds calls.
        sequence: (batch, steps, features), without a mask.
        kept: (batch, steps), 1 for the steps that count and 0 for the others.
    """
    flags = calls.two("kept_flags", "greater", kept, 0.5)
    column = calls.op("kept_column", "expand_dims", flags, axis=-1)
    filled = calls.op("filled", "where", {"condition": column, "x1": sequence, "x2": _FILLER})
    return calls.layer("", "Masking", filled, mask_value=_FILLER)
