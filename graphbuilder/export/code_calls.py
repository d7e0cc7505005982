"""Writes the calls of layers and ops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphbuilder.blueprint import LayerNode, Node
from graphbuilder.catalog import OpEntry
from graphbuilder.export.code_layers import made
from graphbuilder.export.expressions import Calling, Code
from graphbuilder.export.units import Unit
from graphbuilder.graph import Argument, Call, Constant, CustomLayer, Layer, Value

if TYPE_CHECKING:
    from graphbuilder.export.code_functions import FunctionWriter, Module

__all__ = ["CallWriter"]


class CallWriter:
    """Writes the calls that stand in one function.

    Arguments:
        module: the file.
        unit: what the function is for.
        writer: the function.
    """

    def __init__(self, module: Module, unit: Unit, writer: FunctionWriter) -> None:
        self._module = module
        self._unit = unit
        self._writer = writer
        self._layers: dict[str, str] = {}
        self._calls_of: dict[str, int] = {}
        for call in unit.items:
            if isinstance(call, Call) and isinstance(call.target, Layer):
                self._calls_of[call.target.name] = self._calls_of.get(call.target.name, 0) + 1
        self._announced: set[str] = set()

    def write(self, call: Call) -> None:
        """Writes one call as a statement, with what is said of it."""
        node = self._node(call)
        self._remark(call)
        given = {port: self._argument(argument) for port, argument in call.arguments.items()}
        if isinstance(call.target, OpEntry):
            expression = self._op(call, call.target, given, node)
        else:
            expression = self._applied(call, call.target, given, node)
        self._assign(call, expression)

    def _node(self, call: Call) -> Node | None:
        """The node of the unit that the call stands for; None for what lies inside a node that is written out."""
        return self._unit.nodes.get(self._unit.within(call.name).lstrip("."))

    def _remark(self, call: Call) -> None:
        name = self._unit.within(call.name).lstrip(".").split(".")[0]
        if name in self._unit.nodes and name not in self._announced:
            self._announced.add(name)
            where = (*self._unit.where, "nodes", name)
            for said in self._module.comments(self._unit.document).beside(where):
                self._writer.remark(said)
            if self._node(call) is None and self._unit.nodes[name].kind in ("block", "reuse"):
                self._writer.remark(f"{name} is written out, because its layers are called from two places.")
        self._writer.remark(call.about)

    def _op(self, call: Call, entry: OpEntry, given: dict[str, Any], node: Node | None) -> Calling:
        positional, keywords = entry.keras_call(given, {})
        if next(iter(keywords), None) == "x2":
            positional.append(keywords.pop("x2"))
        for key, raw in ({} if node is None else node.arguments).items():
            if key in keywords and key not in given and hasattr(entry, key) and keywords[key] == getattr(entry, key):
                keywords[key] = self._writer.told(raw, keywords[key])
        applied = Calling(f"ops.{call.kind}", tuple(positional), keywords)
        return Calling("named", (self._writer.layer_name(call.name), applied))

    def _applied(self, call: Call, layer: Layer, given: dict[str, Any], node: Node | None) -> Calling:
        written_options = node.call if isinstance(node, LayerNode) else {}
        options = {key: self._writer.told(written_options.get(key), value) for key, value in call.options.items()}
        if isinstance(layer.entry, CustomLayer):
            first = [given.pop("")] if "" in given else []
            positional, keywords = first, {**given, **options}
        else:
            positional, keywords = layer.entry.keras_call(given, options)
        if self._calls_of[layer.name] > 1 and layer.name not in self._layers:
            variable = self._writer.new_name(f"{self._unit.within(layer.name).lstrip('.')}_layer")
            self._writer.assign([variable], self._layer(layer, node))
            self._layers[layer.name] = variable
        function = self._layers.get(layer.name) or self._layer(layer, node)
        return Calling(function, tuple(positional), keywords)

    def _layer(self, layer: Layer, node: Node | None) -> Calling:
        """The expression that makes a layer."""
        name = self._writer.layer_name(layer.name)
        arguments = node.arguments if isinstance(node, LayerNode) else {}
        if isinstance(layer.entry, CustomLayer):
            raw = (node.args if isinstance(node, LayerNode) else None) or {}
            told = {key: self._writer.told(raw.get(key), value) for key, value in layer.entry.arguments.items()}
            return Calling(self._module.imports.names[layer.entry.place], (), {**told, "name": name})
        return made(
            layer.entry,
            name,
            lambda key, value: self._writer.told(arguments.get(key), value),
            legacy=self._module.legacy,
        )

    def _assign(self, call: Call, expression: Calling) -> None:
        names = [self._writer.new_value(value, self._variable(value)).text for value in call.outputs]
        if not call.several:
            self._writer.assign(names, expression)
            return
        if isinstance(call.target, Layer) and isinstance(call.target.entry, CustomLayer):
            # Only the layer itself says whether it gives a list or a mapping.
            whole = self._writer.new_name(f"{self._unit.within(call.name).lstrip('.') or 'merged'}_outputs")
            self._writer.assign([whole], expression)
            values = Code(f"{whole}.values() if isinstance({whole}, dict) else {whole}")
            self._writer.assign(_unpacked(names), values)
            return
        self._writer.assign(_unpacked(names), expression)

    def _variable(self, value: Value) -> str:
        """What a value's variable is to be called; one that nothing takes begins with an underscore."""
        name = self._unit.within(value.name).lstrip(".") or value.name.rpartition(".")[2]
        return name if value.name in self._module.found.consumers else f"_{name}"

    def _argument(self, argument: Argument) -> Any:
        # The arguments of one call nest as deep as somebody wrote them, never as deep as the graph.
        if isinstance(argument, Value):
            return self._writer.values[argument.name]
        if isinstance(argument, Constant):
            return self._constant(argument)
        if isinstance(argument, Mapping):
            return {key: self._argument(item) for key, item in argument.items()}
        return [self._argument(item) for item in argument]

    def _constant(self, constant: Constant) -> Any:
        if constant.dtype is None:
            return constant.value
        self._module.arrays = True
        array = Calling("np.array", (constant.value,), {"dtype": constant.dtype})
        shape = tuple(size if isinstance(size, int) else None for size in constant.type.shape)
        return Code("", shape, constant.dtype, array)


def _unpacked(names: Sequence[str]) -> Sequence[str]:
    """The targets of an assignment of a list; one alone needs its comma."""
    return [f"({names[0]},)"] if len(names) == 1 else names
