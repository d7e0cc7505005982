"""The one forward walk from a document to a graph.

In topological order it resolves params, expands blocks and repeats, lowers fusions into ordinary layers, infers every
shape and dtype, and collects diagnostics.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

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
from graphbuilder.blueprint.loading import load_shipped
from graphbuilder.catalog import layers, ops
from graphbuilder.graph import Call, Fusion, GraphInput, Layer, PretrainingDeclaration, Structure, Value
from graphbuilder.lowering.arguments import call_options, check_entry, custom_layer, find_entry, resolved
from graphbuilder.lowering.blocks import BlockUse, expand, output_ports
from graphbuilder.lowering.calls import CallMaker, stated_outputs
from graphbuilder.lowering.freezing import Freezing, check_met, freezing_of
from graphbuilder.lowering.inputs import model_input
from graphbuilder.lowering.limits import GraphLimits
from graphbuilder.lowering.order import Circle, node_order, reference_path
from graphbuilder.lowering.pretraining import Pretraining, check_pretraining, pretraining_of
from graphbuilder.lowering.reports import Reports, Stop
from graphbuilder.lowering.scope import BROKEN_NODE, Bound, Made, Scope, Unresolved
from graphbuilder.lowering.sources import BROKEN, at_ports, resolve_from
from graphbuilder.lowering.taps import tapped

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
        self.taps: tuple[Value, ...] = ()
        self.pretraining: list[PretrainingDeclaration] = []
        self.stopped = False
        self._fuser: Fuser | None = None

    def run(self) -> None:
        """Walks the inputs and nodes; what comes of them is in `inputs`, `calls`, `taps` and `reports`."""
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
                tapped(block, scope, self.reports)

    def _input(self, name: str, spec: InputSpec) -> None:
        made = model_input(self.root, self.reports, name, spec)
        self.root.names[name] = BROKEN_NODE if made is None else Bound.of(made.value)
        if made is not None:
            self.inputs[name] = made

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
        # The node that the circle closes in: it takes what comes of it. Its `from` is what has to change.
        first, feeder = circle.names[-1], circle.names[-2]
        node = scope.document.source.data
        for step in (*scope.where, "nodes", first):
            node = node[step]
        inside = reference_path(node.get("from"), feeder)
        self.reports.add(
            scope,
            "GB302",
            f"nodes feed each other in a circle: {' → '.join(circle.names)}",
            ("nodes", first) if inside is None else ("nodes", first, "from", *inside),
            key=inside is None,
            node=scope.join(first),
            hint="take one of them out of another's from",
        )

    def _node(self, scope: Scope, name: str, node: Node, above: str | None) -> Bound:
        """What one node's name stands for."""
        path = ("nodes", name)
        for rule in self.calls.freezings:
            rule.enter(scope.join_layer(name))
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
            return Bound({"0": source}, varies=True)
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
                error = Unresolved(f"{node.reuse} is an output, not a node")
            except Unresolved as found:
                error = found
            self.reports.add(
                scope, "GB301", error.message, where, node=scope.join(name), found=node.reuse, hint=error.hint,
                fix=error.fix,
            )  # fmt: skip
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
        with self._freezing(made, scope, path, scope.join(name)):
            return self._fuser.lower(made, scope, name, source, written, path, node)

    @contextmanager
    def _freezing(self, made: Made, scope: Scope, path: tuple[str | int, ...], name: str) -> Iterator[Freezing | None]:
        """Applies what a node says of training to the layers that are made inside it, and gives that."""
        rule = None
        # The layers of a node that is reused are made already.
        if made.layer_path == scope.join_layer(str(path[-1])):
            rule = freezing_of(made, self.reports, (*path, "trainable"), name)
        if rule is None:
            yield None
            return
        self.calls.freezings.append(rule)
        try:
            yield rule
        finally:
            self.calls.freezings.pop()

    @property
    def fusions(self) -> Mapping[str, Fusion]:
        """What each `fuse:` node became."""
        return {} if self._fuser is None else self._fuser.fusions

    def _block(self, made: Made, scope: Scope, name: str, source: Any, path: tuple[str | int, ...]) -> Bound:
        reused = made.layer_path != scope.join_layer(name)
        before, node_path = self.reports.count, scope.join(name)
        asked = None if reused else pretraining_of(made, self.root, self.reports, (*path, "pretrained"), node_path)
        use = BlockUse(made, scope, path, node_path, reused, {} if asked is None else asked.given)
        with self._freezing(made, scope, path, node_path) as rule:
            bound = expand(use, source, self.reports, self.limits, self._nodes)
        if bound is not None and self.reports.count == before:
            if rule is not None:
                check_met(rule, bound, scope, self.reports, (*path, "trainable"), node_path)
            if asked is not None and source is not BROKEN:
                self._begin_with(asked, made, source, (*path, "pretrained"), node_path)
        return self._passed_through(scope, name, source, path) if bound is None else bound

    def _begin_with(self, asked: Pretraining, made: Made, source: Any, where: tuple[str | int, ...], name: str) -> None:
        """Notes the weights that the layers of a block begin with, if they fit."""
        layers = self.calls.layers
        found = check_pretraining(asked, made, layers, source, self._alone, self.reports, where, name)
        if found is not None:
            self.pretraining.append(found)

    def _alone(self, block: str, params: Mapping[str, Any]) -> tuple[Mapping[str, Layer], Mapping[str, Any]] | None:
        """The layers of a shipped file by itself, and the values of its params; None where these do not suit it."""
        place = load_shipped(block)
        if place is None:
            return None
        walk = Walk(place.document, {}, self.limits)
        values = resolve_params(place.document.blueprint.params, params, lambda problem: None)
        if values is None:
            return None
        walk.root.params = values
        walk.run()
        return walk.calls.layers, values

    def outputs(self) -> Structure | None:
        """The model's outputs in the structure that the file gives them; None after a report."""
        ports, single = output_ports(self.document.blueprint, self.root, self.reports)
        inner = tapped(self.document.blueprint, self.root, self.reports)
        self.taps = tuple(
            value for name in self.document.blueprint.taps for value in inner[name].ports.values() if value is not None
        )
        found = {port: value for port, value in ports.items() if value is not None}
        if len(found) < len(ports):
            return None
        if single:
            return found["0"]
        return tuple(found.values()) if isinstance(self.document.blueprint.outputs, list) else found
