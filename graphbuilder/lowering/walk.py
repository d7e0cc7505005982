"""The one forward walk from a document to a graph.

In topological order it resolves params, expands blocks and repeats, lowers fusions into ordinary layers, infers every
shape and dtype, and collects diagnostics.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from graphbuilder.blueprint import (
    BlockNode,
    BlockPlace,
    Document,
    FuseNode,
    InputSpec,
    LayerNode,
    Node,
    OpNode,
    ReuseNode,
    resolve_params,
)
from graphbuilder.catalog import BATCH, DTYPES, TensorType, layers, ops
from graphbuilder.catalog.arguments import as_written
from graphbuilder.errors import suggestion
from graphbuilder.graph import Call, Fusion, GraphInput, Structure, Value
from graphbuilder.lowering.arguments import call_options, check_entry, custom_layer, find_entry, resolved
from graphbuilder.lowering.blocks import BlockUse, expand, output_ports
from graphbuilder.lowering.calls import CallMaker, stated_outputs
from graphbuilder.lowering.limits import GraphLimits
from graphbuilder.lowering.order import Circle, node_order
from graphbuilder.lowering.reports import Reports, Stop
from graphbuilder.lowering.scope import BROKEN_NODE, Bound, Made, Scope, Unresolved
from graphbuilder.lowering.sources import BROKEN, at_ports, resolve_from

if TYPE_CHECKING:
    from graphbuilder.lowering.fusing import Fuser

__all__ = ["Walk"]


class Walk:
    """One walk over one document.

    Arguments:
        document: what is lowered.
        params: the values of its params.
        limits: how large the graph may become.
    """

    def __init__(self, document: Document, params: Mapping[str, Any], limits: GraphLimits) -> None:
        self.document = document
        self.limits = limits
        self.root = Scope(document, (), "", "", params)
        self.reports = Reports(self.root)
        self.calls = CallMaker(self.reports, limits)
        self.inputs: dict[str, GraphInput] = {}
        self.stopped = False
        self._fuser: Fuser | None = None

    def run(self) -> None:
        """Walks the inputs and nodes; what comes of them is in `inputs`, `calls` and `reports`."""
        blueprint = self.document.blueprint
        for name, spec in blueprint.inputs.items():
            self._input(name, spec)
        if blueprint.inputs_as == "tensor" and len(blueprint.inputs) != 1:
            message = f"inputs_as is tensor, and there are {len(blueprint.inputs)} inputs"
            self.reports.add(self.root, "GB303", message, ("inputs_as",), expected="list or mapping")
        try:
            self._nodes(self.root, blueprint.nodes)
        except Stop:
            self.stopped = True

    def check_blocks(self, names: set[str]) -> None:
        """Walks blocks that no node uses, on inputs of unknown shape, as far as their params have defaults."""
        for name, block in self.document.blueprint.blocks.items():
            if name not in names or any(param.required for param in block.params.values()):
                continue
            where = ("blocks", name)
            scope = Scope(self.document, where, name, name, {}, outer=self.root, block=name, depth=1)
            place = BlockPlace(self.document, block, where)
            scope.names.update(dict.fromkeys(place.ports, BROKEN_NODE))
            values = resolve_params(
                block.params,
                {},
                lambda found, scope=scope: self.reports.add(  # type: ignore[misc]  # mypy cannot see the default's type
                    scope, found.code, found.message, ("params", found.param), expected=found.expected, hint=found.hint
                ),
            )
            if values is not None:
                scope.params = {"index": 0, **values}
                self._nodes(scope, block.nodes)
                output_ports(block, scope, self.reports)

    def _input(self, name: str, spec: InputSpec) -> None:
        path = ("inputs", name)
        before = self.reports.count
        shape = resolved(self.root, self.reports, spec.shape, (*path, "shape"), name)
        dtype = resolved(self.root, self.reports, spec.dtype, (*path, "dtype"), name)
        if self.reports.count == before:
            self._check_shape(shape, (*path, "shape"), name)
            if dtype not in DTYPES:
                self.reports.add(
                    self.root, "GB203", f"dtype is {as_written(dtype)}", (*path, "dtype"), node=name,
                    expected="a dtype such as float32", hint=suggestion(str(dtype), DTYPES),
                )  # fmt: skip
        if self.reports.count > before:
            self.root.names[name] = BROKEN_NODE
            return
        modalities = () if spec.modality is None else (spec.modality,)
        value = Value(name, TensorType((BATCH, *shape), dtype), modalities=modalities)
        self.inputs[name] = GraphInput(value, spec.modality, self.root.origin(*path), spec.about)
        self.root.names[name] = Bound.of(value)

    def _check_shape(self, shape: Any, path: tuple[str | int, ...], name: str) -> None:
        """Sizes that came out of expressions; those written as such were checked with the file."""
        good = isinstance(shape, list)
        for index, axis in enumerate(shape if good else ()):
            if not _is_axis(axis):
                expected = "a word such as steps, other than batch" if isinstance(axis, str) else "a positive integer"
                self.reports.add(
                    self.root, "GB203", f"the size is {as_written(axis)}", (*path, index), node=name, expected=expected
                )
        if not good:
            self.reports.add(self.root, "GB204", f"shape is {as_written(shape)}", path, node=name, expected="a list")

    def _nodes(self, scope: Scope, nodes: Mapping[str, Node]) -> None:
        """Walks the nodes of one scope."""
        for name in nodes:
            if name in scope.names:
                self.reports.add(
                    scope, "GB206", f"{name} is the name of an input too", ("nodes", name), key=True,
                    node=scope.join(name), expected="a name of its own",
                )  # fmt: skip
                scope.names.update(dict.fromkeys(nodes, BROKEN_NODE))
                return
        try:
            order = node_order(nodes)
        except Circle as circle:
            self._circle(scope, circle)
            scope.names.update(dict.fromkeys(nodes, BROKEN_NODE))
            return
        names = list(nodes)
        above = dict(zip(names[1:], names, strict=False))
        for name in order:
            scope.names[name] = self._node(scope, name, nodes[name], above.get(name))

    def _circle(self, scope: Scope, circle: Circle) -> None:
        first = circle.names[0]
        self.reports.add(
            scope,
            "GB302",
            f"nodes feed each other in a circle: {' → '.join(circle.names)}",
            ("nodes", first),
            key=True,
            node=scope.join(first),
            hint="take one of them out of another's from",
        )

    def _node(self, scope: Scope, name: str, node: Node, above: str | None) -> Bound:
        """What one node's name stands for."""
        path = ("nodes", name)
        source = resolve_from(scope, self.reports, name, node, above, path)
        kept = True
        if node.when is not True:
            kept = resolved(scope, self.reports, node.when, (*path, "when"), scope.join(name))
            if kept is None:
                return BROKEN_NODE
        if not kept:
            return self._passed_through(scope, name, source, path)
        if isinstance(node, ReuseNode):
            return self._reuse(scope, name, node, source, path, above)
        return self._make(Made(node, scope, scope.join_layer(name)), scope, name, source, path, node, above)

    def _passed_through(self, scope: Scope, name: str, source: Any, path: tuple[str | int, ...]) -> Bound:
        """A node that is left out gives what it was given; the first of several inputs."""
        while isinstance(source, (tuple, Mapping)) and source:
            source = source[0] if isinstance(source, tuple) else next(iter(source.values()))
        if source is BROKEN:
            return BROKEN_NODE
        if isinstance(source, Value):
            return Bound.of(source)
        self.reports.add(
            scope,
            "GB303",
            f"{name} is left out, and it has no tensor that could pass through",
            (*path, "when"),
            key=True,
            node=scope.join(name),
            expected="a first input that is a node or input",
        )
        return BROKEN_NODE

    def _reuse(
        self, scope: Scope, name: str, node: ReuseNode, source: Any, path: tuple[str | int, ...], above: str | None
    ) -> Bound:
        """A second call of an earlier node's layers."""
        bound = scope.names.get(node.reuse.partition(".")[0])
        for step in node.reuse.split(".")[1:]:
            bound = bound.inner.get(step) if bound is not None else None
        if bound is BROKEN_NODE:
            return BROKEN_NODE
        where = (*path, "reuse")
        if bound is None:
            try:
                scope.resolve(node.reuse)
                hint = None
            except Unresolved as error:
                hint = error.hint
            message = f"there is no node {node.reuse}"
            self.reports.add(scope, "GB301", message, where, node=scope.join(name), found=node.reuse, hint=hint)
            return BROKEN_NODE
        if bound.made is None:
            self.reports.add(
                scope, "GB310", f"{node.reuse} has no weights to be used again", where, node=scope.join(name),
                expected="the name of a layer or block node",
            )  # fmt: skip
            return BROKEN_NODE
        return self._make(bound.made, scope, name, source, path, node, above)

    def _make(
        self,
        made: Made,
        scope: Scope,
        name: str,
        source: Any,
        path: tuple[str | int, ...],
        node: Node,
        above: str | None,
    ) -> Bound:
        """Lowers the node `made.node` under the name of `node`, which is the same one unless it is a reuse."""
        match made.node:
            case LayerNode():
                if ":" in made.node.layer:
                    return self._custom(made, scope, name, source, path, node)
                return self._layer(made, scope, name, source, path, node)
            case OpNode():
                return self._op(made.node, scope, name, source, path)
            case FuseNode():
                return self._fuse(made, scope, name, source, path, node, above)
            case BlockNode():
                return self._block(made, scope, name, source, path)
        raise AssertionError(made.node)

    def _layer(
        self, made: Made, scope: Scope, name: str, source: Any, path: tuple[str | int, ...], node: Node
    ) -> Bound:
        written = made.node
        assert isinstance(written, LayerNode)
        node_path = scope.join(name)
        known = self.calls.layers.get(made.layer_path)
        if known is not None:
            kind: Any = type(known.entry)
            target: Any = known
        else:
            if node is not written:
                return BROKEN_NODE  # the layer to be used again could not be made, which was reported
            for key in ("args", "gives"):
                if getattr(written, key) is not None:
                    self.reports.add(
                        scope, "GB201", f"{key} is only for custom layers", (*path, key), key=True, node=node_path,
                        hint="write the arguments beside `layer:`" if key == "args" else None,
                    )  # fmt: skip
                    return BROKEN_NODE
            found = find_entry(scope, self.reports, layers, written.layer, (*path, "layer"), node_path)
            if found is None:
                return BROKEN_NODE
            kind = found
            checked = check_entry(scope, self.reports, found, written, path, node_path)
            target = checked
        options = call_options(scope, self.reports, kind, node, path, node_path)
        if target is None or options is None or source is BROKEN:
            return BROKEN_NODE
        arguments = at_ports(scope, self.reports, kind, source, path, node_path)
        if arguments is None:
            return BROKEN_NODE
        call = self.calls.apply(scope, target, arguments, options, path, node_path, made.layer_path, node.about)
        return self._bound(call, made)

    def _bound(self, call: Call | None, made: Made | None) -> Bound:
        if call is None:
            return BROKEN_NODE
        ports = {str(index): value for index, value in enumerate(call.outputs)}
        return Bound(ports, single=not call.several or len(ports) == 1, made=made)

    def _custom(
        self, made: Made, scope: Scope, name: str, source: Any, path: tuple[str | int, ...], node: Node
    ) -> Bound:
        written = made.node
        assert isinstance(written, LayerNode)
        node_path = scope.join(name)
        target: Any = self.calls.layers.get(made.layer_path)
        if target is None:
            target = custom_layer(scope, self.reports, written, path, node_path)
        options = call_options(scope, self.reports, None, node, path, node_path)
        gives, several = None, False
        if written.gives is not None:
            stated = resolved(made.scope, self.reports, written.gives, (*path, "gives"), node_path)
            try:
                gives, several = stated_outputs(stated)
            except ValueError as error:
                self.reports.add(
                    scope, "GB204", f"gives is {error}", (*path, "gives"), node=node_path,
                    expected="{shape: […], dtype: …}, or a list of them",
                )  # fmt: skip
                return BROKEN_NODE
        if target is None or options is None or source is BROKEN:
            return BROKEN_NODE
        call = self.calls.apply_custom(scope, target, source, options, gives, several, path, node_path, node.about)
        return self._bound(call, made)

    def _op(self, node: OpNode, scope: Scope, name: str, source: Any, path: tuple[str | int, ...]) -> Bound:
        node_path = scope.join(name)
        kind = find_entry(scope, self.reports, ops, node.op, (*path, "op"), node_path)
        entry = check_entry(scope, self.reports, kind, node, path, node_path) if kind is not None else None
        if kind is None or entry is None or source is BROKEN:
            return BROKEN_NODE
        arguments = at_ports(scope, self.reports, kind, source, path, node_path)
        if arguments is None:
            return BROKEN_NODE
        return self._bound(self.calls.apply(scope, entry, arguments, {}, path, node_path, node_path, node.about), None)

    def _fuse(
        self, made: Made, scope: Scope, name: str, source: Any, path: tuple[str | int, ...], node: Node, above: Any
    ) -> Bound:
        if self._fuser is None:
            # Few blueprints merge branches, and the others need not wait for this import.
            from graphbuilder.lowering.fusing import Fuser

            self._fuser = Fuser(self.reports, self.calls)
        written = node.source if node.source is not None else above
        return self._fuser.lower(made, scope, name, source, written, path, node)

    @property
    def fusions(self) -> Mapping[str, Fusion]:
        """What each `fuse:` node became."""
        return {} if self._fuser is None else self._fuser.fusions

    def _block(self, made: Made, scope: Scope, name: str, source: Any, path: tuple[str | int, ...]) -> Bound:
        reused = made.layer_path != scope.join_layer(name)
        use = BlockUse(made, scope, path, scope.join(name), reused)
        bound = expand(use, source, self.reports, self.limits, self._nodes)
        return self._passed_through(scope, name, source, path) if bound is None else bound

    def outputs(self) -> Structure | None:
        """The model's outputs in the structure that the file gives them; None after a report."""
        ports, single = output_ports(self.document.blueprint, self.root, self.reports)
        found = {port: value for port, value in ports.items() if value is not None}
        if len(found) < len(ports):
            return None
        if single:
            return found["0"]
        return tuple(found.values()) if isinstance(self.document.blueprint.outputs, list) else found


def _is_axis(axis: Any) -> bool:
    """Whether what an expression gave may stand in the shape of an input, where the schema saw the expression alone."""
    try:
        InputSpec(shape=[axis])
    except ValidationError:
        return False
    return True
