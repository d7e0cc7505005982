"""What the catalog and each Keras say of one configuration, in one form so that answers can be compared."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf
import tf_keras
from keras.src import backend
from pydantic import ValidationError

from graphbuilder.backend.frameworks import Framework
from graphbuilder.catalog import BATCH, LayerEntry, Misfit, OpEntry, TensorType
from tests.catalog.strategies import Case
from tests.support.kerases import KERAS, TWIN, Unbuildable, fresh_names, keras_layer, raw_layer

__all__ = [
    "Accepted",
    "Answer",
    "Broken",
    "Refused",
    "catalog_answer",
    "computed",
    "computed_dtypes",
    "filled",
    "keras_answer",
    "random_data",
    "run_failure",
    "twin_answer",
]

# The name of the layer under test; weights are named below it.
_OUTER = "outer"

Shape: TypeAlias = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The configuration is taken.

    Arguments:
        outputs: shape and dtype of each.
        several: whether they come as a list.
        weights: path below the layer, shape, and whether training changes it.
        masked: whether the first output carries a mask.
    """

    outputs: tuple[tuple[Shape, str], ...]
    several: bool
    weights: tuple[tuple[str, tuple[int, ...], bool], ...] = ()
    masked: bool = False

    @property
    def parameters(self) -> int:
        """How many numbers the weights hold."""
        return sum(int(np.prod(shape)) for _, shape, _ in self.weights)

    def without_trainability(self) -> Accepted:
        """The same with all weights called trainable."""
        return replace(self, weights=tuple((name, shape, True) for name, shape, _ in self.weights))

    def __str__(self) -> str:
        outputs = ", ".join(f"{dtype} {shape}" for shape, dtype in self.outputs)
        weights = ", ".join(f"{name} {shape}{'' if trainable else ' fixed'}" for name, shape, trainable in self.weights)
        return f"takes it: {f'[{outputs}]' if self.several else outputs}{' masked' if self.masked else ''}; {weights}"


@dataclass(frozen=True, slots=True)
class Refused:
    """The configuration is refused."""

    reason: str

    def __str__(self) -> str:
        return f"refuses it: {self.reason}"


@dataclass(frozen=True, slots=True)
class Broken:
    """The catalog failed in a way that is neither an answer nor a refusal."""

    reason: str

    def __str__(self) -> str:
        return f"breaks: {self.reason}"


Answer: TypeAlias = Accepted | Refused | Broken


def _short(error: BaseException) -> str:
    text = " ".join(str(error).replace("\x1b[1m", "").split())
    text = re.sub(r"Exception encountered when calling .*?\. |\{\{function_node \S+\}\} ", "", text)
    return f"{type(error).__name__}: {text[:240]}"


def _known(shape: Sequence[Any]) -> Shape:
    return tuple(dim if isinstance(dim, int) else None for dim in shape)


