"""What a fusion is, what is done to its branches and why, and what that costs."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass

from graphbuilder.analysis.explain_alternatives import Alternative, alternatives_of
from graphbuilder.analysis.summary import CallSummary
from graphbuilder.blueprint import Document
from graphbuilder.catalog import TensorType
from graphbuilder.catalog.tensor import elements
from graphbuilder.fusion import strategies
from graphbuilder.fusion.adapters import ADAPTERS
from graphbuilder.graph import Adapter, FusedBranch, Fusion, Graph

__all__ = ["ExplainedAdapter", "ExplainedBranch", "ExplainedFusion", "adapter_name", "explain_fusion", "fusion_text"]


@dataclass(frozen=True, slots=True)
class ExplainedAdapter:
    """One adapter between a branch and its fusion.

    Arguments:
        call: the name of its call.
        written: as `align:` would write it.
        kind: the layer or op that does it.
        does: what it does, in one line.
        reason: why it is there.
        takes: what it is given.
        gives: what comes of it.
        elements: how many numbers of one sample it is given and gives; None where an axis is unknown.
        parameters: numbers in its weights.
        macs: multiply-accumulates for one sample.
    """

    call: str
    written: str
    kind: str
    does: str
    reason: str
    takes: TensorType
    gives: TensorType
    elements: tuple[int | None, int | None]
    parameters: int | None
    macs: int | None


@dataclass(frozen=True, slots=True)
class ExplainedBranch:
    """One branch of a fusion.

    Arguments:
        name: the reference under `from`.
        role: what the fusion takes it for, or None where all branches are alike.
        modalities: those of the inputs that it was computed from.
        arrives: its type as it arrives; None where unknown.
        merged: its type as it is merged.
        stated: whether the author stated its adapters.
        adapters: what is done to it, in order.
        alternatives: what else could be done to it; each compiles.
    """

    name: str
    role: str | None
    modalities: tuple[str, ...]
    arrives: TensorType | None
    merged: TensorType | None
    stated: bool
    adapters: tuple[ExplainedAdapter, ...]
    alternatives: tuple[Alternative, ...]


@dataclass(frozen=True, slots=True)
class ExplainedFusion:
    """What a `fuse:` node became.

    Arguments:
        strategy: the way of merging.
        does: what it does and computes, paragraph by paragraph.
        source: where it was published, or None.
        branches: what is merged, in order.
        own: the calls of the strategy itself.
        parameters: numbers in their weights.
        macs: their multiply-accumulates for one sample.
    """

    strategy: str
    does: tuple[str, ...]
    source: str | None
    branches: tuple[ExplainedBranch, ...]
    own: tuple[CallSummary, ...]
    parameters: int | None
    macs: int | None


def explain_fusion(
    document: Document,
    graph: Graph,
    fusion: Fusion,
    params: Mapping[str, object] | None,
    calls: Mapping[str, CallSummary],
) -> ExplainedFusion:
    """Explains one fusion.

    Arguments:
        document: the user's file.
        graph: its graph.
        fusion: one of the graph's.
        params: the values that the file's params were set to.
        calls: the summaries of the graph's calls, by name.
    """
    adapting = {adapter.call for branch in fusion.branches for adapter in branch.adapters}
    own = tuple(calls[name] for name in fusion.calls if name in calls and name not in adapting)
    does, source = fusion_text(fusion.strategy)
    others = alternatives_of(document, graph, fusion, params)
    return ExplainedFusion(
        fusion.strategy,
        does,
        source,
        tuple(_branch(branch, others.get(branch.name, ()), calls) for branch in fusion.branches),
        own,
        _sum([call.parameters for call in own]),
        _sum([call.macs for call in own]),
    )


def fusion_text(strategy: str) -> tuple[tuple[str, ...], str | None]:
    """What a strategy's docstring says, paragraph by paragraph, and its source."""
    kind = strategies.get(strategy)
    text = inspect.getdoc(kind) or "" if kind is not None else ""
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]
    source = next((part.removeprefix("Source: ") for part in paragraphs if part.startswith("Source: ")), None)
    return tuple(part for part in paragraphs if not part.startswith("Source: ")), source


def adapter_name(written: str) -> str:
    """The name of an adapter as `align:` writes it.

    Example:
        >>> adapter_name("pool"), adapter_name("{project: 64}")
        ('pool', 'project')
    """
    return written.strip("{}").partition(":")[0]


def _branch(branch: FusedBranch, others: tuple[Alternative, ...], calls: Mapping[str, CallSummary]) -> ExplainedBranch:
    adapters = []
    taken = branch.value.type
    for adapter in branch.adapters:
        assert taken is not None
        adapters.append(_adapter(adapter, taken, calls))
        taken = adapter.gives
    return ExplainedBranch(
        branch.name,
        branch.role,
        branch.value.modalities,
        branch.value.type,
        branch.adapted.type,
        branch.stated,
        tuple(adapters),
        others,
    )


def _adapter(adapter: Adapter, taken: TensorType, calls: Mapping[str, CallSummary]) -> ExplainedAdapter:
    call = calls.get(adapter.call)
    kind = ADAPTERS.get(adapter_name(adapter.written))
    return ExplainedAdapter(
        adapter.call,
        adapter.written,
        call.kind if call is not None else "",
        kind.about if kind is not None else "",
        adapter.reason,
        taken,
        adapter.gives,
        (elements(taken.shape[1:]), elements(adapter.gives.shape[1:])),
        call.parameters if call is not None else None,
        call.macs if call is not None else None,
    )


def _sum(amounts: list[int | None]) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if len(known) == len(amounts) else None
