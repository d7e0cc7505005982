"""What would be wrong with a node by itself: its keys, its arguments, its call arguments; not what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from graphbuilder.blueprint import (
    BlockNode,
    Node,
    ParamProblem,
    ReuseNode,
    diagnose,
    names_in,
    resolve_params,
)
from graphbuilder.blueprint.forms import KINDS, has_expression
from graphbuilder.blueprint.schema import NodeField
from graphbuilder.catalog.refusals import refusals
from graphbuilder.editing.kinds import Kind, kind_of
from graphbuilder.editing.levels import Level, listed, refused
from graphbuilder.errors import CommandError, Diagnostic, suggestion
from graphbuilder.lowering.arguments import call_options, check_entry, custom_layer
from graphbuilder.lowering.reports import Reports
from graphbuilder.lowering.scope import Scope

__all__ = ["check_node", "node_faults"]

_ANY_NODE: TypeAdapter[Node] = TypeAdapter(NodeField)


def check_node(level: Level, name: str, written: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> None:
    """Refuses a node that is wrong by itself.

    Arguments:
        level: where it stands.
        name: its name.
        written: the node as plain data, as it would be written.
        before: the node as it is; what is wrong with that already is not refused again.

    Raises:
        CommandError: with everything that is wrong with it.
    """
    known = [] if before is None else [(found.code, found.message) for found in node_faults(level, name, before)]
    faults = [found for found in node_faults(level, name, written) if (found.code, found.message) not in known]
    if before is None:
        # A new node stands nowhere yet.
        faults = [replace(found, position=None) for found in faults]
    if faults:
        raise CommandError(replace(found, node=name) for found in faults)


def node_faults(level: Level, name: str, written: Mapping[str, Any]) -> list[Diagnostic]:
    """Everything that is wrong with a node by itself, as far as its params have values.

    Arguments:
        level: where it stands.
        name: its name.
        written: the node as plain data.
    """
    document, path = level.document, level.at("nodes", name)
    try:
        node: Node = _ANY_NODE.validate_python(dict(written))
    except ValidationError as error:
        # The first key of such a path names the kind of node that was tried.
        found = refusals(error, dict(written), lambda where: [] if where else _known(level, written))
        return [diagnose(each, document.source, path, name) for each in found]
    if isinstance(node, ReuseNode):
        return []
    key = next(each for each in KINDS if each in written)
    kind = kind_of(document, key, str(written[key]))
    params, unknown = _params(level)
    scope = Scope(document, level.path, "", "", params)
    reports = Reports(scope)
    held = {argument for argument, value in node.arguments.items() if _depends(value, unknown)}
    wrong = [_unknown_param(level, name, argument, param) for argument, param in _foreign(level, node)]
    if wrong:
        return wrong
    if isinstance(node, BlockNode):
        return _block_faults(level, name, kind, node, params, held)
    if kind.custom:
        custom_layer(scope, reports, node, ("nodes", name), name)  # type: ignore[arg-type]
    elif kind.entry is not None:
        kept = {argument: value for argument, value in written.items() if argument not in held}
        check_entry(scope, reports, kind.entry, _ANY_NODE.validate_python(kept), ("nodes", name), name)
    call_options(scope, reports, kind.entry, node, ("nodes", name), name)
    missing = {f"{argument} is missing; {kind.name} needs it" for argument in held}
    return [found for found in reports.diagnostics if found.message not in missing]


def _known(level: Level, written: Mapping[str, Any]) -> list[str]:
    for key in KINDS:
        if key == "reuse" and key in written:
            return ["reuse", "from", "call", "when", "about"]
        if key in written:
            try:
                return [key, *kind_of(level.document, key, str(written[key])).keys]
            except CommandError:
                break
    return [*KINDS, "from", "when", "about"]


def _params(level: Level) -> tuple[dict[str, Any], set[str]]:
    """The values of the params by their defaults, and the names of those that have none here."""
    declared = level.definition.params
    problems: list[ParamProblem] = []
    given = {name: param for name, param in declared.items() if not param.required}
    values = resolve_params(given, {}, problems.append) or {}
    unknown = set(declared) - set(values)
    # In a copy of a block, the number of the copy.
    return values, unknown | ({"index"} if level.block is not None else set())


def _depends(value: Any, names: set[str]) -> bool:
    return any(names_in(text) & names for text in _expressions(value))


def _expressions(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for key, item in value.items() if key != "about" for text in _expressions(item)]
    if isinstance(value, list):
        return [text for item in value for text in _expressions(item)]
    return [value] if has_expression(value) else []


def _foreign(level: Level, node: Node) -> list[tuple[str, str]]:
    """The params that a node names and that are not declared where it stands, each with the argument."""
    known = {*level.definition.params, *(["index"] if level.block is not None else [])}
    parts = {
        **node.arguments,
        "when": node.when,
        "repeat": getattr(node, "repeat", 1),
        "call": getattr(node, "call", {}),
    }
    return [
        (argument, name)
        for argument, value in parts.items()
        for text in _expressions(value)
        for name in sorted(names_in(text) - known)
    ]


def _unknown_param(level: Level, node: str, argument: str, param: str) -> Diagnostic:
    declared = list(level.definition.params)
    listing = f"known here: {listed(declared)}" if declared else "there are no params here"
    hint = suggestion(param, declared, listing=listing)
    path = level.at("nodes", node)
    error = refused(level.document, "GB207", f"{argument} names {param}, which is no param here", path, hint=hint)
    return error.diagnostics[0]


def _block_faults(
    level: Level, name: str, kind: Kind, node: BlockNode, params: Mapping[str, Any], held: set[str]
) -> list[Diagnostic]:
    """What is wrong with the params that a block is given."""
    from graphbuilder.blueprint import ExpressionError, resolve_values

    path, document = level.at("nodes", name), level.document
    given: dict[str, Any] = {}
    faults: list[Diagnostic] = []
    for argument, value in node.given(kind.params).items():
        if argument not in held:
            try:
                given[argument] = resolve_values(value, params)
            except ExpressionError as error:
                faults += refused(document, error.code, error.message, (*path, argument), hint=error.hint).diagnostics
    found: list[ParamProblem] = []
    resolve_params(kind.params, given, found.append)
    for problem in found:
        if not problem.given or (problem.code == "GB202" and problem.param in held):
            continue
        message = problem.message
        if problem.code == "GB201":
            message = f"{kind.name} has no param {problem.param}"
        elif problem.code == "GB202":
            message = f"{problem.param} is missing; {kind.name} needs it"
        place = (*path, problem.param)
        place = place if document.source.node(place) is not None else path
        faults += refused(
            document, problem.code, message, place, expected=problem.expected, hint=problem.hint
        ).diagnostics
    return faults
