"""Writes the calls of layers and ops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphbuilder.blueprint import LayerNode, Node
from graphbuilder.catalog import LayerEntry, OpEntry
from graphbuilder.catalog.entry import Bundles
from graphbuilder.export.code_layers import made
from graphbuilder.export.code_legacy import LegacyCode, Made, filled
from graphbuilder.export.expressions import Calling, Code
from graphbuilder.export.units import Unit
from graphbuilder.graph import Argument, Call, Constant, CustomLayer, Layer, Value

if TYPE_CHECKING:
    from graphbuilder.export.code_functions import FunctionWriter
    from graphbuilder.export.code_module import Module

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
        name = self._unit.within(call.name).lstrip(".").split(".")[0]
        read = iter(self._writer.read(name, list(call.inputs())))
        given = {port: self._argument(argument, read) for port, argument in call.arguments.items()}
        if isinstance(call.target, OpEntry):
            if self._module.legacy is not None:
                self._legacy_op(call, call.target, given, self._module.legacy)
                return
            expression = self._op(call, call.target, given, node)
        else:
            expression = self._applied(call, call.target, given, node)
        self._assign(call, expression)
        self._unmask(call)

    def _legacy_op(self, call: Call, entry: OpEntry, given: dict[str, Any], legacy: LegacyCode) -> None:
        """Writes an op as functions of TensorFlow, each of which tf_keras makes a layer of."""
        found = legacy.steps(entry, given)
        names = {made: self._variable(value) for made, value in zip(found.results, call.outputs, strict=True)}
        values = dict(zip(found.results, call.outputs, strict=True))
        variables: dict[Made, Code] = {}
        node = self._unit.within(call.name).lstrip(".") or call.name.rpartition(".")[2]
        for number, step in enumerate(found.steps):
            expression = filled(step.expression, variables)
            targets = []
            for output in range(step.outputs or 1):
                made = Made(number, output)
                if made in values:
                    variables[made] = self._writer.new_value(values[made], names[made])
                else:
                    variables[made] = Code(self._writer.new_name(f"{node}{step.suffix}"))
                targets.append(variables[made].text)
            self._writer.names_calls = True
            name = self._writer.layer_name(call.name, self._unit.within(call.name), step.suffix)
            targets = targets if step.outputs is None else list(_unpacked(targets))
            self._writer.assign(targets, Calling("named", (name, expression)))
        self._unmask(call)

    def _unmask(self, call: Call) -> None:
        """Writes the op by which tf_keras loses a mask that Keras 3 would not pass on."""
        built = self._module.built.get(call.name, call.name)
        output = None if self._module.legacy is None else self._module.legacy.unmasked.get(built)
        if output is None:
            return
        value = self._writer.values[call.outputs[output].name]
        whole = "int" in value.dtype
        self._writer.names_calls = True
        name = self._writer.layer_name(call.name, self._unit.within(call.name), ".unmasked")
        bare = Calling("tf.add" if whole else "tf.multiply", (value, 0 if whole else 1.0))
        self._writer.assign([value.text], Calling("named", (name, bare)))

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
        self._writer.names_calls = True
        return Calling("named", (self._writer.layer_name(call.name, self._unit.within(call.name)), applied))

    def _applied(self, call: Call, layer: Layer, given: dict[str, Any], node: Node | None) -> Calling:
        written_options = node.call if isinstance(node, LayerNode) else {}
        options = {key: self._writer.told(written_options.get(key), value) for key, value in call.options.items()}
        if isinstance(layer.entry, CustomLayer):
            first = [given.pop("")] if "" in given else []
            positional, keywords = first, {**given, **options}
        else:
            positional, keywords = layer.entry.keras_call(given, options)
        again = self._calls_of[layer.name] > 1 or self._writer.makes
        if again and layer.name not in self._layers:
            variable = self._writer.new_name(f"{self._unit.owned(layer.name).lstrip('.')}_layer")
            with self._writer.made_once():
                self._writer.assign([variable], self._layer(layer, node))
            self._layers[layer.name] = variable
        function = self._layers.get(layer.name) or self._layer(layer, node)
        return Calling(function, tuple(positional), keywords)

    def _layer(self, layer: Layer, node: Node | None) -> Calling:
        """The expression that makes a layer."""
        name = self._writer.layer_name(layer.name, self._unit.owned(layer.name))
        arguments = node.arguments if isinstance(node, LayerNode) else {}
        if isinstance(layer.entry, CustomLayer):
            raw = (node.args if isinstance(node, LayerNode) else None) or {}
            told = {key: self._writer.told(raw.get(key), value) for key, value in layer.entry.arguments.items()}
            return Calling(self._module.imports.names[layer.entry.place], (), {**told, "name": name})
        return made(
            layer.entry,
            name,
            lambda key, value: self._writer.told(arguments.get(key), value),
            legacy=self._module.legacy is not None,
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
        entry = call.target.entry if isinstance(call.target, Layer) else None
        bundles = entry.bundles() if isinstance(entry, LayerEntry) else None
        self._writer.assign(_unpacked(names if bundles is None else _bundled(iter(names), bundles)), expression)

    def _variable(self, value: Value) -> str:
        """What a value's variable is to be called; one that nothing takes begins with an underscore."""
        name = self._unit.within(value.name).lstrip(".") or value.name.rpartition(".")[2]
        return name if value.name in self._module.found.consumers else f"_{name}"

    def _argument(self, argument: Argument, read: Iterator[Code]) -> Any:
        # The arguments of one call nest as deep as somebody wrote them, never as deep as the graph.
        if isinstance(argument, Value):
            return next(read)
        if isinstance(argument, Constant):
            return self._constant(argument)
        if isinstance(argument, Mapping):
            return {key: self._argument(item, read) for key, item in argument.items()}
        return [self._argument(item, read) for item in argument]

    def _constant(self, constant: Constant) -> Any:
        if constant.dtype is None:
            return constant.value
        array = Calling("np.array", (constant.value,), {"dtype": constant.dtype})
        shape = tuple(size if isinstance(size, int) else None for size in constant.type.shape)
        return Code("", shape, constant.dtype, array)


def _bundled(names: Iterator[str], bundles: Bundles) -> list[str]:
    """The targets of an assignment of nested lists."""
    return [next(names) if bundle is None else _in_brackets(_bundled(names, bundle)) for bundle in bundles]


def _in_brackets(targets: Sequence[str]) -> str:
    return f"({', '.join(targets)}{',' if len(targets) == 1 else ''})"


def _unpacked(names: Sequence[str]) -> Sequence[str]:
    """The targets of an assignment of a list; one alone needs its comma."""
    return [f"({names[0]},)"] if len(names) == 1 else names
