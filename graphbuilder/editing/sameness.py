"""Whether an edit left the graph what it was, up to the names of what moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from graphbuilder.blueprint import Document
from graphbuilder.compression.passes import CompressionPass
from graphbuilder.compression.plan import plan_compression
from graphbuilder.editing.changes import Change
from graphbuilder.editing.checking import edited, loaded, lowered
from graphbuilder.editing.levels import refused
from graphbuilder.editing.rewriting import Follow
from graphbuilder.graph import Call, Graph, Layer
from graphbuilder.lowering.resolved_proof import first_difference

__all__ = ["check_kept", "check_same", "difference"]


def check_kept(document: Document, changes: Sequence[Change], told: Sequence[str], title: str) -> tuple[str, ...]:
    """What is to be told of changes that are to leave the graph what it is; nothing where they do.

    Arguments:
        document: the file before them; of one that holds only blocks there is no graph.
        changes: the changes.
        told: what they come to.
        title: what the edit is called.

    Raises:
        BlueprintError: the blueprint would be wrong afterwards, and is not now.
        CommandError: GB303, the model would be another one.
    """
    before = lowered(document)
    if before.errors:
        loaded(document, changes, told)
        return ("the file has errors, so it is not known whether the model stays the same",)
    after = edited(document, changes, told)[0]
    if before.graph is not None:
        check_same(before.graph, after, lambda name: name, document, title)
    return ()


def check_same(before: Graph, after: Document, name_before: Follow, document: Document, title: str) -> None:
    """Refuses an edit that would change the graph.

    Arguments:
        before: the graph.
        after: the file as it would be.
        name_before: what a call or layer of the new graph was called before.
        document: the file as it is.
        title: what the edit is called.

    Raises:
        CommandError: GB303.
    """
    graph = lowered(after).graph
    found = "there would be none" if graph is None else difference(before, graph, name_before)
    if found is not None:
        raise refused(document, "GB303", f"{title} would change the model: {found}")


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
