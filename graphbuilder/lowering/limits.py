"""How large a model may be that comes out of a stranger's file."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["GraphLimits"]


@dataclass(frozen=True, slots=True)
class GraphLimits:
    """Budgets of the graph; each one passed is an error with its code.

    Arguments:
        nodes: calls after every block is expanded.
        repeat: copies of one block node.
        depth: blocks within blocks.
        elements: elements of one tensor or weight, the batch axis left out.
        parameters: parameters of the model.
    """

    nodes: int = 200_000
    repeat: int = 10_000
    depth: int = 32
    elements: int = 2**31
    parameters: int = 20_000_000_000
