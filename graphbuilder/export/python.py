"""A graph as Keras 3 code that somebody could have written: the functional API, one line for each node."""

from __future__ import annotations

import builtins
import keyword
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from graphbuilder.catalog import LayerEntry, OpEntry
from graphbuilder.catalog.nested import keras_name
from graphbuilder.catalog.objects import ACTIVATION_LAYERS, KINDS, ObjectSpec
from graphbuilder.export.expressions import Calling, Code, written
from graphbuilder.graph import Argument, Call, Constant, CustomLayer, Graph, Layer, Structure, Value, layer_names
from graphbuilder.lowering.resolved_values import plain_entry

__all__ = ["python_source"]

_INDENT = "    "
# From so many calls on Keras, which walks a model recursively, needs more of Python's stack.
_DEEP = 250

# Keras has no public way to name what an op gives.
_NAMED = '''
def named(name, outputs):
    """Gives the op that made tensors a name of its own; the model's outputs are called by it."""
    first = outputs[0] if isinstance(outputs, (list, tuple)) else outputs
    first._keras_history.operation.name = name
    return outputs
'''


def python_source(graph: Graph) -> str:
    """The code that builds a graph's model in Keras 3, under the same names and with its weights in the same order.

    It needs Keras, NumPy where the blueprint holds arrays, and the packages of custom layers, but not graphbuilder. How
    the model is trained and compressed is not in it.

    Arguments:
        graph: what to write.

    Example:
        >>> from graphbuilder.blueprint import load
        >>> from graphbuilder.lowering import lower
        >>> code = python_source(lower(load("blueprints/cnn.yaml")))
        >>> [line for line in code.splitlines() if "import" in line or line.startswith("def ")]
        ['import keras', 'from keras import layers', 'def build_model():']
    """
    return _Writer(graph).source()


