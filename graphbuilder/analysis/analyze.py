"""A graph's cost in full: what `summarize` tells, with memory and receptive fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from graphbuilder.analysis.memory import Memory, memory_of
from graphbuilder.analysis.receptive_field import ReceptiveField, receptive_fields
from graphbuilder.analysis.sizes import sample_bytes
from graphbuilder.analysis.summary import CallSummary, Summary, summarize
from graphbuilder.graph import Graph

__all__ = ["ORDERS", "Analysis", "NodeCost", "analyze", "costliest"]


@dataclass(frozen=True, slots=True)
class NodeCost:
    """What one call costs, and what it sees.

    Arguments:
        call: its parameters, multiply-accumulates and the rest.
        output_bytes: what it gives takes for one sample; None where a size is unknown.
        receptive_field: what its numbers depend on, for each input over which windows slide on the way.
    """

    call: CallSummary
    output_bytes: int | None
    receptive_field: tuple[ReceptiveField, ...]


@dataclass(frozen=True, slots=True)
class Analysis:
    """A graph in numbers.

    Arguments:
        summary: the graph's calls and the sums over them.
        nodes: each call with its cost, in the order of the file.
        memory: what activations take while the model runs.
    """

    summary: Summary
    nodes: tuple[NodeCost, ...]
    memory: Memory

    @property
    def size(self) -> int:
        """What the known weights take, in bytes."""
        return sum(self.summary.totals.size.values())


def analyze(graph: Graph) -> Analysis:
    """The cost of a graph, for each call and in total.

    Arguments:
        graph: the graph.

    Example:
        >>> from graphbuilder.api import lower
        >>> found = analyze(lower("blueprints/cnn.yaml"))
        >>> found.memory.peak, found.size, found.nodes[0].output_bytes
        (615040, 7878952, 492032)
    """
    summary = summarize(graph)
    fields = receptive_fields(graph)
    nodes = []
    for call in summary.calls:
        sizes = [sample_bytes(found) for found in call.outputs]
        known = [size for size in sizes if size is not None]
        nodes.append(NodeCost(call, sum(known) if len(known) == len(sizes) else None, fields[call.name]))
    return Analysis(summary, tuple(nodes), memory_of(graph))


# What nodes can be sorted by, largest first.
ORDERS: dict[str, Callable[[NodeCost], int | None]] = {
    "parameters": lambda node: node.call.parameters,
    "macs": lambda node: node.call.macs,
    "output": lambda node: node.output_bytes,
}


def costliest(nodes: Sequence[NodeCost], by: str) -> list[NodeCost]:
    """The nodes with those that cost most in front; what is unknown may cost the most of all.

    Arguments:
        nodes: the nodes.
        by: a key of `ORDERS`.
    """
    cost = ORDERS[by]

    def rank(node: NodeCost) -> tuple[bool, int]:
        found = cost(node)
        return found is not None, -(found or 0)

    return sorted(nodes, key=rank)
