"""How large a model may be that comes out of a stranger's file."""

from __future__ import annotations

from dataclasses import dataclass, field

from graphbuilder.limits import limit

__all__ = ["GraphLimits"]


@dataclass(frozen=True, slots=True)
class GraphLimits:
    """Budgets of the graph; each one passed is an error with its code.

    What is left out is as `graphbuilder.limits` has it.

    Arguments:
        nodes: calls after every block is expanded.
        repeat: copies of one block node.
        depth: blocks within blocks.
        elements: elements of one tensor or weight, the batch axis left out.
        parameters: parameters of the model.
    """

    nodes: int = field(default_factory=lambda: limit("nodes"))
    repeat: int = field(default_factory=lambda: limit("repeat"))
    depth: int = field(default_factory=lambda: limit("block_depth"))
    elements: int = field(default_factory=lambda: limit("elements"))
    parameters: int = field(default_factory=lambda: limit("parameters"))
