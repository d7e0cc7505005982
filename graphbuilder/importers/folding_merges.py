"""Sums that can be left out: where one names the residual connection first, a block of its own turns it round.

A node that is left out passes on the first of what it takes. `Add()([x, features])` would pass on `x`, and not what the
features were computed to. A block whose first input is the features passes those on.
"""

from __future__ import annotations

from collections import Counter

from graphbuilder.importers.folding_names import free_name
from graphbuilder.importers.folding_steps import Moves, Scope, Step, rewritten

__all__ = ["with_merges"]

_LEAST_COPIES = 3
_WANTED = "residual"


def with_merges(scope: Scope) -> Scope | None:
    """The scope with a block in place of each sum that names the older of two tensors first; None for few of them."""
    place = {step.name: index for index, step in enumerate(scope.steps)}
    found = [step for step in scope.steps if step.name not in scope.pinned and _is_turned(step, place)]
    if len(found) < _LEAST_COPIES:
        return None
    kind = Counter(step.kind for step in found).most_common(1)[0][0]
    block = free_name(_WANTED, scope.blocks)
    definition = {"inputs": ["x", "shortcut"], "nodes": {"add": {kind[0]: kind[1], "from": ["shortcut", "x"]}}}
    moves = Moves()
    turned = {}
    for step in found:
        if step.kind == kind:
            moves.layers[step.name] = f"{step.name}.add"
            turned[step.name] = Step(step.name, ("block", block), {}, [step.source[1], step.source[0]])
    steps = [turned.get(step.name, step) for step in scope.steps]
    return rewritten(scope, steps, moves, {block: definition})


def _is_turned(step: Step, place: dict[str, int]) -> bool:
    """Whether a node is a sum of two tensors of which the first was there before the second."""
    if step.kind not in (("layer", "Add"), ("op", "add")) or step.arguments or not isinstance(step.source, list):
        return False
    if len(step.source) != 2 or not all(isinstance(item, str) and "." not in item for item in step.source):
        return False
    older, newer = (place.get(item, -1) for item in step.source)
    return older < newer
