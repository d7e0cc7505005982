"""Makes layers and calls: infers shapes, weights and cost, and says what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphbuilder.catalog import BATCH, DTYPES, Entry, Inputs, LayerEntry, Misfit, OpEntry, TensorType
from graphbuilder.catalog.arguments import as_written
from graphbuilder.catalog.ports import PortTypes
from graphbuilder.catalog.tensor import elements
from graphbuilder.graph import Argument, Call, CustomLayer, Layer, Origin, Value, flatten
from graphbuilder.limits import raising_hint
from graphbuilder.lowering.freezing import Freezing, trained_entry
from graphbuilder.lowering.limits import GraphLimits
from graphbuilder.lowering.reports import Reports, Stop, chain_of
from graphbuilder.lowering.scope import Scope

__all__ = ["CallMaker"]


class CallMaker:
    """The layers and calls of one graph, as the walk makes them.

    Arguments:
        reports: told of what does not fit.
        limits: how large the graph may become.
    """

    def __init__(self, reports: Reports, limits: GraphLimits) -> None:
        self.reports = reports
        self.limits = limits
        self.layers: dict[str, Layer] = {}
        self.calls: dict[str, Call] = {}
        self.givers: dict[str, Call] = {}
        # What the nodes that the walk is inside say of training, from the outside in.
        self.freezings: list[Freezing] = []
        self._parameters = 0

    def apply(
        self,
        scope: Scope,
        target: Layer | LayerEntry | OpEntry,
        arguments: Mapping[str, Argument],
        options: Mapping[str, Any],
        path: tuple[str | int, ...],
        name: str,
        layer_name: str,
        about: str | None = None,
    ) -> Call | None:
        """Calls a catalog layer or op; makes the layer first when it is not one already.

        Arguments:
            scope: where the node stands.
            target: the op, the layer to call again, or the arguments of a new layer.
            arguments: what stands at each port.
            options: call arguments that are not tensors.
            path: the keys that lead to the node.
            name: the call's path in the graph.
            layer_name: the path of a new layer.
            about: the author's description.

        Returns:
            The call, or None after a report.
        """
        entry: Entry = target.entry if isinstance(target, Layer) else target  # type: ignore[assignment]
        inputs = self._types(arguments, options)
        several = entry.output_count(options) is not None
        count = entry.output_count(options) or 1
        outputs: tuple[TensorType | None, ...] = (None,) * count
        macs: int | None = None
        weights = None
        if inputs is not None:
            try:
                if isinstance(entry, LayerEntry):
                    _require_batch(entry, inputs)
                given = entry.outputs(inputs)
                weights = entry.weights(inputs) if isinstance(entry, LayerEntry) else ()
                macs = entry.macs(inputs, given)
            except Misfit as misfit:
                self.misfit(scope, misfit, arguments, path, name)
                return None
            outputs = given if isinstance(given, tuple) else (given,)
        origin = scope.origin(*path)
        if isinstance(target, Layer):
            if not self._same_weights(scope, target, weights, path, name):
                return None
        elif isinstance(target, LayerEntry):
            trained = trained_entry(target, weights, layer_name, self.freezings)
            target = Layer(layer_name, trained, weights, origin)
            self._count(scope, target, path)
            self.layers[layer_name] = target
        masked = isinstance(entry, LayerEntry) and entry.masks(_arrives_masked(arguments, entry.all_masked))
        return self._add(scope, name, target, arguments, options, outputs, several, macs, masked, origin, about)

    def apply_custom(
        self,
        scope: Scope,
        target: Layer | CustomLayer,
        source: Argument,
        options: Mapping[str, Any],
        gives: tuple[TensorType, ...] | None,
        several: bool,
        path: tuple[str | int, ...],
        name: str,
        about: str | None = None,
    ) -> Call:
        """Calls a custom layer, whose output is what the node states, or unknown.

        Arguments:
            source: what the node is called with, of any structure.
            gives: the stated outputs.
            several: whether they were stated as a list.
        """
        origin = scope.origin(*path)
        if isinstance(target, CustomLayer):
            target = Layer(name, trained_entry(target, None, name, self.freezings), None, origin)
            self.layers[name] = target
        arguments: Mapping[str, Argument] = source if isinstance(source, Mapping) else {"": source}
        outputs: tuple[TensorType | None, ...] = gives if gives is not None else (None,)
        return self._add(scope, name, target, arguments, options, outputs, several, None, False, origin, about)

    def _types(self, arguments: Mapping[str, Argument], options: Mapping[str, Any]) -> Inputs | None:
        """The types at the ports, or None when one of them is unknown."""
        ports: dict[str, PortTypes] = {}
        for port, argument in arguments.items():
            leaves = [leaf.type for leaf in flatten(argument)]
            if None in leaves:
                return None
            known = tuple(leaf for leaf in leaves if leaf is not None)
            ports[port] = known if isinstance(argument, tuple) else known[0]
        return Inputs(ports, options)

    def misfit(
        self, scope: Scope, misfit: Misfit, arguments: Mapping[str, Argument], path: tuple[str | int, ...], name: str
    ) -> None:
        """Reports what does not fit, with the chains of nodes that the tensors came through."""
        # Of the tensors of one port that are of one type, the first is enough to tell where they came from.
        told: dict[tuple[str, str], Value] = {}
        for port, argument in arguments.items():
            for leaf in flatten(argument):
                if isinstance(leaf, Value) and leaf not in told.values():
                    told.setdefault((port, str(leaf.type)), leaf)
        chain = tuple(line for value in list(told.values())[:3] for line in chain_of(value, self.givers))
        self.reports.misfit(scope, misfit, path, name, chain)

    def _same_weights(self, scope: Scope, layer: Layer, weights: Any, path: tuple[str | int, ...], name: str) -> bool:
        """Whether a layer that is called again would own the weights that it has."""
        if weights is None or layer.weights is None or weights == layer.weights:
            return True
        for had, wants in zip(layer.weights, weights, strict=True):
            if had != wants:
                self.reports.add(
                    scope,
                    "GB310",
                    f"{layer.name} has a {had.name} of {list(had.shape)}, and here it would need {list(wants.shape)}",
                    path,
                    key=True,
                    node=name,
                    hint="a layer called again must be given the sizes of its first call; or make a node of its own",
                )
                break
        return False

    def _count(self, scope: Scope, layer: Layer, path: tuple[str | int, ...]) -> None:
        for weight in layer.weights or ():
            if weight.size > self.limits.elements:
                self._stop(scope, "GB402", f"its {weight.name} has {weight.size:,} elements", path, layer.name,
                           f"at most {self.limits.elements:,}", "elements")  # fmt: skip
            self._parameters += weight.size
        if self._parameters > self.limits.parameters:
            self._stop(scope, "GB403", f"with it the model has {self._parameters:,} parameters", path, layer.name,
                       f"at most {self.limits.parameters:,}", "parameters")  # fmt: skip

    def _add(
        self,
        scope: Scope,
        name: str,
        target: Layer | OpEntry,
        arguments: Mapping[str, Argument],
        options: Mapping[str, Any],
        outputs: tuple[TensorType | None, ...],
        several: bool,
        macs: int | None,
        masked: bool,
        origin: Origin,
        about: str | None,
    ) -> Call:
        path = origin.path[len(scope.where) :]
        if len(self.calls) >= self.limits.nodes:
            self._stop(scope, "GB401", "the graph has more nodes than the limit", path, name,
                       f"at most {self.limits.nodes:,} after blocks are expanded", "nodes")  # fmt: skip
        for found in outputs:
            size = None if found is None else elements(found.shape[1:])
            if size is not None and size > self.limits.elements:
                self._stop(scope, "GB402", f"its output {found} has {size:,} elements", path, name,
                           f"at most {self.limits.elements:,}", "elements")  # fmt: skip
        modalities = _modalities(arguments)
        values = tuple(
            Value(f"{name}.{index}" if several else name, found, masked and index == 0, modalities)
            for index, found in enumerate(outputs)
        )
        call = Call(name, target, arguments, options, values, several, macs, origin, about)
        self.calls[name] = call
        for value in values:
            self.givers[value.name] = call
        return call

    def _stop(
        self, scope: Scope, code: str, message: str, path: tuple[str | int, ...], name: str, expected: str, limit: str
    ) -> None:
        hint = raising_hint(limit)
        self.reports.add(scope, code, message, path, key=True, node=name, expected=expected, hint=hint)
        raise Stop


def _require_batch(entry: LayerEntry, inputs: Inputs) -> None:
    """Refuses single numbers where a layer needs tensors.

    Raises:
        Misfit: a tensor without any axis stands at a port.
    """
    for port in inputs.ports:
        if any(tensor.rank == 0 for tensor in inputs.many(port)):
            raise Misfit(
                f"{port} of {type(entry).name()} is a single number",
                expected="a tensor with a batch axis",
                hint="use an op to compute with a number, such as {op: add, from: [x, 2.0]}",
                code="GB303",
            )


def _modalities(arguments: Mapping[str, Argument]) -> tuple[str, ...]:
    """The modalities of what stands at the ports, each once."""
    found: dict[str, None] = {}
    for argument in arguments.values():
        for leaf in flatten(argument):
            if isinstance(leaf, Value):
                found.update(dict.fromkeys(leaf.modalities))
    return tuple(found)


def _arrives_masked(arguments: Mapping[str, Argument], by_all: bool) -> bool:
    """Whether what stands at the first port carries a mask (any tensor of a list, or all of them), or is given one."""
    if "mask" in arguments:
        return True
    first = next(iter(arguments.values()), ())
    masked = [isinstance(leaf, Value) and leaf.masked for leaf in flatten(first)]
    return bool(masked) and (all(masked) if by_all else any(masked))


def stated_outputs(gives: Any) -> tuple[tuple[TensorType, ...], bool]:
    """The outputs that a node states for its custom layer.

    Arguments:
        gives: {shape: […], dtype: …}, or a list of such.

    Raises:
        ValueError: it is of another form.
    """
    several = isinstance(gives, list)
    found = []
    for item in gives if several else [gives]:
        shape = item.get("shape") if isinstance(item, dict) else None
        dtype = item.get("dtype", "float32") if isinstance(item, dict) else None
        extra = set(item) - {"shape", "dtype"} if isinstance(item, dict) else set()
        if not isinstance(shape, list) or dtype not in DTYPES or extra:
            raise ValueError(as_written(item))
        for axis in shape:
            if not (axis is None or isinstance(axis, str) or (isinstance(axis, int) and axis > 0)):
                raise ValueError(as_written(item))
        found.append(TensorType((BATCH, *shape), dtype))
    return tuple(found), several
