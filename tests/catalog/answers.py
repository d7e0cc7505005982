"""What the catalog and each Keras say of one configuration, in one form so that answers can be compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Any, TypeAlias

import keras
import tf_keras
from keras.src import backend
from pydantic import ValidationError

from graphbuilder.catalog import LayerEntry, Misfit, TensorType
from tests.catalog.calls import NUMBERS_OF, Shape, below, call, known, listed, short
from tests.catalog.cases import Case
from tests.support.kerases import KERAS, TWIN, Unbuildable

__all__ = ["Accepted", "Answer", "Broken", "Refused", "catalog_answer", "compatible", "keras_answer", "twin_answer"]


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
        return sum(int(prod(shape)) for _, shape, _ in self.weights)

    @property
    def dtypes(self) -> list[str]:
        """The dtype of each output."""
        return [dtype for _, dtype in self.outputs]

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


def compatible(mine: Shape, other: Shape) -> bool:
    """Whether two shapes can be of one tensor."""
    return len(mine) == len(other) and all(
        None in (one, two) or one == two for one, two in zip(mine, other, strict=True)
    )


def catalog_answer(case: Case, masked: bool = False) -> Answer:
    """What the entry says."""
    try:
        entry = case.kind.model_validate(dict(case.arguments))
    except ValidationError as error:
        details = error.errors(include_url=False)
        return Refused("; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in details)[:300])
    except Exception as error:
        return Broken(f"validation: {short(error)}")
    try:
        given = entry.outputs(case.types)
        weights = entry.weights(case.types) if isinstance(entry, LayerEntry) else ()
    except Misfit as misfit:
        return Refused(f"Misfit: {misfit.message}; expected {misfit.expected}")
    except Exception as error:
        return Broken(f"outputs or weights: {short(error)}")
    outputs = given if isinstance(given, tuple) else (given,)
    try:
        macs: Any = entry.macs(case.types, given)
        count = entry.output_count(case.call)
    except Exception as error:
        return Broken(f"macs or output_count: {short(error)}")
    if macs is not None and (not isinstance(macs, int) or macs < 0):
        return Broken(f"macs gives {macs!r}")
    if count != (len(given) if isinstance(given, tuple) else None):
        return Broken(f"output_count gives {count}, outputs gives {given}")
    return Accepted(
        tuple((known(found.shape), found.dtype) for found in outputs),
        isinstance(given, tuple),
        tuple((weight.name, weight.shape, weight.trainable) for weight in weights),
        isinstance(entry, LayerEntry) and entry.masks(masked),
    )


def keras_answer(case: Case, masked: bool = False) -> Answer:
    """What Keras 3 says when it is called on symbolic tensors."""

    def symbolic(kind: TensorType) -> Any:
        tensor = keras.KerasTensor(known(kind.shape), dtype=kind.dtype)
        if masked:
            backend.set_keras_mask(tensor, keras.KerasTensor(known(kind.shape)[:2], dtype="bool"))
        return tensor

    def made(kind: TensorType) -> Any:
        return NUMBERS_OF[kind.dtype] if kind.dtype in NUMBERS_OF else symbolic(kind)

    try:
        layer, produced = call(case, KERAS, made)
    except Exception as error:
        return Refused(short(error))
    outputs, several = listed(produced)
    if not all(hasattr(output, "shape") for output in outputs):
        return Refused(f"gives no tensor: {produced!r}")
    weights = (
        ()
        if layer is None
        else tuple((below(weight.path), tuple(weight.shape), bool(weight.trainable)) for weight in layer.weights)
    )
    carries = getattr(outputs[0], "_keras_mask", None) is not None if outputs else False
    return Accepted(
        tuple((tuple(output.shape), str(keras.backend.standardize_dtype(output.dtype))) for output in outputs),
        several,
        weights,
        carries,
    )


def twin_answer(case: Case) -> Answer | None:
    """What tf_keras says, or None where it has no way to say the configuration."""

    def made(kind: TensorType) -> Any:
        if kind.dtype in NUMBERS_OF:
            return NUMBERS_OF[kind.dtype]
        return tf_keras.Input(batch_shape=known(kind.shape), dtype=kind.dtype)

    if any(leaf.shape == () and leaf.dtype not in NUMBERS_OF for leaf in case.leaves()):
        return None  # its Input takes no axes for an unknown number of them
    try:
        layer, produced = call(case, TWIN, made)
    except Unbuildable:
        return None
    except Exception as error:
        return Refused(short(error))
    outputs, several = listed(produced)
    if any(output.shape.rank is None for output in outputs):
        return Refused("gives a tensor whose number of axes is unknown")
    weights = (
        ()
        if layer is None
        else tuple((below(weight.name), tuple(weight.shape), bool(weight.trainable)) for weight in layer.weights)
    )
    return Accepted(tuple((tuple(output.shape), output.dtype.name) for output in outputs), several, weights)
