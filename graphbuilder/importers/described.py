"""A Keras model as its configuration describes it, in one form for all Kerases and files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import EllipsisType
from typing import Any, TypeAlias

__all__ = [
    "DescribedArray",
    "DescribedCall",
    "DescribedLayer",
    "DescribedModel",
    "DescribedTensor",
    "Given",
    "flattened",
    "tensors_in",
]


@dataclass(frozen=True, slots=True)
class DescribedTensor:
    """What a call of a layer gives.

    Arguments:
        layer: the layer's name.
        call: which of its calls, from 0.
        index: which of the tensors that this call gives.
        shape: its axes with the batch, None for an unknown one; None as a whole where the file does not say.
        dtype: its dtype, where the file says.
    """

    layer: str
    call: int = 0
    index: int = 0
    shape: tuple[int | None, ...] | None = field(default=None, compare=False)
    dtype: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class DescribedArray:
    """An array of constants.

    Arguments:
        value: a number, or lists of numbers.
        dtype: its dtype.
    """

    value: Any
    dtype: str


# What a layer is called with: tensors, plain data, and lists and mappings of both.
Given: TypeAlias = (
    "DescribedTensor | DescribedArray | list[Given] | dict[str, Given] | slice | EllipsisType "
    "| str | int | float | bool | None"
)


@dataclass(frozen=True, slots=True)
class DescribedCall:
    """One call of a layer.

    Arguments:
        arguments: by position.
        keywords: by name.
    """

    arguments: tuple[Given, ...] = ()
    keywords: Mapping[str, Given] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DescribedLayer:
    """A layer of a model, which may be a model itself.

    Arguments:
        name: unique within its model.
        kind: its class; for an op the class or the name of the function of `keras.ops`.
        module: where that class comes from, such as `keras.layers`, for an op `keras.ops` or `keras.src.ops` with what
            lies in it; empty where the file does not say.
        config: what it was made with.
        calls: in the order in which they were made.
        model: what it is, where it is a model.
        shared: a number that all occurrences of this very layer have, where it may stand in several models; else None.
        also: what else it is called, where it stands in several models.
    """

    name: str
    kind: str
    module: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    calls: tuple[DescribedCall, ...] = ()
    model: DescribedModel | None = None
    shared: int | None = None
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DescribedModel:
    """A functional or sequential model.

    Arguments:
        name: what it is called.
        layers: in the order of the file; inputs are layers of the kind `InputLayer`.
        inputs: what it is called with: a tensor, a list or a mapping.
        outputs: what it gives.
        keras: 2 or 3, whose configuration it was.
        training: what it was compiled with, as the file has it, or None.
        kind: its class.
    """

    name: str
    layers: tuple[DescribedLayer, ...]
    inputs: Given
    outputs: Given
    keras: int = 3
    training: Mapping[str, Any] | None = None
    kind: str = "Functional"


def tensors_in(given: Given) -> Iterator[DescribedTensor]:
    """The tensors in what a layer is called with, in order.

    Example:
        >>> [tensor.layer for tensor in tensors_in([DescribedTensor("a"), {"mask": DescribedTensor("b")}])]
        ['a', 'b']
    """
    waiting: list[Given] = [given]
    while waiting:
        item = waiting.pop()
        if isinstance(item, DescribedTensor):
            yield item
        elif isinstance(item, (list, tuple)):
            waiting += reversed(item)
        elif isinstance(item, Mapping):
            waiting += reversed(item.values())


def flattened(given: Given) -> list[Given]:
    """The leaves of a structure, in the order in which Keras numbers them: those of a mapping by their keys.

    Example:
        >>> flattened({"b": 1, "a": [2, 3]})
        [2, 3, 1]
    """
    if isinstance(given, Mapping):
        return [leaf for key in sorted(given) for leaf in flattened(given[key])]
    if isinstance(given, (list, tuple)):
        return [leaf for item in given for leaf in flattened(item)]
    return [given]
