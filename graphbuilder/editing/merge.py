"""Branches merged: a new `fuse:` node in the text, and those that took the branches take it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphbuilder.blueprint import Document
from graphbuilder.editing.changes import Change, Insert
from graphbuilder.editing.checking import edited
from graphbuilder.editing.request import Request, checked
from graphbuilder.editing.wiring import Wiring, place_after, wire
from graphbuilder.text.splices import Splice

__all__ = ["Edited", "PlannedMerge", "merge", "plan_merge"]


@dataclass(frozen=True, slots=True)
class Edited:
    """What an edit made of a blueprint.

    Arguments:
        text: the whole new text, a byte order mark included where the file has one.
        document: the new text, loaded.
        name: the node that the edit is about: for a merge, the new one.
        changes: what was changed and what was left, in sentences without a full stop.
        splices: what was done to the text of the old document's source; `graphbuilder.text.splices.undoing` turns them
            round.
    """

    text: str
    document: Document
    name: str
    changes: tuple[str, ...]
    splices: tuple[Splice, ...]


@dataclass(frozen=True, slots=True)
class PlannedMerge:
    """A merge that was not made yet.

    Arguments:
        name: the new node.
        changes: the changes of the text.
        told: what they come to, in sentences without a full stop.
    """

    name: str
    changes: tuple[Change, ...]
    told: tuple[str, ...]


def merge(
    document: Document,
    nodes: Sequence[str],
    strategy: str,
    *,
    name: str | None = None,
    options: Mapping[str, Any] | None = None,
    into: Sequence[str] | None = None,
    params: Mapping[str, Any] | None = None,
    block: str | None = None,
) -> Edited:
    """Merges branches in the text of a blueprint; what the merge does not concern stays, byte for byte.

    The new node `{fuse: …, from: […]}` stands behind the last of the merged nodes, written as its neighbours are. What
    took one of the branches takes the merged value instead, wherever it is written: in a `from`, in `outputs`, or
    implied by the order of the nodes. Left as they are, and told, are

    - a node that feeds one of the branches, because nodes cannot feed each other in a circle;
    - a node that takes several of the branches, unless they stand in one list of a layer, op or fusion that takes
      lists, and at least two items remain in it: then the merged value takes the place of the first. The list of the
      outputs may become shorter too, even a list of one;
    - a fusion that names a branch in `align` or `presence`.

    A node that left out its `from`, or a file that left out `outputs`, says it from now on where the new node would
    else change what is meant. If nothing took the branches and the new node is the last one, it becomes the output of a
    file that names none.

    Arguments:
        document: a loaded blueprint; it stays as it is.
        nodes: what to merge, two or more, written as under `from`: nodes, inputs, `lstm.0`, `encoder.hidden`.
        strategy: the way to merge, as after `fuse:`.
        name: the new node; left out, merged, merged_2, …
        options: the strategy's options.
        into: the only consumers to rewire: names of nodes, or "outputs"; none for an empty list, all for None.
        params: values for some of the blueprint's params, for the check.
        block: the block that the nodes stand in; None for the file itself.

    Raises:
        CommandError: what is asked for cannot be done: an unknown node or strategy, a name that is taken, a bad option.
        BlueprintError: the blueprint is wrong, before or after; then nothing comes of the edit.
        InternalError: the new text does not say what it should.
    """
    planned = plan_merge(document, nodes, strategy, name=name, options=options, into=into, params=params, block=block)
    after, applied = edited(document, planned.changes, planned.told, params)
    mark = "\ufeff" if applied.source.byte_order_mark else ""
    return Edited(mark + applied.source.text, after, planned.name, planned.told, applied.splices)


def plan_merge(
    document: Document,
    nodes: Sequence[str],
    strategy: str,
    *,
    name: str | None = None,
    options: Mapping[str, Any] | None = None,
    into: Sequence[str] | None = None,
    params: Mapping[str, Any] | None = None,
    block: str | None = None,
) -> PlannedMerge:
    """The changes by which `merge` merges branches; nothing is changed yet.

    Arguments:
        document: a loaded blueprint.
        nodes: what to merge, as in `merge`.
        strategy: the way to merge.
        name: the new node; left out, merged, merged_2, …
        options: the strategy's options.
        into: the only consumers to rewire; all for None.
        params: values for some of the blueprint's params.
        block: the block that the nodes stand in; None for the file itself.

    Raises:
        CommandError: what is asked for cannot be done.
        BlueprintError: the blueprint is wrong.
    """
    request = checked(document, nodes, strategy, name, options, params, block)
    level = request.level
    wiring = wire(level, request.branches, request.name, into)
    after = place_after(level, request.branches)
    new = Insert(level.at("nodes"), request.name, request.node, after)
    return PlannedMerge(request.name, (*wiring.changes, new), _told(request, wiring, after))


def _told(request: Request, wiring: Wiring, after: str | None) -> tuple[str, ...]:
    place = f"below {after}" if after is not None else "above the other nodes"
    told = [
        f"{request.name} is added {place}: {request.strategy} of {', '.join(request.branches)}",
        *wiring.told,
        *wiring.left,
    ]
    if not wiring.consumers:
        told.append(f"nothing takes {request.name} yet: name it in the from of a node, or under outputs")
    if request.level.block is not None and request.seen is None:
        told.append(f"no node uses {request.level.block}, so it is not known whether the branches fit")
    return tuple(told)
