"""How much there is to read in a scope and its blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphbuilder.importers.folding_steps import Scope

__all__ = ["cost_of", "expression_cost"]

# What lines are worth: a node's, what one more argument adds to it, and one that a param decides; a block's own lines,
# and each param.
_NODE, _ARGUMENT, _VARYING, _BLOCK, _PARAM = 1.0, 0.04, 0.2, 4.0, 0.4
# An expression is more to read than a name, and so is a node that may be left out.
_EXPRESSION, _WHEN = 0.6, 0.4


def cost_of(scope: Scope) -> float:
    """How long a scope and its blocks are, in lines or so."""
    found = scope.oddness + sum(_cost(step.kind[0], step.arguments) for step in scope.steps)
    for block in scope.blocks.values():
        found += _BLOCK + _PARAM * len(block.get("params", ()))
        found += sum(_cost(next(iter(node)), node) for node in block["nodes"].values())
    return found


def _cost(kind: str, arguments: Mapping[str, Any]) -> float:
    each = _VARYING if kind == "block" else _ARGUMENT
    optional = _WHEN if "when" in arguments else 0.0
    return _NODE + optional + sum(each + expression_cost(value) for key, value in arguments.items() if key != "from")


def expression_cost(value: Any) -> float:
    """What the params and expressions in an argument add to it."""
    if isinstance(value, str):
        return 0.0 if not value.startswith("$") else _EXPRESSION if value.startswith("$(") else _VARYING
    if isinstance(value, Mapping):
        return sum(map(expression_cost, value.values()))
    return sum(map(expression_cost, value)) if isinstance(value, list) else 0.0
