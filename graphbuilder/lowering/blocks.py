"""Puts a block's nodes in the place of a block node: params, ports, and the copies of a repeat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphbuilder.blueprint import Block, BlockNode, BlockPlace, Blueprint, Node, ParamProblem, resolve_params
from graphbuilder.catalog.arguments import as_written
from graphbuilder.errors import nearest, suggestion
from graphbuilder.graph import Value
from graphbuilder.limits import raising_hint
from graphbuilder.lowering.arguments import resolved
from graphbuilder.lowering.counting import least_nodes
from graphbuilder.lowering.limits import GraphLimits
from graphbuilder.lowering.reports import Reports, Stop
from graphbuilder.lowering.scope import BROKEN_NODE, Bound, Made, Scope, Unresolved
from graphbuilder.lowering.sources import BROKEN
from graphbuilder.lowering.taps import tapped

__all__ = ["BlockUse", "expand", "output_ports"]

# What a node that uses a block may say beside the block's params, for near names.
_NODE_KEYS = ("from", "about", "when", "repeat")

Walker = Callable[[Scope, Mapping[str, Node]], None]


@dataclass(frozen=True, slots=True)
class BlockUse:
    """One use of a block.

    Arguments:
        made: the block node whose layers are used; another node's where it is a reuse.
        scope: where the using node stands.
        path: the keys that lead to the using node.
        name: the using node's path in the graph.
        reused: whether the layers are another node's.
        preset: values of params that the node need not give.
    """

    made: Made
    scope: Scope
    path: tuple[str | int, ...]
    name: str
    reused: bool
    preset: Mapping[str, Any] = field(default_factory=dict)

    @property
    def node(self) -> BlockNode:
        """The block node."""
        assert isinstance(self.made.node, BlockNode)
        return self.made.node


def expand(use: BlockUse, source: Any, reports: Reports, limits: GraphLimits, walk: Walker) -> Bound | None:
    """Walks the nodes of a block under the name of the node that uses it.

    Arguments:
        use: who uses which block.
        source: what the node is called with; BROKEN where an earlier mistake broke it.
        reports: told of what is wrong.
        limits: how often and how deep blocks may be used.
        walk: walks the nodes of one scope.

    Returns:
        What the node's name stands for; None when there are no copies at all, so that its input passes through.
    """
    node, scope = use.node, use.scope
    place = use.made.scope.find_block(node.block)
    if place is None:
        hint = suggestion(node.block, use.made.scope.document.block_names(), listing="declare it under `blocks:`")
        reports.add(
            scope,
            "GB205",
            f"{node.block} is not a block",
            (*use.path, "block"),
            node=use.name,
            found=node.block,
            hint=hint,
        )
        return BROKEN_NODE
    if _uses_itself(use, place, reports) or _too_deep(use, reports, limits):
        return BROKEN_NODE
    before = reports.count
    given = dict(use.preset)
    for key, value in node.given(place.definition.params).items():
        given[key] = resolved(use.made.scope, reports, value, (*use.path, key), use.name)
    if reports.count == before and not given.keys() <= place.definition.params.keys():
        # What is misspelt may be the very `from`, so that nothing can be said of what it is called with.
        _inner_scope(use, place, given, 0, "", reports)
        return BROKEN_NODE
    repeat = _repeat(use, reports, limits)
    sources = _sources(use, place, source, reports)
    if repeat is None or sources is None or reports.count > before:
        return BROKEN_NODE
    if repeat == 0:
        return None
    # The copies have numbers whenever `repeat` is written, so that a tap stays valid when a param makes it 1.
    numbered = "repeat" in node.model_fields_set
    copies: dict[str, Bound] = {}
    for index in range(repeat):
        number = f".{index}" if numbered else ""
        inner = _inner_scope(use, place, given, index, number, reports)
        if inner is None:
            return BROKEN_NODE
        if index == 0 and scope.depth == 0:
            _refuse_too_many(use, place, inner, repeat, reports, limits)
        inner.names.update({port: Bound.of(value) for port, value in sources.items()})
        walk(inner, place.definition.nodes)
        ports, single = output_ports(place.definition, inner, reports)
        copies[str(index)] = Bound(ports, single, tapped(place.definition, inner, reports))
        if index + 1 < repeat:
            following = _next_sources(use, sources, ports, single, reports)
            if following is None:
                return BROKEN_NODE
            sources = following
    last = copies[str(repeat - 1)]
    varies = numbered and not isinstance(node.repeat, int)
    return Bound(last.ports, last.single, copies if numbered else last.inner, use.made, varies)


def _refuse_too_many(
    use: BlockUse, place: BlockPlace, inner: Scope, repeat: int, reports: Reports, limits: GraphLimits
) -> None:
    """Stops before blocks that repeat blocks are expanded to more nodes than there may be.

    Raises:
        Stop: after a report.
    """
    params = {name: value for name, value in inner.params.items() if name != "index"}
    if repeat * least_nodes(place, params) > limits.nodes:
        expected = f"at most {limits.nodes:,} after blocks are expanded"
        message, hint = "the graph has more nodes than the limit", raising_hint("nodes")
        reports.add(use.scope, "GB401", message, use.path, key=True, node=use.name, expected=expected, hint=hint)
        raise Stop


def _uses_itself(use: BlockUse, place: BlockPlace, reports: Reports) -> bool:
    names = [use.node.block]
    here: Scope | None = use.scope
    while here is not None and here.block is not None:
        names.append(here.block)
        if here.document is place.document and here.where == place.path:
            circle = " → ".join(reversed(names))
            reports.add(
                use.scope,
                "GB211",
                f"a block cannot use itself: {circle}",
                (*use.path, "block"),
                node=use.name,
                hint="use repeat to stack copies of a block",
            )
            return True
        here = here.outer
    return False


def _too_deep(use: BlockUse, reports: Reports, limits: GraphLimits) -> bool:
    if use.scope.depth < limits.depth:
        return False
    message = f"blocks are nested deeper than {limits.depth}"
    hint = raising_hint("block_depth")
    reports.add(use.scope, "GB405", message, use.path, key=True, node=use.name, hint=hint)
    raise Stop


def _repeat(use: BlockUse, reports: Reports, limits: GraphLimits) -> int | None:
    """How many copies there are, or None after a report."""
    written = use.node.repeat
    if written == 1:
        return 1
    where = (*use.path, "repeat")
    repeat = resolved(use.made.scope, reports, written, where, use.name)
    if repeat is None:
        return None
    if not isinstance(repeat, int) or isinstance(repeat, bool) or repeat < 0:
        message = f"repeat is {as_written(repeat)}"
        reports.add(use.scope, "GB203", message, where, node=use.name, expected="an integer of at least 0")
        return None
    if repeat > limits.repeat:
        expected = f"at most {limits.repeat:,}"
        hint = raising_hint("repeat")
        reports.add(use.scope, "GB404", f"repeat is {repeat:,}", where, node=use.name, expected=expected, hint=hint)
        return None
    return repeat


def _sources(use: BlockUse, place: BlockPlace, source: Any, reports: Reports) -> dict[str, Value | None] | None:
    """The values at a block's input ports, or None after a report."""
    names = list(place.ports)
    if source is BROKEN:
        # The block's own nodes are still walked, so that mistakes in them are told as well.
        return dict.fromkeys(names)
    listed = f"one tensor, {names[0]}" if len(names) == 1 else (", ".join(names) or "no input")

    def wrong(message: str, *more: str, hint: str | None = None) -> None:
        path = (*use.path, "from", *more)
        reports.add(use.scope, "GB303", message, path, key=bool(more), node=use.name, expected=listed, hint=hint)

    if isinstance(source, Mapping):
        given = dict(source)
        for key in given:
            if key not in names:
                wrong(f"{use.node.block} has no input {key}", key, hint=suggestion(key, names))
                return None
    else:
        items = source if isinstance(source, tuple) else (source,)
        if len(items) > len(names):
            wrong(f"{use.node.block} is given {len(items)} tensors")
            return None
        given = dict(zip(names, items, strict=False))
    for name in names:
        if name not in given:
            wrong(f"the input {name} of {use.node.block} is not connected")
            return None
        if not isinstance(given[name], Value):
            what = "a list" if isinstance(given[name], (tuple, Mapping)) else "a constant"
            wrong(f"the input {name} of {use.node.block} is {what}")
            return None
    return {name: given[name] for name in names}