class _Writer:
    """Writes one graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.built = layer_names(graph)
        self.imports = _Imports(graph)
        self.ops = any(isinstance(call.target, OpEntry) for call in graph.calls.values())
        self._taken = {*keyword.kwlist, *dir(builtins), "keras", "layers", "ops", "np", "sys", "named", "build_model"}
        self._taken |= set(self.imports.names.values())
        self._values: dict[str, Code] = {}
        self._layers: dict[str, str] = {}
        self._calls_of = _counted(call.target.name for call in graph.calls.values() if isinstance(call.target, Layer))
        self._arrays = False

    def source(self) -> str:
        body = [*self._inputs(), *(line for call in self.graph.calls.values() for line in self._call(call))]
        outputs = self._structure(self.graph.outputs)
        model = Calling("keras.Model", (self._given(), outputs), {"name": self.graph.name})
        body += self._statement("return ", model)
        standard, others = self._heading()
        parts = [_docstring(self.graph), ""]
        parts += [*standard, ""] if standard else []
        parts += [*others, ""]
        parts += [*_NAMED.splitlines(), ""] if self.ops else []
        parts += ["", "def build_model():", f'{_INDENT}"""Builds the model; its weights are new."""']
        if len(self.graph.calls) > _DEEP:
            limit = 1_000 + 12 * len(self.graph.calls)
            parts.append(f"{_INDENT}# Keras walks a model recursively, and this one is deep.")
            parts.append(f"{_INDENT}sys.setrecursionlimit(max(sys.getrecursionlimit(), {limit}))")
        parts += [f"{_INDENT}{line}" if line else "" for text in body for line in text.split("\n")]
        parts += ["", "", 'if __name__ == "__main__":', f"{_INDENT}build_model().summary()", ""]
        return "\n".join(parts)

    def _heading(self) -> tuple[list[str], list[str]]:
        standard = ["import sys"] if len(self.graph.calls) > _DEEP else []
        used = [name for name, there in (("layers", bool(self.graph.layers)), ("ops", self.ops)) if there]
        others = ["import keras"]
        others += ["import numpy as np"] if self._arrays else []
        others += [f"from keras import {', '.join(used)}"] if used else []
        return standard, [*others, *self.imports.lines()]

    def _inputs(self) -> Iterator[str]:
        for name, given in self.graph.inputs.items():
            kind = given.value.type
            assert kind is not None
            value = self._new_value(given.value)
            shape = tuple(size if isinstance(size, int) else None for size in kind.shape[1:])
            made = Calling("keras.Input", (), {"shape": shape, "dtype": kind.dtype, "name": self.built[name]})
            yield from _comment(given.about)
            yield from self._statement(f"{value.text} = ", made)

    def _given(self) -> Any:
        tensors = [self._values[given.value.name] for given in self.graph.inputs.values()]
        if self.graph.inputs_as == "tensor":
            return tensors[0]
        return dict(zip(self.graph.inputs, tensors, strict=True)) if self.graph.inputs_as == "mapping" else tensors

    def _call(self, call: Call) -> Iterator[str]:
        given = {port: self._argument(argument) for port, argument in call.arguments.items()}
        yield from _comment(call.about)
        if isinstance(call.target, OpEntry):
            positional, keywords = call.target.keras_call(given, {})
            if next(iter(keywords), None) == "x2":
                positional.append(keywords.pop("x2"))
            made = Calling(f"ops.{call.kind}", tuple(positional), keywords)
            made = Calling("named", (self.built[call.name], made))
        else:
            layer = call.target
            if isinstance(layer.entry, CustomLayer):
                first = (given.pop(""),) if "" in given else ()
                positional, keywords = list(first), {**given, **call.options}
            else:
                positional, keywords = layer.entry.keras_call(given, call.options)
            if self._calls_of[layer.name] > 1 and layer.name not in self._layers:
                self._layers[layer.name] = self._variable(f"{layer.name}_layer")
                yield from self._statement(f"{self._layers[layer.name]} = ", self._layer(layer))
            function = self._layers.get(layer.name) or self._layer(layer)
            made = Calling(function, tuple(positional), keywords)
        yield from self._outputs(call, made)

    def _outputs(self, call: Call, made: Calling) -> Iterator[str]:
        names = [self._new_value(value).text for value in call.outputs]
        if not call.several:
            yield from self._statement(f"{names[0]} = ", made)
            return
        unpacked = f"{', '.join(names)}{',' if len(names) == 1 else ''}"
        if len(unpacked) > 90:
            unpacked = f"(\n{''.join(f'{_INDENT}{name},{chr(10)}' for name in names)})"
        if isinstance(call.target, Layer) and isinstance(call.target.entry, CustomLayer):
            # Only the layer itself says whether it gives a list or a mapping.
            whole = self._variable(f"{call.name}_outputs")
            yield from self._statement(f"{whole} = ", made)
            yield f"{unpacked} = {whole}.values() if isinstance({whole}, dict) else {whole}"
            return
        yield from self._statement(f"{unpacked} = ", made)

    def _layer(self, layer: Layer) -> Calling:
        """The expression that makes a layer."""
        name = self.built[layer.name]
        if isinstance(layer.entry, CustomLayer):
            return Calling(self.imports.names[layer.entry.place], (), {**layer.entry.arguments, "name": name})
        return _made(layer.entry, name)

    def _argument(self, argument: Argument) -> Any:
        # The arguments of one call nest as deep as somebody wrote them, never as deep as the graph.
        if isinstance(argument, Value):
            return self._values[argument.name]
        if isinstance(argument, Constant):
            return self._constant(argument)
        if isinstance(argument, Mapping):
            return {key: self._argument(item) for key, item in argument.items()}
        return [self._argument(item) for item in argument]

    def _constant(self, constant: Constant) -> Any:
        if constant.dtype is None:
            return constant.value
        self._arrays = True
        made = Calling("np.array", (constant.value,), {"dtype": constant.dtype})
        shape = tuple(size if isinstance(size, int) else None for size in constant.type.shape)
        return Code(written(made, 8, _INDENT), shape, constant.dtype)

    def _structure(self, outputs: Structure) -> Any:
        if isinstance(outputs, Value):
            return self._values[outputs.name]
        if isinstance(outputs, Mapping):
            return {key: self._structure(item) for key, item in outputs.items()}
        return [self._structure(item) for item in outputs]

    def _statement(self, head: str, value: Any) -> Iterator[str]:
        last = head.rpartition("\n")[2]
        yield head + written(value, len(_INDENT) + len(last))

    def _new_value(self, value: Value) -> Code:
        kind = value.type
        shape = () if kind is None else tuple(size if isinstance(size, int) else None for size in kind.shape)
        code = Code(self._variable(value.name), shape, "" if kind is None else kind.dtype)
        self._values[value.name] = code
        return code

    def _variable(self, path: str) -> str:
        """A name of Python's, made of a path of the graph."""
        name = re.sub(r"\W", "_", path)
        if not name.isidentifier():
            name = f"x{name}"
        unique, number = name, 2
        while unique in self._taken:
            unique = f"{name}_{number}"
            number += 1
        self._taken.add(unique)
        return unique


