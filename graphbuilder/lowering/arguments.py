"""From what a node writes to a checked catalog entry: the layer or op by name, its arguments, its call arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import ValidationError

from graphbuilder.blueprint import ExpressionError, LayerNode, Node, resolve_values
from graphbuilder.blueprint.forms import node_kind
from graphbuilder.catalog import REFUSED, Entry, LayerEntry, layers, ops
from graphbuilder.catalog.arguments import as_written
from graphbuilder.catalog.foreign_names import foreign_argument, foreign_layer
from graphbuilder.catalog.refusals import Refusal, refusals
from graphbuilder.errors import nearest, suggestion
from graphbuilder.graph import CustomLayer
from graphbuilder.lowering.reports import Reports
from graphbuilder.lowering.scope import Scope
from graphbuilder.registry import Registry
from graphbuilder.text.tree import Scalar

__all__ = ["call_options", "check_entry", "custom_layer", "find_entry", "resolved"]

E = TypeVar("E", bound=Entry)

# What a node may say beside the arguments of its layer, op or fusion, for near names.
_NODE_KEYS = ("from", "about", "when")
_LAYER_KEYS = (*_NODE_KEYS, "call", "wraps")


def resolved(scope: Scope, reports: Reports, value: Any, path: tuple[str | int, ...], node: str | None) -> Any:
    """A value of the file with its expressions evaluated; None after a report when one of them cannot be.

    Raises:
        ExpressionError: never; it is reported at the innermost value that holds the expression.
    """
    try:
        return resolve_values(value, scope.params)
    except ExpressionError as error:
        where = _place_of_fault(value, scope.params, path)
        fix = None if error.meant is None else _renamed(scope, where, *error.meant)
        reports.add(scope, error.code, error.message, where, node=node, hint=error.hint, fix=fix)
        return None


def _renamed(scope: Scope, path: tuple[str | int, ...], wrong: str, meant: str) -> str | None:
    """What would be written at a path if a param there had another name."""
    source = scope.document.source
    written = source.node((*scope.where, *path))
    if not isinstance(written, Scalar):
        return None
    return re.sub(rf"(?<![\w.]){re.escape(wrong)}(?!\w)", meant, source.text[written.start : written.end])


def _place_of_fault(value: Any, params: Mapping[str, Any], path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The path of the first string in a nested value that cannot be evaluated."""
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, item in items:
        try:
            resolve_values(item, params)
        except ExpressionError:
            return _place_of_fault(item, params, (*path, key))
    return path


def find_entry(
    scope: Scope, reports: Reports, table: Registry[type[E]], name: str, path: tuple[str | int, ...], node: str
) -> type[E] | None:
    """The catalog's entry of a name, or None after a report."""
    found = table.get(name)
    if found is not None:
        return found
    kind = table.kind
    if name in REFUSED:
        reason, _, remedy = REFUSED[name].partition("; ")
        message = f"{name} cannot be used: {reason}"
        reports.add(scope, "GB213", message, path, node=node, found=name, hint=remedy or None)
        return None
    close = nearest(name, table.names())
    listing = {"layer": "", "op": " --ops", "fusion": " --fusions"}.get(kind, "")
    hint = f"did you mean {close}?" if close else f"`graphbuilder layers{listing}` lists them"
    if kind == "layer" and name in ops:
        hint, close = f"it is an op: write `op: {name}`", None
    elif kind != "layer" and name in layers:
        hint, close = f"it is a layer: write `layer: {name}`", None
    elif kind == "layer" and name.rpartition(".")[2] in layers:
        close = name.rpartition(".")[2]
        hint = f"did you mean {close}?"
    elif kind == "layer" and close is None and "." in name:
        hint = "a custom layer is written `package.module:Class`"
    entry: Mapping[str, str] | None = {other: name} if (other := _other_kind(kind, name)) else None
    foreign = foreign_layer(name) if kind in ("layer", "op") else None
    if foreign is not None and entry is None:
        hint, entry, close = f"{foreign.origin}'s {name} is written `{foreign.written}`", foreign.keys, None
    article = "an" if kind == "op" else "a"
    reports.add(
        scope, "GB205", f"{name} is not {article} {kind}", path, node=node, found=name, hint=hint, fix=close,
        fix_entry=entry,
    )  # fmt: skip
    return None