def _inner_scope(
    use: BlockUse, place: BlockPlace, given: Mapping[str, Any], index: int, number: str, reports: Reports
) -> Scope | None:
    """The scope inside one copy of a block, its params resolved; None after a report."""
    inner = Scope(
        place.document,
        place.path,
        use.name + number,
        use.made.layer_path + number,
        {},
        user=use.scope.origin(*use.path),
        outer=use.scope,
        block=use.node.block,
        depth=use.scope.depth + 1,
    )
    values = resolve_params(
        place.definition.params, given, lambda problem: _param_problem(use, inner, problem, reports)
    )
    if values is None:
        return None
    inner.params = {"index": index, **values}
    return inner


def _param_problem(use: BlockUse, inner: Scope, problem: ParamProblem, reports: Reports) -> None:
    """Reports a param's value: at the using node when it was given there, else at the declaration."""
    message, name = problem.message, use.node.block
    if not problem.given:
        path: tuple[str | int, ...] = ("params", problem.param)
        reports.add(inner, problem.code, message, path, expected=problem.expected, hint=problem.hint, fix=problem.fix)
        return
    on_node = problem.code == "GB202" or use.reused
    hint, fix = problem.hint, problem.fix
    if problem.code == "GB201":
        message = f"{name} has no param {problem.param}"
        meant = nearest(problem.param, _NODE_KEYS) if fix is None else None
        if meant is not None:
            hint, fix = f"did you mean {meant}?", meant
        if meant == "from":
            reports.withdraw("GB303", use.scope, use.path)
    elif problem.code == "GB202":
        message = f"{message}; {name} needs it"
    reports.add(
        use.scope,
        problem.code,
        message,
        use.path if on_node else (*use.path, problem.param),
        key=on_node or problem.code == "GB201",
        node=use.name,
        expected=problem.expected,
        hint=hint,
        fix=None if on_node else fix,
    )


