"""Which ways of merging fit some branches, and what each would add to the model."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphbuilder.blueprint import Document
from graphbuilder.catalog import TensorType
from graphbuilder.editing.levels import refused
from graphbuilder.editing.request import checked_branches, free_name
from graphbuilder.editing.scratch import branches_alone, branches_merged
from graphbuilder.fusion import FusionStrategy, strategies
from graphbuilder.graph import Adapter, FusedBranch, Graph, Value, flatten
from graphbuilder.lowering import lower, try_lower

__all__ = ["FittingFusion", "Judged", "UnfitFusion", "fusions_that_fit", "judge", "judged_in_turn"]


@dataclass(frozen=True, slots=True)
class FittingFusion:
    """A way to merge that fits some branches.

    Arguments:
        strategy: its name, as after `fuse:`.
        about: what it does, in one line.
        gives: the merged tensor's shape and dtype; None where a custom layer does not state what it gives.
        parameters: how many it adds to the model; None where that is unknown.
        macs: how many multiply-accumulates it adds for one sample; None where that is unknown.
        branches: what is done to each branch first, in order.
    """

    strategy: str
    about: str
    gives: TensorType | None
    parameters: int | None
    macs: int | None
    branches: tuple[FusedBranch, ...]

    @property
    def adapters(self) -> tuple[Adapter, ...]:
        """The adapters of all branches, in order."""
        return tuple(adapter for branch in self.branches for adapter in branch.adapters)


@dataclass(frozen=True, slots=True)
class UnfitFusion:
    """A way to merge that does not fit some branches, at least not with its options as they are by default.

    Arguments:
        strategy: its name.
        about: what it does, in one line.
        reason: why it does not fit, in one clause.
        hint: how it would, if that is known.
        needs: the options that must be given for it.
    """

    strategy: str
    about: str
    reason: str
    hint: str | None = None
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """Every way to merge, sorted.

    Arguments:
        fitting: those that fit.
        unfit: those that do not.
    """

    fitting: tuple[FittingFusion, ...]
    unfit: tuple[UnfitFusion, ...]


def fusions_that_fit(
    document: Document, nodes: Sequence[str], params: Mapping[str, Any] | None = None, block: str | None = None
) -> tuple[FittingFusion, ...]:
    """The ways to merge that fit some branches with all options at their defaults, in the order of the table.

    Arguments:
        document: a loaded blueprint.
        nodes: what would be merged, two or more, written as under `from`.
        params: values for some of the blueprint's params.
        block: the block that the nodes stand in; None for the file itself.

    Raises:
        BlueprintError: the blueprint is wrong.
        CommandError: a node is not known, or stands twice, or no node uses the block.
    """
    return judge(document, nodes, params, block).fitting


def judge(
    document: Document, nodes: Sequence[str], params: Mapping[str, Any] | None = None, block: str | None = None
) -> Judged:
    """Tries every way to merge some branches; nothing is changed.

    Only what feeds the branches is lowered with each, so that it takes milliseconds. A block is judged by what
    the first node that uses it gives it.

    Arguments:
        document: a loaded blueprint.
        nodes: what would be merged, two or more, written as under `from`.
        params: values for some of the blueprint's params.
        block: the block that the nodes stand in; None for the file itself.

    Raises:
        BlueprintError: the blueprint is wrong.
        CommandError: a node is not known, or stands twice, or no node uses the block.
    """
    fitting: list[FittingFusion] = []
    unfit: list[UnfitFusion] = []
    for found in judged_in_turn(document, nodes, params, block):
        if isinstance(found, FittingFusion):
            fitting.append(found)
        else:
            unfit.append(found)
    return Judged(tuple(fitting), tuple(unfit))


def judged_in_turn(
    document: Document, nodes: Sequence[str], params: Mapping[str, Any] | None = None, block: str | None = None
) -> Iterator[FittingFusion | UnfitFusion]:
    """As `judge`, one way to merge after the other, in the order of the table, each as soon as it was tried.

    Arguments:
        document: a loaded blueprint.
        nodes: what would be merged, two or more, written as under `from`.
        params: values for some of the blueprint's params.
        block: the block that the nodes stand in; None for the file itself.

    Raises:
        BlueprintError: the blueprint is wrong; with the first.
        CommandError: a node is not known, or stands twice, or no node uses the block; with the first.
    """
    found = checked_branches(document, nodes, params, block)
    level, branches, seen = found.level, found.names, found.seen
    if block is not None and seen is None:
        raise refused(
            document, "GB303", f"no node uses {block}, so nothing is known of the shapes in it", level.path, key=True,
            hint="add a node that uses it first",
        )  # fmt: skip
    before = lower(branches_alone(level, branches, seen), params)
    name = free_name(level)
    path = name if seen is None else f"{seen}.{name}"
    for strategy in strategies.names():
        kind = strategies.get(strategy)
        assert kind is not None, strategy
        about = (inspect.getdoc(kind) or "").partition("\n")[0]
        needs = tuple(key for key, field in kind.model_fields.items() if field.is_required())
        if needs:
            yield UnfitFusion(strategy, about, f"needs {_options(kind, needs)}", needs=needs)
            continue
        lowered = try_lower(branches_merged(level, branches, name, strategy, seen=seen), params)
        if lowered.graph is None:
            first = lowered.errors[0]
            expected = f"; expected {first.expected}" if first.expected else ""
            yield UnfitFusion(strategy, about, f"{first.message}{expected}", first.hint)
        else:
            yield _fitting(strategy, about, path, before, lowered.graph)


def _options(kind: type[FusionStrategy], names: Sequence[str]) -> str:
    told = [f"{name} ({about})" if (about := kind.model_fields[name].description) else name for name in names]
    return ", ".join(told)


def _fitting(strategy: str, about: str, name: str, before: Graph, after: Graph) -> FittingFusion:
    fusion = after.fusions.get(name)
    given = fusion.gives if fusion is not None else next(iter(flatten(after.outputs)))
    assert isinstance(given, Value)
    return FittingFusion(
        strategy,
        about,
        given.type,
        _added(before.parameters, after.parameters),
        _added(_macs(before), _macs(after)),
        fusion.branches if fusion is not None else (),
    )


def _macs(graph: Graph) -> int | None:
    known = [call.macs for call in graph.calls.values()]
    return None if None in known else sum(macs for macs in known if macs is not None)


def _added(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else after - before
