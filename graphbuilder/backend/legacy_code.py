"""Which functions of TensorFlow stand for an op in tf_keras: found out by applying the op to symbolic tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from graphbuilder.backend.frameworks import framework
from graphbuilder.backend.legacy_ops import LEGACY_OPS
from graphbuilder.backend.op_names import name_legacy_op
from graphbuilder.catalog import OpEntry
from graphbuilder.errors import BlueprintError, Diagnostic
from graphbuilder.export.code_legacy import LegacyCode, Made, Sliced, Step, Steps
from graphbuilder.export.expressions import Calling, Code

__all__ = ["legacy_code", "steps_of"]

_NAME = "op"
# Functions that tf_keras knows by an older form: what people call, and the arguments of the old form that it takes, in
# the order in which it takes them.
_TODAY: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "compat.v1.floor_div": ("math.floordiv", ("x", "y")),
    "compat.v1.gather": ("gather", ("params", "indices", "axis")),
    "compat.v1.pad": ("pad", ("tensor", "paddings", "mode", "constant_values")),
    "compat.v1.shape": ("shape", ("input",)),
    "compat.v1.squeeze": ("squeeze", ("input", "axis")),
    "compat.v1.transpose": ("transpose", ("a", "perm")),
    "math.truediv": ("divide", ("x", "y")),
}
# The arguments of the old forms by position, for those that have others in between.
_POSITIONS: Mapping[str, tuple[str, ...]] = {
    "compat.v1.pad": ("tensor", "paddings", "mode", "name", "constant_values"),
    "compat.v1.gather": ("params", "indices"),
}


def legacy_code(model: Any) -> LegacyCode:
    """How ops and masks are said to tf_keras.

    Arguments:
        model: the twin of what is to be written, which tells where masks end; None where that is not to be known.
    """
    unmasked = {}
    for layer in [] if model is None else model.layers:
        name, dot, last = layer.name.rpartition(".")
        if dot and last == "unmasked" and type(layer).__name__ == "TFOpLambda":
            (tensor,) = tf.nest.flatten(layer._inbound_nodes[0].keras_inputs)
            unmasked[name] = tensor._keras_history.tensor_index
    return LegacyCode(steps_of, unmasked)


def steps_of(entry: OpEntry, given: Mapping[str, Any]) -> Steps:
    """The functions of TensorFlow that stand for an op.

    Arguments:
        entry: the op and its arguments.
        given: what stands at its ports: code with the tensors' shapes and dtypes, arrays as code, plain numbers.

    Raises:
        BlueprintError: GB502, tf_keras has no such op.
    """
    kind = type(entry).name()
    if kind not in LEGACY_OPS:
        raise BlueprintError(Diagnostic("GB502", f"tf_keras has no {kind}: {entry.legacy.absent}"))
    tracer = _Tracer()
    positional, keywords = entry.keras_call({port: tracer.symbolic(value) for port, value in given.items()}, {})
    produced = LEGACY_OPS[kind](*positional, **keywords)
    name_legacy_op(produced, _NAME)
    tensors = list(produced) if isinstance(produced, (list, tuple)) else [produced]
    for tensor in tensors:
        tracer.follow(tensor._keras_history.layer)
    return Steps(tuple(tracer.steps), tuple(tracer.made[id(tensor)] for tensor in tensors))


class _Tracer:
    """Follows tensors of tf_keras back to what an op was given."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.made: dict[int, Made] = {}
        self._given: dict[int, Code] = {}
        self._arrays: dict[int, Code] = {}
        self._known: set[int] = set()
        # What is known by its id must live on.
        self._kept: list[Any] = []

    def symbolic(self, value: Any) -> Any:
        """A symbolic tensor or array in the place of code."""
        if isinstance(value, Code):
            if isinstance(value.value, Calling):
                (data,) = value.value.positional
                array = np.array(data, dtype=value.dtype)
                self._arrays[id(array)] = value
                self._kept.append(array)
                return array
            keras = framework(2).keras
            tensor = keras.Input(batch_shape=value.shape or (1,), dtype=value.dtype)
            if not value.shape:
                tensor = tf.reshape(tensor, [])
            self._given[id(tensor)] = value
            self._known.add(id(tensor._keras_history.layer))
            self._kept.append(tensor)
            return tensor
        if isinstance(value, (list, tuple)):
            return [self.symbolic(item) for item in value]
        return value

    def follow(self, layer: Any) -> None:
        """Writes a layer down, after those that feed it."""
        waiting = [(layer, False)]
        while waiting:
            current, fed = waiting.pop()
            if id(current) in self._known:
                continue
            node = current._inbound_nodes[0]
            if not fed:
                waiting.append((current, True))
                waiting += [(tensor._keras_history.layer, False) for tensor in node.keras_inputs]
                continue
            self._known.add(id(current))
            outputs = tf.nest.flatten(node.outputs)
            for number, tensor in enumerate(outputs):
                self.made[id(tensor)] = Made(len(self.steps), number)
            self._kept.append(outputs)
            count = len(outputs) if isinstance(node.outputs, (list, tuple)) else None
            self.steps.append(Step(current.name.removeprefix(_NAME), self._expression(current, node), count))

    def _expression(self, layer: Any, node: Any) -> Calling | Sliced:
        positional = [self._written(item) for item in node.call_args]
        keywords = {key: self._written(item) for key, item in node.call_kwargs.items() if (key, item) != ("name", None)}
        if layer.symbol == "__operators__.getitem":
            tensor, key = positional
            return Sliced(tensor, tuple(key) if isinstance(key, (list, tuple)) else (key,))
        function = layer.symbol
        if function in _TODAY:
            today, wanted = _TODAY[function]
            keywords.update(zip(_POSITIONS.get(function, wanted), positional, strict=False))
            # What is no axis is told by its place.
            named = {"axis": keywords["axis"]} if "axis" in wanted else {}
            return Calling(f"tf.{today}", tuple(keywords[name] for name in wanted if name not in named), named)
        if len(positional) == 1 and next(iter(keywords), None) == "y":
            positional.append(keywords.pop("y"))
        short = function.rpartition(".")[2]
        same = getattr(tf, short, None) is _function(function)
        return Calling(f"tf.{short if same else function}", tuple(positional), keywords)

    def _written(self, value: Any) -> Any:
        """What a layer is called with, as an expression."""
        if id(value) in self._given:
            return self._given[id(value)]
        if id(value) in self.made:
            return self.made[id(value)]
        if id(value) in self._arrays:
            return self._arrays[id(value)]
        if isinstance(value, tf.DType):
            return Code(f"tf.{value.name}")
        if isinstance(value, (tf.Tensor, np.ndarray, np.generic)):
            array = np.asarray(value)
            plain = array.tolist()
            return Code("", (), "", Calling("np.array", (plain,), {"dtype": str(array.dtype)})) if array.ndim else plain
        if isinstance(value, Mapping) and set(value) == {"start", "stop", "step"}:
            return slice(value["start"], value["stop"], value["step"])
        if isinstance(value, (list, tuple)):
            return type(value)(self._written(item) for item in value)
        return value


def _function(symbol: str) -> Any:
    found: Any = tf
    for part in symbol.split("."):
        found = getattr(found, part, None)
    return found
