"""A graph as Keras 3 code that somebody could have written: a function for each block, loops for repeats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from graphbuilder.blueprint import Document
from graphbuilder.catalog import LayerEntry, OpEntry
from graphbuilder.errors import BlueprintError, Diagnostic
from graphbuilder.export.code_comments import Comments, comment, docstring
from graphbuilder.export.code_functions import FunctionWriter
from graphbuilder.export.code_layers import lacking
from graphbuilder.export.code_legacy import LegacyCode, Steps
from graphbuilder.export.code_module import Apart, Module
from graphbuilder.export.code_names import MODULES, Imports
from graphbuilder.export.code_told import derived, other_values
from graphbuilder.export.units import Structured, Unkept, structured
from graphbuilder.graph import Graph
from graphbuilder.lowering import try_lower

__all__ = ["Exported", "export_python", "python_source"]

_INDENT = "    "
# So many other values of a param that give the same code are enough.
_ENOUGH = 2
# From so many calls on Keras, which walks a model recursively, needs more of Python's stack.
_DEEP = 250

# Keras has no public way to name what an op gives.
_NAMED = '''
def named(name, outputs):
    """Gives the op that made tensors a name of its own; the model's outputs are called by it."""
    first = outputs[0] if isinstance(outputs, (list, tuple)) else outputs
    first._keras_history.{attribute} = name
    return outputs
