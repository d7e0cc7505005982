"""What a blueprint says that its model may cost, held against what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphbuilder.analysis.memory import memory_of
from graphbuilder.analysis.sizes import item_bytes
from graphbuilder.analysis.summary import Summary, summarize, variable_dtype
from graphbuilder.blueprint.budget_bounds import MODEL_BOUNDS, expected_amount, read_amount
from graphbuilder.catalog.arguments import as_written
from graphbuilder.errors import BlueprintError, Diagnostic, Related
from graphbuilder.graph import Graph

__all__ = ["check_model_budget", "require_budget"]

# How many nodes a message names.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class _Found:
    """What a model costs in one respect.

    Arguments:
        total: over what is known.
        shares: what single nodes have of it.
        unknown: what is in neither.
        unit: of the numbers, as it stands behind them.
        hint: how to have it cost less.
    """

    total: int
    shares: Sequence[tuple[str, int]]
    unknown: Sequence[str]
    unit: str
    hint: str


def check_model_budget(graph: Graph) -> tuple[Diagnostic, ...]:
    """What of its budget a model exceeds as it is written, before any compression.

    What is not known holds no bound.

    Arguments:
        graph: the graph, with the bounds of its blueprint.
    """
    declared = graph.budget
    if declared is None:
        return ()
    found = []
    asked = {}
    for name in MODEL_BOUNDS:
        value = declared.bounds.get(name)
        expected = expected_amount(name, value)
        if expected is not None:
            message, place = f"{name} is {as_written(value)}", declared.origin
            found.append(
                Diagnostic(
                    "GB203",
                    message,
                    file=place.source.name,
                    position=place.position(name),
                    found=as_written(value),
                    expected=expected,
                )
            )
        elif value is not None:
            asked[name] = value
    return (*found, *_exceeded(graph, asked))


def require_budget(graph: Graph) -> None:
    """Refuses a model that costs more than its blueprint says that it may.

    Arguments:
        graph: the graph, with the bounds of its blueprint.

    Raises:
        BlueprintError: GB406 for each bound that is exceeded; GB203 where one is no bound.
    """
    found = check_model_budget(graph)
    if found:
        raise BlueprintError(found)


def _exceeded(graph: Graph, asked: Mapping[str, Any]) -> Iterable[Diagnostic]:
    if not asked:
        return
    summary = summarize(graph)
    for name, written in asked.items():
        bound = read_amount(name, written)
        assert bound is not None
        cost = _cost(name, graph, summary)
        if cost.total > bound:
            told = f"{name} is {'at least ' if cost.unknown else ''}{cost.total:,}{cost.unit}"
        elif cost.unknown:
            told = f"{name} cannot be told, because it is not known of {_listed(cost.unknown)}"
        else:
            continue
        origin = graph.budget.origin if graph.budget is not None else None
        assert origin is not None
        over = cost.total > bound
        largest = sorted(cost.shares, key=lambda share: -share[1])[:_NAMED] if over else []
        yield Diagnostic(
            "GB406",
            f"{told}, budget {bound:,}",
            file=origin.source.name,
            position=origin.position(name),
            found=str(cost.total) if over else None,
            hint=cost.hint if over else "give the axes sizes, or leave the bound out",
            related=tuple(_share(graph, node, amount, cost.unit) for node, amount in largest if amount),
        )


def _share(graph: Graph, node: str, amount: int, unit: str) -> Related:
    """A node that costs much, with its place."""
    part = graph.calls.get(node) or graph.inputs.get(node)
    told = f"{node} has {amount:,}{unit}"
    if part is None:
        return Related(told)
    return Related(told, part.origin.source.name, part.origin.position(key=True))


def _cost(name: str, graph: Graph, summary: Summary) -> _Found:
    totals, calls = summary.totals, summary.calls
    if name == "params":
        shares = [(call.name, call.parameters or 0) for call in calls]
        return _Found(totals.parameters, shares, totals.unknown_weights, "", "make these smaller, or raise the bound")
    if name == "macs":
        shares = [(call.name, call.macs or 0) for call in calls]
        hint = "make these smaller, or what they are given, or raise the bound"
        return _Found(totals.macs, shares, totals.unknown_macs, "", hint)
    if name == "size":
        shares = [(call.name, _weight_bytes(graph, call.layer, call.parameters or 0)) for call in calls]
        hint = "make these smaller, keep weights in float16, or raise the bound"
        return _Found(sum(totals.size.values()), shares, totals.unknown_weights, " bytes", hint)
    memory = memory_of(graph)
    owners = {value.name: call.name for call in graph.calls.values() for value in call.outputs}
    shares = [(owners.get(value, value), size) for value, size in memory.held]
    moment = f"while {memory.at} is computed" if memory.at else "before the first node"
    hint = f"these are held at once {moment}; make them smaller, or raise the bound"
    return _Found(memory.peak, shares, memory.unknown, " bytes", hint)


def _weight_bytes(graph: Graph, layer: str | None, count: int) -> int:
    """What so many numbers of a layer take."""
    return 0 if layer is None else count * (item_bytes(variable_dtype(graph.layers[layer])) or 0)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