def _other_kind(kind: str, name: str) -> str | None:
    """The key under which a name belongs that stands under another one."""
    if kind == "layer":
        return "op" if name in ops else None
    return "layer" if name in layers else None


def check_entry(
    scope: Scope, reports: Reports, kind: type[E], node: Node, path: tuple[str | int, ...], name: str
) -> E | None:
    """A node's arguments checked against the catalog's entry, or None after reports.

    Arguments:
        kind: the entry.
        node: the node.
        path: the keys that lead to it.
        name: its path in the graph.
    """
    arguments: dict[str, Any] = {}
    failed = False
    for key, value in node.arguments.items():
        if type(value) in (int, float, bool, type(None)):
            arguments[key] = value
            continue
        before = reports.count
        arguments[key] = resolved(scope, reports, value, (*path, key), name)
        failed = failed or reports.count > before
    wrapped = node.wraps if isinstance(node, LayerNode) else None
    takes_layer = "layer" in kind.model_fields
    if wrapped is not None and takes_layer:
        before = reports.count
        arguments["layer"] = resolved(scope, reports, wrapped, (*path, "wraps"), name)
        failed = failed or reports.count > before
    elif wrapped is not None:
        reports.add(scope, "GB201", f"{kind.name()} wraps no layer", (*path, "wraps"), key=True, node=name)
        return None
    if failed:
        return None
    try:
        return kind.model_validate(arguments)
    except ValidationError as error:
        found = refusals(error, arguments, lambda where: _known_keys(kind, where))
        told = [_in_blueprint_words(refusal, kind) for refusal in found]
        # The keys that misspelt ones were meant to be; that they are missing is the same fault.
        meant = {refusal.meant or refusal.fix for refusal in told if refusal.code == "GB201" and len(refusal.path) == 1}
        told = [_swallowed_node(refusal, arguments, name, scope) for refusal in told]
        for refusal in told:
            if refusal.code != "GB202" or refusal.path[-1] not in meant:
                reports.refusal(scope, _with_expression(refusal, node), path, name)
        if "from" in meant:
            reports.withdraw("GB303", scope, path)
        return None


def _swallowed_node(refusal: Refusal, arguments: Mapping[str, Any], name: str, scope: Scope) -> Refusal:
    """The refusal of a whole node that stands among another node's arguments."""
    if refusal.code != "GB201" or len(refusal.path) != 1 or node_kind(arguments.get(str(refusal.path[0]))) is None:
        return refusal
    scope.swallowed.add(str(refusal.path[0]))
    hint = f"it is a node of its own: give it the indentation of {name.rpartition('.')[2]}"
    return replace(refusal, hint=hint, fix=None)


def _known_keys(kind: type[Entry], where: tuple[str | int, ...]) -> list[str]:
    keys = _LAYER_KEYS if issubclass(kind, LayerEntry) else _NODE_KEYS
    return [] if where else [*kind.model_fields, *keys]


def _with_expression(refusal: Refusal, node: Node) -> Refusal:
    """The refusal of a value that an expression gave, with the expression told."""
    written = node.arguments.get(str(refusal.path[0])) if refusal.path else None
    if not isinstance(written, str) or "$" not in written or refusal.on_key:
        return refusal
    hint = refusal.hint
    if refusal.expected == "an integer" and "/" in written and "//" not in written:
        hint = "// divides without a remainder"
    mixed = re.fullmatch(r"\$\w+", written) is None and not written.startswith("$(")
    if refusal.found is not None and refusal.found.startswith("'") and mixed:
        hint = "put parentheses around a whole expression, such as $(units // 2)"
    # What would mend the value would take the expression away.
    plain = None if hint is None else str(hint)
    return replace(refusal, message=f"{refusal.message}, which {written} gives", hint=plain, fix=None)