'''


@dataclass(frozen=True, slots=True)
class Exported:
    """A graph as code.

    Arguments:
        source: the code.
        params: the params of the blueprint that are arguments of `build_model`.
        fixed: those whose values are written into the code, because it tells not all that depends on them.
        flat: why the code has no functions for the document's blocks; None where it has.
    """

    source: str
    params: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    flat: str | None = None


def python_source(graph: Graph, document: Document | None = None, *, keras: Literal[2, 3] = 3) -> str:
    """The code that builds a graph's model in Keras, under the same names and with its weights in the same order.

    It needs Keras, NumPy where the blueprint holds arrays, and the packages of custom layers, but not graphbuilder. How
    the model is trained and compressed is not in it.

    Arguments:
        graph: what to write.
        document: what it was made of, for functions, params and comments; without it every node is one statement.
        keras: 3 for Keras 3, 2 for tf_keras.

    Raises:
        BlueprintError: GB502, tf_keras lacks a layer, an argument or an op.

    Example:
        >>> from graphbuilder.blueprint import load
        >>> from graphbuilder.lowering import lower
        >>> document = load("blueprints/cnn.yaml")
        >>> code = python_source(lower(document), document)
        >>> [line for line in code.splitlines() if "import" in line or line.startswith("def ")]
        ['import keras', 'from keras import layers', 'def build_model():']
    """
    return export_python(graph, document, keras=keras).source


def export_python(
    graph: Graph, document: Document | None = None, *, keras: Literal[2, 3] = 3, legacy: LegacyCode | None = None
) -> Exported:
    """The same, with what is to be said of it.

    A param becomes an argument of `build_model` where the code that other values of it lead to is the very same.

    Arguments:
        graph: what to write.
        document: what it was made of.
        keras: 3 for Keras 3, 2 for tf_keras.
        legacy: how ops are said to tf_keras, which the backend knows; without it a graph with ops is refused.

    Raises:
        BlueprintError: GB502, tf_keras lacks a layer, an argument or an op.
    """
    if keras == 2:
        _refuse_lacking(graph, legacy)
        legacy = legacy or LegacyCode(_no_steps)
    if document is None:
        return Exported(_written(graph, None, frozenset(), legacy).source())
    fixed: set[str] = set()
    while True:
        try:
            writer = _written(graph, document, frozenset(fixed), legacy)
        except Unkept as error:
            return Exported(_written(graph, None, frozenset(), legacy).source(), flat=str(error))
        source = writer.source()
        told = {name for name in writer.params if _is_told(name, document, graph, writer, frozenset(fixed))}
        if told == set(writer.params):
            # What other params say, such as how the model is trained, may be nothing that the code holds.
            others = [name for name in graph.params if name not in told]
            held = [
                name
                for name in others
                if name in fixed or not _is_told(name, document, graph, writer, frozenset(fixed))
            ]
            return Exported(source, tuple(writer.params), tuple(held))
        fixed |= set(writer.params) - told


def _is_told(name: str, document: Document, graph: Graph, writer: _Writer, fixed: frozenset[str]) -> bool:
    """Whether the code stays the same for other values of a param, so that it holds all that depends on it."""
    computed = derived(document.blueprint.params, graph.params)
    stated = {key: value for key, value in graph.params.items() if key not in computed}
    tried = 0
    for value in other_values(document.blueprint.params[name], graph.params[name]):
        other = try_lower(document, {**stated, name: value}).graph
        if other is None:
            continue
        try:
            again = _written(other, document, fixed, writer.legacy)
        except Unkept:
            return False
        if again.body() != writer.body():
            return False
        tried += 1
        if tried == _ENOUGH:
            break
    return tried > 0


def _no_steps(entry: OpEntry, given: Mapping[str, Any]) -> Steps:
    raise AssertionError(entry)


def _refuse_lacking(graph: Graph, legacy: LegacyCode | None) -> None:
    """Refuses what cannot be said in tf_keras.

    Raises:
        BlueprintError: GB502, with every such node.
    """
    problems = []
    for call in graph.calls.values():
        reason, hint = None, "write it for Keras 3"
        if isinstance(call.target, OpEntry):
            if call.target.legacy.absent is not None:
                reason = f"tf_keras has no {call.kind}: {call.target.legacy.absent}"
            elif legacy is None:
                reason = f"tf_keras has no keras.ops, and what stands for {call.kind} only TensorFlow tells"
                hint = "`graphbuilder export --keras 2` asks it"
        elif isinstance(call.target.entry, LayerEntry):
            reason = lacking(call.target.entry)
        if reason is not None:
            place = call.origin.position(key=True)
            problems.append(
                Diagnostic("GB502", reason, file=call.origin.source.name, position=place, node=call.name,
                           hint=hint)
            )  # fmt: skip
    if problems:
        raise BlueprintError(problems)


def _written(graph: Graph, document: Document | None, fixed: frozenset[str], legacy: LegacyCode | None) -> _Writer:
    """A graph as code.

    Raises:
        Unkept: the structure of the document cannot be found again in it.
    """
    apart: set[str] = set()
    while True:
        try:
            return _Writer(graph, document, structured(graph, document, apart), fixed, legacy)
        except Apart as error:
            # Each time more nodes are written out, so this ends.
            apart |= error.nodes


class _Writer:
    """Writes one graph."""

    def __init__(
        self,
        graph: Graph,
        document: Document | None,
        found: Structured,
        fixed: frozenset[str],
        legacy: LegacyCode | None,
    ) -> None:
        self.legacy = legacy
        self._graph = graph
        self._document = document
        self._module = Module(graph, found, Imports(graph), legacy)
        self._writer = FunctionWriter(self._module, found.root, fixed)
        self._lines = self._writer.model(graph, document)

    @property
    def params(self) -> list[str]:
        """The params of the blueprint that the code refers to, in the order of their declaration."""
        return self._writer.params()

    def body(self) -> str:
        """The code without the values of its params."""
        return "\n".join([*(text for _, text in self._module.functions), *self._lines])

    def source(self) -> str:
        """The whole code."""
        deep = len(self._graph.calls) > _DEEP
        parts = [*self._top(), ""]
        parts += ["import sys", ""] if deep else []
        parts += [*self._imports(), ""]
        if "named" in self._module.modules:
            attribute = "operation.name" if self.legacy is None else "layer._name"
            parts += [*_NAMED.format(attribute=attribute).splitlines(), ""]
        for _, text in self._module.functions:
            parts += ["", text, ""]
        parts += ["", *self._signature(), *self._described()]
        if deep:
            limit = 1_000 + 12 * len(self._graph.calls)
            parts.append(f"{_INDENT}# Keras walks a model recursively, and this one is deep.")
            parts.append(f"{_INDENT}sys.setrecursionlimit(max(sys.getrecursionlimit(), {limit}))")
        parts += [*self._lines, "", "", 'if __name__ == "__main__":', f"{_INDENT}build_model().summary()", ""]
        return "\n".join(parts)

    def _top(self) -> list[str]:
        said = " ".join((self._graph.about or "").split())
        lines = docstring([f"The model {self._graph.name}, as graphbuilder wrote it.{' ' if said else ''}{said}"])
        if self._document is not None and isinstance(self._document.source.data, Mapping):
            first = next(iter(self._document.source.data))
            for paragraph in Comments(self._document.source).above((first,)):
                lines += ["", *comment(paragraph, "")]
        return lines

    def _imports(self) -> list[str]:
        used = [name for name in MODULES if name in self._module.modules]
        legacy = self.legacy is not None
        lines = [] if legacy else ["import keras"]
        lines += ["import numpy as np"] if "np" in self._module.modules else []
        lines += ["import tensorflow as tf"] if "tf" in self._module.modules else []
        lines += ["import tf_keras as keras"] if legacy else []
        lines += [f"from {'tf_keras' if legacy else 'keras'} import {', '.join(used)}"] if used else []
        return [*lines, *self._module.imports.lines()]

    def _signature(self) -> list[str]:
        values: dict[str, Any] = {name: self._graph.params[name] for name in self.params}
        return self._writer.signature("build_model", [], values)

    def _described(self) -> list[str]:
        assert self._document is not None or not self.params
        arguments = []
        for name in self.params:
            assert self._document is not None
            about = self._document.blueprint.params[name].about
            arguments += [(self._writer.param_name(name), about)] if about else []
        return docstring(["Builds the model; its weights are new."], _INDENT, arguments)
