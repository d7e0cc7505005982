"""Which branches a sample has: told by inputs, or dropped on purpose in training.

Dropping whole modalities while a model is trained teaches it not to lean on a single one (ModDrop: Neverova et al.
2016, https://arxiv.org/abs/1501.00102).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from graphbuilder.catalog.tensor import elements, is_float
from graphbuilder.fusion.branch import Branch, BranchMisfit
from graphbuilder.fusion.calls import Calls
from graphbuilder.graph import Value

__all__ = ["check_presence", "column", "with_presence"]


def check_presence(name: str, told: Value) -> None:
    """Sees that an input can tell of each sample whether it has a branch.

    Raises:
        Misfit: it is not one number for each sample.
    """
    found = told.type
    if found is None or found.rank > 2 or (found.rank == 2 and elements(found.shape[1:]) != 1) or found.rank < 1:
        raise BranchMisfit(
            name,
            f"the presence of {name} is {found or 'of unknown shape'}",
            presence=True,
            found=str(found),
            expected="one number for each sample, (batch,) or (batch, 1): 1 where it is there, 0 where it is absent",
            hint="declare the input with shape: []",
        )
    if found.dtype == "string" or found.dtype.startswith("complex"):
        raise BranchMisfit(
            name,
            f"the presence of {name} is {found}",
            presence=True,
            found=found.dtype,
            expected="truth values, or 1 and 0",
            hint="declare the input with dtype: bool",
            code="GB305",
        )


def with_presence(branches: Sequence[Branch], told: Mapping[str, Value], dropout: float, calls: Calls) -> list[Branch]:
    """The branches, each knowing which samples have it; None where all have.

    With a rate p of dropout each branch of each sample is dropped with probability p in training; a sample that would
    lose all keeps all.

    Arguments:
        branches: the aligned branches.
        told: the values that tell of some branches which samples have them, by the branch's name.
        dropout: the rate, 0 for none.
        calls: adds calls.
    """
    if not told and not dropout:
        return list(branches)
    here = calls.below("presence")
    known = {name: _as_column(name, value, here) for name, value in told.items()}
    branches = [_floating(branch, calls) for branch in branches]
    if not dropout:
        return [replace(branch, presence=known.get(branch.name)) for branch in branches]
    columns = tuple(known.get(branch.name) or _ones(branch, here) for branch in branches)
    # Below `presence` stand the branches' own names, of which left and right are such.
    present = calls.layer("presence_told", "Concatenate", columns)
    # Dropout scales what it keeps, which the sign takes back.
    thinned = calls.layer("presence_dropout", "Dropout", present, rate=dropout)
    kept = calls.op("presence_kept", "sign", thinned)
    most = calls.op("presence_of_any", "max", kept, axis=1, keepdims=True)
    none = calls.two("presence_of_none", "subtract", 1.0, most)
    saved = calls.two("presence_saved", "multiply", present, none)
    left = calls.two("presence_left", "add", kept, saved)
    return [
        replace(branch, presence=here.op(branch.name, "get_item", left, key=f":, {index}:{index + 1}"))
        for index, branch in enumerate(branches)
    ]


def _floating(branch: Branch, calls: Calls) -> Branch:
    """The branch with floating numbers, as presence is: what presence is multiplied with must be of one kind."""
    if branch.value.type is None or is_float(branch.value.type.dtype):
        return branch
    return replace(branch, value=calls.op(f"{branch.name}.floating", "cast", branch.value, dtype="float32"))


def _as_column(name: str, told: Value, calls: Calls) -> Value:
    """What an input tells as (batch, 1), float32."""
    assert told.type is not None
    value = told
    if not is_float(told.type.dtype):
        value = calls.op(f"{name}.cast", "cast", value, dtype="float32")
    if told.type.rank == 1:
        value = calls.op(f"{name}.column", "expand_dims", value, axis=-1)
    return value


def _ones(branch: Branch, calls: Calls) -> Value:
    """A one for each sample, (batch, 1)."""
    return calls.op(f"{branch.name}.ones", "ones_like", column(calls, f"{branch.name}.first", branch), dtype="float32")


def column(calls: Calls, suffix: str, branch: Branch) -> Value:
    """Any one number of each sample, (batch, 1)."""
    if branch.type.rank == 1:
        return calls.op(suffix, "expand_dims", branch.value, axis=-1)
    places = "0, " * (branch.type.rank - 2)
    return calls.op(suffix, "get_item", branch.value, key=f":, {places}:1")