def _in_blueprint_words(refusal: Refusal, kind: type[Entry]) -> Refusal:
    """The refusal with the wrapped layer under its key in blueprints, and the layer named where a key is unknown."""
    path = refusal.path
    message = refusal.message
    hint = refusal.hint
    if path and path[0] == "layer" and "layer" in kind.model_fields:
        path = ("wraps", *path[1:])
        message = message.replace("layer is missing", "wraps is missing") if len(path) == 1 else message
        hint = hint or (
            "write the layer that it wraps, such as wraps: {layer: LSTM, units: 64}" if len(path) == 1 else None
        )
    if refusal.code == "GB201" and len(path) == 1:
        message = f"{kind.name()} has no argument {path[0]}"
        if path[0] in ("input", "inputs", *(port.name for port in kind.ports)):
            hint = "what a node is called with stands under from"
        meant, needless = foreign_argument(str(path[0]), kind.model_fields)
        if meant is not None:
            return replace(refusal, message=message, hint=f"write {meant}", fix=meant)
        if needless is not None and not refusal.fix:
            return replace(refusal, message=message, hint=f"leave it out: {needless}", drop=True)
        paired = refusal.fix is not None and f"{refusal.fix}, which is missing" in (hint or "")
        having = None if paired or not issubclass(kind, LayerEntry) else _who_has(str(path[0]))
        if having is not None:
            # The very name of an argument that others have is no slip of the fingers.
            return replace(refusal, message=message, hint=having, fix=None)
        hint = hint or f"`graphbuilder layers {kind.name()}` lists its arguments"
    elif refusal.code == "GB202" and len(path) == 1 and path[0] != "wraps":
        message = f"{path[0]} is missing; {kind.name()} needs it"
        hint = hint or kind.model_fields[str(path[0])].description
    return replace(refusal, path=path, message=message, hint=hint)


def _who_has(argument: str) -> str | None:
    """The layers that have an argument, as a hint; None when there are none."""
    having = [name for name in layers if (kind := layers.get(name)) is not None and argument in kind.model_fields]
    if not having:
        return None
    more = f" and {len(having) - 2} more" if len(having) > 2 else ""
    return f"{' and '.join(having[:2]) if not more else ', '.join(having[:2])}{more} have one"


def custom_layer(
    scope: Scope, reports: Reports, node: LayerNode, path: tuple[str | int, ...], name: str
) -> CustomLayer | None:
    """The custom layer that a node names as `package.module:Class`, or None after reports. Nothing is imported."""
    module, _, class_name = node.layer.partition(":")
    sound = True
    parts = [*module.split("."), class_name]
    if not all(part.isidentifier() for part in parts):
        reports.add(
            scope, "GB203", f"{node.layer} names no class", (*path, "layer"), node=name, expected="package.module:Class"
        )
        sound = False
    for key in node.arguments:
        reports.add(
            scope,
            "GB201",
            f"{key} stands beside a custom layer",
            (*path, key),
            key=True,
            node=name,
            hint=f"write the arguments of a custom layer under args: {{{key}: …}}",
        )
        sound = False
    before = reports.count
    arguments = resolved(scope, reports, node.args or {}, (*path, "args"), name)
    if not sound or reports.count > before:
        return None
    return CustomLayer(module, class_name, arguments)


def call_options(
    scope: Scope, reports: Reports, kind: type[Entry] | None, node: Any, path: tuple[str | int, ...], name: str
) -> dict[str, Any] | None:
    """The call arguments that are not tensors, checked, or None after reports.

    Arguments:
        kind: the catalog's entry, or None for a custom layer, whose call arguments are taken as they are.
    """
    written = node.call if hasattr(node, "call") else {}
    if not written:
        return {}
    before = reports.count
    options = resolved(scope, reports, written, (*path, "call"), name)
    if kind is not None and options is not None:
        for key, value in options.items():
            _check_option(scope, reports, kind, key, value, (*path, "call", key), name)
    return None if reports.count > before else options


def _check_option(
    scope: Scope, reports: Reports, kind: type[Entry], key: str, value: Any, path: tuple[str | int, ...], name: str
) -> None:
    known = kind.call_arguments.get(key)
    if known is None:
        ports = [port.name for port in kind.ports]
        hint = suggestion(key, list(kind.call_arguments))
        if key in ports:
            hint = f"tensors are connected under from: {{{key}: …}}"
        reports.add(scope, "GB201", f"{kind.name()} has no call argument {key}", path, key=True, node=name, hint=hint)
    elif value is not None and (
        not isinstance(value, known.kind) or (isinstance(value, bool) and known.kind is not bool)
    ):
        expected = {bool: "true or false", int: "an integer", float: "a number"}.get(known.kind, known.kind.__name__)
        reports.add(scope, "GB204", f"{key} is {as_written(value)}", path, node=name, expected=expected)
