"""Which weights of a layer are kernels, and how each of them stands as a matrix."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from graphbuilder.catalog import LayerEntry, Weight
from graphbuilder.graph import CustomLayer, Layer

__all__ = ["KERNELS", "Kernel", "kernels_of"]

# The last step of the paths of weights that inputs are multiplied with: what can be pruned, clustered and factored.
# Biases, scales and statistics are small, and zeros among them would save nothing.
KERNELS = frozenset({"kernel", "recurrent_kernel", "embeddings", "depthwise_kernel", "pointwise_kernel"})

# The axes of a kernel along which products are summed, counted from the end, by the layer's kind and the weight's name.
# What is not here has them first: (inputs, outputs).
_SUMMED: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    "Conv": {"kernel": (-2,)},
    "ConvTranspose": {"kernel": (-1,)},
    "DepthwiseConv": {"kernel": ()},
    "SeparableConv": {"depthwise_kernel": (), "pointwise_kernel": (-2,)},
    "ConvLSTM": {"kernel": (-2,), "recurrent_kernel": (-2,)},
    # The other three project the last axis of what they are given: (inputs, heads, size).
    "MultiHeadAttention": {"attention_output/kernel": (-3, -2)},
}
# Convolutions along one, two and three axes are alike.
_AXES = re.compile(r"\dD")


@dataclass(frozen=True, slots=True)
class Kernel:
    """A weight that inputs are multiplied with.

    Arguments:
        path: its path below the layer, as in Keras 3.
        shape: its axes.
        summed: those of them along which products are summed for one output at one position.
        matrix: whether the layer multiplies by it as a matrix, once for each position, rather than sliding it along.
    """

    path: str
    shape: tuple[int, ...]
    summed: tuple[int, ...]
    matrix: bool

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self.shape)

    @property
    def kept(self) -> tuple[int, ...]:
        """The axes that are not summed along."""
        return tuple(axis for axis in range(len(self.shape)) if axis not in self.summed)

    @property
    def inputs(self) -> int:
        """How many products are summed for one output at one position."""
        return prod(self.shape[axis] for axis in self.summed)

    @property
    def rows_first(self) -> tuple[int, ...]:
        """The order of the axes in which those that are summed along come first."""
        return (*self.summed, *self.kept)

    @property
    def rows_last(self) -> tuple[int, ...]:
        """The order of the axes in which those that are summed along come last."""
        return (*self.kept, *self.summed)


def kernels_of(layer: Layer) -> tuple[Kernel, ...]:
    """The kernels of a layer that training changes; none for a custom layer, of which nobody knows which they are."""
    if isinstance(layer.entry, CustomLayer):
        return ()
    return tuple(
        _kernel(layer.entry, weight.name, weight)
        for weight in layer.weights or ()
        if weight.name.rpartition("/")[2] in KERNELS and weight.trainable
    )


def _kernel(entry: LayerEntry, name: str, weight: Weight) -> Kernel:
    """A weight as a kernel of the layer that owns it, however deep that is wrapped."""
    inner = getattr(entry, "layer", None)
    if isinstance(inner, LayerEntry):
        # Both directions of a Bidirectional have kernels of one form.
        return _kernel(inner, name.partition("/")[2], weight)
    kind = type(entry).name()
    rank = len(weight.shape)
    if kind == "EinsumDense":
        given, rest = str(getattr(entry, "equation", "")).replace("...", "").split(",")
        letters, result = rest.split("->")
        summed = tuple(axis for axis, letter in enumerate(letters) if letter in given and letter not in result)
        return Kernel(weight.name, weight.shape, summed, matrix=True)
    known = _SUMMED.get(_AXES.sub("", kind), {})
    # A cell's weights are named below the cell.
    found = known.get(name, known.get(name.rpartition("/")[2], (-rank,)))
    slides = "Conv" in kind
    return Kernel(weight.name, weight.shape, tuple(rank + axis for axis in found), matrix=not slides)
