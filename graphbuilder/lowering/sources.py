"""From a node's `from` to the values at the ports of its call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphbuilder.blueprint import Node
from graphbuilder.catalog import DTYPES, Entry, Port
from graphbuilder.catalog.arguments import as_written
from graphbuilder.errors import suggestion
from graphbuilder.graph import Argument, Constant, Value, constant_of, flatten
from graphbuilder.lowering.arguments import resolved
from graphbuilder.lowering.reports import Reports
from graphbuilder.lowering.scope import Scope, Unresolved

__all__ = ["BROKEN", "at_ports", "resolve_from", "written_inputs"]


@dataclass(frozen=True, slots=True)
class _Broken:
    """Stands for a value that an earlier mistake broke, so that nothing more is said about it."""


BROKEN = _Broken()


def resolve_from(
    scope: Scope, reports: Reports, name: str, node: Node, above: str | None, path: tuple[str | int, ...]
) -> Any:
    """What a node is called with: a structure of values and constants, as it was written.

    Arguments:
        name: the node's name in its scope.
        above: the node above it, or None for the first.
        path: the keys that lead to the node.

    Returns:
        A value, a constant, or lists (as tuples) and mappings of them; BROKEN after a report, or where an earlier
        mistake broke one of the values.
    """
    if node.source is None:
        return _implied(scope, reports, name, above, path)
    return _resolve(scope, reports, node.source, (*path, "from"), scope.join(name))


def _implied(scope: Scope, reports: Reports, name: str, above: str | None, path: tuple[str | int, ...]) -> Any:
    """The node above, or the only input for the first node."""
    if above is None:
        inputs = list(scope.names)
        if len(inputs) != 1:
            which = f"the inputs are {', '.join(inputs)}" if inputs else "there is no input"
            hint = f"write from: {inputs[0]}" if inputs else "declare one under `inputs:`"
            reports.add(
                scope,
                "GB303",
                f"the first node has no from, and {which}",
                path,
                key=True,
                node=scope.join(name),
                hint=hint,
            )
            return BROKEN
        above = inputs[0]
    return _reference(scope, reports, above, path, scope.join(name), key=True)


def _reference(
    scope: Scope, reports: Reports, reference: str, path: tuple[str | int, ...], node: str, *, key: bool = False
) -> Any:
    try:
        value = scope.resolve(reference)
    except Unresolved as error:
        if reference.partition(".")[0] in scope.swallowed:
            return BROKEN
        code = "GB303" if key else "GB301"
        reports.add(
            scope,
            code,
            error.message,
            path,
            key=key,
            node=node,
            found=reference,
            hint=f"write a from; {error.hint}" if key and error.hint else error.hint,
            fix=None if key else error.fix,
        )
        return BROKEN
    return BROKEN if value is None else value


def _resolve(scope: Scope, reports: Reports, source: Any, path: tuple[str | int, ...], node: str) -> Any:
    """One level of a `from`: a reference, a constant, a list or a mapping."""
    if isinstance(source, str):
        if "$" in source:
            return _computed(scope, reports, source, path, node)
        return _reference(scope, reports, source, path, node)
    if isinstance(source, (int, float)):
        return constant_of(source)
    if isinstance(source, list):
        items = tuple(_resolve(scope, reports, item, (*path, index), node) for index, item in enumerate(source))
        return BROKEN if BROKEN in items else items
    if isinstance(source, dict):
        if "constant" in source:
            return _written_constant(scope, reports, source, path, node)
        found = {key: _resolve(scope, reports, item, (*path, key), node) for key, item in source.items()}
        return BROKEN if BROKEN in found.values() else found
    reports.add(
        scope,
        "GB204",
        f"from is {as_written(source)}",
        path,
        node=node,
        expected="a name, a number, a list of them, or a mapping of call arguments",
    )
    return BROKEN


def _computed(scope: Scope, reports: Reports, source: str, path: tuple[str | int, ...], node: str) -> Any:
    """The constant that an expression gives."""
    value = resolved(scope, reports, source, path, node)
    if isinstance(value, (int, float)):
        return constant_of(value)
    if value is not None:
        message = f"from is {as_written(value)}, which {source} gives"
        hint = "write the names of nodes and inputs themselves; `when` chooses between nodes"
        if isinstance(value, list):
            hint = f"write {{constant: {source}}}"
        reports.add(scope, "GB204", message, path, node=node, expected="a number", hint=hint)
    return BROKEN


def _written_constant(
    scope: Scope, reports: Reports, source: dict[str, Any], path: tuple[str | int, ...], node: str
) -> Any:
    """A constant in the long form, `{constant: [[1, 0], [0, 1]], dtype: float32}`."""
    before = reports.count
    source = resolved(scope, reports, source, path, node)
    if reports.count > before:
        return BROKEN
    dtype = source.get("dtype")
    for key in source:
        if key not in ("constant", "dtype"):
            hint = suggestion(key, ["constant", "dtype"])
            reports.add(scope, "GB201", f"{key} is not known here", (*path, key), key=True, node=node, hint=hint)
            return BROKEN
    if dtype is not None and dtype not in DTYPES:
        hint = suggestion(str(dtype), DTYPES)
        reports.add(
            scope, "GB203", f"dtype is {as_written(dtype)}", (*path, "dtype"), node=node, expected="a dtype", hint=hint
        )
        return BROKEN
    try:
        return constant_of(source["constant"], dtype)
    except ValueError as error:
        reports.add(
            scope,
            "GB204",
            f"the constant is not an array: {error}",
            (*path, "constant"),
            node=node,
            expected="a number, or lists of numbers of equal length",
        )
        return BROKEN


def at_ports(
    scope: Scope, reports: Reports, kind: type[Entry], source: Any, path: tuple[str | int, ...], node: str
) -> dict[str, Argument] | None:
    """The values at each port of a call, or None after a report.

    Arguments:
        kind: the catalog's entry, which has the ports.
        source: what `resolve_from` gave, not BROKEN.
        path: the keys that lead to the node.
    """
    ports = kind.ports
    where = (*path, "from")

    def wrong(message: str, expected: str | None = None, hint: str | None = None, *, at: Any = None) -> None:
        place = where if at is None else (*where, at)
        reports.add(scope, "GB303", message, place, key=at is not None, node=node, expected=expected, hint=hint)

    if isinstance(source, Mapping):
        by_name = {port.name: port for port in ports}
        for key in source:
            if key not in by_name:
                wrong(f"{kind.name()} has no input {key}", hint=suggestion(key, list(by_name)), at=key)
                return None
        given = dict(source)
    elif isinstance(source, tuple) and not (ports and ports[0].many):
        if len(source) > len(ports):
            wrong(f"{kind.name()} is given {len(source)} tensors", written_inputs(ports), _merge_hint(ports))
            return None
        given = {port.name: item for port, item in zip(ports, source, strict=False)}
    else:
        given = {ports[0].name: source} if ports else {}
    found: dict[str, Argument] = {}
    for port in ports:
        if port.name not in given:
            if not port.optional:
                needed = ", ".join(f"{each.name}: …" for each in ports if not each.optional)
                wrong(f"{kind.name()} has no {port.name}", written_inputs(ports), f"write from: {{{needed}}}")
                return None
            continue
        item = given[port.name]
        if port.many:
            item = item if isinstance(item, tuple) else (item,)
            if len(item) < port.least:
                wrong(f"{kind.name()} is given {len(item)} tensor", f"at least {port.least}", "write from: [a, b]")
                return None
        if not _fits(item, port):
            form = "mapping" if isinstance(item, Mapping) else "list"
            wrong(f"{port.name} of {kind.name()} is a {form}", "one tensor")
            return None
        found[port.name] = item
    if found and not any(isinstance(leaf, Value) for item in found.values() for leaf in flatten(item)):
        wrong(f"{kind.name()} is given constants only", "a node or input among its inputs")
        return None
    return found


def _fits(item: Argument, port: Port) -> bool:
    if port.many:
        return isinstance(item, tuple) and all(isinstance(part, (Value, Constant)) for part in item)
    return isinstance(item, (Value, Constant))


def _merge_hint(ports: tuple[Port, ...]) -> str | None:
    return "merge them first, with {fuse: concat, from: [a, b]}" if len(ports) == 1 else None


def written_inputs(ports: tuple[Port, ...]) -> str:
    """The ports of a call as people read them: `query, value and optionally key`."""
    needed = [f"a list of {port.name}" if port.many else port.name for port in ports if not port.optional]
    optional = [port.name for port in ports if port.optional]
    if len(needed) == 1 and not optional:
        return "one tensor" if needed == [ports[0].name] else "a list of tensors"
    text = ", ".join(needed)
    return f"{text} and optionally {', '.join(optional)}" if optional else text
