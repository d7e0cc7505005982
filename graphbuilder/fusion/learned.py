"""Small pieces that learned fusions share: free weights, gates over branches, what is left of absent branches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphbuilder.fusion.branch import Branch
from graphbuilder.fusion.calls import Calls
from graphbuilder.fusion.elementwise import present_only
from graphbuilder.fusion.presence import column
from graphbuilder.graph import Value

__all__ = ["free_weight", "joined", "present_shares", "without_absent"]

# What is added to the logit of an absent branch, so that its share is 0.
_NEVER = 1e9


def free_weight(
    calls: Calls, suffix: str, branch: Branch, rows: int, width: int, initializer: Any = "uniform"
) -> Value:
    """A weight that no input is multiplied with, (batch, rows, width): an Embedding whose ids are always 0, 1, ….

    Arguments:
        calls: adds calls.
        suffix: the name of the Embedding.
        branch: gives the batch.
        rows: how many vectors.
        width: their size.
        initializer: how it starts.
    """
    zeros = calls.op(f"{suffix}_ids", "zeros_like", column(calls, f"{suffix}_first", branch), dtype="int32")
    if rows > 1:
        zeros = calls.two(f"{suffix}_numbers", "add", zeros, [list(range(rows))])
    return calls.layer(suffix, "Embedding", zeros, input_dim=rows, output_dim=width, embeddings_initializer=initializer)


def joined(branches: Sequence[Branch], calls: Calls, suffix: str = "joined") -> Value:
    """All branches side by side, zeros for those that a sample lacks."""
    values = tuple(present_only(branch, calls) for branch in branches)
    return values[0] if len(values) == 1 else calls.layer(suffix, "Concatenate", values)


def present_shares(branches: Sequence[Branch], logits: Value, calls: Calls, suffix: str, each: int = 1) -> Value:
    """A softmax over branches, in which those that a sample lacks have no share; none has where it lacks all.

    Arguments:
        branches: the branches.
        logits: (batch, …, branches × each), those of one branch side by side.
        calls: adds calls.
        suffix: the name of the shares.
        each: how many logits a branch has.
    """
    if all(branch.presence is None for branch in branches):
        return calls.op(suffix, "softmax", logits)
    columns = []
    for branch in branches:
        presence = branch.presence or calls.op(
            f"{branch.name}.always", "ones_like", column(calls, f"{branch.name}.first_number", branch), dtype="float32"
        )
        columns += [presence] * each
    present = calls.layer("present", "Concatenate", tuple(columns))
    absent = calls.two("absent", "subtract", present, 1.0)
    penalty = calls.two("penalty", "multiply", absent, _NEVER)
    shares = calls.op("shares", "softmax", calls.layer("present_logits", "Add", (logits, penalty)))
    return calls.layer(suffix, "Multiply", (shares, present))


def without_absent(branch: Branch, factor: Value, calls: Calls, suffix: str) -> Value:
    """A factor of a product, 1 where the sample lacks the branch: m f + (1 - m)."""
    if branch.presence is None:
        return factor
    kept = calls.layer(f"{suffix}_kept", "Multiply", (factor, branch.presence))
    absent = calls.two(f"{suffix}_absent", "subtract", 1.0, branch.presence)
    # The column stands first: behind a tensor, Keras may take it for a bias.
    return calls.layer(f"{suffix}_or_one", "Add", (absent, kept))
