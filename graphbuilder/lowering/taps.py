"""Names that a file or block gives to values inside it, for whoever uses it."""

from __future__ import annotations

from collections.abc import Mapping

from graphbuilder.blueprint import Block, Blueprint
from graphbuilder.lowering.reports import Reports
from graphbuilder.lowering.scope import BROKEN_NODE, Bound, Scope, Unresolved

__all__ = ["tapped"]


def tapped(definition: Block | Blueprint, scope: Scope, reports: Reports) -> Mapping[str, Bound]:
    """What lies inside a file or block for whoever uses it: its inputs and nodes, and its taps by their names.

    A tap of what these params leave out is no fault until somebody takes it.

    Arguments:
        definition: the file or block.
        scope: its scope, once its nodes are walked.
        reports: told of taps that name nothing, or have a name that means something else.
    """
    if not definition.taps:
        return scope.names
    found = dict(scope.names)
    outputs = definition.outputs if isinstance(definition.outputs, dict) else {}
    for name, reference in definition.taps.items():
        kinds = (("an input", definition.inputs), ("a node", definition.nodes), ("an output", outputs))
        what = next((kind for kind, names in kinds if name in names), None)
        if what is None:
            found[name] = _bound(scope, reports, name, reference)
            continue
        same = name == (outputs[name] if what == "an output" else reference)
        reports.add(
            scope, "GB206", f"{name} is the name of {what} too", ("taps", name), key=True,
            expected="a name of its own",
            hint="take the tap away: whoever uses this can name it already" if same else None,
        )  # fmt: skip
    return found


def _bound(scope: Scope, reports: Reports, name: str, reference: str) -> Bound:
    try:
        value = scope.resolve(reference)
    except Unresolved as error:
        if error.left_out:
            return Bound({"0": None}, missing=error)
        path = ("taps", name)
        reports.add(scope, "GB301", error.message, path, found=reference, hint=error.hint, fix=error.fix)
        return BROKEN_NODE
    return BROKEN_NODE if value is None else Bound.of(value)