class _Imports:
    """The classes of custom layers, imported under names that differ from each other.

    Arguments:
        graph: the graph that uses them.
    """

    def __init__(self, graph: Graph) -> None:
        entries = [layer.entry for layer in graph.layers.values() if isinstance(layer.entry, CustomLayer)]
        self.places = {entry.place: entry for entry in entries}
        taken = {"keras", "layers", "ops", "np", "sys", "named", "build_model", *dir(builtins)}
        self.names: dict[str, str] = {}
        for place, entry in self.places.items():
            name, number = entry.class_name, 2
            while name in taken:
                name = f"{entry.class_name}_{number}"
                number += 1
            taken.add(name)
            self.names[place] = name

    def lines(self) -> list[str]:
        """The statements, in the order of the modules."""
        found = []
        for place, entry in self.places.items():
            name = self.names[place]
            renamed = "" if name == entry.class_name else f" as {name}"
            found.append(f"from {entry.module} import {entry.class_name}{renamed}")
        return sorted(found)


def _made(entry: LayerEntry, name: str | None) -> Calling:
    """The expression that makes a layer of the catalog, with what differs from Keras's defaults."""
    keywords: dict[str, Any] = {}
    for written_key, short in plain_entry(entry).items():
        key = "layer" if written_key == "wraps" else written_key
        value = getattr(entry, key)
        if isinstance(value, LayerEntry):
            keywords[key] = _wrapped(entry, value)
        else:
            # One size stands for all axes where a blueprint and Keras both take it so.
            keywords[key] = short if isinstance(value, tuple) and isinstance(short, int) else _value(value)
    return Calling(f"layers.{type(entry).name()}", (), keywords if name is None else {**keywords, "name": name})


def _wrapped(wrapper: LayerEntry, entry: LayerEntry) -> Calling:
    """A layer inside another one, under the name that it has in models that graphbuilder builds."""
    name = keras_name(entry)
    first = getattr(wrapper, "layer", None)
    if entry is not first and isinstance(first, LayerEntry) and keras_name(first) == name:
        name = f"{name}_1"
    return _made(entry, name)


def _value(value: Any) -> Any:
    """An argument's value as an expression."""
    if not isinstance(value, ObjectSpec):
        return value
    name = KINDS[value.kind].canonical(value.name) or value.name
    if value.kind != "activation":
        return Calling(f"keras.{value.kind}s.{name}", (), value.options)
    return Calling(f"layers.{ACTIVATION_LAYERS[name]}", (), value.options) if value.options else name


def _counted(names: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in names:
        found[name] = found.get(name, 0) + 1
    return found


def _docstring(graph: Graph) -> str:
    said = " ".join((graph.about or "").split())
    text = f"The model {graph.name}, as graphbuilder wrote it.{' ' if said else ''}{said}"
    quoted = _printable(text).replace("\\", "\\\\").replace('"', '\\"')
    return "\n".join(_wrap(f'"""{quoted}"""', ""))


def _comment(about: str | None) -> Iterator[str]:
    said = " ".join((about or "").split())
    if said:
        yield from _wrap(f"# {_printable(said)}", "# ")


def _wrap(text: str, mark: str) -> list[str]:
    return textwrap.wrap(
        text, 96, subsequent_indent=mark, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )


def _printable(text: str) -> str:
    """A text of somebody's in which nothing ends a line or hides what stands there."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