def _next_sources(
    use: BlockUse,
    sources: Mapping[str, Value | None],
    ports: Mapping[str, Value | None],
    single: bool,
    reports: Reports,
) -> dict[str, Value | None] | None:
    """What the next copy of a repeated block is given: the outputs of the copy before it.

    A single output goes to the first input port, several go to the ports of their names; the other ports keep what the
    first copy was given.
    """
    if single:
        first = next(iter(sources), None)
        value = next(iter(ports.values()))
        return {name: value if name == first else kept for name, kept in sources.items()}
    for port in ports:
        if port not in sources:
            reports.add(
                use.scope,
                "GB303",
                f"the output {port} of {use.node.block} has no input of that name to go to",
                (*use.path, "repeat"),
                key=True,
                node=use.name,
                hint="a repeated block with several outputs has inputs of the same names",
            )
            return None
    return {**sources, **ports}


def output_ports(definition: Block | Blueprint, scope: Scope, reports: Reports) -> tuple[dict[str, Value | None], bool]:
    """The values at the output ports of a block or file, and whether its bare name means the only one."""
    outputs = definition.outputs
    if outputs is None:
        names = list(definition.nodes) or list(definition.inputs)
        outputs = names[-1] if names else None
    if isinstance(outputs, str):
        return {"0": _output(scope, outputs, ("outputs",), reports)}, True
    items: Mapping[str, Any] = {}
    if isinstance(outputs, list):
        items = {str(index): item for index, item in enumerate(outputs)}
    elif isinstance(outputs, dict):
        items = outputs
    if not items:
        _bad_output(scope, outputs, ("outputs",), reports)
        return {"0": None}, True
    ports = {}
    for port, item in items.items():
        path = ("outputs", int(port) if isinstance(outputs, list) else port)
        ports[port] = _output(scope, item, path, reports)
    return ports, False


def _output(scope: Scope, reference: Any, path: tuple[str | int, ...], reports: Reports) -> Value | None:
    if not isinstance(reference, str):
        _bad_output(scope, reference, path, reports)
        return None
    try:
        return scope.resolve(reference)
    except Unresolved as error:
        reports.add(scope, "GB301", error.message, path, found=reference, hint=error.hint, fix=error.fix)
        return None


def _bad_output(scope: Scope, found: Any, path: tuple[str | int, ...], reports: Reports) -> None:
    message = f"an output is {as_written(found)}"
    reports.add(scope, "GB204", message, path, expected="a node's name, or a list or mapping of them")
