"""What `graphbuilder diff --format json` prints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from graphbuilder.analysis import Totals
from graphbuilder.analysis.diff import ABSENT, Change, Difference, NodeChange
from graphbuilder.analysis.diff_sides import Node
from graphbuilder.catalog import TensorType
from graphbuilder.cli.show_json import tensor_data
from graphbuilder.errors import Diagnostic

__all__ = ["difference_document"]


def difference_document(found: Difference, by: str, diagnostics: Iterable[Diagnostic]) -> dict[str, Any]:
    """A difference as plain data.

    Arguments:
        found: what differs.
        by: what was compared: "nodes", "graph" or "file".
        diagnostics: what was found beside.

    A change is {path, before, after}; `before` or `after` is left out where that side says nothing. The keys:
        ok: true; with a blueprint that is wrong the document is {ok: false, diagnostics: […]} instead.
        by: what was compared.
        same: whether there is no difference; `differences` is how many there are.
        added, removed: a list of {block, name, kind, arguments, inputs}: `block` is null outside of blocks, `inputs`
            says what stands at each port.
        changed: the nodes of both sides that differ, a list of:
            block: the block that it stands in, else null. name, kind: on the first side.
            new_name, new_kind: on the second.
            renamed: whether the name is another one, but for dots that a flat file writes as _.
            arguments, inputs: lists of changes; the path of an input is its port.
            outputs: null, or {before, after}, each a list of {shape, dtype}, where what it gives is another.
        outputs: changes of what the model gives. The path is its key, with the block in front where it is a block's.
        sections: changes of what is said beside the nodes, such as `training.epochs`.
        totals: null, or {before, after, change}, each {parameters, trainable, non_trainable, macs, size} of what is
            known.
        diagnostics: what is worth knowing of the two sides.
    """
    return {
        "ok": True,
        "by": by,
        "same": not found.count,
        "differences": found.count,
        "added": [_node(scope.name, node) for scope in found.scopes for node in scope.added],
        "removed": [_node(scope.name, node) for scope in found.scopes for node in scope.removed],
        "changed": [_changed(scope.name, change) for scope in found.scopes for change in scope.changed],
        "outputs": [
            {**_change(change), "path": f"{scope.name}.{change.path}" if scope.name else change.path}
            for scope in found.scopes
            for change in scope.outputs
        ],
        "sections": [_change(change) for change in found.sections],
        "totals": None if found.totals is None else _totals(*found.totals),
        "diagnostics": [item.to_json() for item in diagnostics],
    }


def _node(block: str, node: Node) -> dict[str, Any]:
    return {
        "block": block or None,
        "name": node.name,
        "kind": node.kind,
        "arguments": dict(node.arguments),
        "inputs": {port: str(reference) for port, reference in node.inputs.items()},
    }


def _changed(block: str, change: NodeChange) -> dict[str, Any]:
    return {
        "block": block or None,
        "name": change.before.name,
        "new_name": change.after.name,
        "kind": change.before.kind,
        "new_kind": change.after.kind,
        "renamed": change.renamed,
        "arguments": [_change(item) for item in change.arguments],
        "inputs": [_change(item) for item in change.inputs],
        "outputs": None
        if change.types is None
        else {"before": _types(change.types[0]), "after": _types(change.types[1])},
    }


def _types(types: Iterable[TensorType | None]) -> list[dict[str, Any]]:
    return [tensor_data(found) for found in types]


def _change(change: Change) -> dict[str, Any]:
    sides = {"before": change.before, "after": change.after}
    return {"path": change.path, **{side: value for side, value in sides.items() if value is not ABSENT}}


def _totals(before: Totals, after: Totals) -> dict[str, Any]:
    one, two = _sums(before), _sums(after)
    return {"before": one, "after": two, "change": {key: two[key] - one[key] for key in one}}


def _sums(totals: Totals) -> dict[str, int]:
    return {
        "parameters": totals.parameters,
        "trainable": totals.trainable,
        "non_trainable": totals.non_trainable,
        "macs": totals.macs,
        "size": sum(totals.size.values()),
    }
