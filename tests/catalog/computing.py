"""What the two Kerases compute, and whether Keras 3 can compute what it announced."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from graphbuilder.catalog import BATCH, Entry, LayerEntry, TensorType
from tests.catalog.answers import Accepted, compatible
from tests.catalog.calls import NUMBERS_OF, below, call, listed, short
from tests.catalog.cases import Case
from tests.support.kerases import KERAS, TWIN

__all__ = ["computed", "computed_dtypes", "device_fails", "paired", "run_failure"]


def filled(kind: TensorType, size: int, batch: int = 2) -> TensorType:
    """The type with a size for the batch axis and one for every other unknown axis."""
    shape = (dim if isinstance(dim, int) else batch if dim == BATCH else size for dim in kind.shape)
    return kind.with_shape(shape)


def random_data(kind: TensorType, seed: int = 0) -> Any:
    """Numbers of a known type: floats between -1 and 1, small integers that are in range as indices."""
    if kind.dtype in NUMBERS_OF:
        return NUMBERS_OF[kind.dtype]
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
_OF_THE_DEVICE = re.compile(
    "on the CPU|type CPU|CPU implementations|Could not find device|No OpKernel was registered|NHWC|NDHWC|cuDNN"
)


def zeros(kind: TensorType) -> Any:
    """Zeros of a known type."""
    if kind.dtype in NUMBERS_OF or kind.dtype == "string":
        return random_data(kind)
    return keras.ops.zeros([dim for dim in kind.shape if isinstance(dim, int)], dtype=kind.dtype)


def ones(kind: TensorType) -> Any:
    """Ones of a known type."""
    return zeros(kind) if kind.dtype in (*NUMBERS_OF, "string") else keras.ops.ones_like(zeros(kind))


# Elements of a tensor beyond which a further try costs more than it tells.
_LARGE = 300_000


def device_fails(error: BaseException) -> bool:
    """Whether an error only says what this device lacks."""
    return _OF_THE_DEVICE.search(str(error)) is not None


def run_failure(case: Case, announced: Accepted, device_may_fail: bool) -> str | None:
    """Why Keras 3 fails when it computes, for every way to fill the unknown axes, or None when it succeeds.

    A layer that acts otherwise in training must succeed in both ways.

    Arguments:
        case: the configuration.
        announced: what Keras said before.
        device_may_fail: whether a failure that only says what this device lacks counts as success.
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
            known = mode.with_leaves([filled(leaf, size, batch) for leaf in mode.leaves()])
            if reason is not None and any(prod(leaf.shape) > _LARGE for leaf in known.leaves()):  # type: ignore[arg-type]
                continue
            reason = _failure_of_one(known, make, announced, device_may_fail)
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
        yield from ((1, 5), (16, 16), (60, 60))
        yield from ((size, size) for size in known)
        # Arguments may hold sizes or numbers of parts that only one batch, or its multiples, can meet.
        rest = max(1, prod(dim for dim in next(case.leaves()).shape if isinstance(dim, int)))
        for value in case.arguments.values():
            if isinstance(value, (list, tuple)) and all(type(item) is int for item in value):
                yield from ((min(max(1, size), 1000), 5) for size in (abs(prod(value)), abs(prod(value)) // rest))
        yield from ((size, 5) for size in (3, 4, 6, 7, 8, 9, 1000))


def _failure_of_one(
    case: Case, make: Callable[[TensorType], Any], announced: Accepted, device_may_fail: bool
) -> str | None:
    try:
        _, produced = call(case, KERAS, make)
    except Exception as error:
        return None if device_may_fail and device_fails(error) else f"fails when it computes: {short(error)}"
    shapes = [tuple(output.shape) for output in listed(produced)[0]]
    if any(0 in shape for shape in shapes):
        return f"computes an empty tensor: {shapes}"
    stated = [shape for shape, _ in announced.outputs]
    if len(shapes) != len(stated) or not all(map(compatible, shapes, stated)):
        return f"computes {shapes} where it announced {stated}"
    return None


def computed_dtypes(case: Case) -> list[str] | None:
    """The dtypes of what Keras 3 computes, or None where it fails."""
    made = [filled(leaf, 5) for leaf in case.leaves()]
    try:
        _, produced = call(case.with_leaves(made), KERAS, random_data)
    except Exception:  # whatever Keras raises: that it fails is the answer
        return None
    return [str(keras.backend.standardize_dtype(output.dtype)) for output in listed(produced)[0]]


def paired(
    kind: type[Entry], ours: Sequence[tuple[str, tuple[int, ...]]], theirs: Sequence[tuple[str, tuple[int, ...]]]
) -> list[tuple[int, int]] | None:
    """The weights of Keras 3 and of tf_keras in pairs, by their places; or None when they do not match.

    They match by path, as the entry says that tf_keras calls them; or, for layers made of layers whose scopes tf_keras
    names differently, by their order, the last parts of the paths being equal.
    """
    renamed = getattr(kind.legacy, "weights", {})
    named = {name: place for place, (name, _) in enumerate(theirs)}
    places = [named.get(renamed.get(name, name)) for name, _ in ours]
    if len(ours) != len(theirs):
        return None
    if None in places or len(set(places)) < len(places):
        places = list(range(len(ours)))
        if [name.rpartition("/")[2] for name, _ in ours] != [name.rpartition("/")[2] for name, _ in theirs]:
            return None
    pairs = [(mine, place) for mine, place in enumerate(places) if place is not None]
    return pairs if all(ours[mine][1] == theirs[place][1] for mine, place in pairs) else None


def computed(case: Case) -> tuple[list[Any], list[Any]]:
    """What Keras 3 and tf_keras compute from the same numbers with the same weights, as arrays."""
    made = [filled(leaf, 6) for leaf in case.leaves()]
    case = case.with_leaves(made)
    if "training" in case.kind.call_arguments:
        case = replace(case, call={**case.call, "training": False})
    if not issubclass(case.kind, LayerEntry):
        answers = (call(case, chosen, random_data)[1] for chosen in (KERAS, TWIN))
        mine, theirs = ([np.asarray(item) for item in listed(answer)[0]] for answer in answers)
        return mine, theirs
    layer, produced = call(case, KERAS, random_data)
    random = np.random.default_rng(0)
    for weight in layer.weights:
        if "float" in weight.dtype:
            # Positive, because variances are among them.
            weight.assign(random.uniform(0.05, 0.5, tuple(weight.shape)))
    twin, _ = call(case, TWIN, lambda kind: tf.convert_to_tensor(random_data(kind)))
    given = [(below(weight.path), tuple(weight.shape)) for weight in layer.weights]
    wanted = [(below(weight.name), tuple(weight.shape)) for weight in twin.weights]
    pairs = paired(case.kind, given, wanted)
    assert pairs is not None, f"weights differ: {given} and {wanted}"
    for place, other_place in pairs:
        twin.weights[other_place].assign(layer.weights[place].numpy())
    _, produced = _called_again(case, layer)
    _, other = _called_again(case, twin)
    return [np.asarray(item) for item in listed(produced)[0]], [np.asarray(item) for item in listed(other)[0]]


def _called_again(case: Case, layer: Any) -> tuple[Any, Any]:
    """What a layer gives for the case's random numbers."""
    tensors = {
        port: random_data(found) if isinstance(found, TensorType) else [random_data(item) for item in found]
        for port, found in case.inputs.items()
    }
    positional, keywords = case.kind.model_validate(dict(case.arguments)).keras_call(tensors, case.call)
    return layer, layer(*positional, **keywords)
