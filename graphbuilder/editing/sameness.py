"""Whether an edit left the graph what it was, up to the names of what moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from graphbuilder.compression.passes import CompressionPass
from graphbuilder.compression.plan import plan_compression
from graphbuilder.editing.rewriting import Follow
from graphbuilder.graph import Call, Graph, Layer
from graphbuilder.lowering.resolved_proof import first_difference

__all__ = ["difference"]


def difference(before: Graph, after: Graph, name_before: Follow) -> str | None:
    """Where two graphs differ in what they compute or in what passes do to their layers; None where they do not.

    Arguments:
        before: the graph before an edit.
        after: the one after it.
        name_before: what a call or layer of the new graph was called before.
    """
    ordered = _in_the_old_order(before, after, name_before)
    found = first_difference(before, ordered)
    return found if found is not None else _unlike_passes(before, ordered)


def _in_the_old_order(before: Graph, after: Graph, name_before: Follow) -> Graph:
    """The new graph with its calls in the order of the old one's, as far as their names tell."""
    if len(before.calls) != len(after.calls):
        return after
    matched: dict[str, Call] = {}
    others: list[Call] = []
    for name, call in after.calls.items():
        old = name_before(name)
        if old in before.calls and old not in matched:
            matched[old] = call
        else:
            others.append(call)
    # Adapters of fusions are named by their branches; they come in the order of the walk.
    waiting = iter(others)
    calls = [matched[name] if name in matched else next(waiting) for name in before.calls]
    layers: dict[str, Layer] = {}
    for call in calls:
        if isinstance(call.target, Layer):
            layers.setdefault(call.target.name, call.target)
    return replace(after, calls={call.name: call for call in calls}, layers=layers)


def _unlike_passes(before: Graph, after: Graph) -> str | None:
    """Which pass touches other layers than before, or has other options for one of them.

    Arguments:
        before: a graph.
        after: one with the same layers in the same order, by whatever names.
    """
    if not before.compression:
        return None
    old, wrong = plan_compression(before)
    new, wrong_now = plan_compression(after)
    if wrong:
        # What passes meant that are wrong cannot be told.
        return None
    if wrong_now:
        return f"of a pass, {wrong_now[0].message}"
    names = dict(zip(after.layers, before.layers, strict=True))
    for one, other in zip(old.stages, new.stages, strict=True):
        name = one.declared.name()
        mine = {target.layer: target for target in one.targets}
        theirs = {names[target.layer]: target for target in other.targets}
        for layer in [each for each in before.layers if (each in mine) is not (each in theirs)]:
            return f"{name} would {'no longer touch' if layer in mine else 'touch'} {layer}"
        for layer, made in mine.items():
            if _options(made.options) != _options(theirs[layer].options):
                return f"{name} would have other options for {layer}"
    return None


def _options(made: CompressionPass) -> Mapping[str, Any]:
    """The options of a pass that say what is done to a layer, not which layers it touches."""
    return made.model_dump(exclude={"where", "overrides"})