def catalog_answer(case: Case, masked: bool = False) -> Answer:
    """What the entry says."""
    try:
        entry = case.kind.model_validate(dict(case.arguments))
    except ValidationError as error:
        details = error.errors(include_url=False)
        return Refused("; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in details)[:300])
    except Exception as error:
        return Broken(f"validation: {_short(error)}")
    try:
        given = entry.outputs(case.types)
        weights = entry.weights(case.types) if isinstance(entry, LayerEntry) else ()
    except Misfit as misfit:
        return Refused(f"Misfit: {misfit.message}; expected {misfit.expected}")
    except Exception as error:
        return Broken(f"outputs or weights: {_short(error)}")
    outputs = given if isinstance(given, tuple) else (given,)
    try:
        macs: Any = entry.macs(case.types, given)
        count = entry.output_count(case.call)
    except Exception as error:
        return Broken(f"macs or output_count: {_short(error)}")
    if macs is not None and (not isinstance(macs, int) or macs < 0):
        return Broken(f"macs gives {macs!r}")
    if count != (len(given) if isinstance(given, tuple) else None):
        return Broken(f"output_count gives {count}, outputs gives {given}")
    return Accepted(
        tuple((_known(found.shape), found.dtype) for found in outputs),
        isinstance(given, tuple),
        tuple((weight.name, weight.shape, weight.trainable) for weight in weights),
        isinstance(entry, LayerEntry) and entry.masks(masked),
    )


def _call(case: Case, chosen: Framework, make: Callable[[TensorType], Any]) -> tuple[Any, Any]:
    """The layer (None for an op) and what it gives for tensors made from the case's types."""
    tensors = {
        port: make(found) if isinstance(found, TensorType) else [make(item) for item in found]
        for port, found in case.inputs.items()
    }
    try:
        entry = case.kind.model_validate(dict(case.arguments))
    except ValidationError:
        return _call_refused(case, tensors)
    positional, keywords = entry.keras_call(tensors, case.call)
    fresh_names(chosen)
    if isinstance(entry, OpEntry):
        given = {name: getattr(entry, name) for name in type(entry).model_fields}
        return None, getattr(chosen.keras.ops, case.kind.name())(*positional, **{**given, **keywords})
    assert isinstance(entry, LayerEntry)
    layer = keras_layer(entry, chosen, _OUTER)
    return layer, layer(*positional, **keywords)


def _call_refused(case: Case, tensors: dict[str, Any]) -> tuple[Any, Any]:
    """Calls Keras 3 with arguments that the entry refuses."""
    guess = case.kind.model_construct(**case.arguments)
    positional, keywords = guess.keras_call(tensors, case.call)
    fresh_names(KERAS)
    if not issubclass(case.kind, LayerEntry):
        return None, getattr(keras.ops, case.kind.name())(*positional, **{**case.arguments, **keywords})
    layer = raw_layer(case.kind, case.arguments, _OUTER)
    return layer, layer(*positional, **keywords)


def _listed(produced: Any) -> tuple[list[Any], bool]:
    if isinstance(produced, dict):
        return list(produced.values()), True
    if isinstance(produced, (list, tuple)):
        return list(produced), True
    return [produced], False


def keras_answer(case: Case, masked: bool = False) -> Answer:
    """What Keras 3 says when it is called on symbolic tensors."""

    def symbolic(kind: TensorType) -> Any:
        tensor = keras.KerasTensor(_known(kind.shape), dtype=kind.dtype)
        if masked:
            backend.set_keras_mask(tensor, keras.KerasTensor(_known(kind.shape)[:2], dtype="bool"))
        return tensor

    def made(kind: TensorType) -> Any:
        return _WEAK[kind.dtype] if kind.dtype in _WEAK else symbolic(kind)

    try:
        layer, produced = _call(case, KERAS, made)
    except Exception as error:
        return Refused(_short(error))
    outputs, several = _listed(produced)
    if not all(hasattr(output, "shape") for output in outputs):
        return Refused(f"gives no tensor: {produced!r}")
    weights = (
        ()
        if layer is None
        else tuple((_below(weight.path), tuple(weight.shape), bool(weight.trainable)) for weight in layer.weights)
    )
    carries = getattr(outputs[0], "_keras_mask", None) is not None if outputs else False
    return Accepted(
        tuple((tuple(output.shape), str(keras.backend.standardize_dtype(output.dtype))) for output in outputs),
        several,
        weights,
        carries,
    )


def _below(path: str) -> str:
    return path.split(":")[0].removeprefix(f"{_OUTER}/")


def twin_answer(case: Case) -> Answer | None:
    """What tf_keras says, or None where it has no way to say the configuration."""

    def made(kind: TensorType) -> Any:
        return tf_keras.Input(batch_shape=_known(kind.shape), dtype=kind.dtype)

    try:
        layer, produced = _call(case, TWIN, made)
    except Unbuildable:
        return None
    except Exception as error:
        return Refused(_short(error))
    outputs, several = _listed(produced)
    weights = tuple((_below(weight.name), tuple(weight.shape), bool(weight.trainable)) for weight in layer.weights)
    return Accepted(tuple((tuple(output.shape), output.dtype.name) for output in outputs), several, weights)


# A plain number of each weak dtype.
_WEAK = {"int": 2, "float": 2.5}


def filled(kind: TensorType, size: int, batch: int = 2) -> TensorType:
    """The type with a size for the batch axis and one for every other unknown axis."""
    shape = (dim if isinstance(dim, int) else batch if dim == BATCH else size for dim in kind.shape)
    return kind.with_shape(shape)


def random_data(kind: TensorType, seed: int = 0) -> Any:
    """Numbers of a known type: floats between -1 and 1, small integers that are in range as indices."""
    if kind.dtype in _WEAK:
        return _WEAK[kind.dtype]
    random = np.random.default_rng((seed, *(dim for dim in kind.shape if isinstance(dim, int))))
    shape = tuple(dim for dim in kind.shape if isinstance(dim, int))
    if kind.dtype == "string":
        return keras.ops.convert_to_tensor(random.choice(["a", "b c", "dé"], size=shape).astype(object))
    if kind.dtype == "bool":
        return keras.ops.convert_to_tensor(random.integers(0, 2, shape).astype(bool))
    if "int" in kind.dtype:
        return keras.ops.convert_to_tensor(random.integers(0, 2, shape), dtype=kind.dtype)
    return keras.ops.cast(keras.ops.convert_to_tensor(random.uniform(-1, 1, shape)), kind.dtype)


# What another device may well compute; whether a blueprint is right does not hang on it.
_OF_THE_DEVICE = re.compile("on the CPU|Could not find device|UnimplementedError|No OpKernel was registered|NHWC|cuDNN")


def zeros(kind: TensorType) -> Any:
    """Zeros of a known type."""
    if kind.dtype in _WEAK or kind.dtype == "string":
        return random_data(kind)
    return keras.ops.zeros([dim for dim in kind.shape if isinstance(dim, int)], dtype=kind.dtype)


def ones(kind: TensorType) -> Any:
    """Ones of a known type."""
    return zeros(kind) if kind.dtype in (*_WEAK, "string") else keras.ops.ones_like(zeros(kind))


def run_failure(case: Case) -> str | None:
    """Why Keras 3 fails when it computes, for every way to fill the unknown axes, or None when it succeeds.

    A layer that acts otherwise in training must succeed in both ways. A failure that only says what the CPU lacks counts
    as success.
    """
    ways = list(_ways_to_fill(case))
    # Zeros, because a table with a single row has no other index; ones, because integers are not divided by zero.
    attempts = [*((way, random_data) for way in ways), (ways[0], zeros), (ways[0], ones)]
    modes = [case]
    if "training" in case.kind.call_arguments and "training" not in case.call:
        modes = [replace(case, call={**case.call, "training": training}) for training in (True, False)]
    for mode in modes:
        reason = None
        for (batch, size), make in attempts:
            reason = _failure_of_one(mode.with_leaves([filled(leaf, size, batch) for leaf in mode.leaves()]), make)
            if reason is None:
                break
        if reason is not None:
            return reason
    return None


def _ways_to_fill(case: Case) -> Iterator[tuple[int, int]]:
    """Sizes for the batch axis and for every other unknown axis, the most likely first."""
    dims = {dim for leaf in case.leaves() for dim in leaf.shape}
    known = sorted(dim for dim in dims if isinstance(dim, int))
    yield 2, 5
    if dims - {BATCH} - set(known):
        yield from ((2, size) for size in (1, 12, *known))
    if dims - set(known):
        yield from ((size, size) for size in known)
        # A list of sizes may need a batch that is a multiple of what stands in it.
        for value in case.arguments.values():
            if isinstance(value, (list, tuple)) and all(type(item) is int for item in value):
                yield min(abs(prod(value)) or 1, 1000), 5


def _failure_of_one(case: Case, make: Callable[[TensorType], Any]) -> str | None:
    try:
        _, produced = _call(case, KERAS, make)
    except Exception as error:
        reason = f"fails when it computes: {_short(error)}"
        return None if _OF_THE_DEVICE.search(reason) else reason
    shapes = [tuple(output.shape) for output in _listed(produced)[0]]
    return f"computes an empty tensor: {shapes}" if any(0 in shape for shape in shapes) else None


def computed_dtypes(case: Case) -> list[str] | None:
    """The dtypes of what Keras 3 computes, or None where it fails."""
    made = [filled(leaf, 5) for leaf in case.leaves()]
    try:
        _, produced = _call(case.with_leaves(made), KERAS, random_data)
    except Exception:
        return None
    return [str(keras.backend.standardize_dtype(output.dtype)) for output in _listed(produced)[0]]


def computed(case: Case) -> tuple[list[Any], list[Any]]:
    """What Keras 3 and tf_keras compute from the same numbers with the same weights, as arrays."""
    made = [filled(leaf, 6) for leaf in case.leaves()]
    case = case.with_leaves(made)
    if "training" in case.kind.call_arguments:
        case = replace(case, call={**case.call, "training": False})
    layer, produced = _call(case, KERAS, random_data)
    random = np.random.default_rng(0)
    for weight in layer.weights:
        if "float" in weight.dtype:
            # Positive, because variances are among them.
            weight.assign(random.uniform(0.05, 0.5, tuple(weight.shape)))
    twin, _ = _call(case, TWIN, lambda kind: tf.convert_to_tensor(random_data(kind)))
    renamed = case.kind.legacy.weights
    given = {_below(weight.path): weight for weight in layer.weights}
    wanted = {_below(weight.name): weight for weight in twin.weights}
    assert sorted(renamed.get(name, name) for name in given) == sorted(wanted)
    for name, weight in given.items():
        wanted[renamed.get(name, name)].assign(weight.numpy())
    _, produced = _called_again(case, layer)
    _, other = _called_again(case, twin)
    return [np.asarray(item) for item in _listed(produced)[0]], [np.asarray(item) for item in _listed(other)[0]]


def _called_again(case: Case, layer: Any) -> tuple[Any, Any]:
    """What a layer gives for the case's random numbers."""
    tensors = {
        port: random_data(found) if isinstance(found, TensorType) else [random_data(item) for item in found]
        for port, found in case.inputs.items()
    }
    positional, keywords = case.kind.model_validate(dict(case.arguments)).keras_call(tensors, case.call)
    return layer, layer(*positional, **keywords)
